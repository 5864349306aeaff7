//! Real bridges: where netroom says that a host sits is where its cable is; and a machine on both sides of a separated
//! network does not run.

use std::process::Output;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::network::Network;
use crate::polling::TWO_SWITCHES;

/// Runs netroom in the monitor's namespace.
pub(crate) fn netroom(network: &Network, dir: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = network
        .command("mon", env!("CARGO_BIN_EXE_netroom"))
        .args(arguments)
        .arg("--config")
        .arg(dir.join("netroom.toml"))
        .arg("--data")
        .arg(dir.join("data"))
        .output()
        .unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn hosts_sit_where_their_cables_are() {
    let Some(network) = Network::up("nrta") else { return };
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&network, dir.path(), TWO_SWITCHES);
    // Everybody speaks with everybody: bridges learn who sits where, and who speaks with a switch is in its ARP cache.
    let talk = || {
        for host in ["h1", "h2", "h3", "h4", "h5"] {
            for other in ["10.77.0.11", "10.77.0.12", "10.77.0.101", "10.77.0.105"] {
                network.read(host, &["ping", "-q", "-c", "1", "-W", "5", other]);
            }
        }
    };
    talk();
    daemon.wait("tables of both switches", || {
        talk();
        daemon.metric("/metrics", "netroom_table_readings_total", &[]).is_some_and(|readings| readings >= 2.0)
    });
    assert_eq!(daemon.metric("/metrics", "netroom_table_readings_broken_total", &[]), Some(0.0));
    daemon.stop();
    for (host, switch, port) in
        [("h1", "sw1", "port1"), ("h2", "sw1", "port2"), ("h3", "sw1", "port3"), ("h4", "sw2", "port1"), ("h5", "sw2", "port2")]
    {
        let address = format!("10.77.0.10{}", &host[1..]);
        let mac = network.read(host, &["cat", "/sys/class/net/eth0/address"]).trim().to_owned();
        let (code, said, _) = netroom(&network, dir.path(), &["detect", "explain", &address, "--json"]);
        assert_eq!(code, 0, "{said}");
        let explained: Value = serde_json::from_str(&said).unwrap();
        let place = &explained["places"][0];
        assert_eq!((place["device"].as_str(), place["port"].as_str()), (Some(switch), Some(port)), "{host}: {said}");
        let (code, said, _) = netroom(&network, dir.path(), &["locate", &address, "--json"]);
        let sought: Value = serde_json::from_str(&said).unwrap();
        let best = &sought[0]["candidates"][0];
        assert_eq!((code, best["device"].as_str(), best["port"].as_str()), (0, Some(switch), Some(port)), "{host}: {said}");
        assert_eq!(sought[0]["mac"].as_str(), Some(&*mac));
        let macs: Vec<_> = explained["addresses"].as_array().unwrap().iter().map(|one| &one["mac"]).collect();
        assert!(!macs.is_empty() && macs.iter().all(|one| **one == mac.as_str()), "{host} {mac}: {said}");
    }
}

#[test]
fn a_machine_with_a_foot_on_either_side_refuses_to_start() {
    let Some(network) = Network::up("nrtb") else { return };
    let dir = tempfile::tempdir().unwrap();
    let zones = "[snmp]\ncommunity = \"public\"\n[zones]\ninner = [\"10.77.0.0/16\"]\nouter = [\"172.31.0.0/16\"]\n";
    std::fs::write(dir.path().join("netroom.toml"), zones).unwrap();
    assert_eq!(netroom(&network, dir.path(), &["check"]).0, 0, "one side only");
    network.read("mon", &["ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth2"]);
    network.read("mon", &["ip", "addr", "add", "172.31.0.9/24", "dev", "eth1"]);
    let told =
        "NET-SEP-01: this machine has addresses in both the inner and the outer network (eth0 10.77.0.1, eth1 172.31.0.9): refuse to start";
    let (code, _, said) = netroom(&network, dir.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(code == 2 && said.contains(told), "{code} {said}");
    assert!(!dir.path().join("data/netroom.db").exists(), "nothing was begun");
    let (code, _, said) = netroom(&network, dir.path(), &["check"]);
    assert!(code == 1 && said.contains(told), "{code} {said}");
    std::fs::write(dir.path().join("netroom.toml"), format!("{zones}allow_both_zones = \"import station\"\n")).unwrap();
    assert_eq!(netroom(&network, dir.path(), &["check"]).0, 0, "named with its reason");
    Daemon::start(&network, dir.path(), &format!("{zones}allow_both_zones = \"import station\"\n")).stop();
}
