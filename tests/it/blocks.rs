//! Blocks over HTTP: who may propose, approve, decline, give back and freeze; what pages say in both languages; what programs
//! get. The desk is somebody who writes down what was wished, for the gate has tests of its own.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION};
use axum::http::{Method, Request, StatusCode};
use netroom::accounts::{Permission, Permissions, Role, Token};
use netroom::block::case::{Case, Phase};
use netroom::block::gate::{Approval, Path, Rail};
use netroom::block::hold::Holds;
use netroom::block::note::Note;
use netroom::block::work::{Came, Deed, Work};
use netroom::block::{CaseId, Observation, Order, Spot, store};
use netroom::i18n::{self, Lang};
use netroom::journal::{self, Actor, Entry, Via};
use netroom::model::{Evidence, Fact, IfIndex, MacAddr, Timestamp};
use serde_json::Value;

use crate::access::{Answer, Office};
use crate::web::fixture::NOW;

/// Takes wishes, as the daemon's desk does.
struct Clerk {
    heard: Arc<Mutex<Vec<String>>>,
    /// Closed when nobody needs the clerk any more.
    _works: mpsc::SyncSender<()>,
}

impl Clerk {
    fn new(office: &Office) -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, store) = (Arc::clone(&heard), office.store.clone());
        let (works, stops) = mpsc::sync_channel::<()>(0);
        std::thread::spawn(move || {
            while stops.recv_timeout(Duration::from_millis(10)) == Err(mpsc::RecvTimeoutError::Timeout) {
                for waits in store::wishes(&store.reader().unwrap()).unwrap() {
                    kept.lock().unwrap().push(format!("{} {:?}", waits.path.person().unwrap(), waits.wish));
                    store.write_blocking(move |file| store::answered(file, waits.id, "case B1")).unwrap();
                }
            }
        });
        Self { heard, _works: works }
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

fn rails() -> Vec<Rail> {
    let text = |text: &str| text.to_owned();
    vec![
        Rail::Protected { line: text("netroom.toml:7"), reason: text("a printer <b>"), owner: text("Li") },
        Rail::Nowhere,
        Rail::Stale { age_s: 700 },
        Rail::NotAsked,
        Rail::Gone,
        Rail::OtherPort { told: text("Gi0/18") },
        Rail::Trunk,
        Rail::Aggregated,
        Rail::RootPort,
        Rail::Neighbour { name: text("ap-3"), what: text("access_point") },
        Rail::OurPath,
        Rail::Shared { others: vec![text("02:00:00:00:00:07")] },
        Rail::Phone,
        Rail::Rival { port: text("sw-b Gi0/2") },
        Rail::Mode,
        Rail::Blast { limit: text("3 in 10 minutes") },
        Rail::Frozen { reason: "examinations".into(), until: NOW },
        Rail::Grace,
        Rail::Drift { found: text("up") },
        Rail::SecondPerson { first: text("Wang") },
        Rail::NoReason,
        Rail::NoHold,
        Rail::Held,
    ]
}

fn case(id: i64, phase: Phase) -> Case {
    let spot = Spot { device: "sw-a3".into(), if_name: "Gi0/17".into(), if_index: IfIndex(10117) };
    let admin = |admin| Some(Observation { at: NOW, admin: Some(admin), if_name: Some("Gi0/17".into()), ..Observation::default() });
    Case {
        id: CaseId(id),
        mac: Some(MacAddr([0, 0x25, 0x90, 0, 0, 9])),
        ip: Some("10.1.0.77".parse().unwrap()),
        rule: "tcp-scan".into(),
        reason: "tcp-scan".into(),
        path: Path::Auto,
        evidence: Evidence::from([("contacts".to_owned(), Fact::Count(88))]),
        first: Timestamp::from_millis(NOW.millis() - 3600),
        opened: NOW,
        changed: NOW,
        phase,
        rails: Vec::new(),
        votes: Vec::new(),
        order: Some(Order::PortAdmin { spot, up: false }),
        varbinds: vec!["1.3.6.1.2.1.2.2.1.7.10117 = INTEGER: 2".into()],
        before: admin(1).filter(|_| phase.is_cut()),
        after: admin(2).filter(|_| phase.is_cut()),
        step: 0,
        blocked: phase.is_cut().then_some(NOW),
        until: phase.is_cut().then_some(NOW),
        released: None,
        follows: None,
        note: String::new(),
        due: NOW,
    }
}

