//! What is to be said of a machine, for it and against it: what the page shows and `detect explain` prints. Pure over what
//! is remembered, what is held, and what the site knows.

use std::net::IpAddr;
use std::sync::Arc;

use super::detection::{Detection, Machine};
use super::kind::{Kind, Level};
use super::learn::{Progress, Role};
use super::portrait::{Portrait, Tally};
use super::site::Site;
use crate::model::{Evidence, Fact, Timestamp};

/// What the site holds a machine to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// Its frames carry others' addresses.
    Router,
    /// Others send through it.
    Gateway,
    /// Many talk to it, and it may talk to many.
    Server,
    /// It may send mail to the world.
    Mail,
    /// It may ask the world for names.
    Resolver,
    /// It may give out leases.
    Dhcp,
    /// Nothing is told of it.
    Exempt,
}

impl Part {
    /// The word for pages and API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Gateway => "gateway",
            Self::Server => "server",
            Self::Mail => "mail",
            Self::Resolver => "resolver",
            Self::Dhcp => "dhcp",
            Self::Exempt => "exempt",
        }
    }

    /// What the facts of a site say of these addresses.
    pub fn of(site: &Site, machine: &Machine) -> Vec<Self> {
        let has = |set: &std::collections::HashSet<IpAddr>| machine.ip.is_some_and(|ip| set.contains(&ip));
        let is_gateway = |(ip, mac): &(IpAddr, Option<_>)| machine.ip == Some(*ip) || (mac.is_some() && *mac == machine.mac);
        let mac_in = |set: &std::collections::HashSet<_>| machine.mac.is_some_and(|mac| set.contains(&mac));
        [
            (Self::Router, mac_in(&site.routers)),
            (Self::Gateway, site.gateways.iter().any(is_gateway)),
            (Self::Server, has(&site.servers)),
            (Self::Mail, has(&site.mail)),
            (Self::Resolver, has(&site.resolvers)),
            (Self::Dhcp, has(&site.dhcp) || mac_in(&site.dhcp_macs)),
            (Self::Exempt, has(&site.exempt) || mac_in(&site.exempt_macs)),
        ]
        .into_iter()
        .filter_map(|(part, is_it)| is_it.then_some(part))
        .collect()
    }
}

/// Somebody took a machine out of the judgement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exemption {
    /// Who.
    pub owner: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// Until when; `None` for good.
    pub expires: Option<Timestamp>,
    /// From which kinds; empty for all.
    pub kinds: Vec<Kind>,
}

/// What the site knows of a machine.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// What it is held to be.
    pub parts: Vec<Part>,
    /// Who exempted it.
    pub exemptions: Vec<Exemption>,
    /// What it was seen to be.
    pub learnt: Vec<Progress>,
}

/// One thing to be said, as a sentence `machine-point-WORD` with its facts.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// Which sentence.
    pub word: &'static str,
    /// Its arguments.
    pub facts: Evidence,
}

/// Both sides.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Balance {
    /// What speaks against the machine, besides what is held itself.
    pub against: Vec<Point>,
    /// What speaks for it.
    pub favour: Vec<Point>,
}

/// Contacts from which on a share says something.
const ENOUGH: u32 = 20;

/// Weighs what is known.
pub fn weigh(portrait: Option<&Portrait>, held: &[Arc<Detection>], known: &Known) -> Balance {
    let mut balance = Balance::default();
    let current: Vec<&Arc<Detection>> = held.iter().filter(|detection| !detection.cleared && detection.level > Level::Label).collect();
    if current.len() > 1 {
        balance.against.push(point("independent", [("count", Fact::Count(current.len() as u64))]));
    }
    if let Some(total) = portrait.map(|portrait| portrait.total).filter(|total| total.contacts >= ENOUGH) {
        outcomes(&mut balance, total);
    }
    if let Some(port) = portrait.and_then(worst_service) {
        balance.against.push(port);
    }
    for part in &known.parts {
        balance.favour.push(point("part", [("part", Fact::Text(part.word().to_owned()))]));
    }
    for learnt in &known.learnt {
        balance.favour.push(Point { word: learnt_word(learnt.role), facts: learnt.reason() });
    }
    for exemption in &known.exemptions {
        let mut facts = vec![("owner", Fact::Text(exemption.owner.to_string())), ("reason", Fact::Text(exemption.reason.to_string()))];
        facts.extend(exemption.expires.map(|until| ("until", Fact::Time(until))));
        let word = if exemption.expires.is_some() { "exempted-until" } else { "exempted" };
        balance.favour.push(point(word, facts));
    }
    if held.iter().any(|detection| detection.kind == Kind::P2p && !detection.cleared) {
        balance.favour.push(point("p2p", []));
    }
    if current.is_empty() && balance.against.is_empty() {
        let cleared = held.iter().filter(|detection| detection.cleared).count();
        let (word, facts) = if cleared > 0 { ("cleared", vec![("count", Fact::Count(cleared as u64))]) } else { ("nothing", Vec::new()) };
        balance.favour.push(point(word, facts));
    }
    balance
}

