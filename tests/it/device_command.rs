//! `device test` and `discover` as a person runs them, against agents on loopback.

use std::process::Output;
use std::sync::Arc;

use netroom::demo::agent::{Agent, Datum, Manners, Mib, Missing, Recording, Running, Table};
use netroom::model::Timestamp;
use netroom::snmp::oid::Oid;
use serde_json::Value as Json;

fn netroom(arguments: &[&str]) -> Output {
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_netroom"));
    command.args(arguments).env_remove("NETROOM_COMMUNITY").output().unwrap()
}

fn recording(name: &str) -> Recording {
    let file = format!("{}/tests/fixtures/snmprec/{name}.snmprec", env!("CARGO_MANIFEST_DIR"));
    Recording::parse(&std::fs::read(file).unwrap())
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn test(running: &Running, more: &[&str]) -> Output {
    let port = running.addresses()[0].port().to_string();
    netroom(&[&["device", "test", "127.0.0.1", "-p", &port, "-t", "0.3", "-r", "2"], more].concat())
}

#[test]
fn device_test_gives_every_object_by_its_name_and_null_for_what_is_absent() {
    let running = Running::start(vec![Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(recording("odd-switch")))]).unwrap();
    let output = test(&running, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(&output);
    assert_eq!((report["device"]["sysName"].as_str(), report["device"]["sysUpTime"].as_u64()), (Some("odd-1"), Some(4_294_960_000)));
    assert_eq!(report["device"]["sysLocation"], "北京3-楼");
    let port = |if_index: u64| {
        let ports = report["ports"].as_array().unwrap();
        ports.iter().find(|port| port["ifIndex"].as_u64() == Some(if_index)).unwrap_or_else(|| panic!("no port {if_index}"))
    };
    assert_eq!(report["ports"].as_array().unwrap().len(), 7);
    let uplink = port(10_101);
    assert_eq!(uplink["ifHCInOctets"].as_u64(), Some(123_456_789_012_345));
    assert_eq!(uplink["ifHCOutOctets"].as_u64(), Some(18_446_744_073_709_551_568));
    assert_eq!((uplink["ifInOctets"].as_u64(), uplink["ifHighSpeed"].as_u64()), (Some(4_000_000_101), Some(10_000)));
    assert_eq!((&uplink["ifAlias"], &uplink["ifOperStatus"], &uplink["ifType"]), (&"上联".into(), &"up".into(), &"ethernetCsmacd".into()));
    let stuck = port(3);
    assert_eq!((stuck["ifHCInOctets"].as_u64(), stuck["ifInOctets"].as_u64()), (Some(0), Some(4_000_000_003)));
    assert_eq!(
        (&port(2)["ifInOctets"], &port(2)["ifHCInOctets"], port(2)["ifSpeed"].as_u64()),
        (&Json::Null, &Json::Null, Some(100_000_000))
    );
    assert_eq!(port(1)["ifAlias"], "下行");
    assert_eq!((&port(77)["ifName"], &port(77)["ifInOctets"]), (&"LoopBack77".into(), &Json::Null));
    assert_eq!(port(4_194_316_032)["ifPhysAddress"], "02:00:00:00:00:00");
}

/// A switch with learnt addresses, a neighbour cache, a neighbour and VLANs.
fn bridge() -> Table {
    let rows = [
        ("1.3.6.1.2.1.1.1.0", Datum::octets("bridge")),
        ("1.3.6.1.2.1.1.3.0", Datum::TimeTicks(500)),
        ("1.3.6.1.2.1.1.5.0", Datum::octets("sw-b")),
        ("1.3.6.1.2.1.2.2.1.2.101", Datum::octets("ge-1")),
        ("1.3.6.1.2.1.2.2.1.2.102", Datum::octets("ge-2")),
        ("1.3.6.1.2.1.2.2.1.6.101", Datum::octets([2, 0, 0, 0, 0, 1])),
        ("1.3.6.1.2.1.2.2.1.8.101", Datum::Integer(1)),
        ("1.3.6.1.2.1.4.22.1.2.101.10.0.0.7", Datum::octets([2, 0, 0, 0, 0, 7])),
        ("1.3.6.1.2.1.4.22.1.4.101.10.0.0.7", Datum::Integer(3)),
        ("1.3.6.1.2.1.4.35.1.4.101.1.4.10.0.0.7", Datum::octets([2, 0, 0, 0, 0, 7])),
        ("1.3.6.1.2.1.4.35.1.4.101.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.9", Datum::octets([2, 0, 0, 0, 0, 9])),
        ("1.3.6.1.2.1.17.1.4.1.2.1", Datum::Integer(101)),
        ("1.3.6.1.2.1.17.1.4.1.2.2", Datum::Integer(102)),
        ("1.3.6.1.2.1.17.7.1.2.2.1.2.20.2.0.0.0.0.170", Datum::Integer(2)),
        ("1.3.6.1.2.1.17.7.1.2.2.1.3.20.2.0.0.0.0.170", Datum::Integer(3)),
        ("1.3.6.1.2.1.17.7.1.4.2.1.4.0.20", Datum::octets([0b1100_0000])),
        ("1.3.6.1.2.1.17.7.1.4.3.1.1.20", Datum::octets("办公网")),
        ("1.0.8802.1.1.2.1.4.1.1.5.0.101.1", Datum::octets([2, 0, 0, 0, 0, 99])),
        ("1.0.8802.1.1.2.1.4.1.1.4.0.101.1", Datum::Integer(4)),
        ("1.0.8802.1.1.2.1.4.1.1.9.0.101.1", Datum::octets("core")),
    ];
    rows.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect()
}

#[test]
fn device_test_reads_addresses_neighbours_and_vlans() {
    let running = Running::start(vec![Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(bridge()))]).unwrap();
    let report = json(&test(&running, &["--json"]));
    assert_eq!(report["fdb"][0]["dot1qTpFdbAddress"], "02:00:00:00:00:aa");
    assert_eq!((report["fdb"][0]["dot1qVlanIndex"].as_u64(), &report["fdb"][0]["ifName"]), (Some(20), &"ge-2".into()));
    let arp = report["arp"].as_array().unwrap();
    assert_eq!(arp.len(), 2, "what both tables say is said once: {arp:?}");
    assert_eq!((&arp[0]["ipNetToMediaNetAddress"], &arp[0]["ipNetToMediaType"]), (&"10.0.0.7".into(), &"dynamic".into()));
    assert_eq!(arp[1]["ipNetToPhysicalNetAddress"], "2001:db8::9");
    let neighbour = &report["neighbours"][0];
    assert_eq!((&neighbour["lldpRemSysName"], &neighbour["ifName"]), (&"core".into(), &"ge-1".into()));
    assert_eq!(neighbour["lldpRemChassisId"], "02:00:00:00:00:63");
    let vlan = &report["vlans"][0];
    assert_eq!((vlan["dot1qVlanIndex"].as_u64(), &vlan["dot1qVlanStaticName"]), (Some(20), &"办公网".into()));
    assert_eq!(vlan["dot1qVlanCurrentEgressPorts"], serde_json::json!(["ge-1", "ge-2"]));
    let words = String::from_utf8(test(&running, &[]).stdout).unwrap();
    assert!(words.contains("sw-b") && words.contains("ge-2") && words.contains("VLAN 20 办公网: 2 ports"), "{words}");
}

