//! Devices that cannot be polled, each for its own reason, beside those that can, over IPv4 and IPv6: what each is told by
//! is one sentence that says what is wrong and where to look.

use serde_json::Value;

use crate::daemon::Daemon;
use crate::network::Network;

const DEVICES: &str = r#"
[snmp]
interval = "10s"
community = "public"
min_timeout = "300ms"
max_timeout = "1s"
tries = 2

[[device]]
name = "over-ipv6"
address = "fd77::11"

[[device]]
name = "v3-over-ipv6"
address = "fd77::12"
version = "3"
user = "reader"

[[device]]
name = "silent"
address = "10.77.0.101"

[[device]]
name = "nobody-there"
address = "10.77.0.99"
# The kernel asks for its MAC address for three seconds before it gives up.
min_timeout = "2s"
max_timeout = "4s"

[[device]]
name = "no-route"
address = "192.0.2.7"

[[device]]
name = "wrong-community"
address = "10.77.0.11"
community = "not-public"

[[device]]
name = "wrong-user"
address = "10.77.0.12"
version = "3"
user = "stranger"

[[device]]
name = "wrong-password"
address = "10.77.0.12"
port = 1161
version = "3"
user = "forgetful"

[[device]]
name = "wrong-privacy"
address = "10.77.0.12"
port = 1162
version = "3"
user = "muddled"

[[device]]
name = "wrong-level"
address = "10.77.0.12"
port = 1163
version = "3"
user = "careless"

[snmp.users.reader]
name = "netroom"
auth = "sha256"
auth_password = "authpass-netroom"
privacy = "aes128"
privacy_password = "privpass-netroom"

[snmp.users.stranger]
auth = "sha256"
auth_password = "authpass-netroom"

[snmp.users.forgetful]
name = "netroom"
auth = "sha256"
auth_password = "another-password"
privacy = "aes128"
privacy_password = "privpass-netroom"

[snmp.users.muddled]
name = "netroom"
auth = "sha256"
auth_password = "authpass-netroom"
privacy = "aes128"
privacy_password = "another-password"

[snmp.users.careless]
name = "netroom"
auth = "sha256"
auth_password = "authpass-netroom"
"#;

/// Gives the monitor and both switches IPv6, which the lab leaves out for silence.
fn add_ipv6(network: &Network) {
    for (namespace, interface, address) in [("mon", "eth0", "fd77::1/64"), ("sw1", "br0", "fd77::11/64"), ("sw2", "br0", "fd77::12/64")] {
        for scope in ["all", interface] {
            network.read(namespace, &["sysctl", "-qw", &format!("net.ipv6.conf.{scope}.disable_ipv6=0")]);
        }
        network.read(namespace, &["ip", "-6", "addr", "add", address, "dev", interface, "nodad"]);
    }
}

/// Devices are told apart by address and port: more doors to the one agent.
fn add_doors(network: &Network, ports: &[&str]) {
    for port in ports {
        let rule = ["nft", "add", "rule", "ip", "lab", "doors", "udp", "dport", port, "redirect", "to", ":161"];
        network.read("sw2", &rule);
    }
}

#[test]
fn each_device_that_cannot_be_polled_is_told_by_its_reason() {
    let Some(network) = Network::up("nrt6") else { return };
    add_ipv6(&network);
    network.read("sw2", &["nft", "add", "table", "ip", "lab"]);
    network.read("sw2", &["nft", "add", "chain", "ip", "lab", "doors", "{ type nat hook prerouting priority -100; }"]);
    add_doors(&network, &["1161", "1162", "1163"]);
    // A device whose access list lets nobody in.
    network.read("h1", &["nft", "add", "table", "ip", "lab"]);
    network.read("h1", &["nft", "add", "chain", "ip", "lab", "gate", "{ type filter hook input priority 0; }"]);
    network.read("h1", &["nft", "add", "rule", "ip", "lab", "gate", "udp", "dport", "161", "drop"]);
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), DEVICES);
    let mut devices = Value::Null;
    daemon.wait("a verdict on every device", || {
        let Some(text) = daemon.try_get("/api/v1/devices") else { return false };
        devices = serde_json::from_str(&text).unwrap();
        let list = devices["devices"].as_array().unwrap();
        list.len() == 10 && list.iter().all(|device| device["health"]["state"] != "unknown")
    });
    let health =
        |name: &str| devices["devices"].as_array().unwrap().iter().find(|device| device["name"] == name).unwrap()["health"].clone();
    for name in ["over-ipv6", "v3-over-ipv6"] {
        assert_eq!(health(name)["state"], "up", "{}", health(name));
    }
    for (name, gap, words) in [
        ("silent", "timeout", "did not answer"),
        ("nobody-there", "unreachable", "is the device switched on"),
        ("no-route", "unreachable", "is there a route to it"),
        ("wrong-community", "timeout", "community"),
        ("wrong-user", "refused", "user"),
        ("wrong-password", "refused", "pass phrase"),
        ("wrong-privacy", "refused", "pass phrase"),
        ("wrong-level", "refused", "level"),
    ] {
        let health = health(name);
        let detail = health["detail"].as_str().unwrap_or_default();
        eprintln!("{name}: {} {detail}", health["gap"]);
        assert_eq!((&health["state"], &health["gap"]), (&"down".into(), &gap.into()), "{health}");
        assert!(detail.contains(words), "{name}: {detail}");
    }
    daemon.stop();
}
