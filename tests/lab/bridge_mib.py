"""BRIDGE-MIB (RFC 4188) and a little of Q-BRIDGE-MIB (RFC 4363) of a Linux switch for snmpd's pass_persist: base ports,
the forwarding database, and the VLAN of each port.

Speaks the pass_persist protocol over stdin and stdout: PING, get, getnext, set. Everything is read afresh from the
kernel for each question, so the answers are as true as `bridge fdb show`. A VLAN is a bridge of its own, as separate as
switches are: br0 is VLAN 1, br999 is VLAN 999. SET of dot1qPvid moves the port from one to the other.
"""

import os
import subprocess
import sys

BASE = (1, 3, 6, 1, 2, 1, 17)
bridge = sys.argv[1]
VLANS = {1: bridge, 999: "br999"}


def vlans():
    """The VLANs that there are, each with the names of its ports."""
    path = "/sys/class/net/{}/brif".format
    return {vlan: os.listdir(path(name)) for vlan, name in VLANS.items() if os.path.isdir(path(name))}


def ports():
    """The switch's ports as {name: (port number, ifIndex)}; the number stays, whichever VLAN the port is in."""
    found = {}
    for number, name in enumerate(sorted(name for members in vlans().values() for name in members), 1):
        with open(f"/sys/class/net/{name}/ifindex") as index:
            found[name] = (number, int(index.read()))
    return found


def move(oid, vlan):
    """SET of dot1qPvid: the port goes into the bridge that is the VLAN."""
    names = {BASE + (7, 1, 4, 5, 1, 1, number): name for name, (number, _) in ports().items()}
    if oid not in names:
        return "not-writable"
    if vlan not in vlans():
        return "wrong-value"
    done = subprocess.run(["ip", "link", "set", names[oid], "master", VLANS[vlan]], check=False)
    return "DONE" if done.returncode == 0 else "resource-unavailable"


def table():
    """All objects as {oid: (type, value)}."""
    objects = {}
    known = ports()
    with open(f"/sys/class/net/{bridge}/address") as address:
        objects[BASE + (1, 1, 0)] = ("octet", bytes.fromhex(address.read().strip().replace(":", "")))
    objects[BASE + (1, 2, 0)] = ("integer", len(known))
    objects[BASE + (1, 3, 0)] = ("integer", 2)
    for number, index in known.values():
        objects[BASE + (1, 4, 1, 1, number)] = ("integer", number)
        objects[BASE + (1, 4, 1, 2, number)] = ("integer", index)
    for vlan, members in vlans().items():
        objects[BASE + (7, 1, 4, 3, 1, 5, vlan)] = ("integer", 1)
        for name in members:
            objects[BASE + (7, 1, 4, 5, 1, 1, known[name][0])] = ("gauge", vlan)
    show = ["bridge", "fdb", "show", "br"]
    shown = [subprocess.run([*show, VLANS[vlan]], capture_output=True, text=True, check=False).stdout for vlan in vlans()]
    for line in "".join(shown).splitlines():
        words = line.split()
        mac, name = words[0], words[2]
        if name not in known or "permanent" in words and "self" in words:
            continue
        octets = bytes.fromhex(mac.replace(":", ""))
        if octets[0] & 1:
            continue
        status = 4 if "permanent" in words else 3
        objects[BASE + (4, 3, 1, 1) + tuple(octets)] = ("octet", octets)
        objects[BASE + (4, 3, 1, 2) + tuple(octets)] = ("integer", known[name][0])
        objects[BASE + (4, 3, 1, 3) + tuple(octets)] = ("integer", status)
    return objects


def answer(oid, objects):
    kind, value = objects[oid]
    print("." + ".".join(map(str, oid)))
    print(kind)
    print(" ".join(f"{octet:02x}" for octet in value) if isinstance(value, bytes) else value, flush=True)


def main():
    for line in iter(sys.stdin.readline, ""):
        command = line.strip()
        if command == "PING":
            print("PONG", flush=True)
            continue
        if command == "set":
            asked = tuple(int(part) for part in sys.stdin.readline().strip().strip(".").split("."))
            value = sys.stdin.readline().split()[-1]
            print(move(asked, int(value)) if value.isdigit() else "wrong-type", flush=True)
            continue
        if command not in ("get", "getnext"):
            print("NONE", flush=True)
            continue
        asked = tuple(int(part) for part in sys.stdin.readline().strip().strip(".").split("."))
        objects = table()
        if command == "get":
            found = asked if asked in objects else None
        else:
            found = min((oid for oid in objects if oid > asked), default=None)
        if found is None:
            print("NONE", flush=True)
        else:
            answer(found, objects)


main()
