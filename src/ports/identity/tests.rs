use proptest::prelude::*;

use super::*;

/// A port that can lend its face.
#[derive(Clone, PartialEq, Debug)]
struct Port {
    name: String,
    descr: String,
    alias: String,
    mac: Option<u8>,
    if_index: u32,
}

fn port(name: &str, descr: &str, mac: u8, alias: &str, if_index: u32) -> Port {
    Port { name: name.to_owned(), descr: descr.to_owned(), alias: alias.to_owned(), mac: (mac > 0).then_some(mac), if_index }
}

fn row(port: &Port) -> InterfaceRow {
    InterfaceRow {
        if_index: port.if_index,
        if_name: Some(port.name.as_str().into()),
        if_descr: Some(port.descr.as_str().into()),
        if_alias: Some(port.alias.as_str().into()),
        phys_address: port.mac.map(|last| vec![2, 0, 0, 0, 0, last]),
        ..InterfaceRow::default()
    }
}

fn assigned(known: &[Port], now: &[Port]) -> Vec<Option<usize>> {
    let (known, now): (Vec<_>, Vec<_>) = (known.iter().map(row).collect(), now.iter().map(row).collect());
    assign(&known.iter().map(Face::of).collect::<Vec<_>>(), &now.iter().map(Face::of).collect::<Vec<_>>())
}

#[test]
fn a_name_is_an_identity_and_an_index_is_none() {
    let known = [port("Gi0/1", "GigabitEthernet0/1", 1, "", 1), port("Gi0/2", "GigabitEthernet0/2", 2, "", 2)];
    for (now, matches, case) in [
        (
            vec![port("Gi0/2", "GigabitEthernet0/2", 2, "", 1), port("Gi0/1", "GigabitEthernet0/1", 1, "", 2)],
            vec![Some(1), Some(0)],
            "indices swapped",
        ),
        (vec![port("Vlan7", "Vlan7", 1, "", 1)], vec![None], "the index reused for another port"),
        (vec![port("Gi0/1", "replaced card", 9, "new", 77)], vec![Some(0)], "everything but the name changed"),
        (vec![port("", "GigabitEthernet0/1", 1, "", 1)], vec![Some(0)], "ifName was not answered this time"),
        (vec![port("", "GigabitEthernet0/1", 9, "", 1)], vec![None], "only ifDescr agrees, ifPhysAddress contradicts"),
        (vec![], vec![], "nothing"),
    ] {
        assert_eq!(assigned(&known, &now), matches, "{case}");
    }
}

#[test]
fn doubles_are_told_apart_by_what_still_agrees() {
    let known = [port("eth", "slot 1", 1, "a", 1), port("eth", "slot 2", 2, "b", 2), port("eth", "slot 2", 3, "c", 3)];
    for (now, matches, case) in [
        (
            vec![port("eth", "slot 2", 3, "c", 1), port("eth", "slot 2", 2, "b", 2), port("eth", "slot 1", 1, "a", 3)],
            vec![Some(2), Some(1), Some(0)],
            "renumbered",
        ),
        (vec![port("eth", "slot 2", 3, "x", 9)], vec![Some(2)], "one left, its alias changed"),
        (vec![port("eth", "slot 2", 8, "c", 9)], vec![Some(2)], "one left, its address changed"),
        (vec![port("eth", "slot 2", 8, "x", 9)], vec![None], "it could be either of two: none"),
        (vec![port("eth", "slot 1", 1, "a", 1), port("eth", "slot 9", 9, "z", 2)], vec![Some(0), Some(1)], "only the index agrees"),
    ] {
        assert_eq!(assigned(&known, &now), matches, "{case}");
    }
}

#[test]
fn twins_that_only_ifindex_tells_apart_keep_their_order_when_all_move() {
    let known = [port("eth", "", 0, "", 10), port("eth", "", 0, "", 20)];
    assert_eq!(assigned(&known, &[port("eth", "", 0, "", 120), port("eth", "", 0, "", 110)]), [Some(1), Some(0)]);
    assert_eq!(assigned(&known, &[port("eth", "", 0, "", 20)]), [Some(1)]);
    assert_eq!(assigned(&known, &[port("eth", "", 0, "", 30)]), [None]);
}

#[test]
fn ports_without_any_name_are_known_by_address_else_by_index() {
    let known = [port("", "", 1, "", 1), port("", "", 2, "", 2), port("", "", 0, "", 3)];
    assert_eq!(assigned(&known, &[port("", "", 2, "", 1), port("", "", 0, "", 3), port("", "", 9, "", 2)]), [Some(1), Some(2), None]);
    let shared = [port("", "", 7, "", 1), port("", "", 7, "", 2)];
    assert_eq!(assigned(&shared, &[port("", "", 7, "", 2), port("", "", 7, "", 5)]), [Some(1), None]);
}

#[test]
fn names_of_doubles_are_numbered_and_free() {
    let mut names = Names::new(["eth", "eth#2"].into_iter());
    assert_eq!(names.take("eth".to_owned()), "eth#3");
    assert_eq!(names.take("eth".to_owned()), "eth#4");
    assert_eq!(names.take("eth#2".to_owned()), "eth#2#2");
    assert_eq!(names.take("lo".to_owned()), "lo");
}

fn device() -> impl Strategy<Value = Vec<Port>> {
    // Few names, so that many stand twice; the marks of each port together are its own.
    proptest::collection::vec((0..12_u8, 0..3_u8, "[a-c]?"), 1..60).prop_map(|ports| {
        let port_of = |(number, (name, descr, alias)): (usize, (u8, u8, String))| Port {
            name: format!("ge{name}"),
            descr: format!("descr {descr} {}", number % 7),
            alias,
            mac: Some(number as u8 + 1),
            if_index: number as u32 + 1,
        };
        ports.into_iter().enumerate().map(port_of).collect()
    })
}

proptest! {
    #[test]
    fn renumbering_and_reordering_keep_every_identity(known in device(), seed in any::<u64>(), offset in 0..5_000_u32) {
        let mut order: Vec<usize> = (0..known.len()).collect();
        order.sort_by_key(|&number| (number as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let now: Vec<Port> = order.iter().enumerate().map(|(place, &number)| Port { if_index: offset + place as u32, ..known[number].clone() }).collect();
        prop_assert_eq!(assigned(&known, &now), order.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn ports_that_vanish_take_no_identity_with_them(known in device(), keep in proptest::collection::vec(any::<bool>(), 60)) {
        let left: Vec<usize> = (0..known.len()).filter(|&number| keep[number]).collect();
        let now: Vec<Port> = left.iter().map(|&number| known[number].clone()).collect();
        prop_assert_eq!(assigned(&known, &now), left.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn no_port_is_given_twice(known in device(), now in device()) {
        let given: Vec<usize> = assigned(&known, &now).into_iter().flatten().collect();
        let distinct: HashSet<usize> = given.iter().copied().collect();
        prop_assert_eq!(given.len(), distinct.len());
        // And never to a port of another name.
        for (row, matched) in now.iter().zip(assigned(&known, &now)) {
            prop_assert!(matched.is_none_or(|matched| known[matched].name == row.name));
        }
    }
}
