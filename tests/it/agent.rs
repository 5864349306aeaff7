//! The simulated SNMP agent as others see it: net-snmp's command line tools, and plain sockets.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use netroom::demo::agent::{Agent, Clock, Datum, Faults, Mib, Recording, Running, Table};
use netroom::demo::campus::{COMMUNITY, Campus, Options};
use netroom::model::Timestamp;
use netroom::snmp::ber::Writer;
use netroom::snmp::message::{Message, PduKind, PduParts, Version, encode_names};
use netroom::snmp::oid::Oid;

/// Runs one of net-snmp's tools against an agent; `None`, said loudly, where it is not installed.
pub(crate) fn net_snmp(tool: &str, community: &str, arguments: &[&str], agent: SocketAddr, names: &[&str]) -> Option<String> {
    let peer = if agent.is_ipv6() { format!("udp6:{agent}") } else { agent.to_string() };
    #[expect(clippy::disallowed_methods, reason = "the reference tool runs as a program")]
    let run = std::process::Command::new(tool)
        .env("MIBS", "")
        .args(["-t", "2", "-r", "2", "-On"])
        .args(["-c", community])
        .args(arguments)
        .arg(peer)
        .args(names)
        .output();
    match run {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(!text.is_empty(), "{tool} said: {}", String::from_utf8_lossy(&output.stderr));
            Some(text)
        }
        Err(error) => {
            eprintln!("SKIPPED: {tool} cannot run ({error}); install the Debian package snmp");
            None
        }
    }
}

fn start(address: &str, mib: impl Mib + 'static) -> Running {
    Running::start(vec![Agent::new(address.parse().unwrap(), Arc::new(mib))]).unwrap()
}

fn small_table() -> Table {
    let port = |row: u32| {
        [
            (format!("1.3.6.1.2.1.2.2.1.2.{row}"), Datum::octets(format!("GigabitEthernet1/0/{row}"))),
            (format!("1.3.6.1.2.1.2.2.1.10.{row}"), Datum::Counter32(row * 1000)),
            (format!("1.3.6.1.2.1.31.1.1.1.6.{row}"), Datum::Counter64(u64::from(row) << 40)),
        ]
    };
    let system = ("1.3.6.1.2.1.1.5.0".to_owned(), Datum::octets("sw-test"));
    (1..=60).flat_map(port).chain([system]).map(|(name, value)| (name.parse().unwrap(), value)).collect()
}

/// A plain request over a socket of its own.
fn request(kind: PduKind, id: i32, names: &[&str]) -> Vec<u8> {
    let names: Vec<Oid> = names.iter().map(|name| name.parse().unwrap()).collect();
    let list = encode_names(names.iter());
    let parts = PduParts { kind, request_id: id, error_status: 0, error_index: 10, varbinds: &list };
    let mut writer = Writer::default();
    Message::encode(Version::V2c, b"public", &parts, &mut writer);
    writer.as_slice().to_vec()
}

#[test]
pub(crate) fn net_snmp_walks_the_same_rows_by_getnext_and_getbulk() {
    let running = start("127.0.0.1:0", small_table());
    let agent = running.addresses()[0];
    let Some(by_next) = net_snmp("snmpwalk", "public", &["-v2c"], agent, &[".1.3"]) else { return };
    let by_bulk = net_snmp("snmpbulkwalk", "public", &["-v2c", "-Cr50"], agent, &[".1.3"]).unwrap();
    assert_eq!(by_next, by_bulk);
    assert_eq!(by_next.lines().filter(|line| line.contains(" = ")).count(), 182, "{by_next}");
    let in_v1 = net_snmp("snmpwalk", "public", &["-v1"], agent, &[".1.3"]).unwrap();
    assert_eq!(in_v1.lines().filter(|line| line.contains(" = ")).count(), 121, "v1 has no Counter64: {in_v1}");
}

