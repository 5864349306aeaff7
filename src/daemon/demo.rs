//! The demo: simulated switches on loopback, polled and kept by the same daemon as real ones.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::capture::headers;
use crate::capture::link::Link;
use crate::capture::packet::{Nanos, Packet};
use crate::config::{Origin, Overrides, Settings};
use crate::daemon::detect::Judge;
use crate::daemon::error::DaemonError;
use crate::daemon::reload;
use crate::daemon::serve::{ServeOptions, SetLogFilter, Wire, serve_with};
use crate::demo::agent::{Clock, Running};
use crate::demo::campus::{self, Campus, History, HistoryIds, default_spans};
use crate::demo::mirror::{HOG_MINUTES, Mirror};
use crate::model::observe::PollRound;
use crate::model::{DeviceId, PortId, Timestamp, clock};
use crate::ports::clocks::Moment;
use crate::ports::live::DeviceLabel;
use crate::ports::store as catalogue;
use crate::ports::tracker::Tracker;
use crate::series;
use crate::store::{DataDir, Store};

/// How often what has passed meanwhile is looked at.
const PASS_EVERY: Duration = Duration::from_millis(100);

/// What `demo` runs by.
pub struct DemoOptions {
    /// Where its data goes; a directory that is there already is used on.
    pub data: PathBuf,
    /// What flags and environment say.
    pub overrides: Overrides,
    /// Told what is being done, one line each.
    pub on_progress: Box<dyn Fn(&str) + Send + Sync>,
    /// Starts the log once the settings are known; gives back how to change its filter.
    pub start_log: Box<dyn FnOnce(&Settings) -> SetLogFilter + Send>,
    /// Told once, when the pages are served: where.
    pub on_ready: Box<dyn FnOnce(SocketAddr) + Send>,
}

/// Runs the demo until SIGTERM or SIGINT.
///
/// # Errors
/// Why it could not start, or who did not stop in time.
pub async fn demo(options: DemoOptions) -> Result<(), DaemonError> {
    let runtime = tokio::runtime::Handle::current();
    let DemoOptions { data, overrides, on_progress, start_log, on_ready } = options;
    let now = clock::wall();
    let campus = Campus::new(campus::Options { port: 0, shown: Some(now), utc_offset_s: utc_offset_s(now), ..campus::Options::default() });
    let agents = campus.agents(&(Arc::new(clock::wall) as Clock)).map_err(|error| DaemonError::Agents(std::io::Error::other(error)))?;
    let running = Running::start(agents).map_err(DaemonError::Agents)?;
    on_progress(&format!("{} simulated switches answer SNMP on loopback", running.addresses().len()));
    let origin = configure(&campus, running.addresses(), &data, overrides)?;
    let loaded = origin.load().map_err(DaemonError::Configuration)?;
    let set_log_filter = start_log(&loaded.settings);
    on_progress("writing the campus's past into the store ...");
    let written = remember(&campus, &loaded.settings, now).await?;
    on_progress(&format!("{written} samples of a year written"));
    // The demo is looked at without logging in; whoever wants an account takes `netroom user first-link`.
    let on_first_link = Box::new(|_: &str| {});
    let wire: Box<Wire> = Box::new(move |judge, token| pass(judge, token, &runtime));
    serve_with(ServeOptions { settings: loaded.settings, origin, files: loaded.files, set_log_filter, on_first_link, on_ready }, Some(wire))
        .await
}

/// Lets what a mirror port would show pass before the judge, as it happens.
fn pass(judge: &mut Judge, token: &CancellationToken, runtime: &tokio::runtime::Handle) {
    let start = Nanos::from(clock::wall());
    let mut mirror = Mirror::new(start.0, start);
    while !token.is_cancelled() {
        let now = Nanos::from(clock::wall());
        let seen = mirror.until(now);
        let packets: Vec<Packet<'_>> =
            seen.iter().map(|frame| headers::parse(frame.at, frame.wire_octets, Link::Ethernet, None, &frame.octets)).collect();
        judge.packets(&packets);
        judge.tick(now);
        // Ended early by the stop, else the next turn is due: nothing to do in both cases.
        let _ = runtime.block_on(async { tokio::time::timeout(PASS_EVERY, token.cancelled()).await });
    }
}

/// What the machine's clocks are ahead of UTC, seconds: the campus keeps the office hours of those who look at it.
fn utc_offset_s(now: Timestamp) -> i32 {
    let zone = Settings::new("").time_zone;
    jiff::Timestamp::from_millisecond(now.millis()).map_or(0, |now| zone.to_offset(now).seconds())
}

