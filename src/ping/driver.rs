//! The prober's thread: probes go out, what came back is judged, findings and rounds go up. It alone owns the sockets and
//! the state machine; everybody else reads the [`Board`] or puts something through a door.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::check::Check;
use super::codec::Family;
use super::column;
use super::link;
use super::live::{Board, HostInfo, Vitals};
use super::prober::Prober;
use super::schedule::{Event, HostId, Target};
use super::socket::{Mode, OpenError, Wire};
use super::state::{Checked, Effect, Judge, ServiceId, ServiceWatch, Watch};
use crate::model::{Finding, Gap, METRICS, Timestamp, clock};

/// How often the own link is looked at and the figures are written.
const LOOK_NS: i64 = 1_000_000_000;
/// Findings that wait here while nobody takes them; beyond that the oldest are shed and counted.
const WAITING: usize = 100_000;

/// Who is probed and judged, from the configuration.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Probes are given up after this time.
    pub timeout: Duration,
    /// Who is probed, hidden gateways included.
    pub targets: Vec<Target>,
    /// Who is judged.
    pub watches: Vec<Watch>,
    /// Which services are judged.
    pub services: Vec<ServiceWatch>,
    /// Which services are checked, for the runner.
    pub checks: Arc<Vec<Check>>,
    /// Who is shown.
    pub hosts: Vec<Arc<HostInfo>>,
}

/// A round or a check on its way to the series.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// The number of the host or service.
    pub id: u32,
    /// When.
    pub at: Timestamp,
    /// How often, seconds.
    pub interval_s: u32,
    /// Why nothing was measured, when it was not.
    pub gap: Option<Gap>,
    /// By [`column::Column`].
    pub values: [Option<u64>; METRICS],
}

/// Where the thread's results go. All are bounded; what does not fit is shed and counted.
#[derive(Clone, Debug)]
pub struct Outlets {
    /// To the incidents.
    pub findings: mpsc::Sender<Finding>,
    /// To the series.
    pub samples: mpsc::Sender<Sample>,
    /// To the runner of checks.
    pub again: mpsc::Sender<ServiceId>,
}

/// Why the thread ended.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// No sockets.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A socket broke.
    #[error("the ICMP socket cannot be used any more: {0}")]
    Io(#[from] std::io::Error),
}

/// What the thread shares with the rest of the program.
pub struct Reach {
    board: Arc<Board>,
    plan: ArcSwap<Plan>,
    outlets: Outlets,
    found: Mutex<mpsc::Receiver<(ServiceId, Checked)>>,
}

impl Reach {
    /// Nobody is probed until [`Self::set_plan`]; `found` is where the runner of checks tells what it found.
    pub fn new(outlets: Outlets, found: mpsc::Receiver<(ServiceId, Checked)>) -> Self {
        Self { board: Arc::default(), plan: ArcSwap::from_pointee(Plan::default()), outlets, found: Mutex::new(found) }
    }

    /// The table for pages.
    pub const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Another plan: shown at once, and the thread takes it at its next turn.
    pub fn set_plan(&self, plan: Plan) {
        self.board.set(&plan.hosts, clock::wall());
        self.plan.store(Arc::new(plan));
    }

    /// Runs until told to end.
    ///
    /// # Errors
    /// No socket can be opened, or one broke.
    pub fn run(&self, token: &CancellationToken) -> Result<(), ReachError> {
        let mut turns = Turns::open(self)?;
        while !token.is_cancelled() {
            turns.turn()?;
        }
        Ok(())
    }
}

/// The thread's own.
struct Turns<'a> {
    reach: &'a Reach,
    plan: Arc<Plan>,
    prober: Prober,
    judge: Judge,
    intervals: std::collections::HashMap<HostId, u32>,
    service_intervals: std::collections::HashMap<ServiceId, u32>,
    effects: Vec<Effect>,
    events: Vec<Event>,
    waiting: VecDeque<Finding>,
    looked_ns: i64,
    shed: u64,
}

impl<'a> Turns<'a> {
    fn open(reach: &'a Reach) -> Result<Self, ReachError> {
        let mut ident = [0; 2];
        // Any other program of this machine may have the same one; the cookie tells ours apart.
        if getrandom::fill(&mut ident).is_err() {
            ident = [0x6e, 0x72];
        }
        let mut wires = Vec::new();
        let mut refused = None;
        for family in [Family::V4, Family::V6] {
            match Wire::open(family, u16::from_ne_bytes(ident)) {
                Ok(wire) => wires.push(wire),
                Err(error) => refused = Some(error),
            }
        }
        if let (true, Some(error)) = (wires.is_empty(), refused) {
            return Err(error.into());
        }
        for wire in &wires {
            let (family, mode, buffer) = (wire.family(), wire.mode(), wire.receive_buffer());
            tracing::info!(
                ?family,
                ?mode,
                receive_buffer_bytes = buffer,
                "pinging {family:?} by a {mode:?} socket with room for {buffer} octets"
            );
            if mode == Mode::Datagram {
                tracing::warn!("without CAP_NET_RAW the kernel does not tell what it dropped: its loss would look like the network's");
            }
        }
        let plan = Arc::new(Plan::default());
        Ok(Self {
            reach,
            plan,
            prober: Prober::new(wires, Duration::from_secs(3)),
            judge: Judge::new(3_000_000_000),
            intervals: Default::default(),
            service_intervals: Default::default(),
            effects: Vec::new(),
            events: Vec::new(),
            waiting: VecDeque::new(),
            looked_ns: i64::MIN,
            shed: 0,
        })
    }

