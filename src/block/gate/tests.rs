use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::block::{CaseId, Observation, Order, Spot};
use crate::config::block::Mode;
use crate::model::{IfIndex, MacAddr, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_795_363_200);
const MAC: MacAddr = MacAddr([0, 0x25, 0x90, 0, 0, 9]);

fn spot() -> Spot {
    Spot { device: "sw".into(), if_name: "Gi0/17".into(), if_index: IfIndex(17) }
}

fn down() -> Order {
    Order::PortAdmin { spot: spot(), up: false }
}

fn request(path: Path, purpose: Purpose, order: Order) -> Request {
    Request { case: CaseId(7), path, purpose, order, reason: "port-sweep".into() }
}

/// Where nothing stands in the way.
fn clear(mode: Mode) -> Facts {
    let place = Place {
        seen: NOW - Duration::from_secs(60),
        asked: Some((NOW, true)),
        told_name: Some("Gi0/17".into()),
        macs: vec![MAC],
        ..Place::default()
    };
    Facts {
        now: NOW,
        mode,
        mac: Some(MAC),
        place: Some(place),
        protected: Vec::new(),
        blast: None,
        frozen: None,
        grace_until: None,
        approvals: Vec::new(),
        persons_needed: 1,
        held: None,
        round: Duration::from_mins(5),
    }
}

fn words(decision: &Decision) -> Vec<&'static str> {
    match decision {
        Decision::Permit(_) => vec![],
        Decision::Observe(rails) | Decision::Ask(rails) | Decision::Refuse(rails) => rails.iter().map(Rail::word).collect(),
    }
}

fn auto(facts: &Facts) -> Decision {
    decide(request(Path::Auto, Purpose::Block, down()), facts)
}

#[test]
fn the_three_modes() {
    assert_eq!(auto(&clear(Mode::Observe)), Decision::Observe(vec![Rail::Mode]));
    assert_eq!(auto(&clear(Mode::Approve)), Decision::Ask(vec![Rail::Mode]));
    let Decision::Permit(permit) = auto(&clear(Mode::Auto)) else { panic!("refused") };
    assert_eq!((permit.order(), permit.case()), (&down(), CaseId(7)));
    assert!(permit.is_valid(NOW) && !permit.is_valid(NOW + PERMIT_LASTS + Duration::from_millis(1)));
}

#[test]
fn each_rail_is_named() {
    let place = |change: fn(&mut Place)| {
        let mut facts = clear(Mode::Auto);
        change(facts.place.as_mut().unwrap());
        words(&auto(&facts))
    };
    assert_eq!(place(|place| place.kind = PortKind::Trunk), ["trunk"]);
    assert_eq!(place(|place| place.kind = PortKind::Aggregated), ["aggregated"]);
    assert_eq!(place(|place| place.is_root_port = true), ["root-port"]);
    assert_eq!(place(|place| place.neighbour = Some(("ap-7".into(), "access-point".into()))), ["neighbour"]);
    assert_eq!(place(|place| place.is_our_path = true), ["our-path"]);
    assert_eq!(place(|place| place.has_phone = true), ["phone"]);
    assert_eq!(place(|place| place.rival = Some("sw2 Gi1".into())), ["rival"]);
    assert_eq!(place(|place| place.seen = NOW - Duration::from_mins(11)), ["stale"]);
    assert_eq!(place(|place| place.asked = None), ["not-asked"]);
    assert_eq!(place(|place| place.asked = Some((NOW - Duration::from_secs(21), true))), ["not-asked"]);
    assert_eq!(place(|place| place.asked = Some((NOW, false))), ["gone"]);
    assert_eq!(place(|place| place.told_name = Some("Gi0/18".into())), ["other-port"]);
    assert_eq!(place(|place| place.macs.extend((1..4).map(|last| MacAddr([2, 0, 0, 0, 0, last])))), ["shared"]);
    assert_eq!(words(&auto(&Facts { place: None, ..clear(Mode::Auto) })), ["nowhere"]);
    assert_eq!(words(&auto(&Facts { grace_until: Some(NOW + Duration::from_secs(1)), ..clear(Mode::Auto) })), ["grace"]);
}