async fn keep(office: &Office, case: Case) {
    office.store.write(move |file| store::keep(file, &case, None, &Holds::default(), &Actor::daemon())).await.unwrap();
}

pub(crate) struct Person<'a> {
    office: &'a Office,
    session: Token,
}

impl<'a> Person<'a> {
    pub(crate) async fn new(office: &'a Office, role: Role) -> Self {
        Self { office, session: office.session(role).await }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, lang: &str, body: String) -> Answer {
        let request = Request::builder().method(method).uri(path).header(ACCEPT, "text/html").header(ACCEPT_LANGUAGE, lang);
        let request = request.header(COOKIE, format!("netroom_session={}", self.session.reveal()));
        self.office.ask(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, lang: &str) -> String {
        let answer = self.ask(Method::GET, path, lang, String::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.text
    }

    async fn post(&self, path: &str, fields: &str) -> Answer {
        self.ask(Method::POST, path, "en", format!("csrf={}&{fields}", self.session.derive("netroom form"))).await
    }
}

#[tokio::test]
async fn each_wish_goes_to_the_desk_with_its_person_and_to_nobody_who_may_not() {
    let office = Office::new(false).await;
    let clerk = Clerk::new(&office);
    keep(&office, case(1, Phase::Waiting)).await;
    let (duty, admin, chief, auditor) = (
        Person::new(&office, Role::Duty).await,
        Person::new(&office, Role::NetworkAdmin).await,
        Person::new(&office, Role::Director).await,
        Person::new(&office, Role::Auditor).await,
    );
    let asked = duty.post("/blocks", "machine=0025.9000.0009&reason=it+scans").await;
    assert_eq!((asked.status, asked.headers[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/block/1"));
    for (person, path, fields) in [
        (&chief, "/block/1/approve", ""),
        (&admin, "/block/1/decline", "reason=ours"),
        (&admin, "/block/1/release", "reason=cleaned"),
        (&chief, "/blocks/freeze", "until=2099-06-30T18:00&reason=examinations"),
        (&admin, "/blocks/freeze", "until=&reason=over"),
        (&admin, "/blocks/reset", "reason=seen"),
    ] {
        assert_eq!(person.post(path, fields).await.status, StatusCode::SEE_OTHER, "{path}");
    }
    let heard = clerk.heard();
    let wanted = [
        "person duty Request",
        "person director Approve",
        "person network_admin Decline",
        "person network_admin Release",
        "person director Freeze",
        "person network_admin Freeze",
        "person network_admin Reset",
    ];
    assert_eq!(heard.len(), wanted.len(), "{heard:?}");
    assert!(heard.iter().zip(wanted).all(|(heard, wanted)| heard.starts_with(wanted)), "{heard:?}");

    for (person, path, fields) in [
        (&duty, "/block/1/approve", ""),
        (&duty, "/block/1/release", "reason=x"),
        (&chief, "/block/1/release", "reason=x"),
        (&auditor, "/blocks", "machine=10.1.0.7&reason=x"),
        (&duty, "/blocks/freeze", "until=&reason=x"),
    ] {
        assert_eq!(person.post(path, fields).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for (path, fields) in
        [("/block/1/decline", "reason=+"), ("/blocks/freeze", "until=2001-01-01T00:00&reason=x"), ("/blocks/reset", "reason=")]
    {
        assert_eq!(admin.post(path, fields).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(admin.post("/block/7/approve", "").await.status, StatusCode::NOT_FOUND);
    let wrong = duty.post("/blocks", "machine=printer&reason=it+scans+%3Cb%3E").await;
    assert!(wrong.text.contains("Give a MAC or IP address") && wrong.text.contains("it scans &#60;b&#62;"), "{}", wrong.text);
    assert!(clerk.heard().is_empty(), "nothing of that was wished");
}

#[tokio::test]
async fn pages_say_everything_of_a_case_in_both_languages() {
    let office = Office::new(false).await;
    let mut told = case(1, Phase::Refused);
    told.rails = rails();
    told.note = Note::ByHand.to_string();
    told.votes = vec![Approval { person: "Wang".into(), at: NOW }];
    keep(&office, told).await;
    keep(&office, case(2, Phase::Blocked)).await;
    let admin = Person::new(&office, Role::NetworkAdmin).await;
    for (lang, says) in [
        (
            "en",
            ["somebody has changed the port by hand", "Protected: a printer &#60;b&#62;", "access point", "TCP scan", "blocked", "observe"],
        ),
        ("zh-CN", ["有人手动改动了端口", "受保护：a printer &#60;b&#62;", "无线接入点", "扫描", "已封堵", "仅观察"]),
    ] {
        let pages = [
            admin.get("/blocks", lang).await,
            admin.get("/block/1", lang).await,
            admin.get("/block/2", lang).await,
            admin.get("/block/1/slip", lang).await,
        ];
        let all = pages.concat();
        for text in says {
            assert!(all.contains(text), "{lang}: {text}");
        }
        for key in ["blocking-", "incident-note-", "incident-rail-"] {
            let shown = all.split(['>', '"', '<']).find(|text| text.starts_with(key));
            assert_eq!(shown, None, "the key of a missing text in {lang}");
        }
        assert!(pages[1].contains("1.3.6.1.2.1.2.2.1.7.10117 = INTEGER: 2") && pages[2].contains("down(2)") && pages[2].contains("3.6"));
    }
    let blocked = admin.get("/block/2", "en").await;
    assert!(blocked.contains("/block/2/release") && !blocked.contains("/block/2/approve"), "{blocked}");
    let page = Person::new(&office, Role::Duty).await.get("/block/2", "en").await;
    assert!(!page.contains("/block/2/release"), "who may not is not offered it");
    let protected = admin.get("/blocks/protected?machine=10.1.0.9", "en").await;
    assert!(protected.contains("netroom.toml:7") && protected.contains("Li Ming"), "{protected}");
    assert!(admin.get("/blocks/protected?machine=10.1.0.8", "zh-CN").await.contains("没有任何条目或事实保护"));
    assert!(admin.get("/blocks?phase=released", "zh-CN").await.contains("当前没有未结束的封堵"));
    assert_eq!(admin.ask(Method::GET, "/blocks?phase=x", "en", String::new()).await.status, StatusCode::BAD_REQUEST);
}

#[test]
fn words_in_evidence_are_read_in_either_language() {
    for rail in rails() {
        for lang in Lang::ALL {
            assert_ne!(i18n::coded(lang, "rails", rail.word()), rail.word(), "{lang}");
        }
    }
    for note in Note::ALL {
        assert_eq!(Note::of(&note.to_string()), Some(note));
        assert!(Lang::ALL.into_iter().all(|lang| i18n::coded(lang, "note", note.word()) != note.word()));
    }
    assert_eq!(i18n::coded(Lang::ZhCn, "rails", "gone mode"), "端口上已看不到它；须由人同意");
    assert_eq!(i18n::coded(Lang::En, "note", "sw-a3 did not answer"), "sw-a3 did not answer", "what a device says stays as it is");
}

#[tokio::test]
async fn programs_read_cases_and_wish_but_are_never_the_second_person() {
    let office = Office::new(false).await;
    let clerk = Clerk::new(&office);
    keep(&office, case(1, Phase::Blocked)).await;
    let scopes = Permissions::NONE.with(Permission::ReadBlocks).with(Permission::RequestBlock).with(Permission::ReleaseBlock);
    let token = office.token(Role::NetworkAdmin, scopes).await;
    let send = async |method: Method, path: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
        let answer = office.ask(request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_owned())).unwrap()).await;
        (answer.status, serde_json::from_str::<Value>(&answer.text).unwrap_or_default())
    };
    let (status, all) = send(Method::GET, "/api/v1/blocks", "").await;
    let one = &all["blocks"][0];
    assert_eq!((status, one["mac"].as_str(), one["place"].as_str()), (StatusCode::OK, Some("00:25:90:00:00:09"), Some("sw-a3 Gi0/17")));
    assert_eq!((one["took_ms"].as_u64(), one["phase"].as_str()), (Some(3600), Some("blocked")));
    assert_eq!(send(Method::GET, "/api/v1/blocks/1", "").await.1["name"], "B1");
    assert_eq!(send(Method::GET, "/api/v1/blocks/2", "").await.0, StatusCode::NOT_FOUND);
    let (status, said) = send(Method::POST, "/api/v1/blocks", r#"{"machine": "10.1.0.77", "reason": "it scans"}"#).await;
    assert_eq!((status, said["answer"].as_str()), (StatusCode::OK, Some("case B1")));
    assert_eq!(send(Method::POST, "/api/v1/blocks/1/release", r#"{"reason": "cleaned"}"#).await.0, StatusCode::OK);
    assert!(clerk.heard().iter().all(|heard| heard.starts_with("person network_admin")));
    assert_eq!(send(Method::POST, "/api/v1/blocks", r#"{"machine": "10.1.0.77"}"#).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(send(Method::POST, "/api/v1/blocks/1/approve", "{}").await.0, StatusCode::FORBIDDEN);
    let (_, protected) = send(Method::GET, "/api/v1/blocks/protected?machine=10.1.0.9", "").await;
    assert_eq!((protected["lines"].as_array().map(Vec::len), protected["explained"][0]["rail"].as_str()), (Some(1), Some("protected")));
    assert!(!Permission::ApproveBlock.fits_token());
}

#[tokio::test]
async fn work_on_a_port_is_wished_on_its_page_by_those_who_may_and_never_by_a_token() {
    let office = Office::new(false).await;
    let clerk = Clerk::new(&office);
    let (admin, duty) = (Person::new(&office, Role::NetworkAdmin).await, Person::new(&office, Role::Duty).await);
    let (device, port, page) = ("core-1", "FortyGigE1/0/32", "/device/core-1/port/FortyGigE1%2F0%2F32");
    for (lang, words) in
        [("zh", ["端口操作", "重启端口（先关后开）", "操作本端口"]), ("en", ["Work on the port", "Shut it and open it again", "Do it"])]
    {
        let text = admin.get(page, lang).await;
        assert!(words.iter().all(|word| text.contains(word)), "{lang}: {text}");
    }
    assert!(!duty.get(page, "en").await.contains("Do it</button>"));
    assert_eq!(duty.post(page, "deed=down&reason=unused").await.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.post(page, "deed=bounce&reason=it+hangs").await.status, StatusCode::SEE_OTHER);
    assert_eq!(admin.post(page, "deed=vlan&pvid=20&reason=moved").await.status, StatusCode::SEE_OTHER);
    for wrong in ["deed=vlan&pvid=9999&reason=x", "deed=melt&reason=x", "deed=down&reason=+"] {
        assert_eq!(admin.post(page, wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let heard = clerk.heard();
    assert!(heard.len() == 2 && heard[0].contains("Bounce") && heard[1].contains("pvid: 20"), "{heard:?}");
    assert!(!Permission::WorkOnPorts.fits_token());

    let work = Work { device: device.into(), port: port.into(), deed: Deed::Down, reason: "unused <b>".into() };
    for came in [Came::Done, Came::Refused { rails: vec![Rail::Trunk] }, Came::Failed { said: Note::NoVlan.to_string() }] {
        let payload = serde_json::json!({ "deed": work.deed, "reason": work.reason, "came": came });
        let entry = Entry::new(NOW, Actor::person("Lina", Via::Web), "port.worked", format!("port:{device}/{port}"), payload);
        office.store.write(move |file| journal::append(file, &entry).map(drop)).await.unwrap();
    }
    let text = admin.get(page, "zh").await;
    for words in ["已完成", "未执行", "该端口通向其他交换机", "unused &#60;b&#62;", "Lina"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let token = office.token(Role::NetworkAdmin, Permissions::NONE.with(Permission::RequestBlock)).await;
    let request = Request::post("/api/v1/ports/1/work").header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
    let body = Body::from(r#"{"deed": "down", "reason": "x"}"#);
    let answer = office.ask(request.header(CONTENT_TYPE, "application/json").body(body).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