/// A switch that has one forwarding database per VLAN, as Cisco IOS does.
struct PerVlan {
    whole: Table,
    vlans: Vec<(&'static str, Table)>,
}

impl PerVlan {
    fn new() -> Self {
        let table = |rows: &[(&str, Datum)]| rows.iter().map(|(name, value)| (name.parse().unwrap(), value.clone())).collect::<Table>();
        let vlan = |number: u32, state: i64, kind: i64| {
            let cell = |column: u32| format!("1.3.6.1.4.1.9.9.46.1.3.1.1.{column}.1.{number}");
            [(cell(2), Datum::Integer(state)), (cell(3), Datum::Integer(kind)), (cell(4), Datum::octets(format!("VLAN{number}")))]
        };
        let vlans = [vlan(1, 1, 1), vlan(20, 1, 1), vlan(30, 2, 1), vlan(40, 1, 1), vlan(1002, 1, 2)].into_iter().flatten();
        let vlans: Vec<(String, Datum)> = vlans.collect();
        let mut whole: Vec<(&str, Datum)> = vec![
            ("1.3.6.1.2.1.1.1.0", Datum::octets("Cisco IOS")),
            ("1.3.6.1.2.1.1.3.0", Datum::TimeTicks(500)),
            ("1.3.6.1.2.1.2.2.1.2.10101", Datum::octets("Gi0/1")),
            ("1.3.6.1.2.1.2.2.1.2.10102", Datum::octets("Gi0/2")),
            // Without a VLAN behind it the community means VLAN 1.
            ("1.3.6.1.2.1.17.4.3.1.2.2.0.0.0.0.1", Datum::Integer(1)),
            // No port is in VLAN 40.
            ("1.3.6.1.4.1.9.9.68.1.2.2.1.2.10101", Datum::Integer(1)),
            ("1.3.6.1.4.1.9.9.68.1.2.2.1.2.10102", Datum::Integer(20)),
        ];
        whole.extend(vlans.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let database = |mac: u32, port: u32| {
            let rows = [
                (format!("1.3.6.1.2.1.17.1.4.1.2.{port}"), Datum::Integer(i64::from(10_100 + port))),
                (format!("1.3.6.1.2.1.17.4.3.1.2.2.0.0.0.0.{mac}"), Datum::Integer(i64::from(port))),
                (format!("1.3.6.1.2.1.17.4.3.1.3.2.0.0.0.0.{mac}"), Datum::Integer(3)),
            ];
            rows.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect::<Table>()
        };
        Self { whole: table(&whole), vlans: vec![("1", database(1, 1)), ("20", database(20, 2)), ("40", database(40, 2))] }
    }
}

impl Mib for PerVlan {
    fn get(&self, name: &Oid, now: Timestamp) -> Result<Datum, Missing> {
        self.whole.get(name, now)
    }

