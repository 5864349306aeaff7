"""BRIDGE-MIB (RFC 4188) of a Linux bridge for snmpd's pass_persist: base ports and the forwarding database.

Speaks the pass_persist protocol over stdin and stdout: PING, get, getnext. Everything is read afresh from the
kernel for each question, so the answers are as true as `bridge fdb show`.
"""

import os
import subprocess
import sys

BASE = (1, 3, 6, 1, 2, 1, 17)
bridge = sys.argv[1]


def ports():
    """The bridge's ports as {name: (port number, ifIndex)}."""
    found = {}
    for name in sorted(os.listdir(f"/sys/class/net/{bridge}/brif")):
        with open(f"/sys/class/net/{name}/brport/port_no") as number, open(f"/sys/class/net/{name}/ifindex") as index:
            found[name] = (int(number.read(), 16), int(index.read()))
    return found


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
    shown = subprocess.run(["bridge", "fdb", "show", "br", bridge], capture_output=True, text=True, check=False).stdout
    for line in shown.splitlines():
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
