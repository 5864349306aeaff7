//! `[notify]`: who is told of what, by which way, when, and until somebody has taken it on.
//! `raw` is the form of the files; here stand the settings that they come to; `resolve` judges one by the other.

pub(super) mod raw;
mod resolve;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::glob::Glob;
use super::secret::Secret;
use super::span;
use super::week::{TimeOfDay, WeekTimes};
use crate::model::{Severity, Zone};

pub(super) use resolve::{People, resolve};

/// The word of the mail channel, which no webhook may be called.
pub const MAIL: &str = "mail";

/// Everything about telling people.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NotifySettings {
    /// What links in mails begin with: `https://netroom.example.org`. Without it mails have no links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Arc<str>>,
    /// A directory with templates that replace the built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<PathBuf>,
    /// How long the first message about something waits for what else happens at once.
    #[serde(serialize_with = "span::serialize")]
    pub settle: Duration,
    /// How long a message is tried before it counts as failed.
    #[serde(serialize_with = "span::serialize")]
    pub give_up: Duration,
    /// The webhook that says so when a mail is not delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<Arc<str>>,
    /// After how long it says so.
    #[serde(serialize_with = "span::serialize")]
    pub second_after: Duration,
    /// When the person on duty changes.
    pub handover: TimeOfDay,
    /// The daily proof of life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailySettings>,
    /// The synthetic alarm of each morning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillSettings>,
    /// The mail server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailSettings>,
    /// Robots and other programs.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<WebhookSettings>,
    /// Who is told of what; all that match count, up to one with `stop`.
    #[serde(rename = "rule")]
    pub rules: Vec<RouteSettings>,
    /// Who is told when nobody takes an incident on.
    #[serde(rename = "ladder")]
    pub ladders: Vec<LadderSettings>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self {
            url: None,
            templates: None,
            settle: Duration::from_secs(2),
            give_up: span::days(3),
            second: None,
            second_after: Duration::from_secs(600),
            handover: TimeOfDay::new(8, 0).unwrap_or(MIDNIGHT),
            daily: None,
            drill: None,
            mail: None,
            webhooks: Vec::new(),
            rules: Vec::new(),
            ladders: Vec::new(),
        }
    }
}

const MIDNIGHT: TimeOfDay = match TimeOfDay::new(0, 0) {
    Some(midnight) => midnight,
    None => unreachable!(),
};

/// Who a message goes to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Recipient {
    /// Whoever is on duty when it is sent.
    Duty,
    /// Everybody with this role.
    Role(Arc<str>),
    /// A person by name.
    Person(Arc<str>),
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Duty => f.write_str("duty"),
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Person(name) => f.write_str(name),
        }
    }
}

impl Serialize for Recipient {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `[notify.daily]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DailySettings {
    /// When.
    pub at: TimeOfDay,
    /// To whom.
    pub to: Vec<Recipient>,
}

/// `[notify.drill]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DrillSettings {
    /// When.
    pub at: TimeOfDay,
    /// To whom.
    pub to: Vec<Recipient>,
    /// Within which time it must have been delivered.
    #[serde(serialize_with = "span::serialize")]
    pub within: Duration,
}

/// How the way to the mail server is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Plain at first, then STARTTLS; a server without it is refused (port 587).
    #[default]
    Starttls,
    /// TLS from the first octet (port 465).
    Implicit,
    /// No encryption: for a relay on this machine or in the same room (port 25).
    None,
}

/// `[notify.mail]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MailSettings {
    /// The server's name or address; with TLS its certificate must bear it.
    pub server: Arc<str>,
    /// Its port.
    pub port: u16,
    /// The encryption.
    pub tls: Tls,
    /// Account and password; `None` for a relay that asks for none.
    pub login: Option<(Arc<str>, Secret)>,
    /// The sender's address.
    pub from: Arc<str>,
    /// What we call ourselves to the server; the machine's name without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello: Option<Arc<str>>,
    /// A file with the certificate of the authority that the server's certificate is signed by, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// How long one step of the conversation may take.
    #[serde(serialize_with = "span::serialize")]
    pub timeout: Duration,
}

/// What a webhook speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HookKind {
    /// JSON of ours, signed with HMAC-SHA256 when there is a secret.
    Generic,
    /// A robot of a DingTalk group.
    Dingtalk,
    /// A robot of a WeCom group.
    Wecom,
    /// A robot of a Feishu group.
    Feishu,
    /// Alertmanager's API, version 2.
    Alertmanager,
}

/// `[[notify.webhook]]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WebhookSettings {
    /// The name that rules call it by.
    pub name: Arc<str>,
    /// What it speaks.
    pub kind: HookKind,
    /// Where it is; robots carry their key in it.
    pub url: Secret,
    /// What messages are signed with; a bearer token for Alertmanager.
    pub secret: Option<Secret>,
    /// The certificate of the authority of its server, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// How long a call may take.
    #[serde(serialize_with = "span::serialize")]
    pub timeout: Duration,
}

/// `[[notify.rule]]`: what it is about, and who is told.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RouteSettings {
    /// Its name, shown with each message that it caused.
    pub name: Arc<str>,
    /// From which severity on.
    pub severity: Severity,
    /// Sites, by pattern; empty is all.
    pub sites: Vec<Glob>,
    /// Zones; empty is all.
    pub zones: Vec<Zone>,
    /// One of these tags; empty is all.
    pub tags: Vec<Arc<str>>,
    /// Rules, by pattern; empty is all.
    pub rules: Vec<Glob>,
    /// When it holds; `None` is always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<WeekTimes>,
    /// Who gets a mail.
    pub to: Vec<Recipient>,
    /// Which webhooks are called.
    pub webhooks: Vec<Arc<str>>,
    /// When nobody is disturbed but by what is critical.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<WeekTimes>,
    /// At most one message to a person in this time; what comes meanwhile goes together.
    #[serde(serialize_with = "span::serialize")]
    pub window: Duration,
    /// Collects over this time into one message.
    #[serde(serialize_with = "span::serialize_option", skip_serializing_if = "Option::is_none")]
    pub digest: Option<Duration>,
    /// No rule behind it is asked.
    pub stop: bool,
}

/// `[[notify.ladder]]`: the office's reporting line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LadderSettings {
    /// Its name.
    pub name: Arc<str>,
    /// From which severity on.
    pub severity: Severity,
    /// Sites, by pattern; empty is all.
    pub sites: Vec<Glob>,
    /// The rungs, each later than the one before.
    pub steps: Vec<StepSettings>,
}

/// One rung.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepSettings {
    /// Who.
    pub to: Recipient,
    /// How long after the incident began (or was raised again), while nobody has acknowledged it.
    #[serde(serialize_with = "span::serialize")]
    pub after: Duration,
}
