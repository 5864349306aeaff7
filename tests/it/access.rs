//! Who gets what: every row of the table of routes for every role, by session and by token; forms of other sites; logging in
//! and out as a browser does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use netroom::accounts::{self, Accounts, NewAccount, Permission, Permissions, Role, Rules, Token};
use netroom::block::counter::{self, Counter};
use netroom::block::gate::Rail;
use netroom::capture::recording::{self, Desk};
use netroom::config::block::{BlockSettings, Guarded, ProtectSettings};
use netroom::detect::MachineKey;
use netroom::journal::{Actor, Via};
use netroom::locate::class::Infrastructure;
use netroom::locate::seek::{Seeker, Sought, Wanted, seek};
use netroom::locate::{Binding, DeviceTables, Scene, Seat};
use netroom::model::{MacAddr, Zone};
use netroom::store::Store;
use netroom::web::{AccessRules, addresses, protect, router};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::web::fixture::{NOW, World};

/// One line that protects, and the machine that it is about.
struct Town;

impl counter::Rules for Town {
    fn settings(&self) -> Arc<BlockSettings> {
        let printer = ProtectSettings {
            place: "netroom.toml:7".into(),
            guarded: Guarded::Who("10.1.0.9".parse().unwrap()),
            owner: "Li Ming".into(),
            reason: "the registry's printer".into(),
            until: None,
        };
        Arc::new(BlockSettings { protected: vec![printer], ..BlockSettings::default() })
    }

    fn explain(&self, machine: MachineKey) -> Vec<Rail> {
        let line = || Rail::Protected { line: "netroom.toml:7".into(), reason: "the registry's printer".into(), owner: "Li Ming".into() };
        if machine.to_string() == "10.1.0.9" { vec![line()] } else { Vec::new() }
    }
}

/// A switch with one machine on Gi0/17 and two behind Gi0/18, and a router that knows the first by 10.1.0.77.
impl Seeker for Town {
    fn seek(&self, wanted: Wanted) -> Vec<Sought> {
        let seat = |last, if_index| Seat { mac: mac(last), vlan: 20, if_index, since: NOW, seen: NOW };
        let names = [(17, "Gi0/17"), (18, "Gi0/18")].map(|(if_index, name)| (if_index, Arc::from(name)));
        let switch = DeviceTables {
            at: NOW,
            ports: Arc::new(names.into()),
            seats: Arc::from([seat(7, 18), seat(8, 18), seat(9, 17)]),
            ..DeviceTables::empty("sw-a3".into(), Zone::Outer)
        };
        let bound = Binding { address: [10, 1, 0, 77].into(), mac: Some(mac(9)), if_index: 1, since: NOW, seen: NOW };
        let router = DeviceTables { bindings: Arc::from([bound]), ..DeviceTables::empty("core-1".into(), Zone::Outer) };
        let all = [Arc::new(switch), Arc::new(router)];
        let infrastructure = Infrastructure::new(&all, &|_| None);
        let scene = Scene { all: &all, infrastructure: &infrastructure, is_listed: &|_, _| false, is_up: &|_, _| None };
        seek(&scene, wanted, NOW)
    }
}

fn mac(last: u8) -> MacAddr {
    MacAddr([0, 0x25, 0x90, 0, 0, last])
}

const PASSWORD: &str = "correct horse battery";

pub(crate) struct Office {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) store: Store,
    app: Arc<netroom::web::App>,
    routes: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The word of a refusal in JSON; empty for other answers.
    fn code(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.text).unwrap_or_default();
        value["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// What a browser would send back.
    fn jar(&self) -> String {
        self.cookies().iter().map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
    }
}

