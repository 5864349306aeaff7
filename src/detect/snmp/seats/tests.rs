use super::*;
use crate::locate::Interface;
use crate::locate::merge::merge;
use crate::model::Zone;
use crate::snmp::poll::table::{Kept, Table, TableRow};
use crate::snmp::tables::fdb::{BridgePorts, FdbEntry};
use crate::snmp::tables::reading::{Holes, Seen};

fn mac(number: u32) -> MacAddr {
    MacAddr([2, 0, 0, 0, (number >> 8) as u8, number as u8])
}

/// A switch whose bridge port n is interface n, read again and again.
struct Switch(Arc<DeviceTables>);

impl Switch {
    fn new(name: &str) -> Self {
        Self(Arc::new(DeviceTables::empty(name.into(), Zone::Outer)))
    }

    fn reads(&mut self, second: i64, seats: &[(u32, u32)]) -> Arc<DeviceTables> {
        self.reads_with(second, seats, Holes::default())
    }

    fn reads_with(&mut self, second: i64, seats: &[(u32, u32)], holes: Holes) -> Arc<DeviceTables> {
        let row = |n: u32| TableRow { index: [n].into(), cells: [Some(Kept::Number(n.into()))].into() };
        let bridge_ports = BridgePorts::new(&Table { rows: (1..=9).map(row).collect() }, 1..=9);
        let fdb = seats.iter().map(|&(who, port)| FdbEntry { address: mac(who), fdb_id: Some(1), vlan: None, port, status: Some(3) });
        let seen = Seen { fdb: fdb.collect(), bridge_ports, holes, ..Seen::default() };
        let interfaces: Vec<Interface> = (1..=9).map(|n| Interface { if_index: n, name: format!("Gi0/{n}").into(), mac: None }).collect();
        self.0 = Arc::new(merge(&self.0, &seen, &interfaces, Timestamp::from_secs(second)));
        Arc::clone(&self.0)
    }
}

/// Port 9 of each switch is the uplink, port 5 is watched.
fn look(seats: &mut Seats, all: &[Arc<DeviceTables>], broadcasts: &dyn Fn(u32) -> f64) -> Vec<Condition> {
    let around = Around {
        is_uplink: &|_, port| port == 9,
        is_own: &|_| false,
        broadcasts: &|_, port| Some(broadcasts(port)),
        is_watched: &|_, port| port == "Gi0/5",
        crowded: 3,
    };
    let now = all.iter().map(|tables| tables.at).max().unwrap_or_default();
    seats.look(all, &around, now)
}

fn told(conditions: &[Condition]) -> Vec<(&'static str, String)> {
    conditions.iter().map(|condition| (condition.rule, condition.subject.to_string())).collect()
}

#[test]
fn three_moves_in_ten_minutes_are_flapping_and_two_are_not() {
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    let mut at = |second, port| told(&look(&mut seats, &[switch.reads(second, &[(1, port)])], &|_| 0.0));
    assert_eq!(at(0, 1), []);
    assert_eq!((at(60, 2), at(120, 1)), (vec![], vec![]));
    let flapping = vec![(MAC_FLAP, "machine:02:00:00:00:00:01".to_owned())];
    assert_eq!(at(180, 2), flapping);
    assert_eq!(at(600, 2), flapping);
    assert_eq!(at(661, 2), [], "the first move is more than ten minutes ago");
    assert_eq!(seats.shed(), 0);
}

#[test]
fn a_device_is_read_more_often_while_somebody_moves() {
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    look(&mut seats, &[switch.reads(0, &[(1, 1)])], &|_| 0.0);
    assert!(!seats.is_moving("sw"));
    look(&mut seats, &[switch.reads(300, &[(1, 2)])], &|_| 0.0);
    assert!(seats.is_moving("sw"));
    look(&mut seats, &[switch.reads(300 + 901, &[(1, 2)])], &|_| 0.0);
    assert!(!seats.is_moving("sw"));
}

#[test]
fn roaming_behind_uplinks_and_bridges_that_forget_late_are_no_flapping() {
    let (mut seats, mut one, mut two) = (Seats::default(), Switch::new("sw-1"), Switch::new("sw-2"));
    for turn in 0..8 {
        let port = if turn % 2 == 0 { 1 } else { 9 };
        let all = [one.reads(turn * 60, &[(1, port), (2, 2)]), two.reads(turn * 60, &[(2, 3)])];
        assert_eq!(told(&look(&mut seats, &all, &|_| 0.0)), [], "turn {turn}");
    }
}

