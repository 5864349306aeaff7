use std::collections::BTreeMap;
use std::net::IpAddr;

use super::*;
use crate::capture::headers;
use crate::capture::link::Link;
use crate::capture::packet::{Body, Transport};
use crate::detect::class::Class;
use crate::detect::{Detection, Engine, Kind, Level, Site};
use crate::model::Fact;

#[test]
fn the_wire_is_the_same_again_and_every_frame_can_be_read() {
    let run = |steps: u64| {
        let mut mirror = Mirror::new(7, Nanos(SECOND));
        (1..=steps).flat_map(|step| mirror.until(Nanos(SECOND + step * 60 * SECOND / steps))).collect::<Vec<Seen>>()
    };
    let (one, many) = (run(1), run(120));
    assert_eq!(one.len(), many.len(), "however often it is asked");
    let mut kinds = [0_usize; 3];
    for frame in &one {
        match headers::parse(frame.at, frame.wire_octets, Link::Ethernet, None, &frame.octets).body {
            Body::Arp(_) => kinds[0] += 1,
            Body::Ip(ip) if matches!(ip.transport, Transport::Tcp(_)) => kinds[1] += 1,
            Body::Ip(ip) if matches!(ip.transport, Transport::Udp(_)) => kinds[2] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(kinds.iter().all(|count| *count > 20), "{kinds:?}");
    // The film: some megabits a second.
    let is_film = |frame: &&Seen| {
        let body = headers::parse(frame.at, frame.wire_octets, Link::Ethernet, None, &frame.octets).body;
        matches!(body, Body::Ip(ip) if ip.src == IpAddr::from(FILM.1))
    };
    let film: u64 = one.iter().filter(is_film).map(|frame| u64::from(frame.wire_octets) * 8).sum();
    assert!((400_000_000..1_000_000_000).contains(&film), "{film} bits in a minute");
}

#[test]
fn the_worm_waits_for_half_a_minute_and_then_knocks_at_one_door() {
    let mut mirror = Mirror::new(7, Nanos(0));
    let knocks = |frames: Vec<Seen>| {
        let of = |frame: &Seen| match headers::parse(frame.at, frame.wire_octets, Link::Ethernet, None, &frame.octets).body {
            Body::Ip(ip) => {
                let to_445 = matches!(ip.transport, Transport::Tcp(tcp) if tcp.opens() && tcp.dst_port == 445);
                (to_445 && ip.src == IpAddr::from(station(WORM).1)).then_some(ip.dst)
            }
            _ => None,
        };
        frames.iter().filter_map(of).collect::<std::collections::HashSet<_>>().len()
    };
    assert!(knocks(mirror.until(Nanos(30 * SECOND))) <= 1);
    assert!((150..400).contains(&knocks(mirror.until(Nanos(60 * SECOND)))));
}

#[test]
fn within_minutes_the_detectors_tell_the_worm_the_film_and_the_sharer_and_nobody_else() {
    let mut settings = crate::detect::Settings::default();
    settings.hog.minutes = HOG_MINUTES;
    for seed in [7, 8, 9] {
        // On the hour of a day, as the demo's frames bear the stamps of now.
        let start = Nanos(1_795_399_200 * SECOND);
        let (mut mirror, mut engine) = (Mirror::new(seed, start), Engine::new(settings.clone(), Site::default(), seed));
        let mut told: BTreeMap<(Kind, IpAddr), Detection> = BTreeMap::new();
        for step in 1..=u64::from(HOG_MINUTES) * 60 + 70 {
            let now = Nanos(start.0 + step * SECOND);
            for frame in mirror.until(now) {
                engine.packet(&headers::parse(frame.at, frame.wire_octets, Link::Ethernet, None, &frame.octets));
            }
            engine.tick(now);
            told.extend(engine.take().into_iter().map(|found| ((found.kind, found.machine.ip.unwrap()), found)));
        }
        let by = |place: u8| IpAddr::from(station(place).1);
        let hog = &told[&(Kind::Hog, by(HOG))];
        assert_eq!((&hog.evidence["class"], &hog.evidence["direction"]), (&Fact::Text("film".into()), &Fact::Text("in".into())), "{hog:?}");
        assert_eq!(told.get(&(Kind::P2p, by(SHARER))).map(|found| found.level), Some(Level::Label), "seed {seed}: {told:?}");
        let worm = told.iter().filter(|((_, ip), _)| *ip == by(WORM)).map(|(_, found)| found.level).max();
        assert!(worm >= Some(Level::Virus), "seed {seed}: {told:?}");
        assert!(told.keys().all(|(_, ip)| [by(HOG), by(SHARER), by(WORM)].contains(ip)), "seed {seed}: {told:?}");
        assert!(told.keys().filter(|(_, ip)| *ip == by(SHARER)).count() == 1, "seed {seed}: a label, no virus");
        let traffic = engine.traffic();
        let classes = Class::ALL.iter().zip(&traffic.totals).filter(|(_, octets)| octets.all() > 0).map(|(class, _)| class.word());
        assert_eq!(classes.collect::<Vec<_>>(), ["film", "game", "chat", "p2p", "update", "mail", "web", "other"]);
    }
}
