//! Real switches, real traffic: what is polled, stored and told equals what the kernel counted.

use crate::daemon::Daemon;
use crate::network::Network;

pub(crate) const TWO_SWITCHES: &str = r#"
[snmp]
interval = "10s"
community = "public"

[[device]]
name = "sw1"
address = "10.77.0.11"
site = "主楼"

[[device]]
name = "sw2"
address = "10.77.0.12"
version = "3"
user = "reader"

[snmp.users.reader]
name = "netroom"
auth = "sha256"
auth_password = "authpass-netroom"
privacy = "aes128"
privacy_password = "privpass-netroom"
"#;

/// The port's counter as netroom tells it.
fn told(daemon: &Daemon<'_>, family: &str, device: &str, port: &str) -> Option<u64> {
    let marks = [format!("device=\"{device}\""), format!("ifname=\"{port}\"")];
    daemon.metric("/metrics/ports", family, &[&marks[0], &marks[1]]).map(|value| value as u64)
}

#[test]
fn counters_equal_the_kernels_over_v2c_and_v3() {
    let Some(network) = Network::up("nrt1") else { return };
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    daemon.wait("the first polls", || {
        told(&daemon, "netroom_port_in_octets_total", "sw1", "port1").is_some()
            && told(&daemon, "netroom_port_in_octets_total", "sw2", "port1").is_some()
    });
    network.read("h1", &["ping", "-q", "-f", "-c", "3000", "-s", "1400", "10.77.0.104"]);
    for (switch, port) in [("sw1", "port1"), ("sw1", "up1"), ("sw2", "up1"), ("sw2", "port1")] {
        for (family, counter) in [
            ("netroom_port_in_octets_total", "rx_bytes"),
            ("netroom_port_out_octets_total", "tx_bytes"),
            ("netroom_port_in_unicast_packets_total", "rx_packets"),
        ] {
            let kernel = network.kernel_counter(switch, port, counter);
            assert!(kernel > 2000, "{switch} {port} {counter}: the test's own traffic is missing");
            daemon.wait(&format!("{family} of {switch} {port} to become {kernel}"), || {
                // Ports that carry the polls themselves never stand still; those asked for here do, but for stray ARP.
                let now = network.kernel_counter(switch, port, counter);
                told(&daemon, family, switch, port).is_some_and(|value| value >= kernel && value <= now)
            });
        }
    }
    for (page, word) in [("/", "sw1"), ("/device/sw2", "up1"), ("/device/sw1/port/port1", "port1"), ("/ports", "port3")] {
        assert!(daemon.get(page).contains(word), "{page} does not show {word}");
    }
    daemon.stop();
}

#[test]
fn a_port_that_is_shut_is_told_and_comes_back() {
    let Some(network) = Network::up("nrt2") else { return };
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    let state =
        |wanted: f64| daemon.metric("/metrics/ports", "netroom_port_oper_status", &["device=\"sw1\"", "ifname=\"port2\""]) == Some(wanted);
    daemon.wait("port2 to be up", || state(1.0));
    let index = network.read("sw1", &["cat", "/sys/class/net/port2/ifindex"]);
    let object = format!("1.3.6.1.2.1.2.2.1.7.{}", index.trim());
    network.read("mon", &["snmpset", "-v2c", "-c", "private", "10.77.0.11", &object, "i", "2"]);
    daemon.wait("port2 to be down", || state(2.0));
    network.read("mon", &["snmpset", "-v2c", "-c", "private", "10.77.0.11", &object, "i", "1"]);
    daemon.wait("port2 to be up again", || state(1.0));
    daemon.stop();
}

#[test]
fn a_dead_agent_is_told_with_its_reason_while_the_other_is_polled_on() {
    let Some(network) = Network::up("nrt3") else { return };
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    let up = |device: &str, wanted: f64| {
        let mark = format!("device=\"{device}\"");
        daemon.metric("/metrics", "netroom_device_up", &[&mark]) == Some(wanted)
    };
    daemon.wait("both switches to be up", || up("sw1", 1.0) && up("sw2", 1.0));
    network.read("sw1", &["kill", "-STOP", &network.agent_pid("sw1")]);
    daemon.wait("sw1 to be down", || up("sw1", 0.0));
    assert!(up("sw2", 1.0), "the other switch suffers");
    let polls = || daemon.metric("/metrics", "netroom_polls_total", &["result=\"timeout\""]).unwrap_or(0.0);
    assert!(polls() > 0.0);
    network.read("sw1", &["kill", "-CONT", &network.agent_pid("sw1")]);
    daemon.wait("sw1 to be up again", || up("sw1", 1.0));
    daemon.stop();
}

#[test]
fn nothing_is_lost_when_the_daemon_is_killed() {
    let Some(network) = Network::up("nrt4") else { return };
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    let stored = |daemon: &Daemon<'_>| daemon.metric("/metrics", "netroom_store_rows_total", &[]).unwrap_or(0.0);
    daemon.wait("three polls on disk", || stored(&daemon) >= 30.0);
    daemon.kill();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    daemon.wait("polls after the restart", || stored(&daemon) >= 20.0);
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    daemon.stop();
    let verify = std::process::Command::new(env!("CARGO_BIN_EXE_netroom"))
        .args(["series", "verify", "--data"])
        .arg(dir.path().join("data"))
        .output()
        .unwrap();
    assert!(verify.status.success(), "{}{}", String::from_utf8_lossy(&verify.stdout), String::from_utf8_lossy(&verify.stderr));
}