#[test]
fn a_broken_reading_moves_nobody() {
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    let holes = Holes { fdb: true, ..Holes::default() };
    look(&mut seats, &[switch.reads(0, &[(1, 1), (2, 2)])], &|_| 0.0);
    for turn in 1..6 {
        let seen: &[(u32, u32)] = if turn % 2 == 0 { &[(1, 1)] } else { &[(2, 2)] };
        assert_eq!(told(&look(&mut seats, &[switch.reads_with(turn * 60, seen, holes)], &|_| 0.0)), []);
    }
}

#[test]
fn a_move_with_broadcasts_is_a_loop_on_the_port_where_they_pour_in() {
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    let pours = |port| if port == 2 { 101.0 } else { 100.0 };
    look(&mut seats, &[switch.reads(0, &[(1, 1)])], &pours);
    let found = look(&mut seats, &[switch.reads(60, &[(1, 2)])], &pours);
    assert_eq!(told(&found), [(PORT_LOOP, "port:sw/Gi0/2".to_owned())]);
    assert_eq!(found[0].evidence.get("other"), Some(&Fact::Text("Gi0/1".into())));
    let (mut quiet, mut switch) = (Seats::default(), Switch::new("sw"));
    look(&mut quiet, &[switch.reads(0, &[(1, 1)])], &|_| 100.0);
    assert_eq!(told(&look(&mut quiet, &[switch.reads(60, &[(1, 2)])], &|_| 100.0)), [], "moved, but no broadcasts");
}

#[test]
fn a_crowd_is_more_than_the_configured_number_on_an_access_port() {
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    let rows = |count: u32, port| (1..=count).map(|who| (who, port)).collect::<Vec<_>>();
    assert_eq!(told(&look(&mut seats, &[switch.reads(0, &rows(3, 1))], &|_| 0.0)), []);
    assert_eq!(told(&look(&mut seats, &[switch.reads(300, &rows(4, 1))], &|_| 0.0)), [(PORT_CROWDED, "port:sw/Gi0/1".to_owned())]);
    assert_eq!(told(&look(&mut seats, &[switch.reads(600, &rows(40, 9))], &|_| 0.0)), [], "uplinks have crowds");
}

#[test]
fn fifty_new_addresses_in_one_reading_are_a_flood_but_not_in_the_first() {
    let rows = |from: u32, count: u32| (from..from + count).map(|who| (who, 1)).collect::<Vec<_>>();
    let flooded = |conditions: &[Condition]| conditions.iter().any(|condition| condition.rule == MAC_FLOOD);
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    assert!(!flooded(&look(&mut seats, &[switch.reads(0, &rows(0, 200))], &|_| 0.0)));
    assert!(!flooded(&look(&mut seats, &[switch.reads(300, &rows(1_000, 49))], &|_| 0.0)));
    assert!(flooded(&look(&mut seats, &[switch.reads(600, &rows(2_000, 50))], &|_| 0.0)));
    assert!(!flooded(&look(&mut seats, &[switch.reads(600 + 1_201, &rows(3_000, 200))], &|_| 0.0)), "after a pause everything is new");
}

#[test]
fn a_stranger_on_a_watched_port_is_told_for_an_hour_and_known_ever_after() {
    let (mut seats, mut switch) = (Seats::default(), Switch::new("sw"));
    assert_eq!(told(&look(&mut seats, &[switch.reads(0, &[(1, 5), (7, 1)])], &|_| 0.0)), [], "who is there at first is no stranger");
    assert_eq!(seats.take_new(), [("sw".into(), "Gi0/5".into(), mac(1))]);
    let stranger = vec![(NEW_MAC, "port:sw/Gi0/5".to_owned())];
    assert_eq!(told(&look(&mut seats, &[switch.reads(300, &[(1, 5), (2, 5)])], &|_| 0.0)), stranger);
    assert_eq!(told(&look(&mut seats, &[switch.reads(3_899, &[(1, 5)])], &|_| 0.0)), stranger);
    assert_eq!(told(&look(&mut seats, &[switch.reads(3_900, &[(1, 5), (2, 5)])], &|_| 0.0)), []);
    let known = HashMap::from([(("sw".into(), "Gi0/5".into()), HashSet::from([mac(1)]))]);
    let (mut restarted, mut switch) = (Seats::new(known), Switch::new("sw"));
    assert_eq!(told(&look(&mut restarted, &[switch.reads(0, &[(1, 5), (3, 5)])], &|_| 0.0)), stranger, "known over a restart");
}