impl Office {
    /// An office with one account for each role, all with one password.
    pub(crate) async fn new(anonymous: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        let hashed = accounts::password::hash(PASSWORD).unwrap();
        for role in Role::ALL {
            let new = NewAccount {
                login: login(role),
                person: format!("person {role}"),
                roles: vec![role],
                password: hashed.clone(),
                must_change: false,
            };
            store.write(move |change| accounts::add(change, NOW, &Actor::nobody(Via::Cli), &new)).await.unwrap().unwrap();
        }
        let rules = recording::Rules { interfaces: vec!["eth1".into()], ..recording::Rules::default() };
        let desk = Arc::new(Desk::new(store.clone(), dir.path(), rules));
        let counter = Arc::new(Counter::new(store.clone(), Arc::new(Town)));
        let accounts = Arc::new(Accounts::open(store.clone(), Rules::default()).unwrap());
        let rules = AccessRules { anonymous, proxies: Vec::new() };
        let app = World::new(NOW).app(CancellationToken::new()).with_clock(|| NOW);
        let app = app
            .with_places(Arc::new(Town))
            .with_blocks(counter)
            .with_recordings(Arc::clone(&desk))
            .with_accounts(Arc::clone(&accounts), rules);
        let app = Arc::new(app);
        Self { dir, accounts, desk, store, routes: router(Arc::clone(&app)), app }
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // A live stream has no end: its head says enough.
        let is_stream = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let bytes = if is_stream { Default::default() } else { body.collect().await.unwrap().to_bytes() };
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// A session as if the account had just logged in.
    pub(crate) async fn session(&self, role: Role) -> Token {
        let token = Token::random().unwrap();
        let (hash, login) = (token.hash(), login(role));
        let sql = "INSERT INTO session (account, hash, source, agent, created_ms, seen_ms, expires_ms)
                   SELECT id, ?1, '', '', ?2, ?2, ?2 + 1000000 FROM account WHERE login = ?3";
        self.accounts.store().write(move |change| change.execute(sql, (hash, NOW.millis(), login))).await.unwrap();
        token
    }

    pub(crate) async fn token(&self, role: Role, scopes: Permissions) -> Token {
        let token = Token::random().unwrap();
        let (hash, login) = (token.hash(), login(role));
        let new = move |change: &_| {
            let new = ("test", scopes, NOW + Duration::from_secs(1000), hash);
            accounts::add_token(change, NOW, &Actor::nobody(Via::Cli), &login, new)
        };
        self.accounts.store().write(new).await.unwrap().unwrap();
        token
    }
}

fn login(role: Role) -> String {
    format!("a.{}", role.word())
}

/// An address of a row: names that lead to nothing.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{id}" => "999999",
        "{kind}" => "bits",
        "{file}" => "day.svg",
        "{link}" => "nolink",
        part if part.starts_with('{') => "x",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn request(method: &Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(filled(path)).header(ACCEPT, "application/json")
}

fn with_session(method: &Method, path: &str, session: &Token) -> Request<Body> {
    let body = format!("csrf={}", session.derive("netroom form"));
    request(method, path)
        .header(COOKIE, format!("netroom_session={}", session.reveal()))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// What is not granted is refused; what is granted is not; a method that is in no row is nobody's.
#[tokio::test]
async fn every_row_opens_to_those_who_may_and_to_nobody_else() {
    let office = Office::new(false).await;
    let (mut tried, mut refused) = (0, 0);
    for (row_method, path, permission) in addresses() {
        for role in Role::ALL {
            let may = permission.is_none_or(|permission| accounts::granted(role).has(permission));
            let session = office.session(role).await;
            let answer = office.ask(with_session(&row_method, path, &session)).await;
            let is_refusal = matches!(answer.code().as_str(), "log_in" | "forbidden" | "cross_site" | "bad_token");
            assert_eq!(is_refusal, !may, "{role} {row_method} {path}: {} {}", answer.status, answer.text);
            assert!(may || answer.status == StatusCode::FORBIDDEN, "{role} {row_method} {path}: {}", answer.status);
            tried += 1;
            refused += usize::from(!may);
        }
        let answer = office.ask(request(&row_method, path).body(Body::empty()).unwrap()).await;
        let locked = answer.status == StatusCode::UNAUTHORIZED && answer.code() == "log_in";
        assert_eq!(locked, permission.is_some(), "nobody {row_method} {path}: {}", answer.status);
    }
    let rows = addresses();
    let session = office.session(Role::SystemAdmin).await;
    for path in rows.iter().map(|(_, path, _)| *path).collect::<std::collections::BTreeSet<_>>() {
        for method in METHODS {
            let as_read = if method == Method::HEAD { Method::GET } else { method.clone() };
            if !rows.iter().any(|(of_row, of, _)| *of == path && *of_row == as_read) {
                let answer = office.ask(with_session(&method, path, &session)).await;
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path} is in no row");
            }
        }
    }
    println!("{tried} askings, {refused} of them refused");
    assert!(tried >= rows.len() * Role::ALL.len() && refused > 50);
}

#[tokio::test]
async fn tokens_open_what_both_scope_and_account_give() {
    let office = Office::new(false).await;
    for role in [Role::Viewer, Role::SystemAdmin, Role::Auditor] {
        for scope in Permission::ALL.into_iter().filter(|scope| scope.fits_token()) {
            let token = office.token(role, Permissions::NONE.with(scope)).await;
            for (method, path, permission) in addresses() {
                let Some(permission) = permission else { continue };
                let may = permission == scope && accounts::granted(role).has(permission);
                let bearer = request(&method, path).header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
                let answer = office.ask(bearer.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.code() != "forbidden", may, "{role} {scope:?} {method} {path}: {} {}", answer.status, answer.text);
            }
        }
    }
    for bad in ["Bearer x", &format!("Bearer {}", Token::random().unwrap().reveal())] {
        let answer = office.ask(request(&Method::GET, "/").header(AUTHORIZATION, bad).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "bad_token"));
        let alive = office.ask(request(&Method::GET, "/healthz").header(AUTHORIZATION, bad).body(Body::empty()).unwrap()).await;
        assert_eq!(alive.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn where_strangers_may_look_they_may_only_look() {
    let office = Office::new(true).await;
    for (method, path, permission) in addresses() {
        let may =
            permission.is_none_or(|permission| matches!(permission, Permission::Read | Permission::Metrics | Permission::ReadDetections));
        let answer = office.ask(request(&method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.code() == "log_in", !may, "{method} {path}: {}", answer.status);
    }
}

#[tokio::test]
async fn nothing_is_told_about_addresses_that_are_none() {
    let office = Office::new(false).await;
    for path in ["/nowhere", "/api/v1/nowhere", "/device", "/users/a/b/c"] {
        let answer = office.ask(Request::get(path).header(ACCEPT, "application/json").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.code(), "log_in", "{path}");
    }
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let office = Office::new(false).await;
    let session = office.session(Role::SystemAdmin).await;
    let mark = session.derive("netroom form");
    let send = async |body: String, headers: &[(&'static str, &'static str)]| {
        let mut request = Request::post("/users/x/disable")
            .header(ACCEPT, "application/json")
            .header(COOKIE, format!("netroom_session={}", session.reveal()))
            .header("host", "room");
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        office.ask(request.body(Body::from(body)).unwrap()).await.code()
    };
    let good = format!("csrf={mark}");
    for (body, headers, refused) in [
        (good.clone(), vec![], false),
        (good.clone(), vec![("sec-fetch-site", "same-origin")], false),
        (good.clone(), vec![("sec-fetch-site", "cross-site")], true),
        (good.clone(), vec![("origin", "http://evil")], true),
        (good.clone(), vec![("origin", "http://room")], false),
        (String::new(), vec![], true),
        ("csrf=".to_owned(), vec![], true),
        (format!("csrf={}", Token::random().unwrap().derive("netroom form")), vec![("sec-fetch-site", "same-origin")], true),
        (format!("x=1&{good}"), vec![], false),
        ("{}".to_owned(), vec![("content-type", "application/json")], false),
        ("{}".to_owned(), vec![("content-type", "application/json"), ("origin", "http://evil")], true),
        (good, vec![("content-type", "text/plain"), ("origin", "null")], true),
    ] {
        assert_eq!(send(body.clone(), &headers).await == "cross_site", refused, "{body} {headers:?}");
    }
}

/// As a browser: refused with the page of the login, in, around, and out again.
#[tokio::test]
async fn logging_in_and_out() {
    let office = Office::new(false).await;
    for (lang, title) in [("zh-CN", "登录"), ("en", "Log in")] {
        let page = office.ask(Request::get("/ports?q=1").header(ACCEPT_LANGUAGE, lang).body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert!(page.text.contains(&format!("<h1>{title}</h1>")) && page.text.contains("value=\"/ports?q=1\""), "{}", page.text);
        assert!(!page.text.contains("core-1"), "nothing of the network is told");
    }
    let events = office.ask(Request::get("/events?view=overview").header(ACCEPT, "text/event-stream").body(Body::empty()).unwrap()).await;
    assert_eq!((events.status, events.code().as_str()), (StatusCode::UNAUTHORIZED, "log_in"));

    let enter = async |password: &str| {
        let form = format!("login=a.system_admin&password={}&code=&next=%2Fports%3Fq%3D1", password.replace(' ', "+"));
        let request = Request::post("/login").header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(form)).unwrap();
        office.ask(request).await
    };
    let wrong = enter("wrong wrong wrong").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.cookies().is_empty() && wrong.text.contains("role=\"alert\"") && !wrong.text.contains("wrong wrong wrong"));
    let entered = enter(PASSWORD).await;
    assert_eq!((entered.status, entered.headers[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/ports?q=1"));
    assert!(
        entered.cookies().iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"))
    );
    let jar = entered.jar();
    let get = async |path: &str, lang: &str| {
        office.ask(Request::get(path).header(COOKIE, &jar).header(ACCEPT_LANGUAGE, lang).body(Body::empty()).unwrap()).await
    };
    for path in ["/", "/ports", "/account", "/users"] {
        for lang in ["zh-CN", "en"] {
            let page = get(path, lang).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(!page.text.contains("access-") && page.text.contains("<h1"), "{path} in {lang} shows the key of a missing text");
            assert!(page.text.contains("person system_admin"), "{path} does not say who reads");
        }
    }
    let mark = get("/account", "en").await.text;
    let mark = mark.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let leave = Request::post("/logout")
        .header(COOKIE, &jar)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("csrf={mark}")))
        .unwrap();
    let left = office.ask(leave).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    assert!(left.cookies().iter().any(|cookie| cookie.starts_with("netroom_session=;") && cookie.contains("Max-Age=0")));
    assert_eq!(get("/", "en").await.status, StatusCode::UNAUTHORIZED, "the old cookie is worth nothing");
}

/// A stream that is open ends soon after its reader is shut out.
#[tokio::test(start_paused = true)]
async fn an_open_stream_ends_with_its_session() {
    let office = Office::new(false).await;
    let session = office.session(Role::Viewer).await;
    let response = office.routes.clone().oneshot(with_session(&Method::GET, "/events?view=overview", &session)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let change = move |change: &_| accounts::set_disabled(change, NOW, &Actor::nobody(Via::Cli), "a.viewer", true);
    office.accounts.store().write(change).await.unwrap().unwrap();
    let began = tokio::time::Instant::now();
    response.into_body().collect().await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_exposition_takes_a_token_where_strangers_may_not_look() {
    for anonymous in [true, false] {
        let office = Office::new(anonymous).await;
        let routes = Router::new().route("/metrics", axum::routing::get(|| async { "netroom_up 1\n" }));
        let routes = protect(&office.app, routes, Permission::Metrics);
        let ask = async |token: Option<&Token>| {
            let mut request = Request::get("/metrics");
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
            }
            let answer = routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert!(answer.headers().contains_key("x-content-type-options"));
            answer.status()
        };
        assert_eq!(ask(None).await == StatusCode::OK, anonymous);
        let (fits, other) = (Permissions::NONE.with(Permission::Metrics), Permissions::NONE.with(Permission::Read));
        assert_eq!(ask(Some(&office.token(Role::Viewer, fits).await)).await, StatusCode::OK);
        assert_eq!(ask(Some(&office.token(Role::Viewer, other).await)).await, StatusCode::FORBIDDEN);
        assert_eq!(ask(Some(&Token::random().unwrap())).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_auditor_reads_the_journal() {
    let office = Office::new(false).await;
    let session = office.session(Role::Auditor).await;
    let get = async |path: &str, lang: &str| {
        let cookie = format!("netroom_session={}", session.reveal());
        office.ask(Request::get(path).header(COOKIE, cookie).header(ACCEPT_LANGUAGE, lang).body(Body::empty()).unwrap()).await
    };
    for lang in ["zh-CN", "en"] {
        let page = get("/journal", lang).await;
        assert!(page.text.contains("account.added") && page.text.contains("account:a.viewer") && !page.text.contains("access-"), "{lang}");
    }
    let events: serde_json::Value = serde_json::from_str(&get("/api/v1/journal?before=3", "en").await.text).unwrap();
    let numbers: Vec<i64> = events["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(events["events"][1]["payload"]["roles"], serde_json::json!(["viewer"]));
}
