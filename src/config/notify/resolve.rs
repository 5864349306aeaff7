//! `[notify]` judged: names that must exist, times, addresses, and what must be there.

use std::sync::Arc;
use std::time::Duration;

use super::raw::{RawDaily, RawDrill, RawLadder, RawMail, RawNotify, RawRoute, RawWebhook};
use super::{
    DailySettings, DrillSettings, HookKind, LadderSettings, MAIL, MailSettings, NotifySettings, Recipient, RouteSettings, StepSettings,
    Tls, WebhookSettings,
};
use crate::config::glob::Glob;
use crate::config::people::{address, known};
use crate::config::problem::Code;
use crate::config::resolve::Judge;
use crate::config::secrets::Ways;
use crate::config::source::At;
use crate::config::span;
use crate::config::week::{TimeOfDay, WeekTimes};
use crate::model::{Role, Severity};

/// The bounds of what people wait for.
const WAITS: (Duration, Duration) = (Duration::ZERO, span::days(7));
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));
const KEPT_TRYING: (Duration, Duration) = (Duration::from_secs(3600), span::days(30));

/// Who may be named: the persons of the configuration.
pub(in crate::config) struct People<'a>(pub &'a [Arc<str>]);

/// All of `[notify]`; what is at fault is told.
pub(in crate::config) fn resolve(judge: &mut Judge<'_>, raw: RawNotify, people: &People<'_>) -> NotifySettings {
    let default = NotifySettings::default();
    let webhooks = raw.webhook.unwrap_or_default();
    let hooks = hook_names(judge, &webhooks);
    let webhooks = webhooks.into_iter().filter_map(|raw| webhook(judge, raw)).collect();
    let names = Names { people: people.0, hooks: &hooks };
    NotifySettings {
        url: raw.url.and_then(|at| base(judge, &at)),
        templates: raw.templates.map(|at| judge.sources.relative(at.offset, &at.value)),
        settle: judge.duration(raw.settle.as_ref(), "notify.settle", WAITS).unwrap_or(default.settle),
        give_up: judge.duration(raw.give_up.as_ref(), "notify.give_up", KEPT_TRYING).unwrap_or(default.give_up),
        second: raw.second.and_then(|at| names.hook(judge, &at)),
        second_after: judge.duration(raw.second_after.as_ref(), "notify.second_after", WAITS).unwrap_or(default.second_after),
        handover: raw.handover.and_then(|at| time(judge, &at, "notify.handover")).unwrap_or(default.handover),
        daily: raw.daily.and_then(|raw| names.daily(judge, raw)),
        drill: raw.drill.and_then(|raw| names.drill(judge, raw)),
        mail: raw.mail.and_then(|raw| mail(judge, raw)),
        rules: raw.rule.unwrap_or_default().into_iter().filter_map(|raw| names.route(judge, raw)).collect(),
        ladders: raw.ladder.unwrap_or_default().into_iter().filter_map(|raw| names.ladder(judge, raw)).collect(),
        webhooks,
    }
}

/// The names that rules may use, those of webhooks with a fault too: their fault is told once.
fn hook_names(judge: &mut Judge<'_>, webhooks: &[At<RawWebhook>]) -> Vec<Arc<str>> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for at in webhooks.iter().filter_map(|raw| raw.value.name.as_ref()) {
        if let Some((_, first)) = names.iter().find(|(name, _)| *name == at.value) {
            let message = format!("two webhooks are called \"{}\"", at.value.escape_debug());
            judge.conflict(at.offset, *first, Code::DuplicateName, message, "give each webhook its own name");
        }
        names.push((&at.value, at.offset));
    }
    names.into_iter().map(|(name, _)| name.into()).collect()
}

struct Names<'a> {
    people: &'a [Arc<str>],
    hooks: &'a [Arc<str>],
}

