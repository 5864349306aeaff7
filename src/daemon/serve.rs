//! Building the daemon from its settings, running it, and taking it down in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::accounts::Permission;
use crate::capture::recording::Desk;
use crate::config::{Loaded, Origin, Settings};
use crate::daemon::access::{self, Doors};
use crate::daemon::block::{self, Blocks};
use crate::daemon::capture::{self, Capture};
use crate::daemon::detect::{self, Detect, Judge};
use crate::daemon::error::DaemonError;
use crate::daemon::flow::Flow;
use crate::daemon::flows::Flows;
use crate::daemon::incident::{Incidents, Judged};
use crate::daemon::liveness::{Liveness, Pulse};
use crate::daemon::notify;
use crate::daemon::ourselves;
use crate::daemon::past::Past;
use crate::daemon::ping::Ping;
use crate::daemon::reload;
use crate::daemon::signals::{Signal, Signals};
use crate::daemon::supervise::{Stage, Supervisor, Task};
use crate::daemon::systemd::Systemd;
use crate::daemon::tables::{self, Located};
use crate::daemon::traps::{self, Traps};
use crate::daemon::vitals;
use crate::incident::rules::Reach;
use crate::locate::seek::Seeker;
use crate::metrics::{self, Metrics, OwnMetrics};
use crate::model::clock;
use crate::notify::{Outbox, Sender};
use crate::ports::live::Live;
use crate::series::{self, Keeper, Reader, Writer};
use crate::snmp::job::Transport;
use crate::snmp::udp::{self, Engine, UdpTransport};
use crate::store::{DataDir, Store};
use crate::web;

/// Everything ends within this time after a signal.
const DRAIN: Duration = Duration::from_secs(9);
/// Open requests of browsers get this much of it.
const WEB_DRAIN: Duration = Duration::from_secs(3);
/// How often the store's files are looked after.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// A loop that is silent for longer is stuck.
const SILENCE: Duration = Duration::from_secs(60);

/// Changes the filter of the running log.
pub type SetLogFilter = Box<dyn Fn(&str) + Send + Sync>;

/// What `serve` runs by.
pub struct ServeOptions {
    /// The settings in force at the start.
    pub settings: Settings,
    /// Where they came from, for SIGHUP.
    pub origin: Origin,
    /// The files that were read for it.
    pub files: Vec<PathBuf>,
    /// Sets another log filter at a reload.
    pub set_log_filter: SetLogFilter,
    /// Told when there is no administrator yet: the link that makes one.
    pub on_first_link: Box<dyn FnOnce(&str) + Send>,
    /// Told once, when the pages are served: where.
    pub on_ready: Box<dyn FnOnce(SocketAddr) + Send>,
}

/// Hands packets to the judge until it is told to stop.
pub(super) type Wire = dyn FnMut(&mut Judge, &CancellationToken) + Send;

/// Runs the daemon until SIGTERM or SIGINT.
///
/// # Errors
/// Why it could not start, or who did not stop in time.
pub async fn serve(options: ServeOptions) -> Result<(), DaemonError> {
    serve_with(options, None).await
}

/// The same, with packets that do not come from an interface.
pub(super) async fn serve_with(options: ServeOptions, wire: Option<Box<Wire>>) -> Result<(), DaemonError> {
    let ServeOptions { settings, origin, files, set_log_filter, on_first_link, on_ready } = options;
    ourselves::separated(&settings)?;
    let mut signals = Signals::listen().map_err(DaemonError::Signals)?;
    let _held = DataDir::take(&settings.data)?;
    let house = House::build(&settings, &_held).await?;
    let listener = listen(settings.web.listen).await?;
    let address = listener.local_addr().map_err(|source| DaemonError::Listen { address: settings.web.listen, source })?;
    let systemd = Arc::new(Systemd::from_environment());
    let supervisor = Supervisor::new();
    house.start(&supervisor, &settings, listener, &systemd)?;
    if let Some(wire) = wire {
        house.watch(&supervisor, wire);
    }
    systemd.ready(&status(&settings, address));
    if let Some(link) = access::first_link(&house.doors.accounts, &settings, address).await? {
        on_first_link(&link);
    }
    access::config_loaded(&house.store, &settings, &files, "start").await;
    on_ready(address);
    let mut current = settings;
    while signals.next().await == Signal::Reload {
        systemd.reloading();
        let loaded = reload::again(&origin, &house.store, &house.flow, &house.sender, &current).await;
        if let Some(Loaded { settings, files, .. }) = &loaded {
            house.doors.reload(settings);
            access::config_loaded(&house.store, settings, files, "reload").await;
        }
        let loaded = loaded.map(|loaded| loaded.settings);
        house.own.reloaded(loaded.is_some(), clock::wall());
        house.incidents.reloaded(loaded.as_ref()).await;
        if let Some(settings) = loaded {
            set_log_filter(&settings.log.filter);
            if let Err(error) = house.ping.set(&settings).await {
                tracing::error!(%error, "the hosts before stay in force, the new ones have no numbers: {error}");
            }
            house.traps.reloaded(&settings);
            house.detect.reloaded(&settings);
            house.located.reloaded(&settings);
            house.flows.reloaded(&settings);
            house.blocks.reloaded(&settings);
            house.capture.reloaded(&settings.capture);
            house.recordings.set_rules(capture::recording_rules(&settings.capture));
            current = settings;
        }
        systemd.ready(&status(&current, address));
    }
    tracing::info!("stopping: polls end, what was measured goes to disk");
    systemd.stopping("what was measured goes to disk");
    house.stop(&supervisor).await
}

