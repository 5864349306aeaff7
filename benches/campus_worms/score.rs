//! What the engine says of a campus against what is true: who was found, by which name, after how many contacts and seconds,
//! and who was accused without reason.

use std::collections::BTreeMap;

use netroom::capture::headers;
use netroom::capture::link::Link;
use netroom::capture::packet::Nanos;
use netroom::detect::{Detection, Kind, Level, Machine};
use netroom::model::MacAddr;

use super::Plan;
use super::town::{Role, Town};
use super::truth::Offender;
use super::world::World;

/// What judges frames: the engine, with its state.
pub(crate) trait Judge {
    fn frame(&mut self, packet: &netroom::capture::packet::Packet<'_>) -> Vec<Detection>;
    fn end(&mut self) -> Vec<Detection>;
}

/// Of whom something was said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Whom {
    Host(usize),
    Router,
    Other,
}

/// When one kind reached each level of one machine, in seconds from the start, with what was said last.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) suspect: Option<f64>,
    pub(crate) virus: Option<f64>,
    pub(crate) block: Option<f64>,
    pub(crate) last: Detection,
}

/// One campus with all that was said of it.
pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) world: World,
    pub(crate) heard: BTreeMap<(Whom, Kind), Heard>,
    pub(crate) packets: u64,
}

/// Lets a judge see a whole campus. `also` gets every frame too, for a capture file.
pub(crate) fn run(plan: &Plan, judge: &mut dyn Judge, also: &mut dyn FnMut(u64, u32, &[u8])) -> Run {
    let mut world = plan.world();
    let mut heard = BTreeMap::new();
    let mut packets = 0;
    let mut start = None;
    let mut now = 0.0;
    while let Some((at, wire, octets)) = world.next_frame() {
        let start = *start.get_or_insert(at - at % 1_000_000_000);
        now = (at - start) as f64 / 1e9;
        packets += 1;
        also(at, wire, &octets);
        let packet = headers::parse(Nanos(at), wire, Link::Ethernet, None, &octets);
        for detection in judge.frame(&packet) {
            hear(&mut heard, &world.town, now, detection);
        }
    }
    for detection in judge.end() {
        hear(&mut heard, &world.town, now, detection);
    }
    Run { plan: plan.clone(), world, heard, packets }
}

fn hear(heard: &mut BTreeMap<(Whom, Kind), Heard>, town: &Town, now: f64, detection: Detection) {
    let whom = whom(town, &detection.machine);
    let (level, kind) = (detection.level, detection.kind);
    let entry = heard.entry((whom, kind)).or_insert(Heard { suspect: None, virus: None, block: None, last: detection.clone() });
    entry.last = detection;
    for (least, slot) in [(Level::Suspect, &mut entry.suspect), (Level::Virus, &mut entry.virus), (Level::BlockWorthy, &mut entry.block)] {
        if level >= least {
            slot.get_or_insert(now);
        }
    }
}

fn whom(town: &Town, machine: &Machine) -> Whom {
    if let Some(MacAddr(mac)) = machine.mac {
        if town.routers.contains(&mac) {
            return Whom::Router;
        }
        if let Some(host) = town.hosts.iter().position(|host| host.mac == mac) {
            return Whom::Host(host);
        }
    }
    machine.ip.and_then(|ip| town.host_of(ip)).map_or(Whom::Other, Whom::Host)
}

/// What became of one offender.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) shape: String,
    pub(crate) host: usize,
    pub(crate) scanner: bool,
    pub(crate) rate: Option<f64>,
    /// First told at `virus` or above, by any name.
    pub(crate) found: bool,
    /// The same by a right name.
    pub(crate) named: bool,
    /// First contacts, and seconds since the first, up to the right name at `virus`; at `suspect`.
    pub(crate) virus: Option<(usize, f64)>,
    pub(crate) suspect: Option<(usize, f64)>,
    pub(crate) made: usize,
    pub(crate) kinds: String,
}

impl Run {
    /// What became of each offender that did at least something.
    pub(crate) fn fates(&self) -> Vec<Fate> {
        self.world.truth.offenders.iter().filter(|offender| !offender.contacts.is_empty()).map(|offender| self.fate(offender)).collect()
    }

    fn fate(&self, offender: &Offender) -> Fate {
        let is = |whom: &Whom| *whom == Whom::Host(offender.host) || offender.double.is_some_and(|other| *whom == Whom::Host(other));
        let about: Vec<(&(Whom, Kind), &Heard)> = self.heard.iter().filter(|((whom, _), _)| is(whom)).collect();
        let right = |kind: Kind| offender.kinds.contains(&kind.word());
        let first = |of: fn(&Heard) -> Option<f64>| {
            about.iter().filter(|((_, kind), _)| right(*kind)).filter_map(|(_, heard)| of(heard)).min_by(f64::total_cmp)
        };
        let begun = offender.contacts.first().copied().unwrap_or_default();
        let cost = |at: f64| (offender.contacts.iter().filter(|contact| **contact <= at).count(), at - begun);
        let kinds = about.iter().map(|((_, kind), heard)| format!("{kind}:{:?}", heard.last.level)).collect::<Vec<_>>().join(" ");
        Fate {
            shape: offender.shape.clone(),
            host: offender.host,
            scanner: offender.scanner,
            rate: offender.tcp,
            found: about.iter().any(|(_, heard)| heard.virus.is_some()),
            named: first(|heard| heard.virus).is_some(),
            virus: first(|heard| heard.virus).map(cost),
            suspect: first(|heard| heard.suspect).map(cost),
            made: offender.contacts.len(),
            kinds,
        }
    }

    /// Innocent machines of which something was said at this level or above, with what.
    pub(crate) fn accused(&self, level: Level) -> Vec<(Whom, String)> {
        let mut accused: BTreeMap<Whom, String> = BTreeMap::new();
        for ((whom, kind), heard) in &self.heard {
            let guilty = self.world.truth.offenders.iter().any(|o| Whom::Host(o.host) == *whom || o.double.map(Whom::Host) == Some(*whom));
            let at = match level {
                Level::BlockWorthy => heard.block,
                Level::Virus => heard.virus,
                _ => heard.suspect,
            };
            if let (false, Some(at)) = (guilty, at) {
                let said = accused.entry(*whom).or_default();
                let facts: Vec<String> = heard.last.evidence.iter().map(|(name, fact)| format!("{name}={fact:?}")).collect();
                let machine = heard.last.machine;
                said.push_str(&format!("{kind}@{at:.0}s {:?} {:?} [{}] ", machine.ip, machine.mac, facts.join(" ")));
            }
        }
        accused.into_iter().collect()
    }

    /// Accused machines per thousand machines and day.
    pub(crate) fn rate_of(&self, accused: usize) -> f64 {
        let machine_days = self.world.town.hosts.len() as f64 * f64::from(self.plan.seconds) / 86_400.0;
        accused as f64 * 1_000.0 / machine_days
    }

    pub(crate) fn is_peer(&self, whom: Whom) -> bool {
        matches!(whom, Whom::Host(host) if self.world.truth.p2p.contains(&host))
    }

    pub(crate) fn role(&self, whom: Whom) -> Option<Role> {
        match whom {
            Whom::Host(host) => Some(self.world.town.hosts[host].role),
            _ => None,
        }
    }
}

/// The value below which this share of them lies; `None` of none.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1);
    values.get(at).copied()
}
