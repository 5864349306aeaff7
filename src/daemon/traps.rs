//! Notifications in the house: the receiver, and the task that makes findings of what it takes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::config::settings::Credentials as Configured;
use crate::daemon::inventory;
use crate::daemon::supervise::{Supervisor, Task};
use crate::incident::{self, traps};
use crate::model::{Evidence, Fact, Finding, Severity, Subject, Verdict, clock};
use crate::ports::live::{DeviceLive, Live, PortLive};
use crate::snmp::trap::{self, Engine, Handle, Limit, Options, Senders, Trap};
use crate::store::Store;

/// Notifications that may wait.
const QUEUE: usize = 16_384;
/// The room wanted for datagrams that wait, in octets: more than a second of 50,000.
const RECEIVE_BUFFER: usize = 64 << 20;
/// How often it is looked for what is over.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Where our engine's number is kept, in the data directory.
const ENGINE: &str = "snmp-engine";

/// How much a port's link matters; `None` for a port that only the polls may speak of.
pub(super) type Matter = dyn Fn(&DeviceLive, &PortLive) -> Option<Severity> + Send + Sync;

/// What the task needs of the house.
pub(super) struct Around {
    pub(super) store: Store,
    pub(super) live: Arc<Live>,
    pub(super) findings: mpsc::Sender<Finding>,
    pub(super) matter: Arc<Matter>,
}

/// The receiver with its task.
pub(super) struct Traps {
    handle: Option<Handle>,
    traps: Mutex<mpsc::Receiver<Trap>>,
    store: Store,
    live: Arc<Live>,
    findings: mpsc::Sender<Finding>,
    matter: Arc<Matter>,
    /// Why nothing is received although it is wanted, at which address.
    trouble: Option<(String, String)>,
}

impl Traps {
    /// Opens what the configuration names. An address that cannot be used is told, and the house runs without it: polls
    /// must go on.
    pub(super) fn open(settings: &Settings, data: &Path, around: Around) -> Self {
        let Around { store, live, findings, matter } = around;
        let (queue, receiver) = mpsc::channel(QUEUE);
        let opened = if settings.traps.listen.is_empty() { Ok(None) } else { receive(settings, data, queue).map(Some) };
        let (handle, trouble) = match opened {
            Ok(handle) => (handle, None),
            Err((address, why)) => {
                tracing::error!(address, "traps are not received on {address}: {why}");
                (None, Some((address, why)))
            }
        };
        Self { handle, traps: Mutex::new(receiver), store, live, findings, matter, trouble }
    }

    /// The receiver, when there is one.
    pub(super) const fn handle(&self) -> Option<&Handle> {
        self.handle.as_ref()
    }

    /// Starts the task.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor) {
        let traps = Arc::clone(self);
        supervisor.spawn(Task::service("traps"), move |token| {
            let traps = Arc::clone(&traps);
            async move { traps.life(token).await }
        });
    }

    /// Takes over who may send from another configuration.
    pub(super) fn reloaded(&self, settings: &Settings) {
        if let Some(handle) = &self.handle {
            handle.set_senders(senders(settings));
        }
    }

    async fn life(&self, token: CancellationToken) {
        let mut traps = self.traps.lock().await;
        // A program that ends no longer listens: nobody need be told.
        let _ = self.findings.send(self.own()).await;
        let mut guesses = self.guesses().await;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let trap = tokio::select! {
                () = token.cancelled() => return,
                _ = look.tick() => {
                    for over in guesses.over(clock::wall()) {
                        let _ = self.findings.send(over).await;
                    }
                    continue;
                }
                trap = traps.recv() => match trap {
                    Some(trap) => trap,
                    None => return token.cancelled().await,
                },
            };
            let Some(device) = traps::sender(&self.live, trap.source) else { continue };
            tracing::debug!(device = &*device.label.name, trap = trap.name, "a notification of {}: {}", device.label.name, trap.name);
            if let Some(finding) = traps::finding(&trap, &device, &*self.matter) {
                guesses.note(&finding);
                let _ = self.findings.send(finding).await;
            }
        }
    }

    /// Those that were raised before a restart.
    async fn guesses(&self) -> traps::Guesses {
        let store = self.store.clone();
        let saved = tokio::task::spawn_blocking(move || incident::store::load(&store, clock::wall())).await;
        let mut guesses = traps::Guesses::default();
        // A database that cannot be read is told by the task that owns the incidents.
        if let Ok(Ok(saved)) = saved {
            saved.raised().for_each(|(rule, subject)| guesses.assume(&rule, subject, clock::wall()));
        }
        guesses
    }

    /// Whether we receive what we are to receive.
    fn own(&self) -> Finding {
        let verdict = if self.trouble.is_some() { Verdict::Raised(Severity::Minor) } else { Verdict::Cleared };
        let (address, why) = self.trouble.clone().unwrap_or_default();
        let evidence = Evidence::from([("address".to_owned(), Fact::Text(address)), ("why".to_owned(), Fact::Text(why))]);
        Finding {
            rule: "traps-not-received".into(),
            subject: Subject::Part("traps".into()),
            verdict,
            at: clock::wall(),
            cause: None,
            evidence,
        }
    }
}

fn receive(settings: &Settings, data: &Path, queue: mpsc::Sender<Trap>) -> Result<Handle, (String, String)> {
    let wanted = &settings.traps;
    let engine = Engine::start(&data.join(ENGINE), clock::monotonic())
        .map_err(|error| (wanted.listen.first().map(SocketAddr::to_string).unwrap_or_default(), error.to_string()))?;
    let per_second = f64::from(wanted.per_second);
    let options = Options {
        listen: wanted.listen.clone(),
        receive_buffer: RECEIVE_BUFFER,
        limit: Limit { per_second, burst: per_second * 4.0 },
        senders: senders(settings),
        users: wanted.users.iter().map(inventory::user).collect(),
        engine,
    };
    trap::start(options, queue).map_err(|(address, error)| (address.to_string(), remedy(&error)))
}

fn senders(settings: &Settings) -> Senders {
    let devices = settings.devices.iter().filter_map(|device| match &device.credentials {
        Configured::V1 { community } | Configured::V2c { community } => {
            Some((device.address.ip().to_canonical(), inventory::secret(community)))
        }
        Configured::V3(_) => None,
    });
    Senders { devices: devices.collect(), anywhere: settings.traps.community.iter().map(inventory::secret).collect() }
}

fn remedy(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program (snmptrapd?) receives there; stop it, or change traps.listen, then start netroom again".to_owned()
        }
        std::io::ErrorKind::PermissionDenied => {
            "no permission: ports below 1024 need CAP_NET_BIND_SERVICE, which the service file gives; or change traps.listen".to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => "this machine does not have that address; change traps.listen".to_owned(),
        _ => error.to_string(),
    }
}