#[test]
fn a_yes_of_a_person_bridges_what_asks_and_nothing_that_refuses() {
    let yes = |person: &str| Approval { person: person.into(), at: NOW - Duration::from_secs(5) };
    let mut facts = Facts { approvals: vec![yes("li")], ..clear(Mode::Approve) };
    assert!(matches!(auto(&facts), Decision::Permit(_)));
    facts.persons_needed = 2;
    assert_eq!(words(&auto(&facts)), ["mode", "second-person"]);
    facts.approvals.push(yes("li"));
    assert_eq!(words(&auto(&facts)), ["mode", "second-person"], "the same person twice is one");
    facts.approvals.push(yes("wang"));
    assert!(matches!(auto(&facts), Decision::Permit(_)));
    facts.place.as_mut().unwrap().kind = PortKind::Trunk;
    assert!(matches!(auto(&facts), Decision::Refuse(_)));
    facts.place.as_mut().unwrap().kind = PortKind::Access;
    facts.now = NOW + YES_LASTS;
    facts.place.as_mut().unwrap().seen = facts.now;
    facts.place.as_mut().unwrap().asked = Some((facts.now, true));
    assert_eq!(words(&auto(&facts)), ["mode"], "an old yes is none");
}

#[test]
fn only_what_is_held_and_unchanged_is_given_back() {
    let up = Order::PortAdmin { spot: spot(), up: true };
    let found = Observation { if_name: Some("Gi0/17".into()), admin: Some(2), ..Observation::default() };
    let release = |held| decide(request(Path::Expiry, Purpose::Release, up.clone()), &Facts { held, ..clear(Mode::Observe) });
    assert!(matches!(release(Some((down(), found.clone()))), Decision::Permit(_)), "in every mode");
    assert_eq!(words(&release(None)), ["no-hold"]);
    assert_eq!(words(&release(Some((down(), Observation { admin: Some(1), ..found.clone() })))), ["drift"]);
    assert_eq!(words(&release(Some((down(), Observation { if_name: Some("Gi0/1".into()), ..found })))), ["other-port"]);
    assert_eq!(words(&release(Some((down(), Observation::default())))), ["not-asked"]);
}

#[test]
fn work_on_a_port_needs_a_person_a_reason_and_a_port_that_is_no_ones_cell() {
    let person = || Path::Page(Arc::from("li"));
    assert!(matches!(decide(request(person(), Purpose::Work, down()), &clear(Mode::Approve)), Decision::Permit(_)));
    assert!(matches!(decide(request(person(), Purpose::Work, down()), &clear(Mode::Observe)), Decision::Observe(_)));
    let nameless = Request { reason: " ".into(), ..request(person(), Purpose::Work, down()) };
    assert_eq!(words(&decide(nameless, &clear(Mode::Auto))), ["no-reason"]);
    assert_eq!(words(&decide(request(Path::Auto, Purpose::Work, down()), &clear(Mode::Auto))), ["mode"]);
    let held = Facts { held: Some((down(), Observation::default())), ..clear(Mode::Auto) };
    assert_eq!(words(&decide(request(person(), Purpose::Work, down()), &held)), ["held"]);
}

fn paths() -> impl Strategy<Value = Path> {
    let person = || Arc::from("li");
    prop::sample::select(vec![
        Path::Auto,
        Path::Page(person()),
        Path::Api(person()),
        Path::Command(person()),
        Path::Pursuit,
        Path::Reassert,
        Path::Expiry,
    ])
}

prop_compose! {
    fn places()(
        age in 0_u64..1500, asked in prop::option::of((0_u64..60, any::<bool>())), told in prop::option::of("Gi0/1[78]"),
        kind in prop::sample::select(vec![PortKind::Access, PortKind::Access, PortKind::Trunk, PortKind::Aggregated]),
        flags in prop::collection::vec(prop::bool::weighted(0.1), 5), macs in 0_usize..6, has_it in prop::bool::weighted(0.9),
    ) -> Place {
        let mut list: Vec<MacAddr> = (0..macs).map(|n| MacAddr([2, 0, 0, 0, 0, u8::try_from(n).unwrap()])).collect();
        list.extend(has_it.then_some(MAC));
        Place {
            seen: NOW - Duration::from_secs(age),
            asked: asked.map(|(age, is)| (NOW - Duration::from_secs(age), is)),
            told_name: told,
            kind,
            is_root_port: flags[0],
            neighbour: flags[1].then(|| ("core".into(), "bridge".into())),
            is_our_path: flags[2],
            has_phone: flags[3],
            macs: list,
            rival: flags[4].then(|| "sw2 Gi1".into()),
        }
    }
}