/// Writes the campus's configuration beside its data, as a reader would write his own.
fn configure(campus: &Campus, addresses: &[SocketAddr], data: &Path, overrides: Overrides) -> Result<Origin, DaemonError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| DaemonError::Demo { path, source }
    };
    std::fs::create_dir_all(data).map_err(failed(data))?;
    let main = data.join("netroom.toml");
    // It holds the community: for our own eyes.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&main).map_err(failed(&main))?;
    let listen = overrides.listen.unwrap_or(Settings::new("").web.listen);
    let text = [campus.configuration(addresses), hosts(listen), detection()].concat();
    file.write_all(text.as_bytes()).map_err(failed(&main))?;
    let overrides = Overrides { data: Some(data.to_path_buf()), ..overrides };
    Ok(Origin { main, overrides, credentials: None })
}

/// Who has too much of the line is told sooner than in an office.
fn detection() -> String {
    format!("\n[detect.rules.hog]\nminutes = \"{HOG_MINUTES}\"\n")
}

/// Hosts of the demo: addresses of this machine that really answer, this program's own pages as a service, and a service
/// that nobody offers.
fn hosts(pages: SocketAddr) -> String {
    let mut text = String::from("\n[ping]\ndevices = false\n");
    for (name, last, site, parents) in [
        ("gw-campus", 1, "中心机房", ""),
        ("fw-campus", 2, "中心机房", "\"gw-campus\""),
        ("www", 80, "中心机房", "\"fw-campus\""),
        ("mail", 25, "中心机房", "\"fw-campus\""),
        ("dns1", 53, "中心机房", "\"gw-campus\""),
        ("ap-library", 101, "图书馆", "\"gw-campus\""),
    ] {
        text.push_str(&format!(
            "\n[[host]]\nname = \"{name}\"\naddress = \"127.77.0.{last}\"\nsite = \"{site}\"\nparents = [{parents}]\ninterval = \"10s\"\n"
        ));
    }
    let (address, port) =
        if pages.ip().is_unspecified() { ("127.0.0.1".to_owned(), pages.port()) } else { (pages.ip().to_string(), pages.port()) };
    text.push_str(&format!("\n[[host]]\nname = \"netroom\"\naddress = \"{address}\"\nsite = \"中心机房\"\ninterval = \"10s\"\n"));
    // A port that the system picks is not known before it is bound.
    if port != 0 {
        text.push_str(&format!(
            "[[host.check]]\nname = \"pages\"\nkind = \"http\"\nport = {port}\npath = \"/healthz\"\ntext = \"ok\"\ninterval = \"10s\"\n"
        ));
    }
    text.push_str("[[host.check]]\nname = \"nobody\"\nkind = \"tcp\"\nport = 9\ninterval = \"10s\"\n");
    text
}

/// Writes the campus's past through the real store; how many port samples. None when this directory has a past already.
async fn remember(campus: &Arc<Campus>, settings: &Settings, now: Timestamp) -> Result<u64, DaemonError> {
    let held = DataDir::take(&settings.data)?;
    let has_past = held.series().exists();
    let store = Store::open(&held.database())?;
    let roster = reload::roster(&store, settings).await?;
    let ids = number(campus, &store, &roster.labels, now).await?;
    if has_past {
        return Ok(0);
    }
    let options = series::Options { retention: settings.retention.clone(), ..series::Options::default() };
    let (writer, _reader, keeper) = series::open(&held.series(), options)?;
    let campus = Arc::clone(campus);
    let written = tokio::task::spawn_blocking(move || {
        let mut rows = 0;
        for sample in History::new(campus, ids, &default_spans(), now) {
            rows += sample.rows.len() as u64;
            writer.import(sample)?;
        }
        writer.flush()?;
        // The days are sealed by the daemon's own keeper while the pages are served already.
        keeper.close()?;
        Ok::<u64, series::SeriesError>(rows)
    });
    Ok(written.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?)
}

/// Gives the campus's ports their numbers before the first poll, by the rules that polls follow.
async fn number(campus: &Campus, store: &Store, labels: &[Arc<DeviceLabel>], now: Timestamp) -> Result<Vec<HistoryIds>, DaemonError> {
    let steady = clock::monotonic();
    let mut tracker = Tracker::new(catalogue::load(store)?, steady);
    tracker.set_devices(labels.to_vec());
    let mut all = Vec::with_capacity(labels.len());
    let mut records = Vec::new();
    for (place, label) in labels.iter().enumerate() {
        let Some(observed) = tracker.observe(&introduction(campus, place, label.id, now), Moment { wall: now, steady }) else { continue };
        let ports: Vec<Option<PortId>> = observed.live.ports.iter().map(|port| Some(port.identity.id)).collect();
        records.extend(observed.records);
        all.push(HistoryIds { device: label.id, ports });
    }
    catalogue::save(store, records.into()).await?;
    Ok(all)
}

/// A poll that brings nothing but who the device and its ports are.
fn introduction(campus: &Campus, place: usize, device: DeviceId, now: Timestamp) -> PollRound {
    PollRound { inventory: campus.inventory(place, now).map(Arc::new), ..PollRound::empty(device, now) }
}
