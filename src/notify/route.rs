//! Which change of an incident goes to whom, and when: pure over the rules, the people and the clock that it is given.
//!
//! What alarms goes by the rules. What tells the end of it, or that somebody took it on, goes to those who were alarmed,
//! and to nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::roster::{People, resolve};
use crate::config::notify::{MAIL, NotifySettings, Recipient, RouteSettings};
use crate::model::notice::Change;
use crate::model::{Notice, Severity, Subject, Timestamp};

/// The rule of the synthetic alarm, and that of mail that does not get through.
pub const DRILL: &str = "drill";
/// See [`DRILL`].
pub const NOT_DELIVERED: &str = "mail-not-delivered";
/// Nobody is on duty.
pub const NOBODY: &str = "nobody-on-duty";

/// Who or what a delivery is for. Its text is its key in the database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    /// Whoever is on duty when it is sent, by mail.
    Duty,
    /// A person, by mail.
    Person(Arc<str>),
    /// A webhook.
    Hook(Arc<str>),
}

impl Target {
    /// The text of the database: `duty`, `hook:NAME`, else a person's name, which has no colon.
    pub fn key(&self) -> String {
        match self {
            Self::Duty => "duty".to_owned(),
            Self::Person(name) => name.to_string(),
            Self::Hook(name) => format!("hook:{name}"),
        }
    }

    /// The way that leads to it: `mail`, or the webhook's name.
    pub fn channel(&self) -> &str {
        match self {
            Self::Duty | Self::Person(_) => MAIL,
            Self::Hook(name) => name,
        }
    }

    /// The target of a key.
    pub fn from_key(key: &str) -> Self {
        match key.strip_prefix("hook:") {
            Some(name) => Self::Hook(name.into()),
            None if key == "duty" => Self::Duty,
            None => Self::Person(key.into()),
        }
    }
}

/// How long a delivery may wait for others to join it. Deliveries of different pace are never put together: an alarm must
/// not wait for a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pace {
    /// At once, but for what settles and for the window.
    Prompt,
    /// Until the quiet hours end.
    Quiet,
    /// Until the digest is due.
    Digest,
}

impl Pace {
    /// The word of the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Quiet => "quiet",
            Self::Digest => "digest",
        }
    }
}

/// One delivery that is to be, or to be joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// For whom.
    pub target: Target,
    /// See [`Pace`].
    pub pace: Pace,
    /// Not to be sent before.
    pub not_before: Timestamp,
    /// At most one message to the target in this time; zero for what must not wait.
    pub window: Duration,
    /// The name of the rule that wanted it.
    pub why: Arc<str>,
}

/// What routing asks.
#[derive(Clone, Copy)]
pub struct Office<'a> {
    /// The rules.
    pub settings: &'a NotifySettings,
    /// The people.
    pub people: &'a dyn People,
    /// The zone that times of the week are meant in.
    pub zone: &'a TimeZone,
}

/// Whether a change is one to be alarmed by.
pub const fn alarms(change: Change) -> bool {
    matches!(change, Change::Opened | Change::Reopened | Change::Worsened | Change::Unacknowledged | Change::StillOpen)
}

/// The deliveries of one notice, at most one for each target. `alarmed` are those that an earlier notice of the incident
/// went to, or is waiting to go to.
pub fn orders(notice: &Notice, alarmed: &[Target], office: Office<'_>, now: Timestamp) -> Vec<Order> {
    if notice.is_muted {
        return Vec::new();
    }
    if &*notice.rule == DRILL {
        return drill(notice, office, now);
    }
    let wanted = by_rules(notice, office, now);
    if alarms(notice.change) {
        return wanted.into_values().collect();
    }
    if notice.change == Change::Updated {
        return Vec::new();
    }
    let told = |target: &Target| {
        let by = notice.person.as_ref().filter(|_| notice.change == Change::Acknowledged);
        !matches!((target, by), (Target::Person(name), Some(by)) if name == by)
    };
    let follow = |target: &Target| {
        wanted.get(target).cloned().unwrap_or_else(|| Order {
            target: target.clone(),
            pace: Pace::Prompt,
            not_before: now + office.settings.settle,
            window: Duration::ZERO,
            why: "alarmed".into(),
        })
    };
    let targets: std::collections::BTreeSet<&Target> = alarmed.iter().filter(|target| told(target)).collect();
    targets.into_iter().map(follow).collect()
}

/// The synthetic alarm goes its own way: to those named for it, at once, and its end to nobody.
fn drill(notice: &Notice, office: Office<'_>, now: Timestamp) -> Vec<Order> {
    let Some(drill) = office.settings.drill.as_ref().filter(|_| alarms(notice.change)) else { return Vec::new() };
    let order = |target| Order { target, pace: Pace::Prompt, not_before: now, window: Duration::ZERO, why: DRILL.into() };
    let all: std::collections::BTreeSet<Target> = drill.to.iter().flat_map(|to| targets(to, office, now)).collect();
    all.into_iter().map(order).collect()
}

