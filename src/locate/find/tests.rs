use std::collections::HashMap;

use super::*;
use crate::locate::layout::{Layout, PortLayout};
use crate::locate::table::{By, Identity};
use crate::snmp::tables::capability::Capabilities;

fn mac(last: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, last])
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + second)
}

fn seat(last: u8, vlan: u32, if_index: u32, since: i64, seen: i64) -> Seat {
    Seat { mac: mac(last), vlan, if_index, since: at(since), seen: at(seen) }
}

fn switch(name: &str, own: u8, seats: &[Seat]) -> DeviceTables {
    let mut seats = seats.to_vec();
    seats.sort_by_key(|seat| (seat.mac, seat.vlan));
    DeviceTables {
        at: seats.iter().map(|seat| seat.seen).max().unwrap_or_default(),
        ports: Arc::new((1..=30).map(|n| (n, format!("Gi0/{n}").into())).collect::<HashMap<_, _>>()),
        seats: seats.into(),
        identity: Arc::new(Identity { macs: vec![mac(own)], ..Identity::default() }),
        ..DeviceTables::empty(name.into(), Zone::Outer)
    }
}

fn heard(if_index: u32, name: &str, capabilities: Capabilities) -> Neighbour {
    Neighbour { if_index, by: By::Lldp, chassis: None, name: Some(name.into()), port: None, capabilities }
}

fn found(all: &[DeviceTables], last: u8, now: i64) -> Found {
    found_with(all, last, now, &|_, _| None)
}

fn found_with(all: &[DeviceTables], last: u8, now: i64, is_up: &dyn Fn(&str, u32) -> Option<bool>) -> Found {
    let all: Vec<_> = all.iter().cloned().map(Arc::new).collect();
    let infrastructure = Infrastructure::new(&all, &|_| None);
    find(&Scene { all: &all, infrastructure: &infrastructure, is_listed: &|_, _| false, is_up }, mac(last), at(now))
}

fn places(found: &Found) -> Vec<(&str, &str)> {
    found.candidates.iter().map(|candidate| (&*candidate.device, &*candidate.port)).collect()
}

#[test]
fn the_socket_is_told_from_the_way_to_it() {
    let access = switch("sw-a", 200, &[seat(1, 10, 3, 0, 300), seat(201, 10, 24, 0, 300)]);
    let core = switch("core", 201, &[seat(1, 10, 7, 0, 300), seat(200, 10, 7, 0, 300), seat(2, 20, 7, 0, 300)]);
    let found = found(&[core, access], 1, 300);
    assert_eq!(places(&found), [("sw-a", "Gi0/3"), ("core", "Gi0/7")]);
    let best = found.certain().expect("nothing beside it");
    assert_eq!((best.score, best.kind, best.macs, best.vlan), (100, PortKind::Access, 1, 10));
    assert_eq!(best.reasons, [Reason::Alone]);
    let way = &found.candidates[1];
    assert_eq!((way.kind, way.score < ENOUGH), (PortKind::Trunk, true));
    let said: Vec<String> = way.reasons.iter().map(ToString::to_string).collect();
    assert!(said.contains(&"leads on: sw-a is behind it".to_owned()), "the command line names who is there: {said:?}");
    assert_eq!(way.leads_on, [Why::Behind("sw-a".into())]);
}

#[test]
fn behind_an_unmanaged_switch_it_is_found_and_the_others_are_told() {
    let seats: Vec<_> = (1..=6).map(|n| seat(n, 10, 5, 0, 0)).collect();
    let found = found(&[switch("sw-a", 200, &seats)], 1, 0);
    let best = found.certain().expect("it is there all the same");
    assert_eq!((best.kind, best.macs, best.others.len()), (PortKind::Hybrid, 6, 5));
    assert_eq!(best.reasons, [Reason::Beside(5)]);
    assert!(best.score > 90);
}

#[test]
fn a_telephone_with_its_computer_is_one_socket() {
    let phone = heard(5, "SEP0011", Capabilities { bridge: true, telephone: true, ..Capabilities::default() });
    let mut access = switch("sw-a", 200, &[seat(1, 10, 5, 0, 0), seat(2, 20, 5, 0, 0)]);
    assert_eq!(found(&[access.clone()], 1, 0).candidates[0].kind, PortKind::Hybrid);
    access.neighbours = [phone].into();
    assert_eq!(found(&[access], 1, 0).candidates[0].kind, PortKind::Access);
}

