//! All hosts and services together: who is suspected, who is asked again, who is accused, and whether it is we.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::net::IpAddr;

use super::super::round::{Outcome, Round};
use super::super::schedule::{Event, HostId};
use super::service::{Checked, Excuse, Service, ServiceId, ServiceWatch};
use super::tell::{self, BLIND, HOST_DOWN, HOST_FLAPPING, HOST_LOSSY, HOST_SLOW, HOST_UNREACHABLE};
use super::tracker::{Phase, Thresholds, Tracker};
use crate::model::{Evidence, Fact, Finding, Severity, Subject};

/// Extra probes that make sure.
const EXTRAS: u8 = 4;
/// After the last extra probe has been given up it is decided.
const CONFIRM_NS: i64 = 1_000_000_000;
/// How long those behind a host have to come back after it did.
const REJOIN_NS: i64 = 30_000_000_000;
/// No way through the parents is longer; a circle ends here.
const LONGEST_WAY: usize = 64;
/// Blind by our own doing: so many probes at least, and this share of them, could not be measured within this time.
const OWN_SPAN_NS: i64 = 90_000_000_000;
const OWN_LEAST: u32 = 5;

/// A host to be judged.
#[derive(Clone, PartialEq, Debug)]
pub struct Watch {
    /// Who.
    pub id: HostId,
    /// Its key in findings. A gateway of ours that nobody configured has the key of a part, and is never accused.
    pub subject: Subject,
    /// Where.
    pub address: IpAddr,
    /// What it stands behind; it is cut off when all of them are dead.
    pub parents: Vec<HostId>,
    /// Whether it is reached without any network: an address of our own.
    pub is_local: bool,
    /// Whether it is our own way out.
    pub is_gateway: bool,
    /// When it counts as what.
    pub thresholds: Thresholds,
}

/// What the judge wants done.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Probe this host again at once, so often.
    ProbeAgain(HostId, u8),
    /// Check this service again soon.
    CheckAgain(ServiceId),
    /// Tell this. Its time is on the steady line.
    Tell(Finding),
    /// This host is taken for something else now.
    Changed(HostId),
}

/// What has been told of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// Before our start somebody may have told something.
    Unsure,
    Fine,
    Down,
    Unreachable,
}

struct Host {
    watch: Watch,
    parents: Vec<u32>,
    tracker: Tracker,
    told: Told,
}

/// The state machine.
pub struct Judge {
    hosts: Vec<Host>,
    places: HashMap<HostId, u32>,
    gateways: Vec<u32>,
    services: HashMap<ServiceId, Service>,
    deadlines: BinaryHeap<Reverse<(i64, u32)>>,
    timeout_ns: i64,
    last_remote_ns: i64,
    has_link: bool,
    blind: bool,
    told_blind: Option<bool>,
    own: (i64, u32, u32),
}

impl Judge {
    /// Nobody to judge yet; probes are given up after `timeout_ns`.
    pub fn new(timeout_ns: i64) -> Self {
        Self {
            hosts: Vec::new(),
            places: HashMap::new(),
            gateways: Vec::new(),
            services: HashMap::new(),
            deadlines: BinaryHeap::new(),
            timeout_ns,
            last_remote_ns: i64::MIN,
            has_link: true,
            blind: false,
            told_blind: None,
            own: (i64::MIN, 0, 0),
        }
    }

    /// Replaces the lists. What is known of those that stay is kept.
    pub fn set(&mut self, hosts: Vec<Watch>, services: Vec<ServiceWatch>, timeout_ns: i64, now_ns: i64) {
        self.timeout_ns = timeout_ns;
        let places: HashMap<HostId, u32> = (0..).zip(&hosts).map(|(place, watch)| (watch.id, place)).collect();
        let before = std::mem::take(&mut self.hosts);
        // Places in the old list are given their new ones; whoever stood behind somebody gone is judged anew.
        let moved: Vec<Option<u32>> = before.iter().map(|host| places.get(&host.watch.id).copied()).collect();
        let mut kept: HashMap<HostId, Host> = before.into_iter().map(|host| (host.watch.id, host)).collect();
        let rebuilt = hosts.into_iter().map(|watch| {
            let parents = watch.parents.iter().filter_map(|parent| places.get(parent).copied()).collect();
            let same = |host: &Host| (host.watch.address, &host.watch.subject) == (watch.address, &watch.subject);
            match kept.remove(&watch.id).filter(same) {
                Some(mut host) => {
                    if let Phase::Behind(root) = host.tracker.phase {
                        let root = moved.get(root as usize).copied().flatten();
                        host.tracker.phase = root.map_or(Phase::Unknown, Phase::Behind);
                    }
                    Host { watch, parents, ..host }
                }
                None => Host { watch, parents, tracker: Tracker::new(now_ns), told: Told::Unsure },
            }
        });
        self.hosts = rebuilt.collect();
        self.places = places;
        self.gateways = (0..).zip(&self.hosts).filter(|(_, host)| host.watch.is_gateway).map(|(place, _)| place).collect();
        // Suspicions go by place.
        self.deadlines.clear();
        for (place, host) in (0..).zip(&self.hosts) {
            if let Phase::Suspect { deadline_ns, .. } = host.tracker.phase {
                self.deadlines.push(Reverse((deadline_ns, place)));
            }
        }
        let mut services_before = std::mem::take(&mut self.services);
        for watch in services {
            let service = match services_before.remove(&watch.id).filter(|service| service.watch.subject == watch.subject) {
                Some(mut service) => {
                    service.watch = watch;
                    service
                }
                None => Service::new(watch),
            };
            self.services.insert(service.watch.id, service);
        }
    }

