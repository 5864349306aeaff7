//! Detection in the house: the engine on the thread that captures, and the task that makes findings of what it says.
//!
//! The walk: a batch of packets → [`Judge`] hands it to the engine → what the engine says goes through a bounded channel to
//! the task → the ledger, which pages read, and by way of [`Behaviours`] a finding for the incidents. What is worth blocking
//! accuses its machine at the desk of the blocking room, which decides.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::block::desk::Accusation;
use crate::capture::packet::{Nanos, Packet};
use crate::config::Settings;
use crate::daemon::incident;
use crate::daemon::memory::{self, Memory};
use crate::daemon::supervise::{Stage, Supervisor, Task};
use crate::detect::board::{Source, Table};
use crate::detect::engine::Engine;
use crate::detect::exempt::{Exemptions, Gate};
use crate::detect::ledger::Ledger;
use crate::detect::portrait::Onlooker;
use crate::detect::tune::Tuning;
use crate::detect::{Board, Detection, Level, Site};
use crate::incident::behaviour::{self, Around, Behaviours, Names};
use crate::incident::rules::plan::Book;
use crate::incident::scope::Scope;
use crate::model::{Finding, Subject, clock};

/// Detections that may wait for the task.
const QUEUE: usize = 4096;
/// Detections that may wait on the thread that captures, when the task is behind.
const HELD_BACK: usize = 4096;
/// How often the judge looks at what has changed around it.
const AROUND_EVERY_NS: u64 = 1_000_000_000;
/// How often pages are shown the machines anew.
const SHOW_EVERY_NS: u64 = 2_000_000_000;
/// How often they are shown the classes of traffic anew.
const COUNT_EVERY_NS: u64 = 30_000_000_000;
/// How often it is looked for news that have waited long enough.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the configuration says.
struct Setup {
    book: Book,
    scope: Scope,
    names: Names,
}

impl Setup {
    fn new(settings: &Settings) -> Self {
        let devices = settings.devices.iter().map(|device| (device.address.ip(), Subject::Device(Arc::clone(&device.name))));
        let hosts = settings.hosts.iter().map(|host| (host.address, Subject::Host(Arc::clone(&host.name))));
        Self {
            book: Book::new(&settings.rules, &settings.incident.uplinks),
            scope: incident::scope(settings),
            names: Names::new(devices.chain(hosts)),
        }
    }
}

/// Where it is told what was found.
pub(super) struct Ways {
    /// The incidents.
    pub(super) findings: mpsc::Sender<Finding>,
    /// The desk that cuts machines off.
    pub(super) accusations: mpsc::Sender<Accusation>,
}

/// What engines are given by the configuration.
pub(super) fn tuning(settings: &Settings) -> Tuning {
    Tuning::new(&settings.detect, incident::calendar(settings))
}

/// Detection with everything around it.
pub(super) struct Detect {
    board: Arc<Board>,
    /// The data directory.
    data: PathBuf,
    intake: mpsc::Sender<Detection>,
    receiver: Mutex<mpsc::Receiver<Detection>>,
    ways: Ways,
    setup: ArcSwap<Setup>,
    exemptions: Arc<ArcSwap<Exemptions>>,
    tuning: watch::Sender<Arc<Tuning>>,
}

impl Detect {
    /// Nothing runs yet.
    pub(super) fn new(settings: &Settings, ways: Ways, exemptions: Arc<ArcSwap<Exemptions>>) -> Self {
        let (intake, receiver) = mpsc::channel(QUEUE);
        let board = Arc::default();
        memory::recall(&settings.data, &board);
        Self {
            board,
            data: settings.data.clone(),
            intake,
            receiver: Mutex::new(receiver),
            ways,
            setup: ArcSwap::from_pointee(Setup::new(settings)),
            exemptions,
            tuning: watch::Sender::new(Arc::new(tuning(settings))),
        }
    }

