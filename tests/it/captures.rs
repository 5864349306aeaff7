//! Captures of single hosts over HTTP: who may ask, allow, download, hold and delete; what the pages say; what programs get.

use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, COOKIE, LOCATION};
use axum::http::{Method, Request, StatusCode};
use netroom::accounts::{Permission, Permissions, Role, Token};
use netroom::capture::recording::{Counts, Deed, Rules, State};
use netroom::journal::{self, Actor};
use netroom::model::clock;
use sha2::{Digest as _, Sha256};

use crate::access::{Answer, Office};

const FRAMES: &[u8] = b"what was recorded";

/// Somebody at a browser.
struct Person<'a> {
    office: &'a Office,
    session: Token,
}

impl<'a> Person<'a> {
    async fn new(office: &'a Office, role: Role) -> Self {
        Self { office, session: office.session(role).await }
    }

    async fn ask(&self, method: Method, path: &str, lang: &str, body: String) -> Answer {
        let request = Request::builder().method(method).uri(path).header(ACCEPT, "text/html").header(ACCEPT_LANGUAGE, lang);
        let request = request.header(COOKIE, format!("netroom_session={}", self.session.reveal()));
        self.office.ask(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, "en", String::new()).await
    }

    async fn post(&self, path: &str, fields: &str) -> Answer {
        self.ask(Method::POST, path, "en", format!("csrf={}&{fields}", self.session.derive("netroom form"))).await
    }
}

/// What the recorder would do.
async fn record(office: &Office, id: i64) {
    let (desk, dir) = (std::sync::Arc::clone(&office.desk), office.dir.path().join("captures"));
    let work = move || {
        desk.act(id, &Deed::Start, &Actor::daemon(), clock::wall()).unwrap();
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("{id}.pcap")), FRAMES).unwrap();
        let digest = Sha256::digest(FRAMES).iter().map(|octet| format!("{octet:02x}")).collect();
        let counts = Counts { packets: 1, octets: FRAMES.len() as u64, ..Counts::default() };
        desk.act(id, &Deed::End(counts, digest), &Actor::daemon(), clock::wall()).unwrap();
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

/// The actions about captures in the journal, with who did them, the oldest first.
async fn journalled(office: &Office) -> Vec<String> {
    let events = office.accounts.read(|file| journal::latest(file, i64::MAX, 100)).await.unwrap();
    let ours = events.into_iter().filter(|event| event.action.starts_with("capture."));
    let mut told: Vec<String> = ours
        .map(|event| format!("{} {}", event.action.trim_start_matches("capture."), event.actor.as_deref().unwrap_or("netroom")))
        .collect();
    told.reverse();
    told
}