    /// Whether we are blind.
    pub const fn is_blind(&self) -> bool {
        self.blind
    }

    /// What a host is taken for, since when (steady nanoseconds), and what it stands behind when that is dead.
    pub fn phase(&self, host: HostId) -> Option<(Phase, i64, Option<&Subject>)> {
        let host = self.host(*self.places.get(&host)?)?;
        let root = if let Phase::Behind(root) = host.tracker.phase { self.host(root).map(|root| &root.watch.subject) } else { None };
        Some((host.tracker.phase, host.tracker.since_ns, root))
    }

    /// Whether a service is down; `None` while nothing is known.
    pub fn service_is_down(&self, service: ServiceId) -> Option<bool> {
        self.services.get(&service)?.is_down
    }

    /// Whether a host is lossy, slow, flapping.
    pub fn flags(&self, host: HostId) -> (bool, bool, bool) {
        let tracker = self.places.get(&host).and_then(|&place| self.host(place)).map(|host| &host.tracker);
        tracker.map_or((false, false, false), |tracker| (tracker.is_lossy, tracker.is_slow, tracker.is_flapping))
    }

    /// When [`Self::tick`] is to be called next.
    pub fn next_deadline(&self) -> Option<i64> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes in what the schedule tells.
    pub fn observe(&mut self, event: &Event, out: &mut Vec<Effect>) {
        match event {
            Event::Probe { host, at_ns, extra, outcome } => {
                if let Some(&place) = self.places.get(host) {
                    self.probe(place, *at_ns, *extra, *outcome, out);
                }
            }
            Event::Round { host, at_ns, round } => {
                if let Some(&place) = self.places.get(host) {
                    self.round(place, *at_ns, round, out);
                }
            }
        }
    }

    /// Takes in what a check found.
    pub fn checked(&mut self, id: ServiceId, checked: &Checked, out: &mut Vec<Effect>) {
        let Some(service) = self.services.get(&id) else { return };
        if self.blind && !service.watch.is_local {
            return;
        }
        let place = service.watch.host.and_then(|host| self.places.get(&host)).copied();
        let excuse = match place.and_then(|place| self.host(place)).map(|host| (host, host.tracker.phase)) {
            Some((_, Phase::Suspect { .. })) => Excuse::Undecided,
            Some((host, Phase::Down)) => Excuse::Cause(host.watch.subject.clone()),
            Some((_, Phase::Behind(root))) => self.host(root).map_or(Excuse::None, |root| Excuse::Cause(root.watch.subject.clone())),
            _ => Excuse::None,
        };
        if let Some(service) = self.services.get_mut(&id) {
            service.checked(checked, excuse, out);
        }
    }

    /// Whether any of our own interfaces has a carrier, as the machine says.
    pub fn link(&mut self, is_up: bool, now_ns: i64, out: &mut Vec<Effect>) {
        self.has_link = is_up;
        if !is_up {
            self.go_blind("no_link", now_ns, out);
        }
    }

    /// Decides what is due.
    pub fn tick(&mut self, now_ns: i64, out: &mut Vec<Effect>) {
        while let Some(&Reverse((at, place))) = self.deadlines.peek() {
            if at > now_ns {
                return;
            }
            self.deadlines.pop();
            if let Some(Phase::Suspect { since_ns, deadline_ns }) = self.host(place).map(|host| host.tracker.phase)
                && deadline_ns == at
            {
                self.decide(place, since_ns, now_ns, out);
            }
        }
    }

    fn host(&self, place: u32) -> Option<&Host> {
        self.hosts.get(place as usize)
    }

