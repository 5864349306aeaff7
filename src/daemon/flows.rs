//! Flow records in the house: the receiver, the engine of detection that they go to, and the task that tells which exporters
//! have gone silent. The engine is one of its own: flows are told when they are over, and must not pull back the clock by which
//! packets are judged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::capture::packet::Nanos;
use crate::config::Settings;
use crate::daemon::detect::tuning;
use crate::daemon::supervise::{Supervisor, Task};
use crate::detect::board::Source;
use crate::detect::engine::Engine;
use crate::detect::portrait::Onlooker;
use crate::detect::tune::Tuning;
use crate::detect::{Board, Detection, MachineKey, Site};
use crate::flow::driver::{Batch, Receiver};
use crate::flow::silence::{Change, Silence};
use crate::flow::stats::Stats;
use crate::flow::{Allowed, Listener};
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Timestamp, Verdict, clock};

/// The room wanted for datagrams that wait, in octets: a third of a second of 20,000 large ones.
const RECEIVE_BUFFER: usize = 8 << 20;
/// How often it is looked who is silent.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// Batches that may wait for the engine; one has at most some 1,500 records.
const QUEUE: usize = 256;
/// How often the engine is told the time.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// The receiver with its task.
pub(super) struct Flows {
    receiver: Option<Arc<Receiver>>,
    batches: Option<Mutex<mpsc::Receiver<Batch>>>,
    findings: mpsc::Sender<Finding>,
    detections: mpsc::Sender<Detection>,
    site: watch::Receiver<Arc<Site>>,
    board: Arc<Board>,
    silent: Duration,
    devices: arc_swap::ArcSwap<Vec<(std::net::IpAddr, Arc<str>)>>,
    tuning: arc_swap::ArcSwap<Tuning>,
    /// Why nothing is received although it is wanted, at which address.
    trouble: Option<(String, String)>,
}

impl Flows {
    /// Opens what the configuration names. An address that cannot be used is told, and the house runs without it.
    pub(super) fn open(
        settings: &Settings,
        findings: mpsc::Sender<Finding>,
        detections: mpsc::Sender<Detection>,
        site: watch::Receiver<Arc<Site>>,
        board: Arc<Board>,
    ) -> Self {
        let opened: Result<Vec<Listener>, (SocketAddr, std::io::Error)> = settings.flow.listen.iter().map(|at| listen(*at)).collect();
        let (queue, batches) = mpsc::channel(QUEUE);
        let (receiver, trouble) = match opened {
            Ok(listeners) if listeners.is_empty() => (None, None),
            Ok(listeners) => (Some(Arc::new(Receiver::new(listeners, allowed(settings), queue))), None),
            Err((address, error)) => {
                let why = remedy(&error);
                tracing::error!(%address, "flow records are not received on {address}: {why}");
                (None, Some((address.to_string(), why)))
            }
        };
        let batches = receiver.is_some().then(|| Mutex::new(batches));
        let devices = arc_swap::ArcSwap::from_pointee(devices(settings));
        let tuning = arc_swap::ArcSwap::from_pointee(tuning(settings));
        Self { tuning, receiver, batches, findings, detections, site, board, silent: settings.flow.silent, devices, trouble }
    }

    /// What is counted, when anything is received.
    pub(super) fn stats(&self) -> Option<&Arc<Stats>> {
        self.receiver.as_ref().map(|receiver| receiver.stats())
    }

