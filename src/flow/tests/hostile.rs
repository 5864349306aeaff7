//! Floods and damage: memory stays within its limits, and nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;

use super::datagrams::{V4_FIELDS, flow, frame, ipfix, record, sample, set, sflow, template, v5, v9};
use super::{Room, from, now};
use crate::flow::{Collector, Header, Limits, Link};

#[test]
fn a_flood_of_templates_keeps_the_newest_within_the_limit() {
    let mut room = Room::new();
    for id in 256..20_000 {
        room.hear(&v9(id.into(), 0, &[set(0, template(id, &V4_FIELDS))]));
    }
    assert_eq!(room.0.templates(), Limits::default().templates);
    let (heard, records) = room.hear(&v9(20_000, 0, &[set(19_999, record(&V4_FIELDS, &flow(1)))]));
    assert_eq!((heard.unknown_templates, records.len()), (0, 1));
}

#[test]
fn a_flood_of_sources_forgets_those_that_were_silent_longest() {
    let mut collector = Collector::new(Limits::default());
    let mut records = Vec::new();
    let datagram = ipfix(0, 0, &[set(2, template(256, &V4_FIELDS))]);
    for port in 1..5_000 {
        collector.read((from().ip(), port).into(), now(), &datagram, &mut records);
    }
    assert_eq!((collector.sessions(), collector.templates()), (Limits::default().sessions, Limits::default().sessions));
    let data = ipfix(0, 0, &[set(256, record(&V4_FIELDS, &flow(1)))]);
    collector.read((from().ip(), 4_999).into(), now(), &data, &mut records);
    assert_eq!(records.len(), 1);
}

#[test]
fn a_template_of_too_many_fields_or_of_none_is_refused_and_the_next_one_is_read() {
    let mut room = Room::new();
    let huge = template(256, &vec![(5, 1); 129]);
    let empty = template(257, &[(5, 0), (4, 0)]);
    let (heard, _) = room.hear(&v9(0, 0, &[set(0, [huge, empty, template(258, &V4_FIELDS)].concat())]));
    assert!(heard.malformed);
    assert_eq!(room.0.templates(), 1);
}

#[test]
fn every_cut_of_every_datagram_is_survived() {
    for whole in examples() {
        for length in 0..whole.len() {
            Room::new().hear(&whole[..length]);
        }
    }
}

fn examples() -> Vec<Vec<u8>> {
    let data = set(256, (0..20).flat_map(|number| record(&V4_FIELDS, &flow(number))).collect());
    let options = [&[1_u8, 4, 0, 3, 0, 1][..], &[1, 46, 0, 1, 1, 49, 0, 4, 1, 50, 0, 4]].concat();
    vec![
        v5(0, 10, &[flow(1), flow(2)]),
        v9(0, 0, &[set(0, template(256, &V4_FIELDS)), data.clone()]),
        ipfix(0, 0, &[set(2, template(256, &V4_FIELDS)), set(3, options), data]),
        sflow(0, &[sample(100, 90, &frame(&flow(1), Some(3), 72)), sample(100, 90, &frame(&flow(2), None, 72))]),
    ]
}

proptest! {
    #[test]
    fn any_octets_are_survived(datagrams in vec(vec(any::<u8>(), 0..200), 1..8), version in prop::sample::select(vec![0_u8, 5, 9, 10])) {
        let mut room = Room::new();
        for mut octets in datagrams {
            if let [first, second, ..] = octets.as_mut_slice() {
                (*first, *second) = (0, version);
            }
            let (heard, records) = room.hear(&octets);
            prop_assert_eq!(heard.records as usize, records.len());
            // A record takes at least the eight octets of its addresses; a two-way flow is two.
            prop_assert!(records.len() <= octets.len() / 4);
        }
    }

    #[test]
    fn any_damage_is_survived(which in 0..4_usize, damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut octets = examples().swap_remove(which);
        for (at, value) in damage {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        let mut room = Room::new();
        for _ in 0..2 {
            let (_, records) = room.hear(&octets);
            prop_assert!(records.len() <= octets.len());
        }
    }

    #[test]
    fn any_head_is_survived(head in vec(any::<u8>(), 0..128), kind in prop::sample::select(vec![0x0800_u16, 0x86dd, 0x8100])) {
        let mut head = head;
        Header::read(Link::V4, &head);
        Header::read(Link::V6, &head);
        if let Some(place) = head.get_mut(12..14) {
            place.copy_from_slice(&kind.to_be_bytes());
        }
        Header::read(Link::Ethernet, &head);
    }
}
