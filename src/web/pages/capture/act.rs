//! What people do about captures: ask, allow, refuse, take back, take a copy, hold, release, delete.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Form, Path, State};
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{ask, failed, list, one, problem, url};
use crate::capture::recording::{Ask, Deed, Desk, DeskError, Recording};
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

/// A piece of a file on its way to a browser, and how many may wait.
const PIECE: usize = 1 << 18;
const PIECES: usize = 2;

/// The form of a request; the JSON of one too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    pub(crate) machine: String,
    pub(crate) reason: String,
    pub(crate) seconds: Option<u64>,
    /// How large the file may become, MiB.
    pub(crate) mib: Option<u64>,
}

impl Wanted {
    /// What the desk understands.
    pub(crate) fn ask(&self) -> Result<Ask, Failure> {
        let machine =
            self.machine.parse().map_err(|error: crate::capture::tap::NoHost| Failure::BadParameter("machine", error.to_string()))?;
        let most_octets = self.mib.map(|mib| mib.saturating_mul(1 << 20));
        Ok(Ask { machine, seconds: self.seconds, most_octets, reason: self.reason.clone() })
    }
}

/// A reason.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Because {
    pub(crate) reason: String,
}

/// `POST /captures`.
pub(crate) async fn request(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Failure> {
    let (order, actor, now) = (wanted.ask()?, caller.actor(), app.clock().now);
    match ask(&app, move |desk| desk.ask(&order, &actor, now)).await? {
        Ok(recording) => Ok(Redirect::to(&url(recording.id)).into_response()),
        Err(error) => {
            let told = problem(Words(visitor.lang), &error).ok_or_else(|| failed(&error))?;
            let asked = list::Asked { machine: wanted.machine, ..list::Asked::default() };
            list::show(&app, asked, visitor, wanted.reason, told).await
        }
    }
}

/// What an address with a number does.
pub(crate) async fn done(app: &Arc<App>, id: i64, caller: &Caller, deed: Deed) -> Result<Result<Recording, DeskError>, Failure> {
    let (actor, now) = (caller.actor(), app.clock().now);
    ask(app, move |desk| desk.act(id, &deed, &actor, now)).await
}

async fn act(app: Arc<App>, id: i64, caller: Caller, visitor: Visitor, deed: Deed) -> Result<Response, Failure> {
    match done(&app, id, &caller, deed).await? {
        Ok(_) => Ok(Redirect::to(&url(id)).into_response()),
        Err(error) => {
            let told = problem(Words(visitor.lang), &error).ok_or_else(|| failed(&error))?;
            one::show(&app, id, visitor, told).await
        }
    }
}

/// `POST /capture/{id}/approve`.
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    act(app, id, caller, visitor, Deed::Approve).await
}

/// `POST /capture/{id}/refuse`.
pub(crate) async fn refuse(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
    Form(because): Form<Because>,
) -> Result<Response, Failure> {
    act(app, id, caller, visitor, Deed::Refuse(because.reason)).await
}

/// `POST /capture/{id}/withdraw`.
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    act(app, id, caller, visitor, Deed::Withdraw).await
}

/// `POST /capture/{id}/hold`.
pub(crate) async fn hold(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
    Form(because): Form<Because>,
) -> Result<Response, Failure> {
    act(app, id, caller, visitor, Deed::Hold(because.reason)).await
}

/// `POST /capture/{id}/release`.
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
) -> Result<Response, Failure> {
    act(app, id, caller, visitor, Deed::Release).await
}

/// `POST /capture/{id}/delete`.
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    caller: Caller,
    visitor: Visitor,
    Form(because): Form<Because>,
) -> Result<Response, Failure> {
    act(app, id, caller, visitor, Deed::Delete(because.reason)).await
}

/// `GET /capture/{id}/file` and of the API: the pcap file. That it was taken is in the journal before its first octet leaves.
pub(crate) async fn file(State(app): State<Arc<App>>, Path(id): Path<i64>, caller: Caller, method: Method) -> Result<Response, Failure> {
    let (actor, clock) = (caller.actor(), app.clock());
    let now = clock.now;
    let is_head = method == Method::HEAD;
    let opened = ask(&app, move |desk: &Desk| match is_head {
        // Nobody takes a copy by asking how large it is.
        true => desk.one(id).map(|recording| (recording, None)),
        false => desk.open(id, &actor, now).map(|(recording, file)| (recording, Some(file))),
    })
    .await?;
    let (recording, file) = opened.map_err(|error| failed(&error))?;
    let name = format!("netroom-{id}-{}-{}.pcap", recording.machine.replace(':', "-"), clock.stamp(recording.started.unwrap_or(now)));
    let head = [
        (CONTENT_TYPE, "application/vnd.tcpdump.pcap".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CONTENT_LENGTH, recording.counts.map_or(0, |counts| counts.octets).to_string()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, file.map_or_else(Body::empty, body)).into_response())
}

/// A file piece by piece: one of 64 MiB needs no such room in memory.
fn body(mut file: File) -> Body {
    let (pieces, waiting) = mpsc::channel::<std::io::Result<Bytes>>(PIECES);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let read = file.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            let is_last = !matches!(read, Ok(1..));
            let told = match read {
                Ok(0) => return,
                read => read.map(|_| Bytes::from(piece)),
            };
            // A browser that went away needs no more.
            if pieces.blocking_send(told).is_err() || is_last {
                return;
            }
        }
    });
    Body::from_stream(stream::unfold(waiting, |mut waiting| async move { Some((waiting.recv().await?, waiting)) }))
}
