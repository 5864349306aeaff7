//! The incidents from outside: pages in both languages, the API, and a stream that goes on where its reader was.

use std::sync::Arc;
use std::time::Duration;

use crate::web::fixture::{NOW, World};
use axum::body::{Body, BodyDataStream};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use netroom::incident::engine::{Action, Limits};
use netroom::incident::scope::Scope;
use netroom::incident::{Driver, Hall, Notices, Setup};
use netroom::journal::{Actor, Via};
use netroom::model::{Evidence, Fact, Finding, IncidentId, Notice, Severity, Subject, Verdict, clock};
use netroom::store::Store;
use netroom::web::router;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// An office without an outbox.
struct Nobody;

impl Notices for Nobody {
    fn enqueue(&self, _change: &rusqlite::Connection, _notice: &Notice) -> rusqlite::Result<()> {
        Ok(())
    }
}

struct Office {
    _dir: tempfile::TempDir,
    hall: Arc<Hall>,
    findings: mpsc::Sender<Finding>,
    routes: axum::Router,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Office {
    #[expect(clippy::disallowed_methods, reason = "no supervisor stands in this test")]
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        let hall = Arc::new(Hall::new(store.clone()));
        let limits = Limits { settle: Duration::ZERO, ..Limits::default() };
        let setup = Setup { limits, scope: Scope::default(), zone: jiff::tz::TimeZone::UTC, windows: Vec::new() };
        let (driver, desk) = Driver::open(store, Arc::clone(hall.board()), Arc::new(Nobody), setup).unwrap();
        hall.install(desk);
        let (findings, mut receiver) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let token = stop.clone();
        let task = tokio::spawn(async move { driver.run(&mut receiver, token).await });
        let world = World::bad(NOW);
        let app = world.app(stop.clone()).with_incidents(Arc::clone(&hall));
        Self { _dir: dir, hall, findings, routes: router(Arc::new(app)), stop, task }
    }

    /// Tells a port's state and waits until the log has it.
    async fn port(&self, name: &str, is_down: bool) {
        let mut changed = self.hall.board().last_event();
        changed.mark_unchanged();
        let verdict = if is_down { Verdict::Raised(Severity::Major) } else { Verdict::Cleared };
        let evidence = Evidence::from([("up".to_owned(), Fact::Millis(3_600_000.0))]);
        let subject = Subject::Port("acc-a1".into(), name.into());
        self.findings.send(Finding { rule: "port-down".into(), subject, verdict, at: clock::wall(), cause: None, evidence }).await.unwrap();
        changed.changed().await.unwrap();
    }

    async fn get(&self, path: &str, lang: &str) -> (StatusCode, String) {
        let request = Request::get(path).header(ACCEPT_LANGUAGE, lang).body(Body::empty()).unwrap();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn stream(&self, last: Option<&str>) -> Stream {
        let mut request = Request::get("/api/v1/events");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Stream { body: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn close(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    /// The next entry: its id and its object.
    async fn next(&mut self) -> (String, serde_json::Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
                let found = field("id:").zip(field("data:"));
                self.text = rest.to_owned();
                if let Some((id, data)) = found {
                    return (id, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = self.body.next().await.expect("the stream goes on").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_every_entry_since_and_none_twice() {
    let office = Office::new();
    office.port("Gi1", true).await;
    let mut first = office.stream(Some("0")).await;
    let (begun, entry) = first.next().await;
    assert_eq!((entry["change"].as_str(), entry["subject"].as_str()), (Some("opened"), Some("port:acc-a1/Gi1")));
    drop(first);
    // While nobody listens.
    office.port("Gi2", true).await;
    office.port("Gi1", false).await;
    let mut again = office.stream(Some(&begun)).await;
    let (second, third) = (again.next().await, again.next().await);
    assert_eq!((second.1["subject"].as_str(), second.1["change"].as_str()), (Some("port:acc-a1/Gi2"), Some("opened")));
    assert_eq!((third.1["subject"].as_str(), third.1["change"].as_str()), (Some("port:acc-a1/Gi1"), Some("cleared")));
    // And what happens while somebody listens.
    office.port("Gi2", false).await;
    let fourth = again.next().await;
    let ids: Vec<i64> = [&begun, &second.0, &third.0, &fourth.0].into_iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids, (ids[0]..ids[0] + 4).collect::<Vec<_>>(), "no number is left out");
    // Without a last id: only what is new.
    let mut fresh = office.stream(None).await;
    office.port("Gi3", true).await;
    assert_eq!(fresh.next().await.1["subject"].as_str(), Some("port:acc-a1/Gi3"));
    drop((again, fresh));
    office.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_on_the_pages_in_both_languages_and_in_the_api() {
    let office = Office::new();
    office.port("Gi1", true).await;
    let ack = Action::Acknowledge { comment: "更换 <b>网线</b>".into(), until: None };
    office.hall.act(IncidentId(1), ack, Actor::person("王伟", Via::Web)).await.unwrap();
    for (path, zh, en) in [
        ("/incidents", "断开", "is down"),
        ("/incident/1", "时间线", "Time line"),
        ("/incidents/history?q=gi1", "断开", "is down"),
        ("/maintenance", "维护窗口", "Maintenance"),
        ("/", "断开", "is down"),
    ] {
        for (lang, wanted) in [("zh-CN", zh), ("en", en)] {
            let (status, page) = office.get(path, lang).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(page.contains(wanted), "{path} in {lang} says nothing of {wanted}: {page}");
            assert!(!page.contains("incident-finding-") && !page.contains("{$"), "{path} in {lang} shows a key");
        }
    }
    let (_, page) = office.get("/incident/1", "zh-CN").await;
    assert!(page.contains("王伟") && page.contains("更换 &#60;b&#62;") || page.contains("更换 &lt;b&gt;"), "words of people stay words");
    assert_eq!(office.get("/incident/99", "en").await.0, StatusCode::NOT_FOUND);
    let (_, open) = office.get("/api/v1/incidents?severity=major&q=gi1", "en").await;
    let open: serde_json::Value = serde_json::from_str(&open).unwrap();
    assert_eq!(open["incidents"][0]["ack"]["by"], "王伟");
    let (_, none) = office.get("/api/v1/incidents?acknowledged=no", "en").await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&none).unwrap()["incidents"].as_array().unwrap().len(), 0);
    let (_, one) = office.get("/api/v1/incidents/1", "en").await;
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["log"].as_array().unwrap().len(), 2);
    office.close().await;
}