fn by_rules(notice: &Notice, office: Office<'_>, now: Timestamp) -> BTreeMap<Target, Order> {
    let mut wanted: BTreeMap<Target, Order> = BTreeMap::new();
    let mut want = |order: Order| {
        // Two rules want the same: the one that is sooner counts.
        match wanted.get(&order.target) {
            Some(before) if (before.not_before, before.pace) <= (order.not_before, order.pace) => {}
            _ => drop(wanted.insert(order.target.clone(), order)),
        }
    };
    for rule in rules(office.settings).iter().filter(|rule| matches(rule, notice, office.zone, now)) {
        let Some((pace, not_before, window)) = pace(rule, notice, office, now) else { continue };
        let hooks = rule.webhooks.iter().map(|name| Target::Hook(Arc::clone(name)));
        let people = rule.to.iter().flat_map(|to| targets(to, office, now));
        for target in people.chain(hooks) {
            want(Order { target, pace, not_before, window, why: Arc::clone(&rule.name) });
        }
        if rule.stop {
            break;
        }
    }
    // That mail does not get through cannot be told by mail alone.
    if let (NOT_DELIVERED, Some(second)) = (&*notice.rule, &office.settings.second) {
        let target = Target::Hook(Arc::clone(second));
        want(Order { target, pace: Pace::Prompt, not_before: now, window: Duration::ZERO, why: NOT_DELIVERED.into() });
    }
    wanted
}

/// The rules of the settings; without any, the person on duty is told of everything from minor on.
fn rules(settings: &NotifySettings) -> Vec<RouteSettings> {
    if !settings.rules.is_empty() || settings.mail.is_none() {
        return settings.rules.clone();
    }
    vec![RouteSettings {
        name: "default".into(),
        severity: Severity::Minor,
        sites: Vec::new(),
        zones: Vec::new(),
        tags: Vec::new(),
        rules: Vec::new(),
        when: None,
        to: vec![Recipient::Duty],
        webhooks: Vec::new(),
        quiet: None,
        window: Duration::from_secs(60),
        digest: None,
        stop: false,
    }]
}

fn matches(rule: &RouteSettings, notice: &Notice, zone: &TimeZone, now: Timestamp) -> bool {
    // The end of an incident is told by the rule that told its beginning, whatever the severity and the hour are then.
    let ending = !alarms(notice.change);
    let is_time = || rule.when.as_ref().is_none_or(|when| when.contains(now, zone));
    (ending || (notice.severity >= rule.severity && is_time()))
        && (rule.sites.is_empty() || rule.sites.iter().any(|site| site.is_match(&notice.site)))
        && (rule.zones.is_empty() || notice.zone.is_some_and(|zone| rule.zones.contains(&zone)))
        && (rule.tags.is_empty() || rule.tags.iter().any(|tag| notice.tags.contains(tag)))
        && (rule.rules.is_empty() || rule.rules.iter().any(|name| name.is_match(&notice.rule)))
}

/// When a rule wants it sent. `None` when its quiet hours never end.
fn pace(rule: &RouteSettings, notice: &Notice, office: Office<'_>, now: Timestamp) -> Option<(Pace, Timestamp, Duration)> {
    let settled = now + office.settings.settle;
    if notice.severity == Severity::Critical {
        // An outbreak makes hundreds of these: the first goes at once, the others together.
        let window = if matches!(notice.subject, Subject::Machine(_)) { rule.window } else { Duration::ZERO };
        return Some((Pace::Prompt, settled, window));
    }
    if let Some(quiet) = rule.quiet.as_ref().filter(|quiet| quiet.contains(now, office.zone)) {
        return Some((Pace::Quiet, quiet.end(now, office.zone)?, Duration::ZERO));
    }
    Some(match rule.digest {
        Some(digest) => (Pace::Digest, now + digest, Duration::ZERO),
        None => (Pace::Prompt, settled, rule.window),
    })
}

/// The targets of a recipient: duty stays open until it is sent, a role is its persons.
fn targets(recipient: &Recipient, office: Office<'_>, now: Timestamp) -> Vec<Target> {
    match recipient {
        Recipient::Duty => vec![Target::Duty],
        other => resolve(office.people, other, now).into_iter().map(Target::Person).collect(),
    }
}

/// What goes up the ladder: the first that fits the incident.
pub fn ladder<'a>(notice: &Notice, settings: &'a NotifySettings) -> Option<&'a crate::config::notify::LadderSettings> {
    let of_ours = matches!(notice.subject, Subject::Part(_)) && [DRILL, NOT_DELIVERED].contains(&&*notice.rule);
    settings.ladders.iter().find(|ladder| {
        !of_ours
            && notice.severity >= ladder.severity
            && (ladder.sites.is_empty() || ladder.sites.iter().any(|site| site.is_match(&notice.site)))
    })
}

/// An incident that nobody has taken on, and the rung that is next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Climb {
    /// When it began, or was raised again.
    pub began: Timestamp,
    /// The next rung, from 0.
    pub rung: usize,
}

impl Climb {
    /// When the next rung is due; `None` past the last.
    pub fn due(self, ladder: &crate::config::notify::LadderSettings) -> Option<Timestamp> {
        ladder.steps.get(self.rung).map(|step| self.began + step.after)
    }

    /// All rungs that are due now, and what is left of the ladder. A rung where nobody stands is passed at once with the
    /// one above it, which [`resolve`] does.
    pub fn climb(self, ladder: &crate::config::notify::LadderSettings, office: Office<'_>, now: Timestamp) -> (Vec<Order>, Self) {
        let mut climb = self;
        let mut orders: Vec<Order> = Vec::new();
        while let (Some(due), Some(step)) = (climb.due(ladder), ladder.steps.get(climb.rung)) {
            if due > now {
                break;
            }
            for target in targets(&step.to, office, now) {
                if !orders.iter().any(|order| order.target == target) {
                    let why = format!("ladder:{}", ladder.name).into();
                    orders.push(Order { target, pace: Pace::Prompt, not_before: now, window: Duration::ZERO, why });
                }
            }
            climb.rung += 1;
        }
        (orders, climb)
    }
}

#[cfg(test)]
mod tests;
