//! `/blocks`: machines that are or were cut off, or are to be; `/block/{id}`: one case, with what may be done about it, and the
//! slip of it on paper; `/blocks/protected`: whom no block touches; and the part of it on the page of a machine.

pub(crate) mod act;
mod list;
mod one;
mod part;
mod protected;
mod said;
pub(crate) mod work;

use std::sync::Arc;

pub(crate) use list::{Asked as ListAsked, page};
pub(crate) use one::{page as one, slip};
pub(crate) use part::part;
pub(crate) use protected::{Asked as ProtectedAsked, page as protected};

use crate::block::{Case, CaseId, Counter, Phase};
use crate::store::StoreError;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::{Html, Mark};
use crate::web::page::port_url;
use crate::web::pages::machine::machine_url;
use crate::web::source::HistoryError;
use crate::web::time::Clock;
use crate::web::words::Words;

/// The page of one.
pub(crate) fn url(id: CaseId) -> String {
    format!("/block/{}", id.0)
}

/// Asks the counter on a thread that may wait.
pub(crate) async fn ask<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&Counter) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let counter = Arc::clone(app.blocks().ok_or(Failure::NoPage)?);
    let unreadable = |why: String| Failure::Store(HistoryError::Unreadable(why));
    let asked = tokio::task::spawn_blocking(move || question(&counter)).await;
    asked.map_err(|_| unreadable("the asking thread died".to_owned()))?.map_err(|error| unreadable(error.to_string()))
}

/// One case that there must be.
pub(crate) async fn case(app: &App, id: i64) -> Result<Case, Failure> {
    ask(app, move |counter| counter.one(CaseId(id))).await?.ok_or(Failure::NoBlock(id))
}

/// One as a row.
struct Row {
    id: String,
    url: String,
    machine: String,
    machine_url: String,
    phase: Html,
    place: String,
    place_url: String,
    why: String,
    in_the_way: String,
    opened: String,
    opened_full: String,
    until: String,
}

impl Row {
    fn new(words: Words, clock: &Clock, case: &Case) -> Self {
        let spot = case.order.as_ref().and_then(|order| order.spot());
        Self {
            id: case.id.to_string(),
            url: url(case.id),
            machine: case.machine(),
            machine_url: machine_url(&case.machine()),
            phase: phase(words, case.phase),
            place: case.place(),
            place_url: spot.map(|spot| port_url(&spot.device, &spot.if_name)).unwrap_or_default(),
            why: said::rule(words, case),
            in_the_way: case.rails.first().map(|rail| said::rail(words, clock, rail)).unwrap_or_default(),
            opened: clock.short(case.opened),
            opened_full: clock.full(case.opened),
            until: case.until.filter(|_| case.phase.is_cut()).map(|until| clock.short(until)).unwrap_or_default(),
        }
    }
}

/// A phase: mark and word.
fn phase(words: Words, phase: Phase) -> Html {
    let mark = match phase {
        Phase::Blocked => Mark::Shut,
        Phase::Drifted | Phase::Failed | Phase::Releasing => Mark::Down,
        Phase::Waiting | Phase::Refused => Mark::Degraded,
        Phase::Open | Phase::Wanted | Phase::Observed => Mark::Unknown,
        Phase::Released | Phase::Declined | Phase::Closed => Mark::Up,
    };
    mark.with(&words.t(&format!("blocking-phase-{}", phase.word())))
}