#[test]
fn who_moved_is_where_it_was_seen_first_after_the_old_place() {
    let old = switch("sw-a", 200, &[seat(1, 10, 3, 0, 300)]);
    let new = switch("sw-b", 201, &[seat(1, 10, 8, 400, 500)]);
    let moved = found(&[old, new], 1, 500);
    assert_eq!(places(&moved), [("sw-b", "Gi0/8"), ("sw-a", "Gi0/3")]);
    assert!(moved.certain().is_some() && moved.candidates[1].reasons.contains(&Reason::Moved));
}

#[test]
fn one_address_at_two_ends_at_once_is_nobody_for_certain() {
    let one = switch("sw-a", 200, &[seat(1, 10, 3, 0, 500)]);
    let other = switch("sw-b", 201, &[seat(1, 10, 8, 400, 500)]);
    let both = found(&[one, other], 1, 500);
    assert_eq!(both.certain(), None);
    assert!(matches!(both.candidates[0].reasons.last(), Some(Reason::Rival(device, _)) if **device == *both.candidates[1].device));
}

#[test]
fn what_belongs_to_the_network_itself_or_to_nobody_is_not_a_machine() {
    let all = [switch("sw-a", 200, &[seat(201, 10, 3, 0, 0)]), switch("sw-b", 201, &[])];
    let own = found(&all, 201, 0);
    assert_eq!((own.own.as_deref(), own.candidates.len()), (Some("sw-b"), 0));
    let scene = |mac| {
        find(&Scene { all: &[], infrastructure: &Infrastructure::default(), is_listed: &|_, _| false, is_up: &|_, _| None }, mac, at(0))
    };
    assert!(scene(MacAddr([0; 6])).is_no_station && scene(MacAddr([1, 0, 0x5e, 0, 0, 1])).is_no_station);
    assert!(!scene(mac(1)).is_no_station);
}

#[test]
fn trunks_bundles_and_the_way_to_the_root_are_known_by_the_setup() {
    let port = |layout: PortLayout| {
        let ports = [(4, layout), (5, PortLayout { bundle: Some(4), ..PortLayout::default() })].into();
        let layout = Layout { ports, root_port: Some(9), ..Layout::default() };
        let mut access = switch("sw-a", 200, &[seat(1, 10, 4, 0, 0), seat(2, 10, 9, 0, 0)]);
        access.layout = Arc::new(layout);
        access.neighbours = [heard(5, "unknown-switch", Capabilities { bridge: true, ..Capabilities::default() })].into();
        access
    };
    let bundle = found(&[port(PortLayout { is_bundle: true, ..PortLayout::default() })], 1, 0);
    assert_eq!(bundle.candidates[0].kind, PortKind::Lag);
    assert_eq!(bundle.candidates[0].neighbours.len(), 1, "heard on the member");
    let trunk = found(&[port(PortLayout { tagged: [20, 30].into(), ..PortLayout::default() })], 1, 0);
    assert_eq!(trunk.candidates[0].kind, PortKind::Trunk);
    assert!(trunk.candidates[0].reasons.contains(&Reason::Tagged(2)));
    let root = found(&[port(PortLayout::default())], 2, 0);
    assert!(root.candidates[0].is_root_port && root.candidates[0].score < ENOUGH);
}

#[test]
fn a_static_entry_on_a_port_that_is_down_gives_way() {
    let one = switch("sw-a", 200, &[seat(1, 10, 3, 0, 500)]);
    let other = switch("sw-b", 201, &[seat(1, 10, 8, 0, 500)]);
    let is_up = |device: &str, _: u32| Some(device == "sw-b");
    let both = found_with(&[one, other], 1, 500, &is_up);
    assert_eq!(both.certain().map(|best| &*best.device), Some("sw-b"));
}

#[test]
fn old_news_is_told_as_such() {
    let found = found(&[switch("sw-a", 200, &[seat(1, 10, 3, 0, 0)])], 1, 7200);
    assert_eq!(found.candidates[0].reasons, [Reason::Alone, Reason::Old(120)]);
    assert_eq!(found.candidates[0].score, 88);
}