fn status(settings: &Settings, address: SocketAddr) -> String {
    let scheme = if settings.web.tls.is_some() { "https" } else { "http" };
    format!("{} devices, pages on {scheme}://{address}/", settings.devices.len())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DaemonError> {
    TcpListener::bind(address).await.map_err(|source| DaemonError::Listen { address, source })
}

/// The rooms, built and wired.
struct House {
    store: Store,
    flow: Arc<Flow>,
    own: Arc<OwnMetrics>,
    transport: Arc<UdpTransport>,
    writer: Writer,
    reader: Reader,
    keeper: Arc<Mutex<Option<Keeper>>>,
    live: Arc<Live>,
    supervised: Arc<vitals::Tasks>,
    incidents: Arc<Incidents>,
    sender: Arc<Sender>,
    doors: Doors,
    ping: Arc<Ping>,
    traps: Arc<Traps>,
    detect: Arc<Detect>,
    capture: Capture,
    located: Arc<Located>,
    flows: Arc<Flows>,
    recordings: Arc<Desk>,
    blocks: Arc<Blocks>,
}

impl House {
    async fn build(settings: &Settings, held: &DataDir) -> Result<Self, DaemonError> {
        let store = Store::open(&held.database())?;
        let options = series::Options { retention: settings.retention.clone(), ..series::Options::default() };
        let (writer, reader, keeper) = series::open(&held.series(), options)?;
        let (transport, _thread) = Engine::start(&udp::Options::default()).map_err(DaemonError::Snmp)?;
        let live = Arc::new(Live::new());
        let doors = Doors::open(&store, settings).await?;
        let roster = reload::roster(&store, settings).await?;
        let flow = Arc::new(Flow::new(store.clone(), Arc::clone(&live), roster));
        let supervised = Arc::new(vitals::Tasks::default());
        let read = vitals::reading(Arc::clone(&flow), Arc::clone(&transport), reader.clone(), Arc::clone(&supervised));
        let own = Arc::new(OwnMetrics::new(Arc::clone(&live), read)?);
        own.reloaded(true, clock::wall());
        let outbox = Outbox::default();
        let judged = Judged { live: Arc::clone(&live), series: reader.clone() };
        let incidents = Arc::new(Incidents::new(store.clone(), settings, judged, vec![Arc::new(notify::Door(outbox.clone()))]));
        own.add(Box::new(metrics::IncidentCollector(Arc::clone(incidents.hall().board()))))?;
        own.add(Box::new(metrics::AccessCollector(Arc::clone(&doors.accounts))))?;
        let ping = Arc::new(Ping::open(store.clone(), held, settings, incidents.findings())?);
        ping.set(settings).await?;
        own.add(Box::new(metrics::PingCollector(Arc::clone(ping.board()))))?;
        let around = notify::Around {
            store: store.clone(),
            live: Arc::clone(&live),
            reader: reader.clone(),
            baselines: Arc::clone(incidents.baselines()),
            board: Arc::clone(incidents.hall().board()),
            hosts: Arc::clone(ping.board()),
            of_hosts: ping.reader().clone(),
            findings: incidents.findings(),
        };
        let sender = notify::build(settings, outbox, around).await?;
        own.add(Box::new(metrics::NotifyCollector(Arc::clone(&sender))))?;
        let weigh = Arc::clone(&incidents);
        let around = traps::Around {
            store: store.clone(),
            live: Arc::clone(&live),
            findings: incidents.findings(),
            matter: Arc::new(move |device, port| weigh.weight(device, port)),
        };
        let traps = Arc::new(Traps::open(settings, held.path(), around));
        if let Some(handle) = traps.handle() {
            own.add(Box::new(metrics::TrapCollector(Arc::clone(handle.stats()))))?;
        }
        let located = tables::build(settings, &flow, store.clone(), incidents.findings(), Arc::clone(incidents.baselines()));
        own.add(Box::new(located.collector()))?;
        let keeper = Arc::new(Mutex::new(Some(keeper)));
        let around = block::Around {
            store: store.clone(),
            located: Arc::clone(&located),
            incidents: Arc::clone(incidents.hall().board()),
            findings: incidents.findings(),
            transport: Arc::clone(&transport) as Arc<dyn Transport>,
        };
        let blocks = Arc::new(Blocks::new(settings, around));
        own.add(Box::new(metrics::BlockCollector(Arc::clone(blocks.tally()))))?;
        let ways = detect::Ways { findings: incidents.findings(), accusations: blocks.accusations() };
        let detect = Arc::new(Detect::new(settings, ways, located.exemptions()));
        detect.board().set_surroundings(Box::new(Arc::clone(&located)));
        let capture = Capture::open(&settings.capture, || Box::new(detect.judge(located.site())));
        own.add(Box::new(metrics::CaptureCollector(Arc::clone(capture.board()))))?;
        own.add(Box::new(metrics::DetectCollector(Arc::clone(detect.board()))))?;
        let flows = Arc::new(Flows::open(settings, incidents.findings(), detect.intake(), located.site(), Arc::clone(detect.board())));
        if let Some(stats) = flows.stats() {
            own.add(Box::new(metrics::FlowCollector(Arc::clone(stats))))?;
        }
        let recordings = Arc::new(Desk::new(store.clone(), held.path(), capture::recording_rules(&settings.capture)));
        own.add(Box::new(metrics::RecordingCollector(Arc::clone(&recordings))))?;
        Ok(Self {
            recordings,
            blocks,
            detect,
            capture,
            doors,
            store,
            flow,
            own,
            transport,
            writer,
            reader,
            keeper,
            live,
            supervised,
            incidents,
            sender,
            ping,
            traps,
            located,
            flows,
        })
    }

    fn start(
        &self,
        supervisor: &Supervisor,
        settings: &Settings,
        listener: TcpListener,
        systemd: &Arc<Systemd>,
    ) -> Result<(), DaemonError> {
        self.supervised.watch(supervisor.clone());
        let liveness = Liveness::default();
        self.start_flow(supervisor, &liveness);
        let pinged = Arc::clone(self.ping.board());
        let reach: Arc<dyn Reach> = Arc::new(move |device: &str| match pinged.host(device)?.phase.word() {
            "up" => Some(true),
            "down" | "behind" => Some(false),
            _ => None,
        });
        self.incidents.start(supervisor, &reach);
        notify::start(&self.sender, supervisor);
        self.ping.start(supervisor);
        self.traps.start(supervisor);
        self.detect.start(supervisor);
        self.capture.start(supervisor, &self.incidents.findings(), self.incidents.hall().board());
        capture::start_recorder(&self.recordings, supervisor);
        self.located.start(supervisor, &(Arc::clone(&self.transport) as Arc<dyn Transport>));
        self.flows.start(supervisor);
        self.blocks.start(supervisor);
        self.start_keeper(supervisor, liveness.pulse("keeper", SILENCE * 5, Instant::now()));
        self.doors.start(supervisor, &self.store, settings);
        self.start_pages(supervisor, settings, listener)?;
        let (systemd, watched) = (Arc::clone(systemd), liveness);
        supervisor.spawn(Task::service("watchdog"), move |token| {
            let (systemd, watched) = (Arc::clone(&systemd), watched.clone());
            async move { systemd.watch(&watched, token).await }
        });
        Ok(())
    }

    /// Packets that come from elsewhere than an interface, on a thread of their own.
    fn watch(&self, supervisor: &Supervisor, mut wire: Box<Wire>) {
        let site = self.located.site();
        let detect = Arc::clone(&self.detect);
        supervisor.spawn_thread(Task::service("wire"), move |token: CancellationToken| {
            wire(&mut detect.judge(site.clone()), &token);
        });
    }

    fn start_flow(&self, supervisor: &Supervisor, liveness: &Liveness) {
        let flow = Arc::clone(&self.flow);
        supervisor.spawn(Task::service("ports"), move |token| {
            let flow = Arc::clone(&flow);
            async move { flow.understand(token).await }
        });
        let (flow, own, pulse) = (Arc::clone(&self.flow), Arc::clone(&self.own), liveness.pulse("relay", SILENCE, Instant::now()));
        supervisor.spawn(Task::service("relay"), move |token| {
            let (flow, own, pulse) = (Arc::clone(&flow), Arc::clone(&own), pulse.clone());
            async move { flow.relay(&own, &pulse, token).await }
        });
        let (flow, writer) = (Arc::clone(&self.flow), self.writer.clone());
        supervisor.spawn(Task::service("feed").stage(Stage::Keeping), move |token| {
            let (flow, writer) = (Arc::clone(&flow), writer.clone());
            async move { flow.feed(&writer, token).await }
        });
        let (flow, transport) = (Arc::clone(&self.flow), Arc::clone(&self.transport));
        supervisor.spawn(Task::service("poller"), move |token| {
            let (flow, transport) = (Arc::clone(&flow), Arc::clone(&transport) as Arc<dyn Transport>);
            async move { flow.poll(transport, token).await }
        });
    }

    fn start_keeper(&self, supervisor: &Supervisor, pulse: Pulse) {
        let keeper = Arc::clone(&self.keeper);
        let runtime = tokio::runtime::Handle::current();
        supervisor.spawn_thread(Task::service("keeper"), move |token: CancellationToken| {
            while !token.is_cancelled() {
                if let Some(keeper) = keeper.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                    // Told and counted by the keeper itself; the next turn tries again.
                    let _ = keeper.tick(clock::wall());
                }
                pulse.beat();
                // Ended early by the stop, else the next turn is due: nothing to do in both cases.
                let _ = runtime.block_on(async { tokio::time::timeout(KEEP_EVERY, token.cancelled()).await });
            }
        });
    }

    fn start_pages(&self, supervisor: &Supervisor, settings: &Settings, listener: TcpListener) -> Result<(), DaemonError> {
        let past = Arc::new(Past {
            reader: self.reader.clone(),
            counts: Arc::clone(&self.flow.counts),
            baselines: Some(Arc::clone(self.incidents.baselines())),
        });
        let app = web::App::new(Arc::clone(&self.live), past, settings.time_zone.clone(), supervisor.stopping());
        let hosts = Arc::new(Past { reader: self.ping.reader().clone(), counts: Arc::default(), baselines: None });
        let reach = web::Reachability::new(Arc::clone(self.ping.board()), hosts);
        let app = app.with_reach(reach).with_outbox(Arc::clone(&self.sender)).with_incidents(Arc::clone(self.incidents.hall()));
        let app = app.with_blocks(self.blocks.counter()).with_places(Arc::clone(&self.located) as Arc<dyn Seeker>);
        let app = app.with_detect(Arc::clone(self.detect.board())).with_recordings(Arc::clone(&self.recordings));
        let app = self.doors.hang(app, settings);
        let mut routes = web::router(Arc::clone(&app));
        if settings.metrics.enabled {
            let exposed = Arc::new(Metrics::new(Arc::clone(&self.live), Arc::clone(&self.own)));
            let exposition = metrics::router(exposed, settings.metrics.ports);
            routes = routes.merge(web::protect(&app, exposition, Permission::Metrics));
        }
        supervisor.spawn(Task::service("changes"), move |token| {
            let app = Arc::clone(&app);
            async move { app.watch(token).await }
        });
        let address = settings.web.listen;
        let (mut first, tls) = (Some(listener), self.doors.tls.clone());
        supervisor.spawn(Task::service("pages"), move |token| {
            let (bound, routes, tls) = (first.take(), routes.clone(), tls.clone());
            async move {
                let listener = match bound {
                    Some(listener) => listener,
                    None => listen(address).await?,
                };
                web::serve_tls(listener, routes, tls, token, WEB_DRAIN).await.map_err(|error| DaemonError::Pages(error.to_string()))
            }
        });
        Ok(())
    }

    /// Ends everything: first what takes in, then what keeps, and last the files.
    async fn stop(self, supervisor: &Supervisor) -> Result<(), DaemonError> {
        let drained = supervisor.shutdown(DRAIN).await;
        self.transport.stop();
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        let hosts = self.ping.take_keeper();
        let close = |keeper: Option<Keeper>| keeper.map_or(Ok(()), Keeper::close);
        let closed = tokio::task::spawn_blocking(move || close(keeper).and(close(hosts))).await;
        closed.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        if drained.unfinished.is_empty() { Ok(()) } else { Err(DaemonError::Unfinished(drained.unfinished)) }
    }
}
