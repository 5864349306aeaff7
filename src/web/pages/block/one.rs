//! `/block/{id}`: one case from the evidence to the release, and what may be done about it; `/block/{id}/slip`: on paper.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{ask, case, phase, said};
use crate::block::gate::Force;
use crate::block::{Case, CaseId, Observation, Phase, Wish};
use crate::journal::Recorded;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::Html;
use crate::web::page::{Page, port_url, render};
use crate::web::pages::incident::facts;
use crate::web::pages::machine::machine_url;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// Something in the way.
struct InTheWay {
    says: String,
    remedy: String,
    refuses: bool,
}

/// A step of its life, out of the journal.
struct Step {
    at: String,
    at_full: String,
    what: String,
    by: String,
    more: String,
}

/// Everything that both the page and the paper show.
struct Told {
    id: String,
    number: i64,
    machine: String,
    machine_url: String,
    place: String,
    place_url: String,
    phase: Html,
    order: String,
    facts: Vec<(String, String)>,
    evidence: Vec<(String, String)>,
    varbinds: Vec<String>,
    /// What was read: name, before, after.
    read: Vec<(String, String, String)>,
    rails: Vec<InTheWay>,
    votes: Vec<(String, String)>,
    note: String,
    steps: Vec<Step>,
    /// Wishes that nobody has taken yet.
    wishes: Vec<String>,
}

#[derive(Template)]
#[template(path = "block.html")]
struct BlockPage {
    page: Page,
    told: Told,
    problem: String,
    can_approve: bool,
    can_decline: bool,
    can_release: bool,
    persons: u8,
}

#[derive(Template)]
#[template(path = "block_slip.html")]
struct Slip {
    page: Page,
    told: Told,
    persons: u8,
}

/// `GET /block/{id}`.
pub(crate) async fn page(State(app): State<Arc<App>>, Path(id): Path<i64>, visitor: Visitor) -> Result<Response, Failure> {
    show(&app, id, visitor, String::new()).await
}

/// The page, with what was wrong with the last wish.
pub(super) async fn show(app: &Arc<App>, id: i64, visitor: Visitor, problem: String) -> Result<Response, Failure> {
    let case = case(app, id).await?;
    let (told, persons) = told(app, &visitor, &case).await?;
    let title = format!("{} {}", told.id, told.machine);
    let open = !case.phase.is_over();
    Ok(render(&BlockPage {
        problem,
        can_approve: matches!(case.phase, Phase::Waiting | Phase::Failed | Phase::Drifted),
        can_decline: open && !case.phase.is_cut(),
        can_release: case.phase.is_cut(),
        persons,
        told,
        page: Page::new(visitor, app.clock(), "blocks", title),
    }))
}

/// `GET /block/{id}/slip`: the slip for the file, with room for signatures.
pub(crate) async fn slip(State(app): State<Arc<App>>, Path(id): Path<i64>, visitor: Visitor) -> Result<Response, Failure> {
    let case = case(&app, id).await?;
    let (told, persons) = told(&app, &visitor, &case).await?;
    let title = format!("{} {}", Words(visitor.lang).t("blocking-slip"), told.id);
    Ok(render(&Slip { told, persons, page: Page::new(visitor, app.clock(), "blocks", title) }))
}

async fn told(app: &Arc<App>, visitor: &Visitor, case: &Case) -> Result<(Told, u8), Failure> {
    let id = case.id;
    let read = ask(app, move |counter| Ok((counter.story(id)?, counter.waiting()?, counter.rules().settings().persons))).await?;
    let (story, waiting, persons) = read;
    let (words, clock) = (Words(visitor.lang), app.clock());
    let wishes = waiting.iter().filter(|waits| case_of(&waits.wish) == Some(id));
    let wishes = wishes.map(|waits| {
        let person = waits.path.person().map(ToString::to_string).unwrap_or_default();
        words.with("blocking-wish-waits", &[("person", person.into()), ("at", clock.short(waits.at).into())])
    });
    let spot = case.order.as_ref().and_then(|order| order.spot());
    let told = Told {
        id: id.to_string(),
        number: id.0,
        machine: case.machine(),
        machine_url: machine_url(&case.machine()),
        place: case.place(),
        place_url: spot.map(|spot| port_url(&spot.device, &spot.if_name)).unwrap_or_default(),
        phase: phase(words, case.phase),
        order: case.order.as_ref().map(|order| said::order(words, order)).unwrap_or_default(),
        facts: facts_of(words, &clock, case),
        evidence: facts::all(words, &clock, &case.evidence),
        varbinds: case.varbinds.clone(),
        read: compared(words, case),
        rails: case
            .rails
            .iter()
            .map(|rail| InTheWay {
                says: said::rail(words, &clock, rail),
                remedy: said::remedy(words, rail),
                refuses: rail.force() == Force::Refuses,
            })
            .collect(),
        votes: case.votes.iter().map(|yes| (yes.person.to_string(), clock.short(yes.at))).collect(),
        note: said::note(words, &case.note),
        steps: story.iter().map(|event| step(words, &clock, event)).collect(),
        wishes: wishes.collect(),
    };
    Ok((told, persons))
}

