//! The outbox in the house: the door that incidents use, the loops that send, the graphs beside alarms, the proof of life.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::config::Settings;
use crate::daemon::baseline::Baselines;
use crate::daemon::error::DaemonError;
use crate::daemon::supervise::{Supervisor, Task};
use crate::graph::smoke::{COLUMNS, SmokeChart};
use crate::graph::{Kind, PortChart, Span, Window, png};
use crate::i18n::Lang;
use crate::incident::{Board, Notices};
use crate::journal;
use crate::model::{Finding, Notice, PortId, PortMetric, Subject, Timestamp};
use crate::notify::{Outbox, Pictures, Proof, Roster, Sender, Setup, TemplateError, Templates, Wiring, letter};
use crate::ping::live::Board as Hosts;
use crate::ports::live::Live;
use crate::series::Reader;
use crate::series::history::{History, HistoryQuery};
use crate::store::Store;

/// Pixels of a PNG for each pixel of the drawing: sharp on a phone, small in a mailbox.
const SCALE: f32 = 1.5;

/// The door for the incidents.
pub(super) struct Door(pub(super) Outbox);

impl Notices for Door {
    fn enqueue(&self, change: &Connection, notice: &Notice) -> rusqlite::Result<()> {
        self.0.enqueue(change, notice)
    }
}

/// What the sender runs by under these settings; reads the templates.
pub(super) fn setup(settings: &Settings) -> Result<Setup, TemplateError> {
    Ok(Setup {
        settings: Arc::new(settings.notify.clone()),
        people: Arc::new(Roster::new(settings)),
        zone: settings.time_zone.clone(),
        lang: settings.web.language,
        templates: Templates::load(settings.notify.templates.as_deref(), letter::sample)?,
    })
}

/// What the house has that mails tell of.
pub(super) struct Around {
    pub(super) store: Store,
    pub(super) live: Arc<Live>,
    pub(super) reader: Reader,
    pub(super) baselines: Arc<Baselines>,
    pub(super) board: Arc<Board>,
    pub(super) hosts: Arc<Hosts>,
    pub(super) of_hosts: Reader,
    pub(super) findings: mpsc::Sender<Finding>,
}

/// Builds the sender; what was on its way when the program ended is marked.
pub(super) async fn build(settings: &Settings, outbox: Outbox, around: Around) -> Result<Arc<Sender>, DaemonError> {
    let Around { store, live, reader, baselines, board, hosts, of_hosts, findings } = around;
    let zone = settings.time_zone.clone();
    let pictures = Arc::new(Graphs { live: Arc::clone(&live), reader, baselines, hosts: Arc::clone(&hosts), of_hosts, zone });
    let proof = Arc::new(Counted { live, board, hosts });
    let setup = setup(settings)?;
    Ok(Arc::new(Sender::new(Wiring { store, outbox, findings, pictures, proof }, setup).await?))
}

/// Starts the loops.
pub(super) fn start(sender: &Arc<Sender>, supervisor: &Supervisor) {
    let plan = Arc::clone(sender);
    supervisor.spawn(Task::service("outbox"), move |token| {
        let sender = Arc::clone(&plan);
        async move { sender.plan(token).await }
    });
    let mail = Arc::clone(sender);
    supervisor.spawn(Task::service("mail"), move |token| {
        let sender = Arc::clone(&mail);
        async move { sender.mail(token).await }
    });
    let hooks = Arc::clone(sender);
    supervisor.spawn(Task::service("webhooks"), move |token| {
        let sender = Arc::clone(&hooks);
        async move { sender.hooks(token).await }
    });
    let watch = Arc::clone(sender);
    supervisor.spawn(Task::service("outbox-watch"), move |token| {
        let sender = Arc::clone(&watch);
        async move { sender.watch(token).await }
    });
}

/// Draws from the series what the pages draw too.
struct Graphs {
    live: Arc<Live>,
    reader: Reader,
    baselines: Arc<Baselines>,
    hosts: Arc<Hosts>,
    of_hosts: Reader,
    zone: jiff::tz::TimeZone,
}

