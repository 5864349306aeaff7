//! What the program runs by, after reading, layering and checking: plain data, every number with its unit in the type.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::access::{AccessSettings, Plaintext, TlsSettings};
use super::block::BlockSettings;
use super::calendar::CalendarSettings;
use super::capture::CaptureSettings;
use super::detect::DetectSettings;
use super::exempt::ExemptSettings;
use super::flow::FlowSettings;
use super::glob::Glob;
use super::notify::NotifySettings;
use super::people::{DutySettings, PersonSettings};
use super::reach::{HostSettings, PingSettings};
use super::rules::{IncidentSettings, MaintenanceSettings, RuleSettings};
use super::secret::Secret;
use super::site::{SiteSettings, TableSettings};
use super::span;
use super::traps::TrapSettings;
use super::zones::ZoneSettings;
use crate::i18n::Lang;
use crate::model::Zone;

/// The shortest and the longest poll interval of a device or port.
pub const INTERVALS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(15 * 60));

/// The interval of a device that names none.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Everything that the configuration decides. Printed by `netroom check`; secrets stay hidden.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// The data directory: the database and the series live below it.
    pub data: PathBuf,
    /// The time zone of days, weeks and months, pages and reports.
    #[serde(serialize_with = "zone_name")]
    pub time_zone: TimeZone,
    /// The log.
    pub log: LogSettings,
    /// The pages.
    pub web: WebSettings,
    /// Who gets in.
    pub access: AccessSettings,
    /// The exposition for Prometheus.
    pub metrics: MetricsSettings,
    /// How long samples are kept.
    pub retention: RetentionSettings,
    /// Where notifications are received.
    pub traps: TrapSettings,
    /// Which mirror ports are watched.
    pub capture: CaptureSettings,
    /// Where flow records are received.
    pub flow: FlowSettings,
    /// How hosts are pinged.
    pub ping: PingSettings,
    /// How the tables of bridges, routers and neighbours are read.
    pub tables: TableSettings,
    /// Who is who in the network.
    pub site: SiteSettings,
    /// Which networks are inside and which outside.
    pub zones: ZoneSettings,
    /// Machines about which something is not told, in the order of the files.
    #[serde(rename = "exempt", skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<ExemptSettings>,
    /// How machines are cut off, and who never is.
    pub block: BlockSettings,
    /// The hosts that are pinged, in the order of the files.
    #[serde(rename = "host", skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostSettings>,
    /// The devices, in the order of the files.
    #[serde(rename = "device")]
    pub devices: Vec<DeviceSettings>,
    /// Who is told of what.
    pub notify: NotifySettings,
    /// Holidays and the weekend days that are worked for them.
    pub calendar: CalendarSettings,
    /// How machines are judged by what they send.
    pub detect: DetectSettings,
    /// How faults become incidents.
    pub incident: IncidentSettings,
    /// Thresholds that count instead of the built-in ones, in the order of the files.
    #[serde(rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSettings>,
    /// When nobody wants to be alarmed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<MaintenanceSettings>,
    /// The people of the office, in the order of the files.
    #[serde(rename = "person")]
    pub people: Vec<PersonSettings>,
    /// Who is on duty when, in the order of the files.
    pub duty: Vec<DutySettings>,
}

impl Settings {
    /// The built-in defaults over a data directory, without any device.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            time_zone: system_time_zone(),
            log: LogSettings::default(),
            web: WebSettings::default(),
            access: AccessSettings::default(),
            metrics: MetricsSettings::default(),
            retention: RetentionSettings::default(),
            traps: TrapSettings::default(),
            capture: CaptureSettings::default(),
            flow: FlowSettings::default(),
            ping: PingSettings::default(),
            tables: TableSettings::default(),
            site: SiteSettings::default(),
            zones: ZoneSettings::default(),
            exemptions: Vec::new(),
            block: BlockSettings::default(),
            hosts: Vec::new(),
            devices: Vec::new(),
            notify: NotifySettings::default(),
            calendar: CalendarSettings::default(),
            detect: DetectSettings::default(),
            incident: IncidentSettings::default(),
            rules: Vec::new(),
            maintenance: Vec::new(),
            people: Vec::new(),
            duty: Vec::new(),
        }
    }
}

/// What is logged, and how it looks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LogSettings {
    /// Levels: `info`, or `warn,netroom::snmp=debug`.
    pub filter: String,
    /// The form of a line.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Auto }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// To the journal with its fields when systemd has connected us to it, else as text.
    #[default]
    Auto,
    /// One readable line.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Text, Self::Json];

    /// The word of configuration and flags.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// A word that is no form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the forms are auto, text and json")]
pub struct UnknownLogFormat;

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(word: &str) -> Result<Self, UnknownLogFormat> {
        Self::ALL.into_iter().find(|format| format.word() == word).ok_or(UnknownLogFormat)
    }
}

/// The pages and the API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WebSettings {
    /// Where the daemon listens.
    pub listen: SocketAddr,
    /// The language for browsers that ask for neither Chinese nor English, and for whatever has no browser.
    pub language: Lang,
    /// Whether the pages may go over the network unencrypted.
    pub plaintext: Plaintext,
    /// The proxies whose word about the client is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate and key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,
}

impl WebSettings {
    /// The address of the one-time link with this token, when the pages are served `at` an address.
    pub fn first_link(&self, at: SocketAddr, token: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{at}/first/{token}")
    }
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            language: Lang::default(),
            plaintext: Plaintext::default(),
            trusted_proxies: Vec::new(),
            tls: None,
        }
    }
}

/// The exposition for Prometheus.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MetricsSettings {
    /// Whether `/metrics` answers.
    pub enabled: bool,
    /// Whether `/metrics/ports` answers.
    pub ports: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true, ports: true }
    }
}