    fn turn(&mut self) -> Result<(), ReachError> {
        let plan = self.reach.plan.load_full();
        if !Arc::ptr_eq(&plan, &self.plan) {
            self.take(plan);
        }
        let mut events = std::mem::take(&mut self.events);
        let now_ns = self.prober.turn(|event| events.push(event))?;
        for event in events.drain(..) {
            self.judge.observe(&event, &mut self.effects);
            if let Event::Round { host, at_ns, round } = event {
                let at = self.prober.wall(at_ns);
                if let Some(&interval_s) = self.intervals.get(&host) {
                    let gap = (!round.is_measured()).then_some(Gap::DaemonDown);
                    let values = if gap.is_none() { column::of_round(&round) } else { [None; METRICS] };
                    self.sample(Sample { id: host.0, at, interval_s, gap, values });
                }
                let (is_lossy, is_slow, is_flapping) = self.judge.flags(host);
                self.reach.board.change(host, |now| {
                    (now.is_lossy, now.is_slow, now.is_flapping) = (is_lossy, is_slow, is_flapping);
                    now.round(at, round);
                });
            }
        }
        self.events = events;
        self.services();
        if now_ns.saturating_sub(self.looked_ns) >= LOOK_NS {
            self.looked_ns = now_ns;
            self.judge.link(link::has_carrier(), now_ns, &mut self.effects);
            self.look();
        }
        self.judge.tick(now_ns, &mut self.effects);
        self.perform(now_ns);
        self.tell();
        Ok(self.prober.sleep(self.judge.next_deadline())?)
    }

    fn take(&mut self, plan: Arc<Plan>) {
        let now_ns = self.prober.now_ns();
        let timeout_ns = i64::try_from(plan.timeout.as_nanos()).unwrap_or(i64::MAX);
        self.prober.schedule().set_timeout(plan.timeout);
        self.prober.schedule().set_targets(&plan.targets, now_ns);
        self.judge.set(plan.watches.clone(), plan.services.clone(), timeout_ns, now_ns);
        self.reach.board.set(&plan.hosts, self.prober.wall(now_ns));
        self.intervals = plan.hosts.iter().map(|host| (host.id, host.interval_s)).collect();
        let services = plan.hosts.iter().flat_map(|host| &host.services);
        self.service_intervals = services.map(|service| (service.id, service.interval_s)).collect();
        for watch in &plan.watches {
            self.effects.push(Effect::Changed(watch.id));
        }
        self.plan = plan;
    }

    fn services(&mut self) {
        let mut found = self.reach.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut samples = Vec::new();
        while let Ok((service, checked)) = found.try_recv() {
            self.judge.checked(service, &checked, &mut self.effects);
            let (at, took_ms) = (Timestamp::from_millis(checked.at_ns / 1_000_000), checked.took_ns.map(|ns| ns / 1e6));
            let is_down = self.judge.service_is_down(service);
            if let Some(&interval_s) = self.service_intervals.get(&service) {
                samples.push(Sample { id: service.0, at, interval_s, gap: None, values: column::of_check(checked.took_ns) });
            }
            self.reach.board.change_service(service, |now| {
                now.checked(at, took_ms);
                (now.is_down, now.fault, now.said) = (is_down, checked.fault, checked.said);
                now.certificate = checked.certificate.or(now.certificate.take());
            });
        }
        drop(found);
        samples.into_iter().for_each(|sample| self.sample(sample));
    }

    fn perform(&mut self, now_ns: i64) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::ProbeAgain(host, count) => self.prober.schedule().probe_again(host, count, now_ns),
                Effect::CheckAgain(service) => {
                    // A full channel means that the next regular check is the next look.
                    let _ = self.reach.outlets.again.try_send(service);
                }
                Effect::Tell(mut finding) => {
                    finding.at = self.prober.wall(finding.at.millis().saturating_mul(1_000_000));
                    self.waiting.push_back(finding);
                    if self.waiting.len() > WAITING {
                        self.waiting.pop_front();
                        self.shed += 1;
                    }
                }
                Effect::Changed(host) => {
                    let Some((phase, since_ns, behind)) = self.judge.phase(host) else { continue };
                    let (since, behind) = (self.prober.wall(since_ns), behind.cloned());
                    self.reach.board.change(host, |now| {
                        if now.phase.word() != phase.word() {
                            now.since = since;
                        }
                        (now.phase, now.behind) = (phase, behind);
                    });
                }
            }
        }
    }

    fn tell(&mut self) {
        while let Some(finding) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(finding)) = self.reach.outlets.findings.try_send(finding) {
                self.waiting.push_front(finding);
                return;
            }
        }
    }

    fn sample(&mut self, sample: Sample) {
        if self.reach.outlets.samples.try_send(sample).is_err() {
            self.shed += 1;
        }
    }

    fn look(&self) {
        self.reach.board.set_vitals(Vitals {
            is_blind: self.judge.is_blind(),
            counts: self.prober.counts(),
            sockets: self.prober.sockets().collect(),
            shed: self.shed,
        });
    }
}
