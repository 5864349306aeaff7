//! The live stream: server-sent events that renew the parts of a page that changed.
//!
//! A stream is pulled, not pushed: each connection looks at the newest snapshot when it is ready to write, so a slow
//! reader skips states and never fills a queue. It ends when the daemon stops.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::app::App;
use super::failure::Failure;
use super::filter::Asked as PortsAsked;
use super::pages::detect::Asked as DetectAsked;
use super::pages::host::ListAsked as HostsAsked;
use super::pages::traffic::Asked as TrafficAsked;
use super::pages::{self, Part};
use super::visitor::Visitor;
use super::words::Words;
use crate::detect::MachineKey;
use crate::model::PortId;

/// How often a page is looked at again; lists, which cost more, less often.
const EVERY: Duration = Duration::from_secs(2);
const LIST_EVERY: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a browser comes back after the stream broke, milliseconds.
const RETRY: Duration = Duration::from_secs(2);

/// The query string: which page, and which thing on it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Asked {
    view: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    id: u32,
    #[serde(flatten)]
    ports: PortsAsked,
    #[serde(flatten)]
    hosts: HostsAsked,
    #[serde(flatten)]
    detect: DetectAsked,
    #[serde(flatten)]
    traffic: TrafficAsked,
}

/// What a stream shows.
#[derive(Clone, Debug)]
enum View {
    Overview,
    Devices,
    Hosts(HostsAsked),
    Host(String),
    Device(String),
    Port(PortId),
    Ports(PortsAsked),
    Incidents,
    Detect(DetectAsked),
    Machine(MachineKey),
    Traffic(TrafficAsked),
}

impl TryFrom<Asked> for View {
    type Error = Failure;

    fn try_from(asked: Asked) -> Result<Self, Failure> {
        match asked.view.as_str() {
            "overview" => Ok(Self::Overview),
            "devices" => Ok(Self::Devices),
            "hosts" => Ok(Self::Hosts(asked.hosts)),
            "host" => Ok(Self::Host(asked.name)),
            "device" => Ok(Self::Device(asked.name)),
            "port" => Ok(Self::Port(PortId(asked.id))),
            "ports" => Ok(Self::Ports(asked.ports)),
            "incidents" => Ok(Self::Incidents),
            "detect" => Ok(Self::Detect(asked.detect)),
            "traffic" => Ok(Self::Traffic(asked.traffic)),
            "machine" => asked.name.parse().map(Self::Machine).map_err(|_| Failure::NoMachine(asked.name)),
            _ => Err(Failure::BadParameter("view", asked.view)),
        }
    }
}

impl View {
    const fn every(&self) -> Duration {
        match self {
            Self::Ports(_) | Self::Devices | Self::Hosts(_) | Self::Detect(_) | Self::Traffic(_) => LIST_EVERY,
            _ => EVERY,
        }
    }
}

/// `GET /events?view=`.
pub(crate) async fn events(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Result<Response, Failure> {
    let view = View::try_from(asked)?;
    let permit = Arc::clone(app.streams()).try_acquire_owned().map_err(|_| Failure::Busy)?;
    let closing = app.closing().clone().cancelled_owned();
    let feed = Feed::new(app, view, Words(visitor.lang), permit);
    let events = feed.into_stream().take_until(Box::pin(closing));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// One connection's stream: what it shows and what it has sent.
struct Feed {
    app: Arc<App>,
    view: View,
    words: Words,
    every: Interval,
    sent: HashMap<&'static str, u64>,
    point: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    fn new(app: Arc<App>, view: View, words: Words, permit: OwnedSemaphorePermit) -> Self {
        let mut every = interval(view.every());
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { app, view, words, every, sent: HashMap::new(), point: None, _permit: permit }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        let rounds = stream::unfold(self, |mut feed| async move {
            feed.every.tick().await;
            let events = feed.round().await;
            Some((stream::iter(events), feed))
        });
        rounds.flatten().map(Ok)
    }

    /// The events of one look.
    async fn round(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.sent.is_empty() {
            events.push(Event::default().retry(RETRY).comment("netroom"));
        }
        let (parts, point) = self.look().await;
        let mut changed = String::new();
        for part in &parts {
            if self.is_new(part) {
                changed.push_str(&partial(part));
            }
        }
        if !changed.is_empty() {
            events.push(Event::default().data(changed));
        }
        if point.is_some() && point != self.point {
            events.extend(point.as_deref().map(|point| Event::default().event("point").data(point)));
            self.point = point;
        }
        events
    }

    async fn look(&self) -> (Vec<Part>, Option<String>) {
        let (app, words, clock) = (&self.app, self.words, self.app.clock());
        match &self.view {
            View::Overview => (pages::overview::parts(app, words, &clock).await, None),
            View::Devices => (pages::devices::parts(app, words, &clock), None),
            View::Incidents => (pages::incident::list::now(app, words, &clock), None),
            View::Detect(asked) => (pages::detect::parts(app, words, &clock, asked), None),
            View::Traffic(asked) => (pages::traffic::parts(app, words, &clock, asked), None),
            View::Machine(key) => {
                let known = pages::machine::Known::find(app, *key);
                (known.map(|known| pages::machine::parts(app, words, &clock, &known)).unwrap_or_default(), None)
            }
            View::Hosts(asked) => (pages::host::list_parts(app, words, &clock, asked), None),
            View::Host(name) => {
                (app.board().host(name).map(|host| pages::host::parts(app, words, &clock, &host)).unwrap_or_default(), None)
            }
            View::Ports(asked) => (pages::ports::parts(app, words, &clock, asked).await, None),
            View::Device(name) => match app.device(name) {
                Some(device) => (pages::device::parts(app, words, &clock, &device).await, None),
                None => (Vec::new(), None),
            },
            View::Port(id) => {
                let Some((device, index)) = app.port(*id) else { return (Vec::new(), None) };
                let Some(port) = device.ports.get(index) else { return (Vec::new(), None) };
                (pages::port::parts(app, words, &clock, &device, port), pages::port::point(port))
            }
        }
    }

    fn is_new(&mut self, part: &Part) -> bool {
        let mut hasher = DefaultHasher::new();
        part.html.hash(&mut hasher);
        let hash = hasher.finish();
        self.sent.insert(part.id, hash) != Some(hash)
    }
}

/// The element that htmx puts into the place of the same id. One line: a line break would end the event's field.
fn partial(part: &Part) -> String {
    let html = part.html.replace(['\n', '\r'], " ");
    format!("<hx-partial hx-target=\"#{}\" hx-swap=\"innerMorph\">{html}</hx-partial>", part.id)
}