#[tokio::test]
async fn a_capture_goes_from_hand_to_hand_by_its_pages() {
    let office = Office::new(false).await;
    let (duty, admin, chief, auditor) = (
        Person::new(&office, Role::Duty).await,
        Person::new(&office, Role::NetworkAdmin).await,
        Person::new(&office, Role::SectionChief).await,
        Person::new(&office, Role::Auditor).await,
    );
    let asked = duty.post("/captures", "machine=0025.90ab.cdef&reason=it+scans&seconds=5&mib=1").await;
    assert_eq!((asked.status, asked.headers[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/capture/1"));
    let again = duty.post("/captures", "machine=00:25:90:ab:cd:ef&reason=it+scans+%3Cb%3E").await;
    assert!(
        again.text.contains("Capture #1 of this machine is not over yet") && again.text.contains("it scans &#60;b&#62;"),
        "{}",
        again.text
    );

    // Who asked sees that it waits, and cannot be the second person; nor can the auditor.
    let page = duty.get("/capture/1").await.text;
    assert!(page.contains("waits for a second person") && page.contains("/capture/1/withdraw") && !page.contains("/capture/1/approve"));
    for person in [&duty, &auditor] {
        assert_eq!(person.post("/capture/1/approve", "").await.status, StatusCode::FORBIDDEN);
    }
    assert!(chief.get("/capture/1").await.text.contains("/capture/1/approve"));
    assert_eq!(chief.post("/capture/1/approve", "").await.status, StatusCode::SEE_OTHER);
    assert!(chief.post("/capture/1/approve", "").await.text.contains("That cannot be done any more"));
    record(&office, 1).await;

    // The file goes to whom it may, and the journal has it; asking how large it is is no copy.
    for person in [&duty, &auditor] {
        assert_eq!(person.get("/capture/1/file").await.status, StatusCode::FORBIDDEN);
    }
    let head = admin.ask(Method::HEAD, "/capture/1/file", "en", String::new()).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    let file = admin.get("/capture/1/file").await;
    assert_eq!((file.status, file.text.as_bytes()), (StatusCode::OK, FRAMES));
    assert_eq!(file.headers[CONTENT_TYPE], "application/vnd.tcpdump.pcap");
    let name = file.headers[CONTENT_DISPOSITION].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"netroom-1-00-25-90-ab-cd-ef-") && name.ends_with(".pcap\""), "{name}");

    assert!(admin.post("/capture/1/hold", "reason=+").await.text.contains("Say why"));
    assert_eq!(admin.post("/capture/1/hold", "reason=evidence").await.status, StatusCode::SEE_OTHER);
    assert!(auditor.get("/captures").await.text.contains("held by person network_admin"));
    assert!(chief.post("/capture/1/delete", "reason=done").await.text.contains("The capture is held"));
    assert_eq!(chief.post("/capture/1/release", "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(chief.post("/capture/1/delete", "reason=done").await.status, StatusCode::SEE_OTHER);
    assert!(!office.dir.path().join("captures/1.pcap").exists());
    assert_eq!(admin.get("/capture/1/file").await.status, StatusCode::CONFLICT);
    assert_eq!(
        journalled(&office).await,
        [
            "asked person duty",
            "approved person section_chief",
            "started netroom",
            "ended netroom",
            "downloaded person network_admin",
            "held person network_admin",
            "released person section_chief",
            "deleted person section_chief",
        ]
    );
}

#[tokio::test]
async fn nobody_is_the_second_person_of_himself_and_refusals_are_told_in_both_languages() {
    let office = Office::new(false).await;
    let admin = Person::new(&office, Role::NetworkAdmin).await;
    assert_eq!(admin.post("/captures", "machine=10.1.2.3&reason=x").await.status, StatusCode::SEE_OTHER);
    assert!(!admin.get("/capture/1").await.text.contains("/capture/1/approve"), "is not offered what would be refused");
    let mark = format!("csrf={}", admin.session.derive("netroom form"));
    for (lang, word) in [("zh-CN", "申请人不能批准自己的抓包"), ("en", "a second person has to")] {
        let page = admin.ask(Method::POST, "/capture/1/approve", lang, mark.clone()).await;
        assert!(page.text.contains(word) && !page.text.contains("recording-"), "{}", page.text);
        for path in ["/captures", "/capture/1", "/captures?state=asked&machine=10.1.2.3"] {
            let page = admin.ask(Method::GET, path, lang, String::new()).await;
            assert!(
                page.status == StatusCode::OK && page.text.contains("10.1.2.3") && !page.text.contains("recording-"),
                "{path} {}",
                page.text
            );
        }
    }
    assert_eq!(admin.post("/capture/1/withdraw", "").await.status, StatusCode::SEE_OTHER);
    for (path, status) in [("/capture/77", StatusCode::NOT_FOUND), ("/captures?state=x", StatusCode::BAD_REQUEST)] {
        assert_eq!(admin.get(path).await.status, status, "{path}");
    }
    assert_eq!(admin.post("/captures", "machine=nobody&reason=x").await.status, StatusCode::BAD_REQUEST);
    office.desk.set_rules(Rules::default());
    let page = admin.post("/captures", "machine=10.1.2.3&reason=x").await.text;
    assert!(page.contains("No mirror port is watched") && !page.contains("action=\"/captures\""), "{page}");
}

#[tokio::test]
async fn programs_ask_list_and_download_but_are_no_second_person() {
    let office = Office::new(false).await;
    let scopes: Permissions = [Permission::ReadCaptures, Permission::RequestCapture, Permission::OpenCapture].into_iter().collect();
    let token = office.token(Role::NetworkAdmin, scopes).await;
    let send = async |method: Method, path: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
        let answer = office.ask(request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_owned())).unwrap()).await;
        (answer.status, serde_json::from_str::<serde_json::Value>(&answer.text).unwrap_or_default(), answer.text)
    };
    let (status, asked, _) = send(Method::POST, "/api/v1/captures", r#"{"machine":"10.1.2.3","reason":"it scans","seconds":5}"#).await;
    assert_eq!((status, &asked["state"], &asked["seconds"]), (StatusCode::CREATED, &"asked".into(), &5.into()), "{asked}");
    let (status, refused, _) = send(Method::POST, "/api/v1/captures", r#"{"machine":"10.1.2.3","reason":"again"}"#).await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::CONFLICT, &"capture".into()), "{refused}");
    assert_eq!(send(Method::POST, "/api/v1/captures/1/approve", "").await.0, StatusCode::FORBIDDEN);
    let chief = Person::new(&office, Role::SectionChief).await;
    chief.post("/capture/1/approve", "").await;
    record(&office, 1).await;
    let (_, listed, _) = send(Method::GET, "/api/v1/captures?machine=10.1.2.3", "").await;
    let one = &listed["captures"][0];
    assert_eq!((&one["state"], &one["answered"]["by"]), (&"kept".into(), &"person section_chief".into()));
    assert_eq!(one["until"].as_i64().unwrap() - one["ended"].as_i64().unwrap(), 30 * 86_400_000);
    assert_eq!(send(Method::GET, "/api/v1/captures/1/file", "").await.2.as_bytes(), FRAMES);
    let (status, held, _) = send(Method::POST, "/api/v1/captures/1/hold", r#"{"reason":"evidence"}"#).await;
    assert_eq!((status, &held["hold"]["by"], &held["until"]), (StatusCode::OK, &"person network_admin".into(), &serde_json::Value::Null));
    assert_eq!(send(Method::GET, "/api/v1/captures/2", "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(office.desk.one(1).unwrap().state, State::Kept);
}
