//! `/detect`: what is held against whom now, what was until lately, who only bears a label, and who makes the most contacts.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::machine::{Finding, machine_url, name_of};
use super::{Part, inner};
use crate::detect::portrait::{Portrait, SLOT_S};
use crate::detect::{Detection, Kind, Level, Machine};
use crate::web::app::App;
use crate::web::html::Html;
use crate::web::page::{Page, render, segment};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Findings shown; the filters lead to the others.
const SHOWN: usize = 200;
/// Busy machines shown.
const BUSY: usize = 10;

/// The query string.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// Only this level: suspect, virus, block-worthy, over.
    #[serde(default)]
    pub(crate) level: String,
    /// Only this kind.
    #[serde(default)]
    pub(crate) kind: String,
    /// Only machines whose address or name holds this.
    #[serde(default)]
    pub(crate) q: String,
}

impl Asked {
    fn url(&self) -> String {
        format!("level={}&kind={}&q={}", segment(&self.level), segment(&self.kind), segment(&self.q))
    }

    /// Whether a detection is wanted; labels are shown apart unless they are asked for.
    pub(crate) fn fits(&self, app: &App, detection: &Detection) -> bool {
        let level = match self.level.as_str() {
            "" => !detection.cleared && detection.level > Level::Label,
            "over" => detection.cleared,
            word => !detection.cleared && detection.level.word() == word,
        };
        level && (self.kind.is_empty() || detection.kind.word() == self.kind) && self.names(app, &detection.machine)
    }

    fn names(&self, app: &App, machine: &Machine) -> bool {
        let wanted = self.q.trim().to_lowercase();
        if wanted.is_empty() {
            return true;
        }
        let portrait = machine.key().and_then(|key| app.detect().machine(key));
        let name = name_of(app, machine, portrait.as_deref()).to_lowercase();
        let is_own = wanted.parse().is_ok_and(|key| machine.key() == Some(key));
        is_own || name.contains(&wanted) || machine.key().is_some_and(|key| key.to_string().contains(&wanted))
    }
}

struct Choice {
    url: String,
    label: String,
    count: usize,
    is_on: bool,
}

struct Busy {
    name: String,
    url: String,
    contacts: u32,
    failed: u32,
    targets: u16,
    last: String,
}

#[derive(Template)]
#[template(path = "detect.html")]
struct DetectPage {
    page: Page,
    asked: Asked,
    kinds: Vec<(&'static str, String)>,
    list: Html,
}

#[derive(Template)]
#[template(path = "detect_list.html")]
struct List {
    words: Words,
    choices: Vec<Choice>,
    findings: Vec<Finding>,
    more: usize,
    labels: Vec<(String, String)>,
    busy: Vec<Busy>,
    sees: bool,
}

/// `GET /detect`.
pub(crate) async fn page(State(app): State<Arc<App>>, Query(asked): Query<Asked>, visitor: Visitor) -> Response {
    let (words, clock) = (Words(visitor.lang), app.clock());
    let parts = parts(&app, words, &clock, &asked);
    let page = Page::new(visitor, clock, "detect", words.t("machine-detect")).with_stream(&format!("detect&{}", asked.url()));
    let kinds = Kind::ALL.map(|kind| (kind.word(), words.t(&format!("machine-kind-{}", kind.word())))).into();
    render(&DetectPage { list: inner(&parts, "detect"), page, asked, kinds })
}

/// What the live stream renews.
pub(crate) fn parts(app: &App, words: Words, clock: &Clock, asked: &Asked) -> Vec<Part> {
    let (held, machines) = (app.detect().held(), app.detect().machines());
    let count = |level: &str| held.iter().filter(|held| Asked { level: level.to_owned(), ..asked.clone() }.fits(app, held)).count();
    let choices = [
        ("", "machine-all"),
        ("block-worthy", "incident-level-block-worthy"),
        ("virus", "incident-level-virus"),
        ("suspect", "incident-level-suspect"),
        ("over", "machine-over"),
    ]
    .map(|(level, key)| Choice {
        url: format!("/detect?{}", Asked { level: level.to_owned(), ..asked.clone() }.url()),
        label: words.t(key),
        count: count(level),
        is_on: asked.level == level,
    });
    let mut found: Vec<&Arc<Detection>> = held.iter().filter(|held| asked.fits(app, held)).collect();
    found.sort_by_key(|held| (std::cmp::Reverse(held.level), std::cmp::Reverse(held.last), held.machine, held.kind));
    let more = found.len().saturating_sub(SHOWN);
    let labels = held.iter().filter(|held| held.level == Level::Label && !held.cleared).filter_map(|held| {
        let key = held.machine.key()?;
        let portrait = app.detect().machine(key);
        Some((name_of(app, &held.machine, portrait.as_deref()), machine_url(&key.to_string())))
    });
    vec![Part::of(
        "detect",
        &List {
            words,
            choices: choices
                .into_iter()
                .filter(|choice| choice.count > 0 || choice.is_on || choice.url.starts_with("/detect?level=&"))
                .collect(),
            findings: found.into_iter().take(SHOWN).map(|held| Finding::new(app, words, clock, held)).collect(),
            more,
            labels: labels.take(SHOWN).collect(),
            busy: busy(app, words, clock, &machines),
            sees: !machines.is_empty() || !held.is_empty(),
        },
    )]
}

/// Those that made the most contacts within the last hour.
fn busy(app: &App, words: Words, clock: &Clock, machines: &[Arc<Portrait>]) -> Vec<Busy> {
    const LATELY_S: i64 = 3600;
    let since = clock.now.secs() - LATELY_S;
    let lately = |portrait: &Portrait| {
        let slots = portrait.past.slots().filter(|slot| slot.from().secs() + SLOT_S as i64 > since);
        slots.fold((0_u32, 0_u32, 0_u16), |(contacts, failed, targets), slot| {
            (contacts.saturating_add(slot.contacts), failed.saturating_add(slot.failed), targets.max(slot.targets))
        })
    };
    let mut all: Vec<(&Arc<Portrait>, _)> = machines.iter().map(|portrait| (portrait, lately(portrait))).collect();
    all.retain(|(_, (contacts, ..))| *contacts > 0);
    all.sort_by_key(|(portrait, (contacts, ..))| (std::cmp::Reverse(*contacts), portrait.key));
    all.truncate(BUSY);
    all.into_iter()
        .map(|(portrait, (contacts, failed, targets))| Busy {
            name: name_of(app, &portrait.machine(), Some(portrait)),
            url: machine_url(&portrait.key.to_string()),
            contacts,
            failed,
            targets,
            last: clock.ago(words, portrait.last.timestamp()),
        })
        .collect()
}
