//! "Ping now" on the page: some requests to a configured host, each result shown as soon as it is known. As an event
//! stream for the page, as plain text for whoever has no script.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::ping::now::{Asking, Shot, ask};
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::escape;
use crate::web::visitor::Visitor;
use crate::web::words::Words;

const COUNT: u16 = 10;
const PAUSE: Duration = Duration::from_millis(400);
const TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /host/{name}/ping`: an event stream that renews the list `#pinged`, and ends.
pub(crate) async fn stream(State(app): State<Arc<App>>, Path(name): Path<String>, visitor: Visitor) -> Result<Response, Failure> {
    let words = Words(visitor.lang);
    let lines = lines(&app, &name, words)?;
    let mut all = String::new();
    let events = lines.map(move |line| {
        all.push_str(&format!("<li class=\"mono\">{}</li>", escape(&line)));
        Ok::<_, Infallible>(Event::default().data(format!("<hx-partial hx-target=\"#pinged\" hx-swap=\"innerMorph\">{all}</hx-partial>")))
    });
    let events = events.take_until(Box::pin(app.closing().clone().cancelled_owned()));
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /host/{name}/ping.txt`: the same as text, a line a request.
pub(crate) async fn text(State(app): State<Arc<App>>, Path(name): Path<String>, visitor: Visitor) -> Result<Response, Failure> {
    let lines = lines(&app, &name, Words(visitor.lang))?.map(|line| Ok::<_, Infallible>(line + "\n"));
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The results as lines, as they come.
fn lines(app: &App, name: &str, words: Words) -> Result<impl Stream<Item = String> + Send + use<>, Failure> {
    let reach = app.reach().ok_or(Failure::NoPage)?;
    let host = reach.board.host(name).ok_or_else(|| Failure::NoHost(name.to_owned()))?;
    let permit = Arc::clone(&reach.pings).try_acquire_owned().map_err(|_| Failure::Busy)?;
    let (told, lines) = mpsc::channel(usize::from(COUNT) + 1);
    let work = pinging(host.info.address, words, told, permit);
    // The requests go out while somebody reads the answers, and only then.
    let lines = stream::unfold(lines, |mut lines| async move { lines.recv().await.map(|line| (line, lines)) });
    Ok(stream::select(lines, stream::once(work).filter_map(|()| async { None })))
}

async fn pinging(address: IpAddr, words: Words, told: mpsc::Sender<String>, _permit: OwnedSemaphorePermit) {
    let asking = Asking { address, count: COUNT, pause: PAUSE, timeout: TIMEOUT, size: 56 };
    // The channel holds all lines that there can be.
    let asked = ask(&asking, |shot| told.try_send(line(words, &shot)).is_ok()).await;
    if let Err(error) = asked {
        let _ = told.try_send(error.to_string());
    }
}

fn line(words: Words, shot: &Shot) -> String {
    match shot {
        Shot::Answered { seq, rtt_ms, ttl } => {
            let ttl = ttl.map(|ttl| format!("  TTL {ttl}")).unwrap_or_default();
            format!("{:>2}  {rtt_ms:.3} ms{ttl}", seq + 1)
        }
        Shot::Lost { seq } => format!("{:>2}  {}", seq + 1, words.t("host-now-lost")),
        Shot::Refused { seq, icmp_type, icmp_code } => {
            format!("{:>2}  {} (ICMP {icmp_type}/{icmp_code})", seq + 1, words.t("host-now-refused"))
        }
    }
}