/// The sentence of a role that the traffic showed.
const fn learnt_word(role: Role) -> &'static str {
    match role {
        Role::Server => "learnt-server",
        Role::Printer => "learnt-printer",
        Role::Resolver => "learnt-resolver",
        Role::Monitor => "learnt-monitor",
        Role::Nat => "learnt-nat",
    }
}

fn outcomes(balance: &mut Balance, total: Tally) {
    let share = |count: u32| f64::from(count) * 100.0 / f64::from(total.contacts.max(1));
    let facts = |count: u32| {
        [
            ("count", Fact::Count(count.into())),
            ("contacts", Fact::Count(total.contacts.into())),
            ("share", Fact::Percent(share(count).min(100.0))),
        ]
    };
    if share(total.failed) >= 50.0 {
        balance.against.push(point("failed", facts(total.failed)));
    } else if share(total.answered) >= 80.0 {
        balance.favour.push(point("answered", facts(total.answered)));
    }
}

/// The service on which most fails, when that is most of all failures: worms knock at one door.
fn worst_service(portrait: &Portrait) -> Option<Point> {
    let (service, tally) = portrait.services.iter().max_by_key(|(_, tally)| tally.failed)?;
    let is_one_door = tally.failed >= ENOUGH
        && tally.failed >= tally.answered.saturating_mul(2)
        && tally.failed.saturating_mul(2) >= portrait.total.failed;
    let port = if service.port == 0 { service.way.word().to_owned() } else { format!("{}/{}", service.way.word(), service.port) };
    is_one_door.then(|| {
        point(
            "one-door",
            [("port", Fact::Text(port)), ("failed", Fact::Count(tally.failed.into())), ("answered", Fact::Count(tally.answered.into()))],
        )
    })
}

fn point(word: &'static str, facts: impl IntoIterator<Item = (&'static str, Fact)>) -> Point {
    Point { word, facts: facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::Nanos;
    use crate::detect::portrait::{Portraits, Service, Way};
    use crate::model::MacAddr;

    fn words(points: &[Point]) -> Vec<&str> {
        points.iter().map(|point| point.word).collect()
    }

    fn machine() -> Machine {
        Machine { ip: "10.1.0.9".parse().ok(), mac: Some(MacAddr([2, 0, 0, 0, 0, 9])), vlan: None }
    }

    fn detection(kind: Kind, level: Level, cleared: bool) -> Arc<Detection> {
        let (first, last) = (Nanos(1), Nanos(2));
        Arc::new(Detection { kind, level, cleared, machine: machine(), first, last, contacts: 7, evidence: Evidence::new() })
    }

    fn portrait(answered: bool) -> Arc<Portrait> {
        let mut portraits = Portraits::new(1);
        for number in 0..40 {
            let (target, service) = (format!("10.2.0.{number}").parse().unwrap(), Service { way: Way::Tcp, port: 445 });
            portraits.contact(&machine(), target, service, Nanos(1));
            portraits.outcome(&machine(), target, service, answered, Nanos(2));
        }
        Arc::clone(&portraits.snapshot()[0])
    }

    #[test]
    fn a_worm_has_little_to_say_for_itself() {
        let held = [detection(Kind::TcpScan, Level::BlockWorthy, false), detection(Kind::Lateral, Level::Virus, false)];
        let balance = weigh(Some(&portrait(false)), &held, &Known::default());
        assert_eq!(words(&balance.against), ["independent", "failed", "one-door"]);
        assert!(balance.favour.is_empty());
    }

    #[test]
    fn a_server_that_is_answered_has_much() {
        let site =
            Site { servers: machine().ip.into_iter().collect(), exempt_macs: machine().mac.into_iter().collect(), ..Site::default() };
        let exemption = Exemption { owner: "li".into(), reason: "scanner of the office".into(), expires: None, kinds: Vec::new() };
        let known = Known { parts: Part::of(&site, &machine()), exemptions: vec![exemption], learnt: Vec::new() };
        assert_eq!(known.parts, [Part::Server, Part::Exempt]);
        let held = [detection(Kind::P2p, Level::Label, false), detection(Kind::TcpScan, Level::Suspect, true)];
        let balance = weigh(Some(&portrait(true)), &held, &known);
        assert!(balance.against.is_empty(), "{balance:?}");
        assert_eq!(words(&balance.favour), ["answered", "part", "part", "exempted", "p2p", "cleared"]);
        assert_eq!(words(&weigh(None, &[], &Known::default()).favour), ["nothing"]);
    }
}
