//! What people wish of blocks: ask for one, say yes or no, give back, freeze, close the breaker. Each is written down with its
//! person; the desk of the daemon takes it within a second.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::list::{self, Wrong};
use super::{ask, case, url};
use crate::block::gate::Path as Way;
use crate::block::{CaseId, Wish};
use crate::config::exempt::end;
use crate::detect::MachineKey;
use crate::journal::Via;
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::time::Clock;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// How long a page waits for the desk; what takes longer is seen on the page of the case.
const PATIENCE: Duration = Duration::from_secs(3);

/// The form of a request; the JSON of one too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    pub(crate) machine: String,
    pub(crate) reason: String,
}

impl Wanted {
    /// What the desk understands.
    pub(crate) fn wish(&self) -> Result<Wish, Failure> {
        let machine: MachineKey = self
            .machine
            .parse()
            .map_err(|error: crate::detect::detection::NoAddress| Failure::BadParameter("machine", error.to_string()))?;
        let (mac, ip) = match machine {
            MachineKey::Mac(mac) => (Some(mac), None),
            MachineKey::Ip(ip) => (None, Some(ip)),
        };
        Ok(Wish::Request { mac, ip, reason: reason(&self.reason)? })
    }
}

/// A reason.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Because {
    pub(crate) reason: String,
}

/// The form of a freeze; the JSON of one too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Freeze {
    /// The minute of the office's clock at which it ends, `2027-06-30T18:00`; empty ends a freeze now.
    pub(crate) until: String,
    pub(crate) reason: String,
}

impl Freeze {
    /// What the desk understands.
    pub(crate) fn wish(&self, clock: &Clock) -> Result<Wish, Failure> {
        let until = self.until.trim();
        let reason = reason(&self.reason)?;
        if until.is_empty() {
            return Ok(Wish::Freeze { until: clock.now, reason });
        }
        let until = end(&until.replace('T', " "), clock.zone()).filter(|until| *until > clock.now);
        let until = until.ok_or_else(|| Failure::BadParameter("until", "it is a minute to come, as 2027-06-30T18:00".to_owned()))?;
        Ok(Wish::Freeze { until, reason })
    }
}

/// A reason that is given.
pub(crate) fn reason(reason: &str) -> Result<String, Failure> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Failure::BadParameter("reason", "it has to be given".to_owned()));
    }
    Ok(reason.chars().take(400).collect())
}

/// Which way a wish came. Nobody without a name wishes anything.
fn way(caller: &Caller) -> Result<Way, Failure> {
    let actor = caller.actor();
    let person = actor.person.ok_or(Failure::LogIn)?;
    Ok(if actor.via == Via::Api { Way::Api(person) } else { Way::Page(person) })
}

/// Writes a wish down; what the desk has answered in the time that somebody waits.
pub(crate) async fn wish(app: &Arc<App>, caller: &Caller, wish: Wish) -> Result<Option<String>, Failure> {
    let way = way(caller)?;
    ask(app, move |counter| counter.wish(&way, &wish, PATIENCE)).await
}

/// `POST /blocks`.
pub(crate) async fn request(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Failure> {
    let asked = match wanted.wish() {
        Ok(asked) => asked,
        Err(Failure::BadParameter(name, _)) => {
            let problem = Words(visitor.lang).t(if name == "reason" { "blocking-wrong-reason" } else { "blocking-wrong-machine" });
            let wrong = Wrong { machine: wanted.machine, reason: wanted.reason, problem };
            return list::show(&app, &list::Asked::default(), visitor, wrong).await;
        }
        Err(other) => return Err(other),
    };
    let answer = wish(&app, &caller, asked).await?;
    let id = answer.and_then(|answer| answer.strip_prefix("case B")?.parse().ok()).map(CaseId);
    Ok(Redirect::to(&id.map_or_else(|| "/blocks".to_owned(), url)).into_response())
}

async fn about(app: Arc<App>, id: i64, caller: Caller, asked: Wish) -> Result<Response, Failure> {
    case(&app, id).await?;
    wish(&app, &caller, asked).await?;
    Ok(Redirect::to(&url(CaseId(id))).into_response())
}

/// `POST /block/{id}/approve`.
pub(crate) async fn approve(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller) -> Result<Response, Failure> {
    about(app, id, caller, Wish::Approve { case: CaseId(id) }).await
}

/// `POST /block/{id}/decline`.
pub(crate) async fn decline(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Form(because): Form<Because>,
) -> Result<Response, Failure> {
    about(app, id, caller, Wish::Decline { case: CaseId(id), reason: reason(&because.reason)? }).await
}

/// `POST /block/{id}/release`.
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    Form(because): Form<Because>,
) -> Result<Response, Failure> {
    about(app, id, caller, Wish::Release { case: CaseId(id), reason: reason(&because.reason)? }).await
}

/// `POST /blocks/freeze`.
pub(crate) async fn freeze(State(app): State<Arc<App>>, caller: Caller, Form(form): Form<Freeze>) -> Result<Response, Failure> {
    let asked = form.wish(&app.clock())?;
    wish(&app, &caller, asked).await?;
    Ok(Redirect::to("/blocks").into_response())
}

/// `POST /blocks/reset`.
pub(crate) async fn reset(State(app): State<Arc<App>>, caller: Caller, Form(because): Form<Because>) -> Result<Response, Failure> {
    let reason = reason(&because.reason)?;
    wish(&app, &caller, Wish::Reset { reason }).await?;
    Ok(Redirect::to("/blocks").into_response())
}