impl Pictures for Graphs {
    fn draw(&self, subject: &Subject, lang: Lang, at: Timestamp) -> Option<Vec<u8>> {
        // A little of what came after: the mail may go minutes later.
        let window = Span::Day.window(at + Duration::from_secs(60), &self.zone);
        let drawn = match subject {
            Subject::Port(device, name) => self.port(device, name, &window, lang)?,
            Subject::Host(name) | Subject::Device(name) => {
                let host = self.hosts.host(name)?;
                self.smoke(host.info.id.0, name.to_string(), host.info.address.to_string(), &window, lang)
            }
            Subject::Service(name, service) => {
                let host = self.hosts.host(name)?;
                let info = host.info.services.iter().find(|info| info.name == *service)?;
                let below = format!("{} {}:{}", info.kind, host.info.address, info.port);
                self.smoke(info.id.0, subject.name(), below, &window, lang)
            }
            _ => return None,
        };
        let drawn = drawn.and_then(|svg| png::render(&svg, SCALE).map_err(|error| error.to_string()));
        // A mail without its graph is better than none.
        drawn.inspect_err(|error| tracing::warn!(subject = %subject, "the mail about {subject} goes without its graph: {error}")).ok()
    }
}

impl Graphs {
    /// The traffic of a port; `None` for one that is not there any more.
    fn port(&self, device: &str, name: &str, window: &Window, lang: Lang) -> Option<Result<String, String>> {
        let device = self.live.device(device)?;
        let port = device.ports.iter().find(|port| *port.identity.name == *name)?;
        let history = history(&self.reader, port.identity.id, Kind::Traffic.metrics(), window);
        Some(history.map(|history| {
            let mut chart = PortChart::new(Kind::Traffic, Span::Day, &history, port.identity.speed_bps, self.zone.clone());
            chart.title = format!("{} {}", device.label.name, port.identity.name);
            port.identity.alias.as_str().clone_into(&mut chart.subtitle);
            chart.lang = lang;
            let buckets = chart.inbound.average.len();
            let usual = self.baselines.band(port.identity.id, history.t0, history.step_s, buckets);
            chart.usual = usual.and_then(|usual| usual.of(Kind::Traffic, port.identity.speed_bps));
            chart.svg()
        }))
    }

    /// Loss and round-trip times of a host, or how long a service took.
    fn smoke(&self, id: u32, title: String, subtitle: String, window: &Window, lang: Lang) -> Result<String, String> {
        let history = history(&self.of_hosts, PortId(id), COLUMNS.map(|column| column.metric()).to_vec(), window)?;
        let mut chart = SmokeChart::new(Span::Day, &history, self.zone.clone());
        (chart.title, chart.subtitle, chart.lang) = (title, subtitle, lang);
        Ok(chart.svg())
    }
}

fn history(reader: &Reader, port: PortId, metrics: Vec<PortMetric>, window: &Window) -> Result<History, String> {
    let Window { from, to, step_s, origin_s, .. } = *window;
    reader.history(&HistoryQuery { port, metrics, from, to, step_s, origin_s }).map_err(|error| error.to_string())
}

/// Counts for the daily mail.
struct Counted {
    live: Arc<Live>,
    board: Arc<Board>,
    hosts: Arc<Hosts>,
}

impl Proof for Counted {
    fn counts(&self) -> serde_json::Value {
        let devices = self.live.devices();
        let ports: usize = devices.iter().map(|cell| cell.load().ports.len()).sum();
        // Devices that are pinged too are counted as devices.
        let hosts = self.hosts.hosts().iter().filter(|host| matches!(host.info.subject, Subject::Host(_))).count();
        serde_json::json!({ "devices": devices.len(), "ports": ports, "hosts": hosts, "incidents": self.board.open().len() })
    }

    fn head(&self, file: &Connection) -> rusqlite::Result<String> {
        journal::head(file).map(|head| head.to_string())
    }
}