    /// What pages read.
    pub(super) const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Where what is found goes.
    pub(super) fn intake(&self) -> mpsc::Sender<Detection> {
        self.intake.clone()
    }

    /// An engine for the thread that captures. It follows the facts of the site.
    pub(super) fn judge(&self, site: watch::Receiver<Arc<Site>>) -> Judge {
        let mut seed = [0; 8];
        // Without chance the places in the tables can be guessed; they stay bounded all the same.
        let _ = getrandom::fill(&mut seed);
        let (seed, facts) = (u64::from_ne_bytes(seed), Site::clone(&site.borrow()));
        let tuning = self.tuning.subscribe();
        let set = Arc::clone(&tuning.borrow());
        let mut engine = Engine::new(set.settings.clone(), facts, seed);
        set.hand_to(&mut engine);
        let mut onlooker = Onlooker::new(seed);
        onlooker.restore(self.board.machines().to_vec(), &self.board.learnt());
        Judge {
            engine,
            onlooker,
            site,
            is_on: set.is_on,
            tuning,
            intake: self.intake.clone(),
            waits: Vec::new(),
            board: Arc::clone(&self.board),
            shed: 0,
            looked: Nanos::default(),
            shown: Nanos::default(),
            counted: Nanos::default(),
        }
    }

    /// Starts the tasks.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor) {
        let memory = Memory { data: self.data.clone(), board: Arc::clone(&self.board) };
        supervisor.spawn(Task::service("machines").stage(Stage::Keeping), move |token| {
            let memory = memory.clone();
            async move { memory.life(token).await }
        });
        let detect = Arc::clone(self);
        supervisor.spawn(Task::service("detect"), move |token| {
            let detect = Arc::clone(&detect);
            async move { detect.life(token).await }
        });
    }

    /// Another configuration is in force.
    pub(super) fn reloaded(&self, settings: &Settings) {
        self.setup.store(Arc::new(Setup::new(settings)));
        self.tuning.send_replace(Arc::new(tuning(settings)));
    }

    /// One life of the task.
    async fn life(&self, token: CancellationToken) {
        let mut receiver = self.receiver.lock().await;
        let (mut ledger, mut behaviours, mut gate) = (Ledger::default(), Behaviours::default(), Gate::default());
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_new = true;
        loop {
            let found = tokio::select! {
                () = token.cancelled() => return,
                _ = look.tick() => {
                    let now = clock::wall();
                    ledger.forget(Nanos::from(now));
                    if std::mem::take(&mut is_new) {
                        self.board.show_held(ledger.list());
                        self.board.set_shed(Table::Ledger, ledger.shed());
                        self.board.set_shed(Table::Incidents, behaviours.shed());
                    }
                    let mut found = behaviours.due(now);
                    let exemptions = self.exemptions.load();
                    let changed = gate.again(|held| exemptions.excuses(held, now) || self.board.excuses(held, now));
                    changed.iter().for_each(|detection| self.accuse(detection));
                    found.extend(changed.iter().filter_map(|detection| self.weigh(&mut behaviours, detection)));
                    found
                }
                detection = receiver.recv() => {
                    let Some(detection) = detection else { return token.cancelled().await };
                    is_new = true;
                    let (exemptions, now) = (self.exemptions.load(), clock::wall());
                    let is_exempt = |held: &Detection| exemptions.excuses(held, now) || self.board.excuses(held, now);
                    let passed = gate.pass(vec![detection.clone()], is_exempt);
                    passed.iter().for_each(|detection| self.accuse(detection));
                    ledger.take(detection);
                    passed.iter().filter_map(|detection| self.weigh(&mut behaviours, detection)).collect()
                }
            };
            for finding in found {
                if token.run_until_cancelled(self.ways.findings.send(finding)).await.is_none() {
                    return;
                }
            }
        }
    }

    /// What is worth blocking goes to the desk. When that has more to do than waits there, the next news of the same machine
    /// find it again.
    fn accuse(&self, detection: &Detection) {
        if detection.cleared || detection.level < Level::BlockWorthy {
            return;
        }
        let port = self.board.port(&detection.machine);
        let accusation = Accusation {
            mac: detection.machine.mac,
            ip: detection.machine.ip,
            rule: detection.kind.rule().into(),
            evidence: behaviour::evidence(detection, port.as_ref()),
            first: detection.first.timestamp(),
            last: detection.last.timestamp(),
        };
        if self.ways.accusations.try_send(accusation).is_err() {
            tracing::warn!(
                "the desk of blocks has not taken what waits there: an accusation is put off until the next news of the machine"
            );
        }
    }

    fn weigh(&self, behaviours: &mut Behaviours, detection: &Detection) -> Option<Finding> {
        let setup = self.setup.load();
        let port = self.board.port(&detection.machine);
        let around = Around { book: &setup.book, scope: &setup.scope, port: port.as_ref() };
        behaviours.take(detection, setup.names.subject(&detection.machine)?, around, clock::wall())
    }
}

