use proptest::prelude::*;

use super::*;
use crate::detect::portrait::Way;

const DAY: u64 = DAY_S * 1_000_000_000;

fn ip(last: u8) -> IpAddr {
    [10, 1, 0, last].into()
}

const fn on(way: Way, port: u16) -> Service {
    Service { way, port }
}

fn of(last: u8) -> Machine {
    Machine { ip: Some(ip(last)), ..Machine::default() }
}

fn roles(learner: &mut Learner, last: u8, now: u64) -> Vec<Role> {
    let known = learner.known(Nanos(now));
    held(&known, &of(last), Nanos(now)).map(|progress| progress.role).collect()
}

/// A day in which everybody does what is theirs.
fn work(learner: &mut Learner, day: u64) {
    let at = Nanos(day * DAY + DAY / 2);
    for client in 100..120 {
        learner.accepted(ip(1), ip(client), on(Way::Tcp, 445), at);
        learner.accepted(ip(2), ip(client), on(Way::Tcp, 9100), at);
        learner.accepted(ip(3), ip(client), on(Way::Udp, 53), at);
        learner.accepted(ip(client), ip(4), on(Way::Udp, 161), at);
        learner.failed(ip(5), ip(client), on(Way::Icmp, 0), at);
        learner.opened(ip(6), if client % 2 == 0 { 63 } else { 127 }, at);
        learner.opened(ip(7), 63, at);
        learner.accepted(ip(8), ip(100), on(Way::Tcp, 445), at);
    }
}

#[test]
fn roles_are_held_after_whole_days_with_their_reasons() {
    let mut learner = Learner::default();
    work(&mut learner, 10);
    assert_eq!(learner.known(Nanos(10 * DAY + DAY - 1)), [], "the day is not over");
    work(&mut learner, 11);
    work(&mut learner, 12);
    let early = 12 * DAY + DAY - 1;
    assert_eq!(roles(&mut learner, 1, early), [], "two days are not enough for a server");
    assert_eq!(roles(&mut learner, 2, early), [Role::Printer]);
    let now = 13 * DAY + 1;
    for (last, role) in [(1, Role::Server), (2, Role::Printer), (3, Role::Resolver), (4, Role::Monitor), (6, Role::Nat)] {
        assert_eq!(roles(&mut learner, last, now), [role]);
    }
    for last in [5, 7, 8, 100] {
        assert_eq!(roles(&mut learner, last, now), [], "{last}");
    }
    let known = learner.known(Nanos(now));
    let reason = held(&known, &of(1), Nanos(now)).next().unwrap().reason();
    assert_eq!((&reason["port"], &reason["days"]), (&Fact::Text("tcp/445".into()), &Fact::Count(3)));
    assert!(matches!(reason["count"], Fact::Count(18..=22)), "{reason:?}");
}

#[test]
fn a_day_under_suspicion_teaches_nothing() {
    let mut learner = Learner::default();
    for day in 10..13 {
        work(&mut learner, day);
        learner.suspect(&[ip(1), ip(2)].into(), Nanos(day * DAY + DAY / 2 + 1));
        // What comes later on that day teaches nothing either.
        work(&mut learner, day);
    }
    let now = 13 * DAY + 1;
    assert_eq!((roles(&mut learner, 1, now), roles(&mut learner, 2, now)), (vec![], vec![]));
    assert_eq!(roles(&mut learner, 3, now), [Role::Resolver], "nobody else is touched");
}

#[test]
fn what_is_known_survives_a_restart_and_is_forgotten_when_it_ends() {
    let mut before = Learner::default();
    (10..12).for_each(|day| work(&mut before, day));
    let kept = before.known(Nanos(12 * DAY));
    let mut after = Learner::default();
    after.restore(&kept);
    work(&mut after, 12);
    assert_eq!(roles(&mut after, 1, 13 * DAY), [Role::Server], "the third day after the restart");
    assert_eq!(roles(&mut after, 1, (13 + u64::from(FORGOTTEN_DAYS)) * DAY), []);
    let other = Learner::default().known(Nanos(0));
    assert_eq!(together(&[&kept, &other]), kept);
}

#[test]
fn a_role_excuses_weak_kinds_only() {
    for role in Role::ALL {
        for strong in [Kind::TcpScan, Kind::FastScan, Kind::UdpWorm, Kind::DarkContact, Kind::ArpSpoof, Kind::Flood, Kind::Spam] {
            assert!(!role.excuses().contains(&strong), "{role:?} {strong}");
        }
    }
}

proptest! {
    #[test]
    fn memory_is_bounded_whatever_comes(events in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u16>(), 0_u64..40 * DAY), 1..400)) {
        let mut learner = Learner::default();
        for (server, client, port, at) in events {
            let (server, client) = (IpAddr::from(server.to_be_bytes()), IpAddr::from(client.to_be_bytes()));
            learner.accepted(server, client, on(Way::Tcp, port), Nanos(at));
            learner.failed(client, server, on(Way::Icmp, 0), Nanos(at));
            prop_assert!(learner.all.len() <= MOST && learner.all.values().all(|entry| entry.today.shows().len() <= Role::ALL.len()));
        }
    }
}
