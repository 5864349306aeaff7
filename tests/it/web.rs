//! The dashboard from outside: the router over the demo's campus and over devices as nobody wants them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use netroom::model::PortMetric;
use netroom::ports::live::{DeviceLive, DeviceState, PortLive, PortState};
use netroom::web::{App, router, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

#[path = "../fixtures/web/mod.rs"]
pub(crate) mod fixture;

use fixture::{HOSTILE, NOW, World};

/// The pages that everybody opens.
const PAGES: [&str; 12] = [
    "/",
    "/detect",
    "/devices",
    "/device/core-1",
    "/device/acc-b3",
    "/device/core-1/port/FortyGigE1%2F0%2F32",
    "/device/core-1/port/FortyGigE1%2F0%2F32?kind=errors",
    "/ports",
    "/ports?state=up&sort=-in&q=gig",
    "/search?q=acc",
    "/help",
    "/traffic",
];

struct Site {
    world: World,
    app: Arc<App>,
    routes: Router,
    closing: CancellationToken,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Site {
    fn new() -> Self {
        Self::over(World::new(NOW))
    }

    fn over(world: World) -> Self {
        let closing = CancellationToken::new();
        let app = Arc::new(world.app(closing.clone()).with_clock(|| NOW));
        app.look();
        Self { routes: router(Arc::clone(&app)), app, world, closing }
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn get_in(&self, path: &str, lang: &str) -> Answer {
        self.ask(Request::get(path).header(ACCEPT_LANGUAGE, lang).body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn every_page_opens_in_both_languages_with_no_text_missing() {
    let site = Site::new();
    for path in PAGES {
        for lang in ["zh-CN", "en"] {
            let answer = site.get_in(path, lang).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert_eq!(answer.header("content-language"), lang, "{path}");
            let page = answer.text();
            assert!(page.contains(&format!("<html lang=\"{lang}\"")), "{path}");
            assert!(!page.contains("web-"), "{path} in {lang} shows the key of a missing text");
            assert!(page.contains("<h1"), "{path} has no heading");
        }
    }
}

#[tokio::test]
async fn the_parts_that_answer_whether_all_is_well_read_as_they_should() {
    let site = Site::over(World::bad(NOW));
    for lang in ["zh-CN", "en"] {
        let page = site.get_in("/", lang).await;
        let verdict = between(page.text(), "<section id=\"now\"", "</section>");
        let troubles = between(page.text(), "<div id=\"troubles\">", "</section>");
        insta::assert_snapshot!(format!("web_overview_{lang}"), format!("{}\n----\n{}", plain(verdict), plain(troubles)));
        let page = site.get_in(&format!("/device/{}", encoded(HOSTILE)), lang).await;
        insta::assert_snapshot!(format!("web_device_{lang}"), plain(between(page.text(), "<header id=\"head\"", "</main>")));
    }
}

/// What a reader without a screen would be told, one line a block.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = rest[start..].find('>').unwrap();
        let tag = &rest[start..start + end];
        if ["<li", "<tr", "<h1", "<h2", "<h3", "<p", "<dt", "</thead", "<div"].iter().any(|block| tag.starts_with(block)) {
            text.push('\n');
        } else {
            text.push(' ');
        }
        rest = &rest[start + end + 1..];
    }
    text.push_str(rest);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("no {start:?}"));
    let from = from + text[from..].find('>').unwrap() + 1;
    &text[from..from + text[from..].find(end).unwrap()]
}

/// The values of these attributes in a page, unescaped.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in [" href=\"", " src=\"", " action=\"", " hx-get=\"", " data-url=\""] {
        for part in page.split(attribute).skip(1) {
            found.push(part.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&").replace("&#39;", "'"));
        }
    }
    found
}

#[tokio::test]
async fn every_link_leads_somewhere_and_none_leads_out() {
    let site = Site::new();
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<String> = ["/".to_owned(), format!("/device/{}", encoded(HOSTILE))].into();
    let mut pages = 0;
    while let Some(path) = queue.pop_front() {
        // Sorting and paging make endless addresses of the same page; each kind of page is followed a few times.
        let kind: String = path.split(['?', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).next().unwrap().to_owned();
        if !seen.insert(path.clone()) || seen.iter().filter(|other| other.starts_with(&kind)).count() > 12 {
            continue;
        }
        let answer = site.get(&path).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{path}: {}", answer.status);
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        pages += 1;
        for link in links(answer.text()).into_iter().filter(|link| !link.starts_with('#')) {
            let absolute = if link.starts_with('?') { format!("{}{link}", path.split('?').next().unwrap()) } else { link };
            assert!(absolute.starts_with('/') && !absolute.starts_with("//"), "{path} leads out: {absolute}");
            queue.push_back(absolute.split('#').next().unwrap().to_owned());
        }
    }
    assert!(pages > 40, "only {pages} pages were reached");
}

#[tokio::test]
async fn nothing_in_pages_and_assets_names_another_host() {
    let site = Site::new();
    let mut assets = BTreeSet::new();
    for path in PAGES {
        let answer = site.get(path).await;
        let page = answer.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains("http://") && !page.contains("https://"), "{path}");
        assets.extend(links(answer.text()).into_iter().filter(|link| link.starts_with("/assets/")));
    }
    assert!(assets.len() >= 6, "{assets:?}");
    for path in assets {
        let answer = site.get(&path).await;
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        // A namespace, and the address in the licence comment at the head of uPlot, are no requests.
        let text = answer.text().replace("http://www.w3.org/2000/svg", "").replace("/*! https://github.com/leeoniya/uPlot", "");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path}");
        assert!(!text.contains("@import") && !text.contains("url("), "{path}");
    }
}

#[tokio::test]
async fn browsers_are_told_to_trust_nothing_but_us_and_pages_need_no_exception() {
    let site = Site::new();
    for path in PAGES.into_iter().chain(["/healthz", "/api/v1/devices", "/nowhere", "/ports.csv"]) {
        let answer = site.get(path).await;
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        let is_page = answer.header("content-type").starts_with("text/html");
        let text = if is_page { answer.text() } else { "" };
        for forbidden in [" style=\"", "<style", "<script>", " onclick=", " onload=", "javascript:"] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn what_a_device_says_stays_text() {
    let site = Site::new();
    let device = encoded(HOSTILE);
    let ports = ["%3Ci%3E1%3C%2Fi%3E", "a%2Fb%2F..%2Fc", "%3Dcmd()", "100%25"];
    let mut paths =
        vec!["/".to_owned(), format!("/device/{device}"), "/ports?per=500".into(), "/search?q=%3Cscript%3E".into(), "/devices".into()];
    paths.extend(ports.map(|port| format!("/device/{device}/port/{port}")));
    for path in paths {
        let answer = site.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let page = answer.text();
        for markup in ["<script>", "<img src=x", "<svg onload", "<b>x</b>", "<i>1</i>", "</title><script"] {
            assert!(!page.contains(markup), "{path} lets {markup} through");
        }
    }
    let page = site.get(&format!("/device/{device}")).await;
    assert!(page.text().contains("&#60;script&#62;alert(5)&#60;/script&#62;"), "the alias is not shown");
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn a_port_is_reached_with_its_slashes_encoded_or_bare() {
    let site = Site::new();
    for path in ["/device/core-1/port/FortyGigE1%2F0%2F32", "/device/core-1/port/FortyGigE1/0/32"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.text().contains("FortyGigE1/0/32"));
    }
}

#[tokio::test]
async fn the_language_follows_the_switch_then_the_cookie_then_the_browser() {
    let site = Site::new();
    let ask = async |path: &str, cookie: &str, accept: &str| {
        let request = Request::get(path).header(COOKIE, cookie).header(ACCEPT_LANGUAGE, accept);
        site.ask(request.body(Body::empty()).unwrap()).await
    };
    let switched = ask("/?lang=en", "lang=zh-CN", "zh-CN").await;
    assert_eq!(switched.header("content-language"), "en");
    assert!(switched.headers[SET_COOKIE].to_str().unwrap().starts_with("lang=en; Path=/"));
    assert_eq!(ask("/", "lang=en", "zh-CN").await.header("content-language"), "en");
    assert_eq!(ask("/", "", "en-GB,en;q=0.8").await.header("content-language"), "en");
    assert_eq!(ask("/", "", "de").await.header("content-language"), "zh-CN");
    let dark = ask("/?theme=dark", "", "").await;
    assert!(dark.text().contains("data-theme=\"dark\""));
    assert!(ask("/", "theme=dark", "").await.text().contains("data-theme=\"dark\""));
}

#[tokio::test]
async fn failures_say_what_to_do_to_people_and_are_json_to_programs() {
    let site = Site::new();
    for (path, status, word) in [
        ("/nowhere", 404, "There is no such page"),
        ("/device/x%3Cy", 404, "There is no device named “x&#60;y”"),
        ("/device/core-1/port/Gi9", 404, "There is no port “core-1 Gi9”"),
        ("/events?view=none", 400, "The parameter “view” cannot be understood"),
    ] {
        let answer = site.get_in(path, "en").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.text().contains(word), "{path}: {}", plain(answer.text()));
        assert!(answer.text().contains("href=\"/devices\""), "{path} shows no way on");
    }
    for (path, status, code) in [
        ("/api/v1/nothing", 404, "no_page"),
        ("/api/v1/devices/none", 404, "no_device"),
        ("/api/v1/ports/424242", 404, "no_port"),
        ("/api/v1/ports/1/history?from=5&to=4", 400, "bad_parameter"),
        ("/api/v1/ports/1/history?from=0&to=1000000000&step=1", 400, "bad_parameter"),
        ("/api/v1/ports/1/history?metrics=in_octets,nonsense", 400, "bad_parameter"),
        ("/api/v1/ports/1/percentile?percent=101", 400, "bad_parameter"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.json()["error"]["code"], code, "{path}");
    }
    let asked = Request::get("/nowhere").header(ACCEPT, "application/json").body(Body::empty()).unwrap();
    assert_eq!(site.ask(asked).await.json()["error"]["code"], "no_page");
    let posted = Request::post("/ports").body(Body::empty()).unwrap();
    assert_eq!(site.ask(posted).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// All rows of the list of ports as the API gives them, page after page: (device, port).
async fn rows(site: &Site, query: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for page in 1.. {
        let answer = site.get(&format!("/api/v1/ports?{query}&per=37&page={page}")).await.json();
        for port in answer["ports"].as_array().unwrap() {
            rows.push((port["device"].as_str().unwrap().to_owned(), port["name"].as_str().unwrap().to_owned()));
        }
        if page >= answer["pages"].as_u64().unwrap() {
            assert_eq!(answer["found"].as_u64().unwrap() as usize, rows.len(), "{query}");
            return rows;
        }
    }
    rows
}

/// The same by looking at the table plainly.
fn expected(site: &Site, keep: impl Fn(&DeviceLive, &PortLive) -> bool) -> BTreeMap<(String, String), PortLive> {
    let mut ports = BTreeMap::new();
    for cell in site.world.live.devices().iter() {
        let device = cell.load();
        for port in device.ports.iter().filter(|port| keep(&device, port)) {
            ports.insert((device.label.name.to_string(), port.identity.name.to_string()), port.clone());
        }
    }
    ports
}

#[tokio::test]
async fn filters_find_what_a_plain_look_at_the_table_finds() {
    let site = Site::new();
    type Keep = fn(&DeviceLive, &PortLive) -> bool;
    let cases: [(&str, Keep); 7] = [
        ("", |_, _| true),
        ("state=up", |_, port| port.state == PortState::Up),
        ("state=shut&device=acc-a1", |device, port| port.state == PortState::Shut && &*device.label.name == "acc-a1"),
        ("q=camera%20acc-b3", |_, _| false),
        ("q=%E6%91%84%E5%83%8F%E5%A4%B4", |_, port| port.identity.alias.as_str().contains("摄像头")),
        ("min=0.5", |_, port| port.utilisation_percent().is_some_and(|used| used >= 0.5)),
        ("errors=1", |_, port| {
            let bad = [PortMetric::InErrors, PortMetric::OutErrors, PortMetric::InDiscards, PortMetric::OutDiscards];
            bad.into_iter().filter_map(|metric| port.rate(metric)).sum::<f64>() > 0.0
        }),
    ];
    for (query, keep) in cases {
        let found: BTreeSet<_> = rows(&site, query).await.into_iter().collect();
        let wanted: BTreeSet<_> = expected(&site, keep).into_keys().collect();
        assert_eq!(found, wanted, "{query}");
    }
}

#[tokio::test]
async fn every_column_sorts_both_ways_and_unknown_stands_last() {
    let site = Site::new();
    let all = expected(&site, |_, _| true);
    type Number = fn(&PortLive) -> Option<f64>;
    let columns: [(&str, Number); 4] = [
        ("in", |port| port.in_bps()),
        ("out", |port| port.out_bps()),
        ("used", |port| port.utilisation_percent()),
        ("speed", |port| port.identity.speed_bps.map(|speed| speed as f64)),
    ];
    for (column, number) in columns {
        for (sign, descending) in [("", false), ("-", true)] {
            let values: Vec<Option<f64>> = rows(&site, &format!("sort={sign}{column}")).await.iter().map(|row| number(&all[row])).collect();
            assert_eq!(values.len(), all.len());
            let known: Vec<f64> = values.iter().copied().take_while(Option::is_some).flatten().collect();
            assert_eq!(known.len(), values.iter().flatten().count(), "{sign}{column}: an unknown value stands before a known one");
            assert!(known.windows(2).all(|pair| if descending { pair[0] >= pair[1] } else { pair[0] <= pair[1] }), "{sign}{column}");
        }
    }
    let names = rows(&site, "sort=name&device=acc-b3&q=GigabitEthernet1").await;
    let tens = names.iter().position(|row| row.1 == "GigabitEthernet1/0/10").unwrap();
    let twos = names.iter().position(|row| row.1 == "GigabitEthernet1/0/2").unwrap();
    assert!(twos < tens, "names do not sort as people count");
}

#[tokio::test]
async fn one_search_box_finds_devices_ports_and_addresses() {
    let site = Site::new();
    let ports = expected(&site, |_, port| port.identity.mac.is_some());
    let ((device, name), port) = ports.iter().find(|((device, _), _)| device == "acc-a1").unwrap();
    let mac = port.identity.mac.unwrap().to_string();
    let digits: String = mac.chars().filter(char::is_ascii_hexdigit).collect();
    let page = format!("/device/{device}/port/{}", name.replace('/', "%2F"));
    for written in [mac.to_uppercase(), mac.replace(':', "-"), format!("{}.{}.{}", &digits[..4], &digits[4..8], &digits[8..])] {
        let answer = site.get(&format!("/search?q={}", encoded(&written))).await;
        assert_eq!(answer.headers[LOCATION].to_str().unwrap(), page, "{written}");
    }
    assert_eq!(site.get("/search?q=CORE-1").await.headers[LOCATION].to_str().unwrap(), "/device/core-1");
    assert!(site.get("/search?q=192.0.2.21").await.text().contains("/device/sw-c2-3f"));
    assert!(site.get_in("/search?q=zzzz", "en").await.text().contains("Nothing found for “zzzz”"));
}

#[tokio::test]
async fn a_spreadsheet_gets_text_and_no_formulas() {
    let site = Site::new();
    let answer = site.get("/ports.csv?sort=device").await;
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let text = answer.text();
    assert!(text.starts_with('\u{feff}'));
    assert!(text.contains("\"'=cmd()\""), "a port named =cmd() is a formula");
    assert_eq!(text.lines().count(), 1 + expected(&site, |_, _| true).len());
    let history = site.get("/api/v1/ports/1/history.csv?step=300").await;
    assert_eq!(history.text().lines().count(), 1 + 86_400 / 300);
}

#[tokio::test]
async fn the_feed_of_the_chart_has_equal_steps_and_tells_gaps() {
    let site = Site::new();
    let answer = site.get("/api/v1/ports/1/history?from=1795400000&to=1795486400&step=3600").await.json();
    assert_eq!(answer["step"], 3600);
    assert_eq!(answer["unit"], "bit/s");
    let curves = answer["s"].as_array().unwrap();
    assert_eq!(curves[0].as_array().unwrap().len(), curves[1].as_array().unwrap().len());
    let metrics = site.get("/api/v1/ports/1/history?metrics=in_ucast,out_ucast").await.json();
    assert_eq!(metrics["metrics"], serde_json::json!(["in_ucast", "out_ucast"]));
    let image = site.get("/graph/1/traffic/day.png").await;
    assert_eq!(&image.bytes[..8], b"\x89PNG\r\n\x1a\n");
    assert!(site.get("/graph/1/traffic/week.svg").await.text().starts_with("<svg"));
    assert_eq!(site.get("/graph/1/traffic/decade.svg").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn changes_of_state_are_listed_once_and_in_words() {
    let site = Site::new();
    let cell = Arc::clone(&site.world.live.devices()[0]);
    let before = cell.load();
    let mut next = DeviceLive::clone(&before);
    let mut ports = next.ports.to_vec();
    let uplink = ports.iter().position(|port| port.state == PortState::Up).unwrap();
    ports[uplink].state = PortState::Down;
    let name = ports[uplink].identity.name.to_string();
    next.ports = ports.into();
    cell.store(Arc::new(next));
    site.app.look();
    site.app.look();
    let changes = site.get("/api/v1/changes").await.json();
    assert_eq!(changes["changes"].as_array().unwrap().len(), 1);
    assert_eq!(changes["changes"][0]["port"], name);
    assert_eq!(changes["changes"][0]["to"], "down");
    assert!(plain(site.get_in("/", "en").await.text()).contains("Link down"));

    // A device that falls silent is one change, not one for each of its ports.
    let mut silent = DeviceLive::clone(&cell.load());
    silent.health.state = DeviceState::Down;
    silent.ports = silent.ports.iter().map(|port| PortLive { state: PortState::Unknown, ..port.clone() }).collect();
    cell.store(Arc::new(silent));
    site.app.look();
    assert_eq!(site.get("/api/v1/changes").await.json()["changes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn readiness_waits_for_the_first_polls() {
    let site = Site::new();
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(site.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let devices: Vec<_> =
        site.world.live.devices().iter().filter(|cell| cell.load().health.state != DeviceState::Unknown).cloned().collect();
    site.world.live.set_devices(devices);
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn no_page_weighs_more_than_a_hundred_kilobytes_with_its_scripts() {
    let site = Site::new();
    let size = async |path: &str| {
        let request = Request::get(path).header(ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap();
        let answer = site.ask(request).await;
        assert_eq!(answer.header("content-encoding"), "gzip", "{path}");
        answer.bytes.len()
    };
    for path in PAGES {
        let page = site.get(path).await;
        let assets: BTreeSet<_> =
            links(page.text()).into_iter().filter(|link| link.starts_with("/assets/") && !link.ends_with(".svg")).collect();
        let mut total = size(path).await;
        for asset in assets {
            total += size(&asset).await;
        }
        assert!(total <= 100 * 1024, "{path} weighs {total} B");
    }
}

/// A server on loopback with a stream open: (its task, the stream's socket).
async fn open_stream(site: &Site, path: &str) -> (tokio::task::JoinSet<()>, tokio::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (routes, closing) = (site.routes.clone(), site.closing.clone());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { serve(listener, routes, closing, Duration::from_secs(60)).await.unwrap() });
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept-language: en\r\n\r\n").as_bytes()).await.unwrap();
    (tasks, socket)
}

async fn read_until(socket: &mut tokio::net::TcpStream, wanted: &str) -> String {
    let mut read = Vec::new();
    let mut chunk = vec![0; 65_536];
    while !String::from_utf8_lossy(&read).contains(wanted) {
        let n = socket.read(&mut chunk).await.unwrap();
        assert!(n > 0, "the stream ended before {wanted:?}");
        read.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn an_open_live_stream_does_not_hold_up_the_stop() {
    let site = Site::new();
    let (mut server, mut socket) = open_stream(&site, "/events?view=overview").await;
    let first = read_until(&mut socket, "hx-target=\"#changes\"").await;
    assert!(first.contains("content-type: text/event-stream"));
    site.closing.cancel();
    let mut rest = Vec::new();
    // The drain deadline is a minute: only a stream that ends by itself lets this pass within ten seconds.
    tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut rest)).await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(10), server.join_next()).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_live_stream_renews_what_changed_and_only_that() {
    let site = Site::new();
    let (mut server, mut socket) = open_stream(&site, "/events?view=port&id=1").await;
    let first = read_until(&mut socket, "event: point").await;
    assert!(first.contains("hx-target=\"#rates\""));
    site.world.refresh(NOW + Duration::from_secs(60));
    let second = read_until(&mut socket, "event: point").await;
    assert!(second.contains("hx-target=\"#rates\""));
    assert!(!second.contains("hx-target=\"#changes\""), "a part that did not change was sent again");
    site.closing.cancel();
    tokio::time::timeout(Duration::from_secs(10), server.join_next()).await.unwrap().unwrap().unwrap();
}

#[test]
fn every_text_of_the_pages_is_used_and_every_used_one_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let texts = fs::read_to_string(root.join("i18n/texts/web.en.ftl")).unwrap();
    let known: BTreeSet<&str> = texts.lines().filter(|line| line.starts_with("web-")).map(|line| line.split(' ').next().unwrap()).collect();
    let mut used = BTreeSet::new();
    let mut folders = vec![root.join("web")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "html") {
                let source = fs::read_to_string(&path).unwrap();
                used.extend(source.split("\"web-").skip(1).map(|rest| format!("web-{}", rest.split('"').next().unwrap())));
            }
        }
    }
    let used: BTreeSet<&str> = used.iter().map(String::as_str).collect();
    assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new(), "used but without a text");
    assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&&str>::new(), "never used");
}