/// The engine on the thread that captures.
pub(super) struct Judge {
    engine: Engine,
    onlooker: Onlooker,
    site: watch::Receiver<Arc<Site>>,
    tuning: watch::Receiver<Arc<Tuning>>,
    /// Whether machines are judged; they are portrayed in any case.
    is_on: bool,
    intake: mpsc::Sender<Detection>,
    /// What the task has not taken yet.
    waits: Vec<Detection>,
    board: Arc<Board>,
    shed: u64,
    /// When it last looked around, by the packets' time.
    looked: Nanos,
    shown: Nanos,
    counted: Nanos,
}

impl Judge {
    /// Packets in the order in which they passed.
    pub(super) fn packets(&mut self, packets: &[Packet<'_>]) {
        for packet in packets {
            if self.is_on {
                self.engine.packet(packet);
            }
            self.onlooker.packet(packet, self.engine.sight());
        }
        self.tell();
        // A busy wire never falls silent, so no tick comes: there the packets are the clock.
        if let Some(last) = packets.last().filter(|last| last.at.0.abs_diff(self.looked.0) >= AROUND_EVERY_NS) {
            self.look_around(last.at);
        }
    }

    /// Everything before `now` has been handed over.
    pub(super) fn tick(&mut self, now: Nanos) {
        self.engine.tick(now);
        self.look_around(now);
    }

    /// Takes what is new of site and configuration, and shows what there is to be seen.
    fn look_around(&mut self, now: Nanos) {
        self.looked = now;
        if self.site.has_changed().unwrap_or(false) {
            let site = Site::clone(&self.site.borrow_and_update());
            self.engine.set_site(site);
        }
        if self.tuning.has_changed().unwrap_or(false) {
            let set = Arc::clone(&self.tuning.borrow_and_update());
            set.hand_to(&mut self.engine);
            self.is_on = set.is_on;
        }
        self.onlooker.tick(now);
        self.tell();
        if now.since(self.shown) >= SHOW_EVERY_NS {
            self.shown = now;
            self.board.show_machines(Source::Mirror, self.onlooker.snapshot());
            self.board.set_shed(Table::Machines, self.onlooker.shed());
            self.onlooker.suspect(&self.board.suspects(), now);
            self.board.show_learnt(Source::Mirror, self.onlooker.learnt(now));
        }
        if now.since(self.counted) >= COUNT_EVERY_NS {
            self.counted = now;
            self.board.show_traffic(Source::Mirror, self.engine.traffic());
        }
    }

    /// What was found goes to the task; this thread waits for nobody.
    fn tell(&mut self) {
        self.waits.extend(self.engine.take());
        let mut waits = std::mem::take(&mut self.waits).into_iter();
        for detection in waits.by_ref() {
            if let Err(mpsc::error::TrySendError::Full(detection)) = self.intake.try_send(detection) {
                self.waits.push(detection);
                break;
            }
        }
        self.waits.extend(waits);
        if self.waits.len() > HELD_BACK {
            let shed = self.waits.len() - HELD_BACK;
            self.waits.truncate(HELD_BACK);
            self.shed += shed as u64;
            self.board.set_shed(Table::Waiting, self.shed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::headers;
    use crate::capture::link::Link;
    use crate::capture::packet::{Body, Ip, Tcp, Transport};
    use crate::config::Settings;
    use crate::config::detect::{DetectMode, DetectSettings, PARAMETERS, Tuned};
    use crate::demo::mirror::frame;
    use crate::detect::Kind;
    use crate::model::{MacAddr, Verdict};

    const START: u64 = 1_795_363_200_000_000_000;
    const LOUD: ([u8; 6], [u8; 4]) = ([0, 0x25, 0x90, 0, 0, 9], [10, 1, 0, 9]);

    fn ways(findings: mpsc::Sender<Finding>) -> Ways {
        Ways { findings, accusations: mpsc::channel(1).0 }
    }

    /// Two thousand broadcasts in a second.
    fn storm(judge: &mut Judge) {
        let octets = frame::arp_request(LOUD, [10, 1, 0, 1]);
        for number in 0..2_000 {
            let at = Nanos(START + number * 400_000);
            judge.packets(&[headers::parse(at, 60, Link::Ethernet, None, &octets)]);
        }
        judge.tick(Nanos(START + 3_000_000_000));
    }

    async fn told(site: Site) -> (Option<Finding>, Arc<Board>) {
        told_by(&Settings::new("/nowhere"), site).await
    }

    async fn told_by(settings: &Settings, site: Site) -> (Option<Finding>, Arc<Board>) {
        let (findings, mut told) = mpsc::channel(16);
        let detect = Arc::new(Detect::new(settings, ways(findings), Arc::default()));
        let (_keep, site) = watch::channel(Arc::new(site));
        let mut judge = detect.judge(site);
        let token = CancellationToken::new();
        let life = detect.life(token.clone());
        tokio::pin!(life);
        tokio::task::spawn_blocking(move || storm(&mut judge)).await.unwrap();
        // Everything that was found waits in the channel: the task has taken it when the clock of its looks has moved on.
        let finding = tokio::select! {
            () = &mut life => None,
            finding = told.recv() => finding,
            () = tokio::time::sleep(LOOK_EVERY * 3) => None,
        };
        token.cancel();
        life.await;
        (finding, Arc::clone(detect.board()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_on_the_wire_becomes_a_finding_with_a_face() {
        let (finding, board) = told(Site::default()).await;
        let finding = finding.unwrap();
        assert_eq!((&*finding.rule, finding.subject), ("broadcast-storm", Subject::Machine(MacAddr(LOUD.0).to_string().into())));
        assert!(matches!(finding.verdict, Verdict::Raised(_)));
        let machines = board.machines();
        assert!(machines.iter().any(|portrait| portrait.is("10.1.0.9".parse().unwrap())), "{machines:?}");
    }

    /// Frames that come without a pause leave no moment in which the ring is empty.
    #[tokio::test]
    async fn a_wire_that_never_falls_silent_is_shown_and_follows_the_site() {
        let (findings, _told) = mpsc::channel(16);
        let detect = Detect::new(&Settings::new("/nowhere"), ways(findings), Arc::default());
        let (facts, site) = watch::channel(Arc::new(Site::default()));
        let mut judge = detect.judge(site);
        facts.send_replace(Arc::new(Site { exempt_macs: [MacAddr(LOUD.0)].into(), ..Site::default() }));
        let octets = frame::arp_request(LOUD, [10, 1, 0, 1]);
        for number in 0..40 {
            let at = Nanos(START + number * 100_000_000);
            judge.packets(&[headers::parse(at, 60, Link::Ethernet, None, &octets)]);
        }
        assert_eq!(detect.board().machines().len(), 1);
        assert!(judge.engine.sight().is_exempt(None, Some(MacAddr(LOUD.0))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rule_that_is_off_and_a_room_that_is_off_tell_nothing() {
        let mut settings = Settings::new("/nowhere");
        settings.detect.off = vec!["storm"];
        assert_eq!(told_by(&settings, Site::default()).await.0, None);
        settings.detect = DetectSettings { mode: DetectMode::Off, ..DetectSettings::default() };
        let (finding, board) = told_by(&settings, Site::default()).await;
        assert_eq!(finding, None);
        assert!(!board.machines().is_empty(), "machines are portrayed all the same");
    }

    #[tokio::test]
    async fn parameters_are_taken_at_a_reload() {
        let (findings, _told) = mpsc::channel(16);
        let mut settings = Settings::new("/nowhere");
        let detect = Detect::new(&settings, ways(findings), Arc::default());
        let (_keep, site) = watch::channel(Arc::new(Site::default()));
        let (mut lax, mut strict) = (detect.judge(site.clone()), detect.judge(site));
        let parameter = PARAMETERS.iter().find(|parameter| parameter.rule == "storm").unwrap();
        let tuned = Tuned { parameter, rule: parameter.rule, name: parameter.name, value: 1e6 };
        settings.detect = DetectSettings { tuned: vec![tuned], ..DetectSettings::default() };
        let mut receiver = detect.receiver.lock().await;
        let mut told = |judge: &mut Judge| {
            // Each frame is another one: those that are alike have a rule that cannot be tuned.
            for number in 0..2_000_u16 {
                let [high, low] = number.to_be_bytes();
                let octets = frame::arp_request(LOUD, [10, 1, high, low]);
                let at = Nanos(START + u64::from(number) * 400_000);
                judge.packets(&[headers::parse(at, 60, Link::Ethernet, None, &octets)]);
            }
            judge.tick(Nanos(START + 3_000_000_000));
            std::iter::from_fn(|| receiver.try_recv().ok()).filter(|told| told.kind == Kind::Storm).count()
        };
        assert!(told(&mut strict) > 0, "by the parameters of before");
        detect.reloaded(&settings);
        lax.tick(Nanos(START));
        assert_eq!(told(&mut lax), 0, "and not by those of after");
    }

    #[tokio::test]
    async fn a_reload_reaches_the_engine_and_classes_reach_the_board() {
        let (findings, _told) = mpsc::channel(16);
        let mut settings = Settings::new("/nowhere");
        let detect = Detect::new(&settings, ways(findings), Arc::default());
        let (_keep, site) = watch::channel(Arc::new(Site::default()));
        let mut judge = detect.judge(site);
        settings.detect.off = vec!["storm"];
        detect.reloaded(&settings);
        judge.tick(Nanos(START));
        storm(&mut judge);
        assert!(judge.waits.is_empty() && detect.receiver.lock().await.is_empty());
        let ip = |last| std::net::IpAddr::from([10, 1, 0, last]);
        let tcp = Tcp { src_port: 50_000, dst_port: 993, flags: Tcp::ACK, data_octets: 10, data: &[] };
        let body =
            Ip { src: ip(9), dst: [203, 0, 113, 7].into(), hops: 64, extensions: 0, later_fragment: false, transport: Transport::Tcp(tcp) };
        let at = Nanos(START + 4_000_000_000);
        judge.packets(&[Packet { at, wire_octets: 60, src_mac: None, dst_mac: None, vlan: None, body: Body::Ip(body) }]);
        judge.tick(Nanos(START + 60_000_000_000));
        let report = detect.board().traffic();
        assert_eq!((report.totals.iter().map(|octets| octets.sent).sum::<u64>(), report.hours.len()), (60, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_exempt_as_we_ourselves_are_is_never_accused() {
        let site = Site { exempt_macs: [MacAddr(LOUD.0)].into(), ..Site::default() };
        assert_eq!(told(site).await.0, None);
    }
}
