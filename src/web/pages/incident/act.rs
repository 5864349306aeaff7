//! What people do on the page of an incident: acknowledge, give back, comment, mute.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{hall, one};
use crate::incident::OrderError;
use crate::incident::engine::{Action, Refused};
use crate::model::{IncidentId, Timestamp};
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::source::HistoryError;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// The form.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Filled {
    what: String,
    #[serde(default)]
    comment: String,
    /// For how many hours; empty for no end.
    #[serde(default)]
    hours: String,
}

/// `POST /incident/{id}`.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let action = action(filled, app.clock().now)?;
    match hall(&app)?.act(IncidentId(id), action, caller.actor()).await {
        Ok(()) => Ok(Redirect::to(&one::url(id)).into_response()),
        Err(OrderError::Refused(refused)) => {
            let problem = Words(visitor.lang).t(refused_key(refused));
            one::show(&app, id, visitor, problem).await
        }
        Err(other) => Err(failed(&other)),
    }
}

/// The sentence of a refusal.
const fn refused_key(refused: Refused) -> &'static str {
    match refused {
        Refused::Unknown => "incident-refused-unknown",
        Refused::Over => "incident-refused-over",
        Refused::NoComment => "incident-refused-no-comment",
        Refused::TooLong => "incident-refused-too-long",
        Refused::Past => "incident-refused-past",
        Refused::Nothing => "incident-refused-nothing",
    }
}

/// What the form asks for; of the API too.
pub(crate) fn action(filled: Filled, now: Timestamp) -> Result<Action, Failure> {
    let Filled { what, comment, hours } = filled;
    let until = one::until(&hours, now);
    match what.as_str() {
        "acknowledge" => Ok(Action::Acknowledge { comment, until }),
        "release" => Ok(Action::Release { comment }),
        "comment" => Ok(Action::Comment { comment }),
        "mute" => {
            let until = until.ok_or(Failure::BadParameter("hours", hours))?;
            Ok(Action::Mute { comment, until })
        }
        "unmute" => Ok(Action::Unmute),
        _ => Err(Failure::BadParameter("what", what)),
    }
}

/// An order that the house could not take.
pub(crate) fn failed(error: &OrderError) -> Failure {
    Failure::Store(HistoryError::Unreadable(error.to_string()))
}