prop_compose! {
    fn worlds()(
        mode in prop::sample::select(vec![Mode::Observe, Mode::Approve, Mode::Auto]), place in prop::option::weighted(0.9, places()),
        flags in prop::collection::vec(prop::bool::weighted(0.15), 4), yes in prop::collection::vec((0_usize..3, 0_u64..8000), 0..4),
        needed in 0_usize..3, held in prop::option::of((any::<bool>(), prop::option::of(1_u8..4), prop::option::of("Gi0/1[78]"))),
    ) -> Facts {
        let names = ["li", "wang", "zhao"];
        Facts {
            mode,
            place,
            protected: flags[0].then(|| Rail::Protected { line: "a:1".into(), reason: "x".into(), owner: "li".into() }).into_iter().collect(),
            blast: flags[1].then(|| Rail::Blast { limit: "3 in 10 minutes".into() }),
            frozen: flags[2].then(|| Rail::Frozen { reason: "exams".into(), until: NOW }),
            grace_until: flags[3].then_some(NOW + Duration::from_secs(1)),
            approvals: yes.into_iter().map(|(n, age)| Approval { person: names[n].into(), at: NOW - Duration::from_secs(age) }).collect(),
            persons_needed: needed,
            held: held.map(|(up, admin, if_name)| {
                (Order::PortAdmin { spot: spot(), up }, Observation { admin, if_name, ..Observation::default() })
            }),
            ..clear(mode)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// The promise of the house, said once more in other words than those of the gate.
    #[test]
    fn leave_is_given_only_where_every_rail_lets_through(
        path in paths(), purpose in prop::sample::select(vec![Purpose::Block, Purpose::Release, Purpose::Work]),
        up in any::<bool>(), reason in prop::sample::select(vec!["", "sweep"]), facts in worlds(),
    ) {
        let order = Order::PortAdmin { spot: spot(), up };
        let request = Request { reason: reason.into(), ..request(path.clone(), purpose, order.clone()) };
        let Decision::Permit(permit) = decide(request, &facts) else { return Ok(()) };
        prop_assert_eq!(permit.order(), &order);
        prop_assert!(permit.valid_until() <= NOW + PERMIT_LASTS);
        if purpose == Purpose::Release {
            let (left, found) = facts.held.unwrap();
            prop_assert_eq!(found.if_name.as_deref(), Some("Gi0/17"));
            prop_assert!(found.fulfils(&left) != Some(false));
            return Ok(());
        }
        let mut fresh: Vec<_> =
            facts.approvals.iter().filter(|yes| NOW.since(yes.at) <= YES_LASTS).map(|yes| yes.person.clone()).collect();
        fresh.sort();
        fresh.dedup();
        let agreed = fresh.len() >= facts.persons_needed.max(1);
        prop_assert!(facts.mode != Mode::Observe);
        prop_assert!(facts.protected.is_empty());
        let place = facts.place.unwrap();
        prop_assert!(place.asked.is_some_and(|(at, _)| NOW.since(at) <= ANSWER_LASTS));
        prop_assert_eq!(place.told_name.as_deref(), Some("Gi0/17"));
        prop_assert!(place.kind == PortKind::Access && !place.is_root_port && !place.is_our_path && place.neighbour.is_none());
        prop_assert!(agreed || place.macs.len() <= FEW_MACS);
        if purpose == Purpose::Work {
            prop_assert!(!reason.is_empty() && facts.held.is_none() && (agreed || path.person().is_some()));
            return Ok(());
        }
        prop_assert!(place.asked.is_some_and(|(_, is_there)| is_there) && place.macs.contains(&MAC));
        prop_assert!(NOW.since(place.seen) <= facts.round * 2);
        prop_assert!(path.person().is_none() || !reason.is_empty());
        let by_itself = facts.mode == Mode::Auto && path.person().is_none() && facts.blast.is_none() && facts.frozen.is_none()
            && facts.grace_until.is_none() && !place.has_phone && place.rival.is_none();
        prop_assert!(agreed || by_itself);
    }
}