impl Names<'_> {
    fn recipient(&self, judge: &mut Judge<'_>, at: &At<String>) -> Option<Recipient> {
        if at.value == "duty" {
            return Some(Recipient::Duty);
        }
        if let Some(role) = at.value.strip_prefix("role:") {
            let role = At { value: role.to_owned(), offset: at.offset };
            return known(judge, &role, "role", &Role::ALL.map(Role::word)).map(Recipient::Role);
        }
        if judge.is_section_damaged("person") {
            return None;
        }
        known(judge, at, "person", self.people).map(Recipient::Person)
    }

    fn recipients(&self, judge: &mut Judge<'_>, all: Option<Vec<At<String>>>) -> Vec<Recipient> {
        all.unwrap_or_default().iter().filter_map(|at| self.recipient(judge, at)).collect()
    }

    fn hook(&self, judge: &mut Judge<'_>, at: &At<String>) -> Option<Arc<str>> {
        if judge.is_section_damaged("notify.webhook") {
            return None;
        }
        known(judge, at, "webhook", self.hooks)
    }

    fn daily(&self, judge: &mut Judge<'_>, raw: At<RawDaily>) -> Option<DailySettings> {
        let at = required(judge, raw.value.at.as_ref(), raw.offset, "notify.daily", "at = \"08:00\"")?;
        let at = time(judge, at, "notify.daily.at")?;
        let to = self.recipients(judge, raw.value.to);
        Some(DailySettings { at, to: if to.is_empty() { vec![Recipient::Duty] } else { to } })
    }

    fn drill(&self, judge: &mut Judge<'_>, raw: At<RawDrill>) -> Option<DrillSettings> {
        let at = required(judge, raw.value.at.as_ref(), raw.offset, "notify.drill", "at = \"08:10\"")?;
        let at = time(judge, at, "notify.drill.at")?;
        let to = self.recipients(judge, raw.value.to);
        let within = judge.duration(raw.value.within.as_ref(), "notify.drill.within", WAITS).unwrap_or(Duration::from_secs(600));
        Some(DrillSettings { at, to: if to.is_empty() { vec![Recipient::Duty] } else { to }, within })
    }

    fn route(&self, judge: &mut Judge<'_>, raw: At<RawRoute>) -> Option<RouteSettings> {
        let At { value: raw, offset } = raw;
        let to = self.recipients(judge, raw.to);
        let webhooks: Vec<Arc<str>> = raw.webhooks.unwrap_or_default().iter().filter_map(|at| self.hook(judge, at)).collect();
        let name = required(judge, raw.name.as_ref(), offset, "notify.rule", "name = \"...\"")?;
        Some(RouteSettings {
            name: name.value.as_str().into(),
            severity: raw.severity.unwrap_or(Severity::Minor),
            sites: globs(judge, raw.sites),
            zones: raw.zones.unwrap_or_default(),
            tags: raw.tags.unwrap_or_default().into_iter().map(|at| at.value.into()).collect(),
            rules: globs(judge, raw.rules),
            when: times(judge, raw.when, "notify.rule.when"),
            to,
            webhooks,
            quiet: times(judge, raw.quiet, "notify.rule.quiet"),
            window: judge.duration(raw.window.as_ref(), "notify.rule.window", WAITS).unwrap_or(Duration::from_secs(60)),
            digest: judge.duration(raw.digest.as_ref(), "notify.rule.digest", WAITS),
            stop: raw.stop.unwrap_or(false),
        })
    }

    fn ladder(&self, judge: &mut Judge<'_>, raw: At<RawLadder>) -> Option<LadderSettings> {
        let At { value: raw, offset } = raw;
        let name = required(judge, raw.name.as_ref(), offset, "notify.ladder", "name = \"...\"")?.value.as_str().into();
        let mut steps: Vec<StepSettings> = Vec::new();
        for At { value: step, offset } in raw.steps.unwrap_or_default() {
            let to = required(judge, step.to.as_ref(), offset, "notify.ladder.steps", "to = \"duty\"").cloned();
            let after = judge.duration(step.after.as_ref(), "notify.ladder.steps.after", WAITS).unwrap_or(Duration::ZERO);
            if steps.last().is_some_and(|before| before.after >= after) {
                let remedy = "write the rungs in their order, each with a longer `after`";
                judge.error(offset, Code::OutOfRange, "this rung is not later than the one before", remedy);
            }
            if let Some(to) = to.and_then(|at| self.recipient(judge, &at)) {
                steps.push(StepSettings { to, after });
            }
        }
        Some(LadderSettings { name, severity: raw.severity.unwrap_or(Severity::Major), sites: globs(judge, raw.sites), steps })
    }
}