    fn host_mut(&mut self, place: u32) -> Option<&mut Host> {
        self.hosts.get_mut(place as usize)
    }

    fn probe(&mut self, place: u32, at_ns: i64, extra: bool, outcome: Outcome, out: &mut Vec<Effect>) {
        let Some(host) = self.hosts.get_mut(place as usize) else { return };
        let is_local = host.watch.is_local;
        if !is_local {
            self.own_doing(outcome == Outcome::Unmeasured, at_ns, out);
        }
        if outcome == Outcome::Unmeasured {
            return;
        }
        let answered = matches!(outcome, Outcome::Answered(_));
        if answered && !is_local {
            self.last_remote_ns = self.last_remote_ns.max(at_ns);
            if self.blind && self.has_link {
                self.see_again(at_ns, out);
            }
            if self.told_blind.is_none() {
                // Before our start somebody may have told that we were blind.
                self.told_blind = Some(false);
                out.push(Effect::Tell(tell::cleared(BLIND, &own_link(), at_ns)));
            }
        }
        if self.blind && !is_local {
            return;
        }
        let Some(host) = self.hosts.get_mut(place as usize) else { return };
        host.tracker.push(outcome, extra, at_ns);
        let (tracker, thresholds) = (&host.tracker, &host.watch.thresholds);
        match (tracker.phase, answered) {
            (Phase::Unknown | Phase::Up, false) if tracker.looks_down(thresholds) => {
                self.suspect(place, at_ns, at_ns + self.confirm_ns(), out);
            }
            (Phase::Unknown | Phase::Suspect { .. }, true) if host.told != Told::Down && host.told != Told::Unreachable => {
                self.up(place, at_ns, out);
            }
            (Phase::Suspect { .. } | Phase::Down | Phase::Behind(_) | Phase::Unknown, true) => {
                if tracker.looks_up(thresholds) {
                    self.up(place, at_ns, out);
                } else if !extra {
                    out.push(Effect::ProbeAgain(host.watch.id, EXTRAS));
                }
            }
            _ => {}
        }
    }

    const fn confirm_ns(&self) -> i64 {
        self.timeout_ns + CONFIRM_NS
    }

    /// Asks the host, everything it stands behind and our gateways again.
    fn suspect(&mut self, place: u32, now_ns: i64, deadline_ns: i64, out: &mut Vec<Effect>) {
        let way = self.way(place);
        let Some(host) = self.host_mut(place) else { return };
        host.tracker.phase = Phase::Suspect { since_ns: now_ns, deadline_ns };
        let is_local = host.watch.is_local;
        self.deadlines.push(Reverse((deadline_ns, place)));
        let gateways = if is_local { &[][..] } else { &self.gateways };
        for asked in way.into_iter().chain(gateways.iter().copied()).collect::<BTreeSet<_>>() {
            if let Some(host) = self.host(asked) {
                out.push(Effect::ProbeAgain(host.watch.id, EXTRAS));
            }
        }
    }

    /// A host and everything it stands behind.
    fn way(&self, place: u32) -> BTreeSet<u32> {
        let mut way = BTreeSet::from([place]);
        let mut next = vec![place];
        while let Some(at) = next.pop().filter(|_| way.len() < LONGEST_WAY) {
            let parents = self.host(at).map(|host| host.parents.as_slice()).unwrap_or_default();
            next.extend(parents.iter().filter(|&&parent| way.insert(parent)));
        }
        way
    }

    fn decide(&mut self, place: u32, since_ns: i64, now_ns: i64, out: &mut Vec<Effect>) {
        let Some(host) = self.host(place) else { return };
        if host.tracker.last_answer_ns >= since_ns && host.tracker.looks_up(&host.watch.thresholds) {
            self.up(place, now_ns, out);
            return;
        }
        if !host.watch.is_local
            && let Some(why) = self.why_blind(since_ns)
        {
            self.go_blind(why, now_ns, out);
            return;
        }
        match self.root(place, since_ns) {
            Some(root) => {
                self.down(root, now_ns, out);
                self.behind(place, root, now_ns, out);
            }
            None => self.down(place, now_ns, out),
        }
    }

