//! The outbox in the house: the door that incidents use, the loops that send, the graphs beside alarms, the proof of life.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::config::Settings;
use crate::daemon::error::DaemonError;
use crate::daemon::supervise::{Supervisor, Task};
use crate::graph::{Kind, PortChart, Span, png};
use crate::i18n::Lang;
use crate::incident::{Board, Notices};
use crate::journal;
use crate::model::{Finding, Notice, Subject, Timestamp};
use crate::notify::{Outbox, Pictures, Proof, Roster, Sender, Setup, TemplateError, Templates, Wiring, letter};
use crate::ports::live::Live;
use crate::series::Reader;
use crate::series::history::HistoryQuery;
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
    pub(super) board: Arc<Board>,
    pub(super) findings: mpsc::Sender<Finding>,
}

/// Builds the sender; what was on its way when the program ended is marked.
pub(super) async fn build(settings: &Settings, outbox: Outbox, around: Around) -> Result<Arc<Sender>, DaemonError> {
    let Around { store, live, reader, board, findings } = around;
    let pictures = Arc::new(Graphs { live: Arc::clone(&live), reader, zone: settings.time_zone.clone() });
    let proof = Arc::new(Counted { live, board });
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
    zone: jiff::tz::TimeZone,
}

impl Pictures for Graphs {
    fn draw(&self, subject: &Subject, lang: Lang, at: Timestamp) -> Option<Vec<u8>> {
        let Subject::Port(device, name) = subject else { return None };
        let device = self.live.device(device)?;
        let port = device.ports.iter().find(|port| *port.identity.name == **name)?;
        // A little of what came after: the mail may go minutes later.
        let window = Span::Day.window(at + Duration::from_secs(60), &self.zone);
        let query = HistoryQuery {
            port: port.identity.id,
            metrics: Kind::Traffic.metrics(),
            from: window.from,
            to: window.to,
            step_s: window.step_s,
            origin_s: window.origin_s,
        };
        let drawn = self.reader.history(&query).map_err(|error| error.to_string()).and_then(|history| {
            let mut chart = PortChart::new(Kind::Traffic, Span::Day, &history, port.identity.speed_bps, self.zone.clone());
            chart.title = subject.name();
            port.identity.alias.as_str().clone_into(&mut chart.subtitle);
            chart.lang = lang;
            png::render(&chart.svg(), SCALE).map_err(|error| error.to_string())
        });
        // A mail without its graph is better than none.
        drawn.inspect_err(|error| tracing::warn!(subject = %subject, "the mail about {subject} goes without its graph: {error}")).ok()
    }
}

/// Counts for the daily mail.
struct Counted {
    live: Arc<Live>,
    board: Arc<Board>,
}

impl Proof for Counted {
    fn counts(&self) -> serde_json::Value {
        let devices = self.live.devices();
        let ports: usize = devices.iter().map(|cell| cell.load().ports.len()).sum();
        serde_json::json!({ "devices": devices.len(), "ports": ports, "incidents": self.board.open().len() })
    }

    fn head(&self, file: &Connection) -> rusqlite::Result<String> {
        journal::head(file).map(|head| head.to_string())
    }
}
