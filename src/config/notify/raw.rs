//! `[notify]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{HookKind, Tls};
use crate::config::raw::Layer;
use crate::config::source::At;
use crate::model::{Severity, Zone};

/// `[notify]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawNotify {
    /// What links in mails begin with: `https://netroom.example.org`.
    pub url: Option<At<String>>,
    /// A directory with templates of your own; relative paths count from the directory of this file.
    pub templates: Option<At<String>>,
    /// How long the first message waits for what else happens at once, like `2s`.
    pub settle: Option<At<String>>,
    /// How long a message is tried, like `3d`.
    pub give_up: Option<At<String>>,
    /// The webhook that says so when a mail is not delivered.
    pub second: Option<At<String>>,
    /// After how long it says so, like `10m`.
    pub second_after: Option<At<String>>,
    /// When the person on duty changes, like `08:00`.
    pub handover: Option<At<String>>,
    /// The daily proof of life.
    pub daily: Option<At<RawDaily>>,
    /// The synthetic alarm of each morning.
    pub drill: Option<At<RawDrill>>,
    /// The mail server.
    pub mail: Option<At<RawMail>>,
    /// Robots and other programs.
    pub webhook: Option<Vec<At<RawWebhook>>>,
    /// Who is told of what.
    pub rule: Option<Vec<At<RawRoute>>>,
    /// Who is told when nobody takes an incident on.
    pub ladder: Option<Vec<At<RawLadder>>>,
}

/// `[notify.daily]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawDaily {
    /// When, like `08:00`.
    #[schemars(required)]
    pub at: Option<At<String>>,
    /// To whom: `duty`, `role:section_chief`, or a person's name.
    pub to: Option<Vec<At<String>>>,
}

/// `[notify.drill]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawDrill {
    /// When, like `08:10`.
    #[schemars(required)]
    pub at: Option<At<String>>,
    /// To whom: `duty`, `role:section_chief`, or a person's name.
    pub to: Option<Vec<At<String>>>,
    /// Within which time it must have been delivered, like `10m`.
    pub within: Option<At<String>>,
}

/// `[notify.mail]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawMail {
    /// The mail server's name or address.
    #[schemars(required)]
    pub server: Option<At<String>>,
    /// Its port; without it 587, 465 or 25 by `tls`.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The encryption.
    pub tls: Option<Tls>,
    /// The account at the server; without it none.
    pub user: Option<At<String>>,
    /// Its password.
    pub password: Option<At<String>>,
    /// A file that holds it.
    pub password_file: Option<At<String>>,
    /// A systemd credential that holds it.
    pub password_credential: Option<At<String>>,
    /// The sender's address.
    #[schemars(required)]
    pub from: Option<At<String>>,
    /// What we call ourselves to the server.
    pub hello: Option<At<String>>,
    /// A file with the certificate of the office's own authority, PEM.
    pub ca: Option<At<String>>,
    /// How long one step of the conversation may take, like `10s`.
    pub timeout: Option<At<String>>,
}

/// `[[notify.webhook]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawWebhook {
    /// The name that rules call it by.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// What it speaks.
    #[schemars(required)]
    pub kind: Option<HookKind>,
    /// Where it is: `https://...`; one of the three ways, for robots carry their key in it.
    pub url: Option<At<String>>,
    /// A file that holds the address.
    pub url_file: Option<At<String>>,
    /// A systemd credential that holds the address.
    pub url_credential: Option<At<String>>,
    /// What messages are signed with; a bearer token for Alertmanager.
    pub secret: Option<At<String>>,
    /// A file that holds it.
    pub secret_file: Option<At<String>>,
    /// A systemd credential that holds it.
    pub secret_credential: Option<At<String>>,
    /// A file with the certificate of the authority of its server, PEM.
    pub ca: Option<At<String>>,
    /// How long a call may take, like `10s`.
    pub timeout: Option<At<String>>,
}

/// `[[notify.rule]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawRoute {
    /// Its name.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// From which severity on: info, minor, major, critical.
    pub severity: Option<Severity>,
    /// Sites, by pattern.
    pub sites: Option<Vec<At<String>>>,
    /// Zones: inner, outer, management.
    pub zones: Option<Vec<Zone>>,
    /// One of these tags.
    pub tags: Option<Vec<At<String>>>,
    /// Rules that open incidents, by pattern: `port-*`.
    pub rules: Option<Vec<At<String>>>,
    /// When it holds: `mon-fri 08:00-18:00`.
    pub when: Option<Vec<At<String>>>,
    /// Who gets a mail: `duty`, `role:section_chief`, or a person's name.
    pub to: Option<Vec<At<String>>>,
    /// Which webhooks are called.
    pub webhooks: Option<Vec<At<String>>>,
    /// When nobody is disturbed but by what is critical: `22:00-07:00`.
    pub quiet: Option<Vec<At<String>>>,
    /// At most one message to a person in this time, like `1m`.
    pub window: Option<At<String>>,
    /// Collects over this time into one message, like `1h`.
    pub digest: Option<At<String>>,
    /// No rule behind it is asked.
    pub stop: Option<bool>,
}

/// `[[notify.ladder]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawLadder {
    /// Its name.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// From which severity on.
    pub severity: Option<Severity>,
    /// Sites, by pattern.
    pub sites: Option<Vec<At<String>>>,
    /// The rungs.
    #[schemars(required)]
    pub steps: Option<Vec<At<RawStep>>>,
}

/// `steps = [{ to = "duty", after = "0s" }]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawStep {
    /// Who: `duty`, `role:section_chief`, or a person's name.
    #[schemars(required)]
    pub to: Option<At<String>>,
    /// How long after the beginning, like `15m`.
    #[schemars(required)]
    pub after: Option<At<String>>,
}

impl Layer for RawNotify {
    fn lay(&mut self, above: Self) {
        fn over<T>(below: &mut Option<T>, above: Option<T>) {
            if above.is_some() {
                *below = above;
            }
        }
        over(&mut self.url, above.url);
        over(&mut self.templates, above.templates);
        over(&mut self.settle, above.settle);
        over(&mut self.give_up, above.give_up);
        over(&mut self.second, above.second);
        over(&mut self.second_after, above.second_after);
        over(&mut self.handover, above.handover);
        over(&mut self.daily, above.daily);
        over(&mut self.drill, above.drill);
        over(&mut self.mail, above.mail);
        self.webhook.get_or_insert_default().extend(above.webhook.into_iter().flatten());
        self.rule.get_or_insert_default().extend(above.rule.into_iter().flatten());
        self.ladder.get_or_insert_default().extend(above.ladder.into_iter().flatten());
    }
}
