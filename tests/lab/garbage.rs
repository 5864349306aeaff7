//! Anybody on the network can send anything to the sockets that a daemon listens on: the raw ICMP socket and the port for
//! traps. Garbage is counted, and what is measured stays as it was.

use crate::alarm::{hosts_up, office};
use crate::daemon::Daemon;
use crate::network::Network;

/// Datagrams of each kind. The prober's identifier is one of 65,536: an answer is sent with each of them.
const TRAPS: u64 = 4000;

/// ICMP: answers that nobody asked for, with every identifier, too short, too long, with cookies of chance; errors that quote
/// nothing, half a header, or somebody else's probe.
const ICMP: &str = r#"
import os, random, socket, struct
random.seed(20261123)
to = ("10.77.0.1", 0)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
def checksum(data):
    if len(data) % 2: data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff
def send(kind, code, rest):
    head = struct.pack("!BBH", kind, code, 0)
    total = checksum(head + rest)
    s.sendto(struct.pack("!BBH", kind, code, total) + rest, to)
lengths = [0, 1, 7, 8, 15, 16, 20, 56, 600]
for ident in range(65536):
    head = struct.pack("!HH", ident, random.randrange(65536))
    send(0, random.randrange(2), head + random.randbytes(random.choice(lengths)))
    # As ours are, but for the cookie.
    send(0, 0, head + random.randbytes(16) + b"nrpg" + random.randbytes(36))
for _ in range(4000):
    quoted = bytes([0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 10, 77, 0, 1, 10, 77, 0, 101]) + bytes([8, 0, 0, 0]) + random.randbytes(8)
    quoted = bytearray(quoted[:random.randrange(len(quoted) + 1)])
    if quoted and random.random() < 0.5: quoted[random.randrange(len(quoted))] = random.randrange(256)
    send(random.choice([3, 11, 12, 4]), random.randrange(256), random.randbytes(4) + bytes(quoted))
"#;

/// To the port of traps: noise, and traps of an enterprise of nobody's with octets changed, cut or doubled.
const UDP: &str = r#"
import random, socket, sys
random.seed(20261124)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def tlv(tag, *parts):
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body
def bind(name, value): return tlv(0x30, tlv(6, bytes.fromhex(name)), value)
binds = tlv(0x30, bind("2b06010201010300", tlv(0x43, b"\x0a")), bind("2b060106030101040100", tlv(6, bytes.fromhex("2b06010401868d1f01"))),
            bind("2b060102010202010103", tlv(2, b"\x03")))
good = tlv(0x30, tlv(2, b"\1"), tlv(4, b"public"), tlv(0xa7, tlv(2, b"\1"), tlv(2, b"\0"), tlv(2, b"\0"), binds))
for n in range(int(sys.argv[1])):
    data = bytearray(good)
    choice = n % 4
    if choice == 0: data = bytearray(random.randbytes(random.choice([0, 1, 2, 40, 484, 1400])))
    elif choice == 1: data[random.randrange(len(data))] = random.randrange(256)
    elif choice == 2: data = data[:random.randrange(len(data))]
    else: data = data + data[:random.randrange(len(data))]
    s.sendto(bytes(data), ("10.77.0.1", 162))
"#;

#[test]
fn garbage_is_counted_and_changes_nothing() {
    let Some(network) = Network::up("nrt9") else { return };
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), &office("10s", ""));
    daemon.wait("everybody to be up", || hosts_up(&daemon, 5));
    let ping = |result: &str| daemon.metric("/metrics", "netroom_ping_probes_total", &[&format!("result=\"{result}\"")]).unwrap_or(0.0);
    let traps = |family: &str| daemon.metric("/metrics", family, &[]).unwrap_or(0.0);

    network.read("h1", &["python3", "-c", ICMP]);
    // From a host that is no device, and from a switch that is one.
    for from in ["h2", "sw1"] {
        network.read(from, &["python3", "-c", UDP, &TRAPS.to_string()]);
    }
    daemon.wait("the garbage to be counted", || traps("netroom_traps_received_total") >= 2.0 * TRAPS as f64);
    // Answers with our identifier and a cookie of chance reach the prober, and are told from ours.
    daemon.wait("the answers that nobody asked for to be counted", || ping("strange") > 0.0);
    let refused: f64 = ["malformed", "credentials", "too_many"]
        .iter()
        .filter_map(|reason| daemon.metric("/metrics", "netroom_traps_refused_total", &[&format!("reason=\"{reason}\"")]))
        .sum();
    eprintln!(
        "MEASURED: {} ICMP messages that fit no probe, {} of {} datagrams to the trap port refused",
        ping("strange"),
        refused,
        traps("netroom_traps_received_total")
    );
    let (answered, polls) = (ping("answered"), traps("netroom_poll_rows_total"));
    daemon.wait("probes to be answered and switches to be polled on", || {
        ping("answered") >= answered + 25.0 && traps("netroom_poll_rows_total") > polls
    });
    assert!(hosts_up(&daemon, 5));
    assert!(daemon.get("/api/v1/incidents").contains("\"incidents\":[]"), "{}", daemon.get("/api/v1/incidents"));
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    daemon.stop();
}