/// The value, else what is missing.
fn required<'v>(
    judge: &mut Judge<'_>,
    value: Option<&'v At<String>>,
    offset: usize,
    section: &str,
    example: &str,
) -> Option<&'v At<String>> {
    if value.is_none() && !judge.is_section_damaged("notify") {
        let key = example.split(' ').next().unwrap_or_default();
        judge.error(offset, Code::MissingKey, format!("`{section}` has no `{key}`"), format!("add {example}"));
    }
    value
}

fn time(judge: &mut Judge<'_>, at: &At<String>, key: &str) -> Option<TimeOfDay> {
    let time = at.value.parse();
    if time.is_err() {
        let message = format!("`{key}` is no time of day: \"{}\"", at.value.escape_debug());
        judge.error(at.offset, Code::BadTime, message, "write it as \"08:00\"");
    }
    time.ok()
}

fn times(judge: &mut Judge<'_>, raw: Option<Vec<At<String>>>, key: &str) -> Option<WeekTimes> {
    let raw = raw?;
    match WeekTimes::parse(raw.iter().map(|at| at.value.as_str())) {
        Ok(times) => Some(times).filter(|times| !times.is_empty()),
        Err(place) => {
            let at = raw.get(place)?;
            let message = format!("`{key}` is no time of the week: \"{}\"", at.value.escape_debug());
            judge.error(at.offset, Code::BadTime, message, "write it as \"mon-fri 08:00-18:00\", \"22:00-07:00\" or \"sat,sun\"");
            None
        }
    }
}

fn globs(judge: &mut Judge<'_>, raw: Option<Vec<At<String>>>) -> Vec<Glob> {
    let mut globs = Vec::new();
    for at in raw.unwrap_or_default() {
        match at.value.parse::<Glob>() {
            Ok(glob) => globs.push(glob),
            Err(error) => {
                let remedy = "write `*` for any text, `?` for one character, `[0-9]` for one of a set";
                judge.error(at.offset, Code::BadPattern, format!("the pattern \"{}\" {error}", at.value.escape_debug()), remedy);
            }
        }
    }
    globs
}

/// The beginning of links, without its last slash.
fn base(judge: &mut Judge<'_>, at: &At<String>) -> Option<Arc<str>> {
    let base = at.value.trim_end_matches('/');
    if is_web_address(base) && !base.contains(['?', '#']) {
        return Some(base.into());
    }
    let message = format!("`notify.url` is no web address: \"{}\"", at.value.escape_debug());
    judge.error(at.offset, Code::BadAddress, message, "write what people's browsers open, as \"https://netroom.example.org\"");
    None
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let plain = text.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'"' | b'<' | b'>' | b'\\' | b'`' | b'{' | b'}' | b'|' | b'^'));
    plain && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}

