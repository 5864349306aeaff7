//! Tables as devices send them, with the oddities of some.

use super::fdb::BridgePorts;
use super::*;
use crate::model::DeviceText;
use crate::model::observe::InterfaceRow;
use crate::snmp::poll::table::Table;

fn table(rows: &[(&[u32], &[Option<Kept>])]) -> Table {
    let row = |&(index, cells): &(&[u32], &[Option<Kept>])| TableRow { index: index.into(), cells: cells.into() };
    Table { rows: rows.iter().map(row).collect() }
}

fn n(number: u64) -> Option<Kept> {
    Some(Kept::Number(number))
}

fn s(text: &[u8]) -> Option<Kept> {
    Some(Kept::Octets(text.into()))
}

#[test]
fn learnt_addresses_are_read_from_the_index_also_with_a_length_before_them() {
    let read = fdb::q_bridge(&table(&[
        (&[20, 0, 1, 2, 3, 4, 255], &[n(7), n(3)]),
        (&[20, 6, 0, 1, 2, 3, 4, 5], &[n(8), None]),
        (&[20, 0, 1, 2, 3, 4, 6], &[n(0), n(3)]),
        (&[20, 0, 1, 2, 3, 4, 300], &[n(1), n(3)]),
        (&[20, 0, 1], &[n(1), n(3)]),
    ]));
    let told: Vec<_> = read.iter().map(|entry| (entry.fdb_id, entry.address.to_string(), entry.port, entry.status)).collect();
    assert_eq!(told, [(Some(20), "00:01:02:03:04:ff".into(), 7, Some(3)), (Some(20), "00:01:02:03:04:05".into(), 8, None)]);
    assert_eq!(fdb::bridge(&table(&[(&[0, 1, 2, 3, 4, 5], &[n(1), n(4)])])).len(), 1);
}

#[test]
fn a_bridge_port_is_the_interface_that_the_device_says_or_else_the_one_that_exists() {
    let said = BridgePorts::new(&table(&[(&[1], &[n(10_101)]), (&[2], &[n(0)])]), [10_101, 2]);
    assert_eq!((said.if_index(1), said.if_index(2), said.if_index(3)), (Some(10_101), None, None));
    let silent = BridgePorts::new(&Table::default(), [1, 2]);
    assert_eq!((silent.if_index(2), silent.if_index(9)), (Some(2), None));
    let jetstream = BridgePorts::new(&table(&[(&[1], &[n(1)])]), [49_153]);
    assert_eq!(jetstream.if_index(1), Some(49_153));
}

#[test]
fn neighbour_caches_of_both_families_are_read() {
    let mac = [2, 0, 0, 0, 0, 9];
    let media = arp::media(&table(&[
        (&[3, 10, 0, 0, 7], &[s(&mac), n(3)]),
        (&[3, 10, 0, 0], &[s(&mac), n(3)]),
        (&[3, 10, 0, 0, 8], &[s(b""), n(2)]),
    ]));
    assert_eq!(media.len(), 1);
    assert_eq!((media[0].if_index, media[0].address.to_string(), media[0].kind), (3, "10.0.0.7".into(), Some(3)));
    let v6: Vec<u32> = [3, 2, 16].into_iter().chain([0x20, 0x01, 0x0d, 0xb8]).chain([0; 11]).chain([1]).collect();
    let physical = arp::physical(&table(&[
        (&v6, &[s(&mac), n(3), n(1)]),
        (&[3, 1, 4, 10, 0, 0, 7], &[s(&mac), n(4), n(2)]),
        (&[3, 1, 9, 1], &[s(&mac), None, None]),
    ]));
    let told: Vec<_> = physical.iter().map(|entry| (entry.address.to_string(), entry.state)).collect();
    assert_eq!(told, [("2001:db8::1".to_owned(), Some(1)), ("10.0.0.7".to_owned(), Some(2))]);
}

