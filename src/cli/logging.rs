//! The log: readable lines on a terminal, fields to the journal under systemd, or one JSON object a line.

use std::fmt;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::panic::PanicHookInfo;

use jiff::tz::TimeZone;
use thiserror::Error;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, registry, reload};

use crate::config::settings::{LogFormat, LogSettings};
use crate::model::clock;

/// Why there is no log.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// The filter does not read.
    #[error("the log filter \"{filter}\" does not read: {why}; write a level, or parts as warn,netroom::snmp=debug")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        why: String,
    },
    /// The log runs already, or is gone.
    #[error("the log cannot be set: {0}")]
    Set(String),
}

/// The running log.
#[derive(Debug)]
pub struct Logging {
    filter: reload::Handle<EnvFilter, Registry>,
}

impl Logging {
    /// Starts the log of this process, once. Panics are logged too from here on.
    ///
    /// # Errors
    /// A bad filter, or a second call.
    pub fn start(settings: &LogSettings, zone: &TimeZone) -> Result<Self, LoggingError> {
        let (filter, handle) = reload::Layer::new(parse(&settings.filter)?);
        let subscriber = registry().with(filter).with(output(settings.format, zone.clone()));
        tracing::subscriber::set_global_default(subscriber).map_err(|error| LoggingError::Set(error.to_string()))?;
        std::panic::set_hook(Box::new(log_panic));
        Ok(Self { filter: handle })
    }

    /// Logs by another filter from now on, as after a reload.
    ///
    /// # Errors
    /// A bad filter; the old one stays.
    pub fn set_filter(&self, filter: &str) -> Result<(), LoggingError> {
        self.filter.reload(parse(filter)?).map_err(|error| LoggingError::Set(error.to_string()))
    }
}

fn parse(filter: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::builder().parse(filter).map_err(|error| LoggingError::Filter { filter: filter.to_owned(), why: error.to_string() })
}

type Output<S> = Box<dyn Layer<S> + Send + Sync>;

fn output<S>(format: LogFormat, zone: TimeZone) -> Output<S>
where
    S: tracing::Subscriber + for<'a> registry::LookupSpan<'a> + Send + Sync,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_timer(LocalTime(zone));
    match format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Auto if stderr_is_the_journal() => match tracing_journald::layer() {
            Ok(journal) => journal.with_field_prefix(None).with_syslog_identifier("netroom".into()).boxed(),
            // Its socket may be out of reach in a sandbox; the journal still takes our stderr.
            Err(_) => lines.without_time().with_ansi(false).boxed(),
        },
        LogFormat::Auto | LogFormat::Text => {
            let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            lines.with_ansi(colours).boxed()
        }
    }
}

/// Whether systemd has connected our stderr to the journal: JOURNAL_STREAM names its device and inode (systemd.exec(5)).
fn stderr_is_the_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|stderr| is_stream(&named, stderr.dev(), stderr.ino()))
}

fn is_stream(named: &str, device: u64, inode: u64) -> bool {
    named.split_once(':').is_some_and(|(dev, ino)| dev.parse() == Ok(device) && ino.parse() == Ok(inode))
}

/// One line with its place, to wherever the log goes, instead of several to stderr.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let words = panic.payload_as_str().unwrap_or("without words");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    tracing::error!(place, thread, "panic at {place}: {words}");
}

/// The wall clock in the configured zone, with its offset: `2026-11-23 09:00:00.123+08:00`.
struct LocalTime(TimeZone);

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = jiff::Timestamp::from_millisecond(clock::wall().millis()).map_err(|_| fmt::Error)?;
        write!(writer, "{}", now.to_zoned_datetime(self.0.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f%:z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_or_say_why_not() {
        assert!(parse("info").is_ok() && parse("warn,netroom::snmp=debug").is_ok());
        let error = parse("netroom=loud").unwrap_err().to_string();
        assert!(error.contains("netroom=loud") && error.contains("warn,netroom::snmp=debug"), "{error}");
    }

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        assert!(is_stream("8:1234", 8, 1234));
        assert!(!is_stream("8:1234", 8, 1235));
        assert!(!is_stream("", 0, 0));
    }

    #[test]
    fn times_are_local_and_say_their_offset() {
        let mut text = String::new();
        LocalTime(TimeZone::get("Asia/Shanghai").unwrap()).format_time(&mut Writer::new(&mut text)).unwrap();
        let parsed = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S%.f%:z", &text).unwrap();
        assert_eq!(parsed.offset().unwrap().seconds(), 8 * 3600, "{text}");
    }
}