    /// Starts the tasks.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor) {
        let flows = Arc::clone(self);
        supervisor.spawn(Task::service("flow-watch"), move |token| {
            let flows = Arc::clone(&flows);
            async move { flows.watch(token).await }
        });
        let Some(receiver) = self.receiver.clone() else { return };
        let flows = Arc::clone(self);
        supervisor.spawn(Task::service("flow-judge"), move |token| {
            let flows = Arc::clone(&flows);
            async move { flows.judge(token).await }
        });
        supervisor.spawn(Task::service("flows"), move |token| {
            let receiver = Arc::clone(&receiver);
            async move { receiver.run(&token).await }
        });
    }

    /// Takes over who may send from another configuration.
    pub(super) fn reloaded(&self, settings: &Settings) {
        self.devices.store(Arc::new(devices(settings)));
        self.tuning.store(Arc::new(tuning(settings)));
        if let Some(receiver) = &self.receiver {
            receiver.set_allowed(allowed(settings));
        }
    }

    /// Hands every record to the engine, and what that finds to the task of detection.
    async fn judge(&self, token: CancellationToken) {
        let Some(batches) = &self.batches else { return };
        let mut batches = batches.lock().await;
        let mut seed = [0; 8];
        // Without chance the places in the tables can be guessed; they stay bounded all the same.
        let _ = getrandom::fill(&mut seed);
        let mut site = self.site.clone();
        let mut set = self.tuning.load_full();
        let seed = u64::from_ne_bytes(seed);
        let (mut engine, mut onlooker) = (Engine::new(set.settings.clone(), Site::clone(&site.borrow()), seed), Onlooker::new(seed));
        set.hand_to(&mut engine);
        // What a mirror port shows comes from there anew; the others were known by flows.
        let known = self.board.machines().iter().filter(|portrait| matches!(portrait.key, MachineKey::Ip(_))).cloned().collect();
        onlooker.restore(known, &self.board.learnt());
        let mut tick = tokio::time::interval(TICK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                _ = tick.tick() => {
                    if site.has_changed().unwrap_or(false) {
                        engine.set_site(Site::clone(&site.borrow_and_update()));
                    }
                    let now_set = self.tuning.load_full();
                    if !Arc::ptr_eq(&set, &now_set) {
                        set = now_set;
                        set.hand_to(&mut engine);
                    }
                    let now = Nanos::from(clock::wall());
                    engine.tick(now);
                    onlooker.tick(now);
                    self.board.show_machines(Source::Flows, onlooker.snapshot());
                    onlooker.suspect(&self.board.suspects(), now);
                    self.board.show_learnt(Source::Flows, onlooker.learnt(now));
                    self.board.show_traffic(Source::Flows, engine.traffic());
                }
                batch = batches.recv() => {
                    for record in batch.iter().flatten() {
                        if set.is_on {
                            engine.flow(record);
                        }
                        onlooker.flow(record, engine.sight());
                    }
                }
            }
            for detection in engine.take() {
                if token.run_until_cancelled(self.detections.send(detection)).await.is_none() {
                    return;
                }
            }
        }
    }

    /// Tells who is silent, and first whether anything is received at all.
    async fn watch(&self, token: CancellationToken) {
        // A program that ends no longer listens: nobody need be told.
        let _ = self.findings.send(self.own()).await;
        let mut silence = Silence::new(self.silent);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return,
                _ = look.tick() => {}
            }
            let exporters = self.stats().map(|stats| stats.exporters()).unwrap_or_default();
            let heard = exporters.iter().filter_map(|(address, exporter)| Some(((*address)?, exporter.last()?)));
            let now = clock::wall();
            for change in silence.look(heard, now) {
                let _ = self.findings.send(self.finding(&change, now)).await;
            }
        }
    }

    /// An exporter is its device, or else a machine by its address.
    fn finding(&self, change: &Change, now: Timestamp) -> Finding {
        let devices = self.devices.load();
        let device = devices.iter().find(|(address, _)| *address == change.exporter);
        Finding {
            rule: "flow-silent".into(),
            subject: device
                .map_or_else(|| Subject::Machine(change.exporter.to_string().into()), |(_, name)| Subject::Device(Arc::clone(name))),
            verdict: if change.silent { Verdict::Raised(Severity::Minor) } else { Verdict::Cleared },
            at: now,
            cause: None,
            evidence: Evidence::from([("last".to_owned(), Fact::Time(change.last))]),
        }
    }

    /// Whether we receive what we are to receive.
    fn own(&self) -> Finding {
        let (address, why) = self.trouble.clone().unwrap_or_default();
        Finding {
            rule: "flows-not-received".into(),
            subject: Subject::Part("flows".into()),
            verdict: if self.trouble.is_some() { Verdict::Raised(Severity::Minor) } else { Verdict::Cleared },
            at: clock::wall(),
            cause: None,
            evidence: Evidence::from([("address".to_owned(), Fact::Text(address)), ("why".to_owned(), Fact::Text(why))]),
        }
    }
}

fn listen(address: SocketAddr) -> Result<Listener, (SocketAddr, std::io::Error)> {
    let listener = Listener::bind(address, RECEIVE_BUFFER).map_err(|error| (address, error))?;
    if listener.buffer() < RECEIVE_BUFFER {
        tracing::warn!(
            %address,
            buffer_octets = listener.buffer(),
            wanted_octets = RECEIVE_BUFFER,
            "the kernel keeps only {} octets of waiting flow records at {address}; raise net.core.rmem_max to {RECEIVE_BUFFER}",
            listener.buffer()
        );
    }
    Ok(listener)
}

fn allowed(settings: &Settings) -> Allowed {
    let addresses = settings.devices.iter().map(|device| device.address.ip().to_canonical()).collect();
    Allowed { addresses, networks: settings.flow.exporters.clone() }
}

fn devices(settings: &Settings) -> Vec<(std::net::IpAddr, Arc<str>)> {
    settings.devices.iter().map(|device| (device.address.ip().to_canonical(), Arc::clone(&device.name))).collect()
}

fn remedy(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another collector receives there; stop it, or change flow.listen, then start netroom again".to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => "this machine does not have that address; change flow.listen".to_owned(),
        _ => error.to_string(),
    }
}