const fn case_of(wish: &Wish) -> Option<CaseId> {
    match wish {
        Wish::Approve { case } | Wish::Decline { case, .. } | Wish::Release { case, .. } => Some(*case),
        Wish::Request { .. } | Wish::Work(_) | Wish::Freeze { .. } | Wish::Reset { .. } => None,
    }
}

fn facts_of(words: Words, clock: &Clock, case: &Case) -> Vec<(String, String)> {
    let mut facts = vec![
        (words.t("blocking-accused-by"), said::rule(words, case)),
        (words.t("blocking-path"), said::path(words, &case.path)),
        (words.t("blocking-opened"), clock.full(case.opened)),
    ];
    if *case.reason != *case.rule {
        facts.push((words.t("blocking-reason"), case.reason.clone()));
    }
    facts.extend(case.ip.map(|ip| ("IP".to_owned(), ip.to_string())));
    for (key, at) in [("blocking-first", Some(case.first)), ("blocking-blocked", case.blocked), ("blocking-until", case.until)] {
        facts.extend(at.map(|at| (words.t(key), clock.full(at))));
    }
    facts.extend(case.released.map(|at| (words.t("blocking-released"), clock.full(at))));
    facts.extend(case.took_ms().map(|ms| (words.t("blocking-took"), format!("{:.1}\u{a0}s", ms as f64 / 1000.0))));
    facts.extend(case.follows.map(|old| (words.t("blocking-follows"), old.to_string())));
    facts
}

/// What was there before and what was read back.
fn compared(words: Words, case: &Case) -> Vec<(String, String, String)> {
    let (before, after) = (case.before.clone().unwrap_or_default(), case.after.clone().unwrap_or_default());
    let status = |status: Option<u8>| match status {
        Some(1) => "up(1)".to_owned(),
        Some(2) => "down(2)".to_owned(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let vlans = |list: &[u16]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let row = |name: &str, of: &dyn Fn(&Observation) -> String| (name.to_owned(), of(&before), of(&after));
    let mut rows = vec![
        row("ifName", &|read| read.if_name.clone().unwrap_or_default()),
        row("ifAlias", &|read| read.alias.clone().unwrap_or_default()),
        row("ifAdminStatus", &|read| status(read.admin)),
        row("ifOperStatus", &|read| status(read.oper)),
        row("dot1qPvid", &|read| read.pvid.map(|pvid| pvid.to_string()).unwrap_or_default()),
        row("dot1qVlanStaticEgressPorts", &|read| vlans(&read.egress)),
        row("dot1qVlanStaticUntaggedPorts", &|read| vlans(&read.untagged)),
    ];
    rows.push(row("pethPsePortAdminEnable", &|read| {
        read.power.map(|on| words.t(if on { "blocking-on" } else { "blocking-off" })).unwrap_or_default()
    }));
    rows.retain(|(_, before, after)| !before.is_empty() || !after.is_empty());
    rows
}

fn step(words: Words, clock: &Clock, event: &Recorded) -> Step {
    let word = event.action.trim_start_matches("block.");
    let payload: serde_json::Value = event.payload.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let text = |name: &str| payload.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let rails = payload.get("rails").and_then(serde_json::Value::as_array);
    let rails = rails.into_iter().flatten().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" ");
    let rails = if rails.is_empty() { rails } else { crate::i18n::coded(words.0, "rails", &rails) };
    let why = if word == "wanted_back" { text("reason").to_owned() } else { String::new() };
    let more = [said::note(words, text("note")), why, rails].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
    Step {
        at: clock.short(event.at),
        at_full: clock.full(event.at),
        what: words.t(&format!("blocking-step-{word}")),
        by: event.actor.clone().unwrap_or_else(|| words.t("product")),
        more,
    }
}