fn mail(judge: &mut Judge<'_>, raw: At<RawMail>) -> Option<MailSettings> {
    let At { value: raw, offset } = raw;
    let server = required(judge, raw.server.as_ref(), offset, "notify.mail", "server = \"mail.example.org\"");
    let server = server.and_then(|at| host(judge, at));
    let from = required(judge, raw.from.as_ref(), offset, "notify.mail", "from = \"netroom@example.org\"");
    let from = from.cloned().and_then(|at| address(judge, &at));
    let tls = raw.tls.unwrap_or_default();
    let ways = Ways {
        key: "password",
        inline: raw.password.as_ref(),
        file: raw.password_file.as_ref(),
        credential: raw.password_credential.as_ref(),
    };
    let password = judge.secret(&ways);
    let login = match (&raw.user, ways.offsets().next(), password) {
        (Some(user), Some(_), password) => password.map(|password| (user.value.as_str().into(), password)),
        (Some(user), None, _) => {
            judge.error(user.offset, Code::MissingSecret, "the account of the mail server has no password", "add password_file = \"...\"");
            None
        }
        (None, Some(at), _) => {
            judge.error(at, Code::BadCredentials, "`password` is given, but not the account", "add user = \"...\"");
            None
        }
        (None, None, _) => None,
    };
    if let (Some(user), Tls::None) = (&raw.user, tls) {
        let remedy = "write tls = \"starttls\" or tls = \"implicit\"";
        judge.warn(user.offset, Code::ExposedSecret, "the password goes over the network in clear", remedy);
    }
    let port = raw.port.unwrap_or(match tls {
        Tls::Starttls => 587,
        Tls::Implicit => 465,
        Tls::None => 25,
    });
    Some(MailSettings {
        server: server?,
        port,
        tls,
        login,
        from: from?,
        hello: raw.hello.and_then(|at| host(judge, &at)),
        ca: raw.ca.map(|at| judge.sources.relative(at.offset, &at.value)),
        timeout: judge.duration(raw.timeout.as_ref(), "notify.mail.timeout", TIMEOUTS).unwrap_or(Duration::from_secs(10)),
    })
}

/// A host's name or address.
fn host(judge: &mut Judge<'_>, at: &At<String>) -> Option<Arc<str>> {
    let fits = !at.value.is_empty() && at.value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_'));
    if fits {
        return Some(at.value.as_str().into());
    }
    let message = format!("\"{}\" is no name of a host", at.value.escape_debug());
    judge.error(at.offset, Code::BadAddress, message, "write it as \"mail.example.org\" or \"10.0.0.25\"");
    None
}

fn webhook(judge: &mut Judge<'_>, raw: At<RawWebhook>) -> Option<WebhookSettings> {
    let At { value: raw, offset } = raw;
    let name = required(judge, raw.name.as_ref(), offset, "notify.webhook", "name = \"...\"");
    if let Some(at) = name
        && at.value == MAIL
    {
        judge.error(at.offset, Code::BadName, "a webhook cannot be called \"mail\"", "mail goes to the persons in `to`; take another name");
    }
    if raw.kind.is_none() && !judge.is_section_damaged("notify") {
        judge.error(
            offset,
            Code::MissingKey,
            "`notify.webhook` has no `kind`",
            "add kind = \"generic\", \"dingtalk\", \"wecom\", \"feishu\" or \"alertmanager\"",
        );
    }
    let ways = Ways { key: "url", inline: raw.url.as_ref(), file: raw.url_file.as_ref(), credential: raw.url_credential.as_ref() };
    let place = ways.offsets().next();
    if place.is_none() && !judge.is_section_damaged("notify") {
        judge.error(offset, Code::MissingKey, "`notify.webhook` has no `url`", "add url_file = \"...\" (or url = \"https://...\")");
    }
    let url = judge.secret(&ways);
    if let (Some(url), Some(place)) = (&url, place)
        && !is_web_address(url.expose())
    {
        judge.error(
            place,
            Code::BadAddress,
            "the `url` of this webhook is no web address",
            "write it as \"https://...\" or \"http://...\"",
        );
    }
    let ways =
        Ways { key: "secret", inline: raw.secret.as_ref(), file: raw.secret_file.as_ref(), credential: raw.secret_credential.as_ref() };
    let (given, secret) = (ways.offsets().next(), judge.secret(&ways));
    if let (Some(at), Some(HookKind::Wecom)) = (given, raw.kind) {
        judge.warn(at, Code::BadCredentials, "robots of WeCom do not sign: the secret is not used", "remove it; keep the address secret");
    }
    Some(WebhookSettings {
        name: name?.value.as_str().into(),
        kind: raw.kind?,
        url: url?,
        secret,
        ca: raw.ca.map(|at| judge.sources.relative(at.offset, &at.value)),
        timeout: judge.duration(raw.timeout.as_ref(), "notify.webhook.timeout", TIMEOUTS).unwrap_or(Duration::from_secs(10)),
    })
}