    fn next(&self, name: &Oid, now: Timestamp) -> Option<(Oid, Datum)> {
        self.whole.next(name, now)
    }

    fn under(&self, context: &[u8]) -> Option<&dyn Mib> {
        self.vlans.iter().find(|(vlan, _)| vlan.as_bytes() == context).map(|(_, table)| table as &dyn Mib)
    }
}

#[test]
fn a_device_with_a_database_per_vlan_is_asked_for_those_that_have_access_ports() {
    let running = Running::start(vec![Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(PerVlan::new()))]).unwrap();
    let output = test(&running, &["--json"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let report = json(&output);
    let learnt: Vec<_> = report["fdb"].as_array().unwrap().iter().collect();
    let told = |row: &Json| format!("{} {} {}", row["dot1dTpFdbAddress"], row["vtpVlanIndex"], row["ifName"]);
    assert_eq!(
        learnt.into_iter().map(told).collect::<Vec<_>>(),
        ["\"02:00:00:00:00:01\" 1 \"Gi0/1\"", "\"02:00:00:00:00:14\" 20 \"Gi0/2\""]
    );
    let vlans: Vec<_> = report["vlans"].as_array().unwrap().iter().map(|vlan| vlan["dot1qVlanIndex"].as_u64().unwrap()).collect();
    assert_eq!(vlans, [1, 20, 40]);
}

#[test]
fn a_device_of_the_configuration_is_asked_as_the_daemon_asks_it() {
    let agent = Agent {
        manners: Manners { community: b"of-sw-b".to_vec(), ..Manners::default() },
        ..Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(bridge()))
    };
    let running = Running::start(vec![agent]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("netroom.toml");
    let port = running.addresses()[0].port();
    let patience = "min_timeout = \"200ms\"\nmax_timeout = \"300ms\"\ntries = 2";
    let text =
        format!("[snmp]\n{patience}\n[[device]]\nname = \"sw-b\"\naddress = \"127.0.0.1\"\nport = {port}\ncommunity = \"of-sw-b\"\n");
    std::fs::write(&file, text).unwrap();
    let config = file.to_str().unwrap();
    for host in ["sw-b", "127.0.0.1"] {
        let output = netroom(&["device", "test", host, "--config", config, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(json(&output)["device"]["sysName"], "sw-b");
    }
    let other = netroom(&["device", "test", "sw-b", "--config", config, "-c", "another"]);
    assert_eq!(other.status.code(), Some(1), "the command line wins");
    let unknown = netroom(&["device", "test", "sw-c.invalid", "--config", config]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(2) && said.contains("no configured device is called sw-c.invalid"), "{said}");
    std::fs::write(&file, "[[device]]\nname = 7\n").unwrap();
    let broken = netroom(&["device", "test", "sw-b", "--config", config]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("netroom check"));
}

#[test]
fn a_device_that_does_not_answer_is_a_no_and_a_host_that_does_not_exist_an_error() {
    let agent = Agent {
        manners: Manners { community: b"other".to_vec(), ..Manners::default() },
        ..Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(bridge()))
    };
    let running = Running::start(vec![agent]).unwrap();
    let silent = test(&running, &["--json"]);
    assert_eq!(silent.status.code(), Some(1));
    assert_eq!(json(&silent)["gap"], "timeout");
    assert!(String::from_utf8_lossy(&silent.stderr).contains("did not answer"));
    assert_eq!(test(&running, &["-c", "other"]).status.code(), Some(0));
    let nowhere = netroom(&["device", "test", "no-such-host.invalid"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("no-such-host.invalid"));
}

#[test]
fn discover_finds_the_devices_of_a_network_and_asks_no_other_address() {
    let device = |last: u8| Agent::new(std::net::SocketAddr::from(([127, 66, 3, last], 0)), Arc::new(bridge()));
    let first = Running::start(vec![device(1)]).unwrap();
    let port = first.addresses()[0].port();
    let others = [2, 5, 9].map(|last| Agent::new(std::net::SocketAddr::from(([127, 66, 3, last], port)), Arc::new(bridge())));
    let Ok(running) = Running::start(others.into()) else { panic!("the port {port} is taken on another loopback address") };
    let port = port.to_string();
    let arguments = ["discover", "127.66.3.0/29", "-p", &port, "--rate", "2000", "-t", "0.2", "-r", "1", "--no-ping", "-c", "wrong,public"];
    let output = netroom(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text} {}", String::from_utf8_lossy(&output.stderr));
    let read: toml::Table = text.parse().unwrap();
    let found = read["device"].as_array().unwrap();
    assert_eq!((found.len(), found[0]["name"].as_str(), found[0]["address"].as_str()), (1, Some("sw-b"), Some("127.66.3.1")));
    assert_eq!(found[0]["community"].as_str(), Some("public"));
    assert!(text.contains("# the same device also answers at 127.66.3.2, 127.66.3.5\n"), "{text}");
    assert!(!text.contains("127.66.3.9"), "it is outside of the network");
    drop(running);
    assert_eq!(netroom(&["discover", "10.0.0.0/8"]).status.code(), Some(2));
    assert_eq!(netroom(&["discover", "127.66.4.1", "--no-ping", "-t", "0.05", "-r", "1", "-p", "9"]).status.code(), Some(1));
}