#[test]
fn vlans_of_both_tables_are_one_list() {
    let current =
        table(&[(&[0, 20], &[n(20), s(&[0b1010_0000, 0b0000_0001]), s(&[0b1000_0000]), n(2)]), (&[0, 30], &[n(30), None, None, n(3)])]);
    let fixed = table(&[(&[20], &[s("办公".as_bytes()), s(&[0xff]), s(&[0xff]), n(1)])]);
    let vlans = vlan::vlans(&current, &fixed);
    assert_eq!(vlans.iter().map(|vlan| vlan.number).collect::<Vec<_>>(), [20, 30]);
    assert_eq!(
        (vlans[0].name.as_ref().map(DeviceText::as_str), &*vlans[0].egress, &*vlans[0].untagged),
        (Some("办公"), &[1, 3, 16][..], &[1][..])
    );
    assert_eq!((vlans[1].name.as_ref(), vlans[1].status), (None, Some(3)));
}

#[test]
fn a_neighbour_stands_at_the_interface_that_the_text_names_then_the_number() {
    let row = |if_index, name: &str| InterfaceRow { if_index, if_name: Some(name.into()), ..InterfaceRow::default() };
    let interfaces = [row(5, "GE0/0/1"), row(6, "GE0/0/2"), row(1, "NULL0"), row(7, "twin"), row(8, "twin")];
    let local = table(&[
        (&[1], &[n(5), s(b"GE0/0/1"), s(b"GE0/0/1 Interface")]),
        (&[2], &[n(3), s(&[2, 0, 0, 0, 0, 1]), s(b"GE0/0/2")]),
        (&[3], &[n(5), s(b"twin"), None]),
    ]);
    let bridge = BridgePorts::new(&table(&[(&[9], &[n(6)])]), interfaces.iter().map(|row| row.if_index));
    let ports = lldp::LocalPorts::new(&local, &interfaces, &bridge);
    assert_eq!([1, 2, 3, 6, 9, 99].map(|port| ports.if_index(port)), [Some(5), Some(6), None, Some(6), Some(6), None]);

    let remote = table(&[(&[0, 1, 4], &[n(4), s(&[2, 0, 0, 0, 0, 1]), n(5), s(b"Gi1/0/24"), s(b"uplink"), s("核心".as_bytes()), None])]);
    let read = lldp::neighbours(&remote);
    assert_eq!((read[0].chassis.as_deref(), read[0].port.as_deref()), (Some("02:00:00:00:00:01"), Some("Gi1/0/24")));
    assert_eq!(read[0].name.as_ref().map(DeviceText::as_str), Some("核心"));
    let by_address = table(&[(&[0, 1, 4], &[n(5), s(&[1, 10, 0, 0, 3]), n(7), s(b"12"), None, None, None])]);
    assert_eq!(lldp::neighbours(&by_address)[0].chassis.as_deref(), Some("10.0.0.3"));
}

#[test]
fn a_vlan_of_cisco_ios_is_asked_by_community_or_by_context() {
    use crate::snmp::job::{Credentials, Secret};
    use crate::snmp::message::Version;
    let community = |text: &str| Credentials::Community { version: Version::V2c, community: Secret::new(text.as_bytes()) };
    assert_eq!(cisco::in_vlan(&community("office"), 20), community("office@20"));
    let user = |context: &str| Credentials::User { user: "ops".into(), auth: None, privacy: None, context: context.into() };
    assert_eq!(cisco::in_vlan(&user(""), 20), user("vlan-20"));
}

#[test]
fn vlans_of_cisco_ios_count_once_and_only_in_use() {
    let rows = table(&[
        (&[1, 1], &[n(1), n(1), s(b"default")]),
        (&[2, 1], &[n(1), n(1), s(b"default")]),
        (&[1, 30], &[n(2), n(1), s(b"suspended")]),
        (&[1, 1003], &[n(1), n(3), s(b"token-ring-default")]),
        (&[1, 5000], &[n(1), n(1), None]),
    ]);
    let vlans = cisco::vlans(&rows);
    assert_eq!(vlans.iter().map(|vlan| vlan.number).collect::<Vec<_>>(), [1]);
    assert_eq!(cisco::with_access_ports(&vlans, &Table::default()), [1]);
    assert!(cisco::with_access_ports(&vlans, &table(&[(&[10_101], &[n(20)])])).is_empty());
}