    /// Whether it is we, since then.
    fn why_blind(&self, since_ns: i64) -> Option<&'static str> {
        let silent = |place: &u32| {
            self.host(*place).is_some_and(|gateway| gateway.tracker.last_answer_ns > i64::MIN && gateway.tracker.is_silent_since(since_ns))
        };
        match () {
            () if !self.has_link => Some("no_link"),
            () if self.last_remote_ns < since_ns && self.gateways.iter().any(silent) => Some("gateway_silent"),
            () => None,
        }
    }

    /// The first dead one on the way, when the host is cut off: each of its parents is dead.
    fn root(&self, place: u32, since_ns: i64) -> Option<u32> {
        let cut_off = |place: u32| {
            let parents = &self.host(place)?.parents;
            let dead = |parent: &u32| self.host(*parent).is_some_and(|parent| parent.tracker.is_silent_since(since_ns));
            if parents.iter().all(dead) { parents.first().copied() } else { None }
        };
        let mut at = cut_off(place)?;
        for _ in 0..LONGEST_WAY {
            match (self.host(at).map(|host| host.tracker.phase), cut_off(at)) {
                (Some(Phase::Behind(root)), _) if root != place => return Some(root),
                (_, Some(next)) if next != place => at = next,
                _ => break,
            }
        }
        Some(at).filter(|root| *root != place)
    }

    fn up(&mut self, place: u32, now_ns: i64, out: &mut Vec<Effect>) {
        let Some(host) = self.host_mut(place) else { return };
        let was = host.told;
        if was != Told::Fine {
            host.tracker.since_ns = now_ns;
            host.tracker.forget();
        }
        host.tracker.phase = Phase::Up;
        self.tell(place, Told::Fine, None, now_ns, out);
        if was == Told::Down || was == Told::Unreachable {
            self.rejoin(place, now_ns, out);
        }
    }

    /// Those behind a host that is back have some time to come back too; then they are judged on their own.
    fn rejoin(&mut self, root: u32, now_ns: i64, out: &mut Vec<Effect>) {
        let behind = |host: &Host| host.tracker.phase == Phase::Behind(root);
        let waiting: Vec<u32> = (0..).zip(&self.hosts).filter(|(_, host)| behind(host)).map(|(place, _)| place).collect();
        for place in waiting {
            self.suspect(place, now_ns, now_ns + REJOIN_NS, out);
        }
    }

    fn down(&mut self, place: u32, now_ns: i64, out: &mut Vec<Effect>) {
        let Some(host) = self.host_mut(place) else { return };
        if host.tracker.phase == Phase::Down {
            return;
        }
        host.tracker.phase = Phase::Down;
        host.tracker.since_ns = now_ns;
        let flaps = host.tracker.went_down(now_ns);
        let subject = host.watch.subject.clone();
        self.quality_ends(place, now_ns, out);
        self.tell(place, Told::Down, None, now_ns, out);
        if flaps && !matches!(subject, Subject::Part(_)) {
            out.push(Effect::Tell(tell::raised(HOST_FLAPPING, &subject, Severity::Minor, now_ns, Evidence::new())));
        }
    }

    fn behind(&mut self, place: u32, root: u32, now_ns: i64, out: &mut Vec<Effect>) {
        let Some(host) = self.host_mut(place) else { return };
        if !host.tracker.phase.is_gone() {
            host.tracker.since_ns = now_ns;
        }
        host.tracker.phase = Phase::Behind(root);
        self.quality_ends(place, now_ns, out);
        self.tell(place, Told::Unreachable, Some(root), now_ns, out);
    }

    /// Who is out of reach is no longer called lossy or slow.
    fn quality_ends(&mut self, place: u32, now_ns: i64, out: &mut Vec<Effect>) {
        let Some(host) = self.host_mut(place) else { return };
        for (flag, rule) in [(&mut host.tracker.is_lossy, HOST_LOSSY), (&mut host.tracker.is_slow, HOST_SLOW)] {
            if std::mem::replace(flag, false) {
                out.push(Effect::Tell(tell::cleared(rule, &host.watch.subject, now_ns)));
            }
        }
    }

    /// Tells what has not been told: the old ends, the new begins.
    fn tell(&mut self, place: u32, now: Told, root: Option<u32>, now_ns: i64, out: &mut Vec<Effect>) {
        let cause = root.and_then(|root| self.host(root)).map(|root| root.watch.subject.clone());
        let Some(host) = self.host_mut(place) else { return };
        let was = std::mem::replace(&mut host.told, now);
        out.push(Effect::Changed(host.watch.id));
        if was == now || matches!(host.watch.subject, Subject::Part(_)) {
            return;
        }
        let subject = &host.watch.subject;
        for (told, rule) in [(Told::Down, HOST_DOWN), (Told::Unreachable, HOST_UNREACHABLE)] {
            if was == told || (was == Told::Unsure && now != told) {
                out.push(Effect::Tell(tell::cleared(rule, subject, now_ns)));
            }
        }
        let tracker = &host.tracker;
        let evidence = || tell::outage(host.watch.address.to_string(), tracker.streak.into(), tracker.last_answer_ns, tracker.refusal);
        match now {
            Told::Down => out.push(Effect::Tell(tell::raised(HOST_DOWN, subject, Severity::Major, now_ns, evidence()))),
            Told::Unreachable => {
                let mut finding = tell::raised(HOST_UNREACHABLE, subject, Severity::Minor, now_ns, evidence());
                if let Some(cause) = &cause {
                    finding.evidence.insert("behind".into(), Fact::Text(cause.name()));
                }
                finding.cause = cause;
                out.push(Effect::Tell(finding));
            }
            Told::Fine | Told::Unsure => {}
        }
    }

    fn round(&mut self, place: u32, at_ns: i64, round: &Round, out: &mut Vec<Effect>) {
        let blind = self.blind;
        let Some(host) = self.host_mut(place) else { return };
        if host.tracker.phase != Phase::Up || !round.is_measured() || (blind && !host.watch.is_local) {
            return;
        }
        let (subject, thresholds) = (&host.watch.subject, host.watch.thresholds);
        if matches!(subject, Subject::Part(_)) {
            return;
        }
        if let Some(loss) = host.tracker.loss_percent() {
            let now = if host.tracker.is_lossy { loss > thresholds.clear_percent } else { loss >= thresholds.lossy_percent };
            if std::mem::replace(&mut host.tracker.is_lossy, now) != now {
                let evidence =
                    Evidence::from([("loss".into(), Fact::Percent(loss)), ("limit".into(), Fact::Percent(thresholds.lossy_percent))]);
                out.push(Effect::Tell(match now {
                    true => tell::raised(HOST_LOSSY, subject, Severity::Minor, at_ns, evidence),
                    false => tell::cleared(HOST_LOSSY, subject, at_ns),
                }));
            }
        }
        let median_ns = round.spread().map_or(0.0, |spread| spread.median_ns);
        if let Some(now) = host.tracker.slow(round, &thresholds) {
            let evidence =
                Evidence::from([("rtt".into(), Fact::Millis(median_ns / 1e6)), ("limit".into(), Fact::Millis(thresholds.slow_ns / 1e6))]);
            out.push(Effect::Tell(match now {
                true => tell::raised(HOST_SLOW, subject, Severity::Minor, at_ns, evidence),
                false => tell::cleared(HOST_SLOW, subject, at_ns),
            }));
        }
        if host.tracker.has_settled(at_ns) {
            out.push(Effect::Tell(tell::cleared(HOST_FLAPPING, subject, at_ns)));
        }
    }

    /// Counts what our own machine kept from being measured; more than half of everything makes us blind.
    fn own_doing(&mut self, unmeasured: bool, at_ns: i64, out: &mut Vec<Effect>) {
        let (from_ns, bad, all) = &mut self.own;
        if at_ns.saturating_sub(*from_ns) > OWN_SPAN_NS {
            (*from_ns, *bad, *all) = (at_ns, 0, 0);
        }
        *bad += u32::from(unmeasured);
        *all += 1;
        if *bad >= OWN_LEAST && *bad * 2 > *all && unmeasured {
            self.go_blind("not_sent", at_ns, out);
        }
    }

    /// We see nothing: nobody is accused, and what is not yet decided is forgotten.
    fn go_blind(&mut self, why: &'static str, now_ns: i64, out: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.blind, true) {
            return;
        }
        let mut evidence = Evidence::from([("why".into(), Fact::Text(why.into()))]);
        if let Some(gateway) = self.gateways.first().and_then(|&place| self.host(place)) {
            evidence.insert("gateway".into(), Fact::Text(gateway.watch.address.to_string()));
        }
        self.told_blind = Some(true);
        out.push(Effect::Tell(tell::raised(BLIND, &own_link(), Severity::Critical, now_ns, evidence)));
        for host in self.hosts.iter_mut().filter(|host| !host.watch.is_local && !host.tracker.phase.is_gone()) {
            host.tracker.phase = Phase::Unknown;
            host.tracker.since_ns = now_ns;
            host.tracker.forget();
            out.push(Effect::Changed(host.watch.id));
        }
    }

    fn see_again(&mut self, now_ns: i64, out: &mut Vec<Effect>) {
        self.blind = false;
        self.own = (now_ns, 0, 0);
        self.told_blind = Some(false);
        out.push(Effect::Tell(tell::cleared(BLIND, &own_link(), now_ns)));
    }
}

fn own_link() -> Subject {
    Subject::Part("link".into())
}
