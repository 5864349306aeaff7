//! Mirror ports in the house: a thread for each ring, and the one judge of all of them, which is detection's.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::capture::driver::{Consumer, Options, Watch};
use crate::capture::live::{Board, InterfaceNow};
use crate::capture::packet::{Nanos, Packet};
use crate::capture::recording::{Approval, Desk, Rules};
use crate::capture::silence::{Change, Mirrors, Trouble};
use crate::config::capture::{self as config, CaptureSettings};
use crate::daemon::detect::Judge;
use crate::daemon::supervise::{Supervisor, Task};
use crate::incident;
use crate::incident::record::Incident;
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Timestamp, Verdict, clock};

/// How often mirror ports are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The watch over all configured interfaces.
pub(super) struct Capture {
    watch: Arc<Watch>,
    silent: watch::Sender<Duration>,
}

impl Capture {
    /// Nothing runs yet; where no interface is configured there is no judge either, for it is large.
    pub(super) fn open(settings: &CaptureSettings, judge: impl FnOnce() -> Box<dyn Consumer>) -> Self {
        let options = Options {
            interfaces: settings.interfaces.clone(),
            ring_octets: settings.ring_octets,
            threads: settings.threads,
            promiscuous: settings.promiscuous,
        };
        let judge = if options.interfaces.is_empty() { Box::new(Nobody) } else { judge() };
        Self { watch: Arc::new(Watch::new(options, judge)), silent: watch::Sender::new(settings.silent) }
    }

    /// Each watched interface as it is now.
    pub(super) fn board(&self) -> &Arc<Board> {
        self.watch.board()
    }

    /// From now on by this configuration; interfaces and rings are taken at the next start.
    pub(super) fn reloaded(&self, settings: &CaptureSettings) {
        self.silent.send_replace(settings.silent);
    }

    /// Starts a thread for each ring, and the task that tells of mirror ports that show nothing. `open` are the incidents
    /// of before.
    pub(super) fn start(&self, supervisor: &Supervisor, findings: &mpsc::Sender<Finding>, incidents: &Arc<incident::Board>) {
        for (lane, name) in self.watch.lanes().into_iter().enumerate() {
            let watch = Arc::clone(&self.watch);
            supervisor.spawn_thread(Task::service(name), move |token: CancellationToken| watch.run(lane, &token));
        }
        let (board, silent) = (Arc::clone(self.board()), self.silent.subscribe());
        let (findings, incidents) = (findings.clone(), Arc::clone(incidents));
        supervisor.spawn(Task::service("mirrors"), move |token| {
            let (board, silent, findings) = (Arc::clone(&board), silent.clone(), findings.clone());
            let incidents = Arc::clone(&incidents);
            async move { tell(&board, &silent, &incidents, &findings, token).await }
        });
    }
}

/// Tells of mirror ports that show nothing, until told to stop.
async fn tell(
    board: &Board,
    silent: &watch::Receiver<Duration>,
    incidents: &incident::Board,
    findings: &mpsc::Sender<Finding>,
    token: CancellationToken,
) {
    let mut mirrors = Mirrors::new(*silent.borrow());
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while token.run_until_cancelled(look.tick()).await.is_some() {
        mirrors.set_silent(*silent.borrow());
        let (now, interfaces) = (clock::wall(), board.interfaces());
        let gone = incidents.open().iter().filter_map(|incident| unwatched(incident, &interfaces, now)).collect::<Vec<_>>();
        let changes = mirrors.look(&interfaces, (clock::monotonic(), now));
        for finding in gone.into_iter().chain(changes.iter().flat_map(|change| told(change, now))) {
            // A program that ends no longer listens: nobody need be told.
            if token.run_until_cancelled(findings.send(finding)).await.is_none() {
                return;
            }
        }
    }
}

/// The findings of a change.
fn told(change: &Change, now: Timestamp) -> Vec<Finding> {
    let mut evidence = Evidence::from([("last".to_owned(), Fact::Time(change.since))]);
    if !change.why.is_empty() {
        evidence.insert("why".to_owned(), Fact::Text(change.why.to_string()));
    }
    let finding = |trouble: Trouble, verdict| Finding {
        rule: trouble.rule().into(),
        subject: Subject::Part(Arc::clone(&change.interface)),
        verdict,
        at: now,
        cause: None,
        evidence: evidence.clone(),
    };
    let over = change.over.iter().map(|trouble| finding(*trouble, Verdict::Cleared));
    over.chain(change.trouble.map(|trouble| finding(trouble, Verdict::Raised(Severity::Major)))).collect()
}

/// An incident about an interface that nobody watches any more ends.
fn unwatched(incident: &Incident, interfaces: &[InterfaceNow], now: Timestamp) -> Option<Finding> {
    let Subject::Part(name) = incident.subject() else { return None };
    let is_ours = Trouble::ALL.iter().any(|trouble| trouble.rule() == &*incident.rule);
    let is_watched = interfaces.iter().any(|interface| interface.name == *name);
    (is_ours && !is_watched).then(|| Finding {
        rule: Arc::clone(&incident.rule),
        subject: incident.subject().clone(),
        verdict: Verdict::Cleared,
        at: now,
        cause: None,
        evidence: Evidence::new(),
    })
}

/// Starts the recorder of single hosts.
pub(super) fn start_recorder(desk: &Arc<Desk>, supervisor: &Supervisor) {
    let desk = Arc::clone(desk);
    supervisor.spawn_thread(Task::service("captures"), move |token: CancellationToken| desk.run(&token));
}

/// What the configuration says of recordings.
pub(super) fn recording_rules(settings: &CaptureSettings) -> Rules {
    Rules {
        approval: match settings.approval {
            config::Approval::One => Approval::One,
            config::Approval::Two => Approval::Two,
        },
        interfaces: settings.interfaces.clone(),
        promiscuous: settings.promiscuous,
    }
}

/// Where nothing is watched, nobody judges.
struct Nobody;

impl Consumer for Nobody {
    fn packets(&mut self, _packets: &[Packet<'_>]) {}

    fn tick(&mut self, _now: Nanos) {}
}

impl Consumer for Judge {
    fn packets(&mut self, packets: &[Packet<'_>]) {
        Self::packets(self, packets);
    }

    fn tick(&mut self, now: Nanos) {
        Self::tick(self, now);
    }
}
