use super::*;
use crate::model::Zone;
use crate::snmp::poll::table::{Kept, Table, TableRow};
use crate::snmp::tables::fdb::BridgePorts;
use crate::snmp::tables::own::Own;
use crate::snmp::tables::reading::Holes;

fn mac(last: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, last])
}

fn interfaces() -> Vec<Interface> {
    (1..=4)
        .map(|n| Interface { if_index: n + 100, name: format!("Gi0/{n}").into(), mac: Some(MacAddr([6, 0, 0, 0, 0, n as u8])) })
        .collect()
}

/// Bridge port n is interface 100 + n.
fn bridge_ports() -> BridgePorts {
    let row = |n: u32| TableRow { index: [n].into(), cells: [Some(Kept::Number(u64::from(n) + 100))].into() };
    BridgePorts::new(&Table { rows: (1..=4).map(row).collect() }, 101..=104)
}

fn learnt(address: MacAddr, port: u32) -> FdbEntry {
    FdbEntry { address, fdb_id: Some(10), vlan: None, port, status: Some(3) }
}

fn seen(fdb: Vec<FdbEntry>) -> Seen {
    Seen { fdb, bridge_ports: bridge_ports(), ..Seen::default() }
}

fn arp(address: &str, mac: MacAddr) -> ArpEntry {
    ArpEntry { if_index: 101, address: address.parse().unwrap(), physical: mac.0.to_vec(), kind: Some(3), state: None }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(second)
}

fn empty() -> DeviceTables {
    DeviceTables::empty("sw".into(), Zone::Outer)
}

#[test]
fn a_seat_keeps_the_time_since_when_it_is_taken_and_a_move_begins_anew() {
    let first = merge(&empty(), &seen(vec![learnt(mac(1), 1), learnt(mac(2), 2)]), &interfaces(), at(100));
    let second = merge(&first, &seen(vec![learnt(mac(1), 1), learnt(mac(2), 3)]), &interfaces(), at(400));
    let told: Vec<_> = second.seats.iter().map(|seat| (seat.mac, &*second.port(seat.if_index) == "Gi0/1", seat.since, seat.seen)).collect();
    assert_eq!(told, [(mac(1), true, at(100), at(400)), (mac(2), false, at(400), at(400))]);
    assert_eq!(second.seats_of(mac(2)).first().map(|seat| (seat.if_index, seat.vlan)), Some((103, 10)));
    assert_eq!(second.seats_of(mac(3)), []);
}

#[test]
fn who_is_gone_from_a_whole_table_is_gone_and_from_a_broken_one_is_not() {
    let first = merge(&empty(), &seen(vec![learnt(mac(1), 1), learnt(mac(2), 2)]), &interfaces(), at(100));
    let broken = Seen { holes: Holes { fdb: true, ..Holes::default() }, ..seen(vec![learnt(mac(1), 4)]) };
    let kept = merge(&first, &broken, &interfaces(), at(400));
    let places: Vec<_> = kept.seats.iter().map(|seat| (seat.mac, seat.if_index, seat.seen)).collect();
    assert_eq!(places, [(mac(1), 104, at(400)), (mac(2), 102, at(100))], "the latest word of each");
    assert_eq!(kept.seats_whole, Some(at(100)));
    assert_eq!(merge(&kept, &seen(vec![]), &interfaces(), at(700)).seats.len(), 0);
    assert_eq!(merge(&kept, &broken, &interfaces(), at(100 + 25 * 3600)).seats.len(), 1, "but not for ever");
}

#[test]
fn the_bridge_itself_groups_and_invalid_rows_sit_nowhere() {
    let rows = vec![
        FdbEntry { status: Some(4), ..learnt(mac(1), 1) },
        FdbEntry { status: Some(2), ..learnt(mac(2), 1) },
        learnt(MacAddr([1, 0, 0x5e, 0, 0, 1]), 1),
        FdbEntry { status: None, ..learnt(mac(3), 1) },
    ];
    let merged = merge(&empty(), &seen(rows), &interfaces(), at(1));
    assert_eq!(merged.seats.iter().map(|seat| seat.mac).collect::<Vec<_>>(), [mac(3)]);
}

#[test]
fn bindings_follow_the_cache() {
    let entries = vec![
        arp("10.1.0.5", mac(5)),
        ArpEntry { state: Some(7), ..arp("10.1.0.6", mac(6)) },
        ArpEntry { kind: Some(5), ..arp("10.1.0.1", mac(1)) },
        ArpEntry { state: Some(5), ..arp("10.1.0.8", mac(8)) },
    ];
    let with = |physical| Seen { physical, ..Seen::default() };
    let first = merge(&empty(), &with(entries), &interfaces(), at(100));
    let told: Vec<_> = first.bindings.iter().map(|binding| (binding.address.to_string(), binding.mac)).collect();
    assert_eq!(told, [("10.1.0.5".to_owned(), Some(mac(5))), ("10.1.0.6".to_owned(), None)], "incomplete is nobody, local is the router");
    let second = merge(&first, &with(vec![arp("10.1.0.5", mac(5)), arp("10.1.0.6", mac(6))]), &interfaces(), at(400));
    let since = |address: &str| second.binding_of(address.parse().unwrap()).map(|binding| binding.since);
    assert_eq!((since("10.1.0.5"), since("10.1.0.6"), since("10.1.0.7")), (Some(at(100)), Some(at(400)), None));
}

#[test]
fn a_device_knows_itself_and_hears_its_neighbours() {
    let own = Own {
        forwards: true,
        bridge: Some(mac(0xb)),
        chassis: Some(mac(0xc)),
        root_port: Some(2),
        next_hops: vec!["10.1.0.254".parse().unwrap()],
        designated: vec![(1, mac(0xb)), (2, mac(0xd))],
        serials: vec!["FOC1234X0AB".into()],
    };
    let addresses = vec![crate::snmp::tables::address::OwnAddress { address: "10.1.0.1".parse().unwrap(), if_index: 101 }];
    let first = merge(&empty(), &Seen { own: own.clone(), addresses, ..seen(vec![]) }, &interfaces(), at(100));
    let identity = &first.identity;
    assert!(identity.forwards && identity.macs.contains(&mac(0xb)) && identity.macs.contains(&mac(0xc)) && identity.macs.len() == 6);
    assert_eq!(identity.addresses, [("10.1.0.1".parse().unwrap(), Some(MacAddr([6, 0, 0, 0, 0, 1])))]);
    let heard: Vec<_> = first.neighbours.iter().map(|one| (one.if_index, one.by, one.chassis.as_deref())).collect();
    assert_eq!(heard, [(102, By::Stp, Some("02:00:00:00:00:0d"))], "not itself");
    let next = Seen { own: Own { serials: vec![], ..own }, ..seen(vec![]) };
    assert_eq!(merge(&first, &next, &interfaces(), at(400)).identity.serials, identity.serials, "not read each time");
}

#[test]
fn rows_are_bounded_and_what_is_shed_is_counted() {
    let many = |n: u32| learnt(MacAddr([2, 0, 0, (n >> 16) as u8, (n >> 8) as u8, n as u8]), 1);
    let rows = (0..MOST_ROWS as u32 + 7).map(many).collect();
    let merged = merge(&empty(), &seen(rows), &interfaces(), at(1));
    assert_eq!((merged.seats.len(), merged.shed), (MOST_ROWS, 7));
}
