#!/bin/bash
# A small network on one machine, without touching the machine's own: two switches, five hosts, a monitor.
#
#   tests/lab/lab.sh up          build it (needs root, iproute2, snmpd)
#   tests/lab/lab.sh down        take it away
#   tests/lab/lab.sh status      what is there
#   tests/lab/lab.sh run CMD     run CMD where the monitor stands (sees the management addresses and the mirror port)
#   tests/lab/lab.sh on NS CMD   run CMD in another namespace of the lab: sw1 sw2 h1 h2 h3 h4 h5
#   tests/lab/lab.sh port N      make TCP port N of the monitor's loopback reachable on this machine's loopback (needs socat)
#
#   h1 h2 h3 ── sw1 (10.77.0.11) ── up1 ─── up1 ── sw2 (10.77.0.12) ── h4 h5        hosts: 10.77.0.101 ...
#                │  └ span (a copy of everything the ports of sw1 receive)
#               mon (10.77.0.1)
#
# A switch is a Linux bridge in a namespace of its own with net-snmp's snmpd beside it, so that IF-MIB shows the kernel's
# own counters and SET of ifAdminStatus really cuts a port. Communities: public (read), private (write). SNMPv3 users:
# netroom (SHA-256/AES, "authpass-netroom"/"privpass-netroom"), legacy (MD5/DES, "authpass-legacy"/"privpass-legacy").
# LAB names another lab beside the first (namespaces are called $LAB-sw1 ...).
set -euo pipefail

lab=${LAB:-nr}
state=${LAB_STATE:-/run/netroom-lab-$lab}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
names="sw1 sw2 h1 h2 h3 h4 h5 mon"

say() { printf '%s\n' "$*" >&2; }
need() { command -v "$1" >/dev/null 2>&1 || { say "lab: '$1' is missing; install it with: apt-get install $2"; exit 2; }; }
in_ns() { local ns=$1; shift; ip netns exec "$lab-$ns" "$@"; }

# wire NS1 NAME1 NS2 NAME2: a cable between two namespaces.
wire() {
    ip link add "$2" netns "$lab-$1" type veth peer name "$4" netns "$lab-$3"
    in_ns "$1" ip link set "$2" up
    in_ns "$3" ip link set "$4" up
}

# plug SWITCH PORT: make PORT a port of the switch's bridge.
plug() { in_ns "$1" ip link set "$2" master br0; }

# mirror SWITCH PORT: send a copy of what PORT receives to the switch's span port.
mirror() {
    in_ns "$1" tc qdisc add dev "$2" ingress
    in_ns "$1" tc filter add dev "$2" parent ffff: protocol all u32 match u32 0 0 action mirred egress mirror dev span
}

# agent SWITCH ADDRESS LOCATION: start snmpd in the switch's namespace.
agent() {
    local dir=$state/$1
    mkdir -p "$dir/persistent"
    cat > "$dir/snmpd.conf" <<CONF
agentaddress udp:$2:161,udp6:161
sysName $1
sysLocation $3
sysContact 网络室 <noc@example.org>
sysServices 2
rocommunity public
rwcommunity private
rocommunity6 public
rwcommunity6 private
createUser netroom SHA-256 "authpass-netroom" AES "privpass-netroom"
createUser legacy MD5 "authpass-legacy" DES "privpass-legacy"
rouser netroom priv
rouser legacy priv
pass_persist .1.3.6.1.2.1.17 /usr/bin/python3 $here/bridge_mib.py br0
CONF
    SNMP_PERSISTENT_DIR=$dir/persistent in_ns "$1" snmpd -C -c "$dir/snmpd.conf" -p "$dir/pid" -Lf "$dir/log" 2>>"$dir/log"
}

up() {
    [ "$(id -u)" = 0 ] || { say "lab: network namespaces need root: run it with sudo"; exit 2; }
    need ip iproute2; need tc iproute2; need snmpd snmpd; need python3 python3
    down
    mkdir -p "$state"
    local ns
    for ns in $names; do
        ip netns add "$lab-$ns"
        # Quiet namespaces: no IPv6 chatter of the kernel's own, so that counters stand still when no test sends.
        in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
        in_ns "$ns" ip link set lo up
    done
    for ns in sw1 sw2; do
        in_ns "$ns" ip link add br0 type bridge
        in_ns "$ns" ip link set br0 up
        # VLAN 999, as separate as another switch: dot1qPvid moves a port there.
        in_ns "$ns" ip link add br999 type bridge
        in_ns "$ns" ip link set br999 up
    done
    local n
    for n in 1 2 3; do wire sw1 "port$n" "h$n" eth0; plug sw1 "port$n"; done
    for n in 4 5; do wire sw2 "port$((n - 3))" "h$n" eth0; plug sw2 "port$((n - 3))"; done
    wire sw1 up1 sw2 up1; plug sw1 up1; plug sw2 up1
    wire sw1 port8 mon eth0; plug sw1 port8
    wire sw1 span mon span0
    for n in port1 port2 port3 port8 up1; do mirror sw1 "$n"; done
    in_ns sw1 ip addr add 10.77.0.11/24 dev br0
    in_ns sw2 ip addr add 10.77.0.12/24 dev br0
    in_ns mon ip addr add 10.77.0.1/24 dev eth0
    for n in 1 2 3 4 5; do in_ns "h$n" ip addr add "10.77.0.$((100 + n))/24" dev eth0; done
    agent sw1 10.77.0.11 "主楼一层机房"
    agent sw2 10.77.0.12 "图书馆二层"
    say "lab: up; switches 10.77.0.11 and 10.77.0.12 answer SNMP in namespace $lab-mon"
    say "lab: try: $0 run snmpwalk -v2c -c public 10.77.0.11 IF-MIB::ifXTable"
}

down() {
    local ns pid
    for pid in "$state"/*/pid; do
        [ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
    for ns in $names; do
        if ip netns list 2>/dev/null | grep -q "^$lab-$ns\b"; then
            ip netns pids "$lab-$ns" | xargs -r kill 2>/dev/null || true
            ip netns del "$lab-$ns"
        fi
    done
    rm -rf "$state"
}

case ${1:-} in
    up) up ;;
    down) down; say "lab: down" ;;
    status) ip netns list | grep "^$lab-" || say "lab: not up" ;;
    run) shift; in_ns mon "$@" ;;
    on) shift; ns=$1; shift; in_ns "$ns" "$@" ;;
    port)
        need socat socat
        exec socat "TCP-LISTEN:$2,bind=127.0.0.1,fork,reuseaddr" "EXEC:ip netns exec $lab-mon socat STDIO TCP\:127.0.0.1\:$2" ;;
    *) sed -n '2,20p' "${BASH_SOURCE[0]}"; exit 64 ;;
esac