/// How long samples are kept, and what a filling disk does.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RetentionSettings {
    /// Samples as polled.
    #[serde(serialize_with = "span::serialize")]
    pub raw: Duration,
    /// 5-minute averages, maxima and minima.
    #[serde(serialize_with = "span::serialize")]
    pub m5: Duration,
    /// 1-hour ones.
    #[serde(serialize_with = "span::serialize")]
    pub h1: Duration,
    /// 1-day ones.
    #[serde(serialize_with = "span::serialize")]
    pub d1: Duration,
    /// Whether the consolidated tiers keep minima of counters too.
    pub min_for_counters: bool,
    /// Bytes set aside on disk, released when it is full so that what is running can end well.
    #[serde(serialize_with = "span::serialize_size")]
    pub disk_reserve: u64,
    /// Below this share of free space (percent) the oldest raw samples go first.
    #[serde(rename = "low_space", serialize_with = "span::serialize_percent")]
    pub low_space_percent: f64,
    /// The most that all samples may take on disk, in bytes; `None` is no such limit.
    #[serde(serialize_with = "serialize_limit", skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            raw: span::days(31),
            m5: span::days(186),
            h1: span::days(5 * 365),
            d1: span::days(20 * 365),
            min_for_counters: false,
            disk_reserve: 64 << 20,
            low_space_percent: 10.0,
            max_bytes: None,
        }
    }
}

/// One device that is polled.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DeviceSettings {
    /// Its name, unique: the key of its history.
    pub name: Arc<str>,
    /// Where it is asked: IP address and UDP port.
    pub address: SocketAddr,
    /// Who we are to it.
    pub credentials: Credentials,
    /// Who we are where something is changed; `None` when it is only read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<Credentials>,
    /// How long to wait and how often to ask.
    #[serde(flatten)]
    pub patience: Patience,
    /// The poll interval, within [`INTERVALS`].
    #[serde(serialize_with = "span::serialize")]
    pub interval: Duration,
    /// Where it stands, empty when not said.
    pub site: Arc<str>,
    /// Which side of the separated network it belongs to.
    pub zone: Zone,
    /// Free words for filters.
    pub tags: Vec<Arc<str>>,
    /// Whether its tables (forwarding database, neighbours, ARP) are read.
    pub tables: bool,
    /// Ports with an interval of their own; the first rule that matches counts.
    pub ports: Vec<PortRule>,
}

impl DeviceSettings {
    /// The interval of the port with this name.
    pub fn port_interval(&self, port: &str) -> Duration {
        self.ports.iter().find(|rule| rule.matches.is_match(port)).map_or(self.interval, |rule| rule.interval)
    }
}

/// Ports that are polled at their own interval.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PortRule {
    /// Which names (ifName) it is about.
    #[serde(rename = "match")]
    pub matches: Glob,
    /// Their interval, within [`INTERVALS`].
    #[serde(serialize_with = "span::serialize")]
    pub interval: Duration,
}

/// How long to wait for an answer and how often to ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Patience {
    /// The first timeout, and the lower bound after.
    #[serde(serialize_with = "span::serialize")]
    pub min_timeout: Duration,
    /// The upper bound of a timeout.
    #[serde(serialize_with = "span::serialize")]
    pub max_timeout: Duration,
    /// How many datagrams one request may cost.
    pub tries: u8,
}

impl Default for Patience {
    fn default() -> Self {
        Self { min_timeout: Duration::from_millis(500), max_timeout: Duration::from_secs(5), tries: 3 }
    }
}

/// Who we are to a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "version")]
pub enum Credentials {
    /// SNMPv1 with a community.
    #[serde(rename = "1")]
    V1 {
        /// The community.
        community: Secret,
    },
    /// SNMPv2c with a community.
    #[serde(rename = "2c")]
    V2c {
        /// The community.
        community: Secret,
    },
    /// SNMPv3 with a user.
    #[serde(rename = "3")]
    V3(User),
}

/// An SNMPv3 user (RFC 3414).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct User {
    /// securityName.
    pub name: String,
    /// contextName, mostly empty.
    pub context: String,
    /// Authentication protocol and pass phrase; `None` is noAuthNoPriv.
    pub auth: Option<(Auth, Secret)>,
    /// Privacy protocol and pass phrase; only with `auth`.
    pub privacy: Option<(Privacy, Secret)>,
}

/// Authentication protocols (RFC 3414, RFC 7860).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// HMAC-MD5-96: broken, for old devices only.
    Md5,
    /// HMAC-SHA-96.
    Sha1,
    /// HMAC-128-SHA-224.
    Sha224,
    /// HMAC-192-SHA-256.
    Sha256,
    /// HMAC-256-SHA-384.
    Sha384,
    /// HMAC-384-SHA-512.
    Sha512,
}

/// Privacy protocols (RFC 3414, RFC 3826, and the AES-192/256 of the vendors).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// CBC-DES: broken, for old devices only.
    Des,
    /// CFB-AES-128.
    Aes128,
    /// CFB-AES-192.
    Aes192,
    /// CFB-AES-256.
    Aes256,
}

/// The zone of the machine, or Asia/Shanghai when the machine does not know its own.
fn system_time_zone() -> TimeZone {
    TimeZone::try_system().or_else(|_| TimeZone::get("Asia/Shanghai")).unwrap_or(TimeZone::UTC)
}

fn zone_name<S: serde::Serializer>(zone: &TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.iana_name().unwrap_or("system"))
}

fn serialize_limit<S: serde::Serializer>(bytes: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.map(span::format_size).serialize(serializer)
}