#[test]
pub(crate) fn net_snmp_walks_every_switch_of_the_campus_alike_by_getnext_and_getbulk() {
    let campus = Campus::new(Options { port: 0, ..Options::default() });
    let moment = Timestamp::from_secs(1_795_399_200);
    let clock: Clock = Arc::new(move || moment);
    let running = Running::start(campus.agents(&clock).unwrap()).unwrap();
    for (device, (&agent, plan)) in running.addresses().iter().zip(campus.devices()).enumerate() {
        let Some(by_next) = net_snmp("snmpwalk", COMMUNITY, &["-v2c"], agent, &[".1.3"]) else { return };
        let by_bulk = net_snmp("snmpbulkwalk", COMMUNITY, &["-v2c", "-Cr25"], agent, &[".1.3"]).unwrap();
        assert_eq!(by_next, by_bulk, "{}", plan.name);
        let rows = campus.inventory(device, moment).unwrap().interfaces;
        let in_octets = |text: &str| text.lines().filter(|line| line.starts_with(".1.3.6.1.2.1.2.2.1.10.")).count();
        assert_eq!(in_octets(&by_next), rows.len(), "{}", plan.name);
        let in_v1 = net_snmp("snmpwalk", COMMUNITY, &["-v1"], agent, &[".1.3.6.1.2.1"]).unwrap();
        assert_eq!((in_octets(&in_v1), in_v1.contains("Counter64")), (rows.len(), false), "{}", plan.name);
    }
}

#[test]
fn an_agent_listens_on_ipv6() {
    let running = start("[::1]:0", small_table());
    let Some(name) = net_snmp("snmpget", "public", &["-v2c"], running.addresses()[0], &[".1.3.6.1.2.1.1.5.0"]) else { return };
    assert!(name.contains("sw-test"), "{name}");
}

#[test]
fn a_recording_is_served_in_the_order_of_its_file() {
    let order = ["1.3.6.1.2.1.17.4.3.1.2.9", "1.3.6.1.2.1.17.4.3.1.2.2", "1.3.6.1.2.1.17.4.3.1.2.5"];
    let walk = Recording::parse(order.map(|name| format!("{name}|2|1\n")).concat().as_bytes());
    let running = start("127.0.0.1:0", walk);
    let Some(text) = net_snmp("snmpwalk", "public", &["-v2c", "-Cc"], running.addresses()[0], &[".1.3.6.1.2.1.17"]) else { return };
    let walked: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(" = ")?.0.trim_start_matches('.'))).collect();
    assert_eq!(walked.get(..3), Some(&order[..]), "{text}");
}

#[test]
fn one_thread_serves_many_devices_and_ends_when_dropped() {
    let device = |number: u8| {
        let table: Table = [("1.3.6.1.2.1.1.5.0".parse().unwrap(), Datum::octets(format!("sw-{number}")))].into_iter().collect();
        Agent::new(SocketAddr::from(([127, 77, 0, number], 0)), Arc::new(table))
    };
    let running = Running::start((1..=50).map(device).collect()).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = [0; 2000];
    for (number, &agent) in (1..).zip(running.addresses()) {
        client.send_to(&request(PduKind::Get, number, &["1.3.6.1.2.1.1.5.0"]), agent).unwrap();
        let (length, from) = client.recv_from(&mut buffer).unwrap();
        let message = Message::decode(&buffer[..length]).unwrap();
        assert_eq!((from, message.pdu.request_id), (agent, number));
        let value = message.pdu.varbinds.map(|item| item.unwrap().1.octets().unwrap().to_vec()).next();
        assert_eq!(value, Some(format!("sw-{number}").into_bytes()));
    }
    let first = running.addresses()[0];
    drop(running);
    assert!(UdpSocket::bind(first).is_ok(), "the address is free again");
}

#[test]
fn duplicates_delays_and_wrong_sources_reach_the_wire() {
    let spoiled = |faults: Faults| {
        let agent = Agent { faults, ..Agent::new("127.0.0.1:0".parse().unwrap(), Arc::new(small_table())) };
        let running = Running::start(vec![agent]).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client.send_to(&request(PduKind::Get, 9, &["1.3.6.1.2.1.1.5.0"]), running.addresses()[0]).unwrap();
        (client, running)
    };
    let mut buffer = [0; 2000];
    let (client, _running) =
        spoiled(Faults { duplicate: 1.0, delay: (Duration::from_millis(1), Duration::from_millis(5)), ..Faults::default() });
    for _ in 0..2 {
        let (length, _) = client.recv_from(&mut buffer).unwrap();
        assert_eq!(Message::decode(&buffer[..length]).unwrap().pdu.request_id, 9);
    }
    let (client, running) = spoiled(Faults { wrong_source: 1.0, ..Faults::default() });
    let (_, from) = client.recv_from(&mut buffer).unwrap();
    assert_ne!(from, running.addresses()[0]);
}
