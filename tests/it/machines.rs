//! The pages and the API of machines and of what is held against them, from outside.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ACCEPT_LANGUAGE, LOCATION};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use netroom::capture::packet::Nanos;
use netroom::detect::board::Source;
use netroom::detect::class::{Class, Hour, Octets, Report, Top};
use netroom::detect::learn::{Known, Progress, Role};
use netroom::detect::portrait::{NameSource, Portraits, Service, Way};
use netroom::detect::{Board, Detection, Kind, Level, Machine};
use netroom::model::{Evidence, Fact, MacAddr};
use netroom::web::router;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::web::fixture::{NOW, World};

const WORM: Machine = Machine { ip: None, mac: Some(MacAddr([0, 0x25, 0x90, 0xab, 0xcd, 0xef])), vlan: Some(20) };

fn board() -> Arc<Board> {
    let (mut portraits, now) = (Portraits::default(), Nanos::from(NOW));
    let machine = Machine { ip: "10.1.2.3".parse().ok(), ..WORM };
    for number in 0..60 {
        let (target, service) = (format!("10.9.0.{number}").parse().unwrap(), Service { way: Way::Tcp, port: 445 });
        portraits.contact(&machine, target, service, now);
        portraits.outcome(&machine, target, service, number % 10 == 0, now);
    }
    portraits.named(&machine, NameSource::Dhcp, "<script>alert(1)</script>", now);
    let evidence = Evidence::from([("sample".to_owned(), Fact::Text("10.9.0.1:445".to_owned()))]);
    let held = |kind, level, machine| {
        let evidence = evidence.clone();
        Arc::new(Detection { kind, level, cleared: false, machine, first: now, last: now, contacts: 60, evidence })
    };
    let other = Machine { ip: "10.1.2.4".parse().ok(), mac: None, vlan: None };
    let board = Board::default();
    board.show_machines(Source::Mirror, portraits.snapshot());
    let facts = Evidence::from([("count".to_owned(), Fact::Count(17)), ("port".to_owned(), Fact::Text("tcp/9100".to_owned()))]);
    let printer = Progress { role: Role::Printer, days: 4, last: (NOW.secs() / 86_400) as u32, facts };
    board.show_learnt(Source::Mirror, vec![Known { ip: "10.1.2.3".parse().unwrap(), progress: vec![printer] }]);
    let mut totals = [Octets::default(); Class::ALL.len()];
    totals[Class::Film as usize] = Octets { received: 9_000_000_000, sent: 0 };
    totals[Class::Web as usize] = Octets { received: 500_000_000, sent: 500_000_000 };
    let top = vec![Top { class: Class::Film, machine, octets: 9_000_000_000 }];
    board.show_traffic(Source::Mirror, Report { totals, hours: vec![Hour { start: now, totals, top, works: None }] });
    board.show_held(vec![held(Kind::TcpScan, Level::Virus, machine), held(Kind::P2p, Level::Label, other)]);
    Arc::new(board)
}

async fn ask(path: &str, lang: &str) -> (StatusCode, String, String) {
    let app = World::new(NOW).app(CancellationToken::new()).with_clock(|| NOW).with_detect(board());
    let request = Request::get(path).header(ACCEPT_LANGUAGE, lang).body(Body::empty()).unwrap();
    let response = router(Arc::new(app)).oneshot(request).await.unwrap();
    let location = response.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, location, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn the_page_of_a_machine_says_what_is_held_in_both_languages_and_trusts_no_name() {
    for (lang, wanted) in [
        ("zh-CN", ["扫描行为", "端口未知", "病毒", "按打印机对待"]),
        ("en", ["scans", "an unknown port", "virus", "Seen to print on 4 days: about 17 machines"]),
    ] {
        let (status, _, page) = ask("/machine/0025.90AB.CDEF", lang).await;
        assert_eq!(status, StatusCode::OK);
        for word in wanted.into_iter().chain(["00:25:90:ab:cd:ef", "10.1.2.3", "tcp/445", "<svg"]) {
            assert!(page.contains(word), "{lang}: {word}");
        }
        assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;") || page.contains("&#60;script"), "{lang}");
    }
}

#[tokio::test]
async fn the_list_shows_who_is_accused_and_labels_apart() {
    let (status, _, page) = ask("/detect", "en").await;
    assert_eq!(status, StatusCode::OK);
    let (held, labels) = page.split_once("id=\"h-p2p\"").unwrap();
    assert!(held.contains("/machine/00:25:90:ab:cd:ef") && !held.contains("/machine/10.1.2.4"));
    assert!(labels.contains("/machine/10.1.2.4"));
    let (_, _, none) = ask("/detect?level=suspect", "en").await;
    assert!(!none.split_once("id=\"h-busy\"").unwrap().0.contains("/machine/"));
}

#[tokio::test]
async fn any_notation_finds_the_machine_and_strangers_are_told_apart() {
    for text in ["00-25-90-AB-CD-EF", "002590abcdef", "10.1.2.3"] {
        let (status, location, _) = ask(&format!("/search?q={text}"), "en").await;
        assert_eq!((status, location.as_str()), (StatusCode::SEE_OTHER, "/machine/00:25:90:ab:cd:ef"), "{text}");
    }
    for path in ["/machine/10.1.2.99", "/machine/nobody", "/api/v1/machines/10.1.2.99"] {
        assert_eq!(ask(path, "en").await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn programs_read_the_same() {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let machine = json(&ask("/api/v1/machines/10.1.2.3", "en").await.2);
    assert_eq!(machine["mac"], "00:25:90:ab:cd:ef");
    assert_eq!(machine["detections"][0]["kind"], "tcp-scan");
    assert_eq!(machine["learnt"][0]["role"], "printer");
    assert_eq!(machine["seen"]["total"], serde_json::json!({ "contacts": 60, "failed": 54, "answered": 6 }));
    assert_eq!(machine["against"][0]["point"], "failed");
    let held = json(&ask("/api/v1/detections", "en").await.2);
    assert_eq!((held["mode"].as_str(), held["detections"].as_array().unwrap().len()), (Some("observe"), 1));
    assert_eq!(json(&ask("/api/v1/machines", "en").await.2)["machines"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn traffic_is_told_by_class_with_who_has_most_of_it() {
    for (lang, film, why) in [("zh-CN", "视频", "detect.hours"), ("en", "Films", "detect.hours")] {
        let (status, _, page) = ask("/traffic", lang).await;
        assert_eq!(status, StatusCode::OK);
        for word in [film, "90 <small>%", "9.00 <small>GB", "/machine/00:25:90:ab:cd:ef", "100 <small>%"] {
            assert!(page.contains(word), "{lang}: {word}: {page}");
        }
        let (_, _, none) = ask("/traffic?span=work", lang).await;
        assert!(none.contains(why) && !none.contains("/machine/"), "{lang}: working hours are not set, and the page says so");
    }
    let told: serde_json::Value = serde_json::from_str(&ask("/api/v1/traffic", "en").await.2).unwrap();
    assert_eq!(told["classes"]["film"]["received"], 9_000_000_000_u64);
    assert_eq!(told["hours"][0]["top"][0]["mac"], "00:25:90:ab:cd:ef");
    assert!(told["hours"][0]["works"].is_null());
    assert!(ask("/detect", "en").await.2.contains("href=\"/traffic\""));
}
