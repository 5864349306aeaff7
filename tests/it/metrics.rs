//! The exposition as Prometheus sees it: over HTTP, judged by promtool.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netroom::metrics::ports::{Exposer, Filter, PIECE};
use netroom::metrics::vitals::{QueueVitals, StoreVitals};
use netroom::metrics::{Form, Metrics, OwnMetrics, Vitals, router};
use netroom::model::observe::PollRound;
use netroom::model::{DeviceId, DeviceText, Gap, PortIdentity, PortMetric, Timestamp};
use netroom::ports::live::{DeviceLive, Live, PortLive, PortState};
use proptest::prelude::*;

use crate::prometheus::{dashboards, promtool};
use crate::table;

/// Vitals as a busy program would give them.
pub(crate) fn vitals() -> Vitals {
    Vitals {
        snmp: netroom::metrics::vitals::SnmpVitals {
            sent: 1000,
            received: 990,
            accepted: 985,
            retries: 12,
            stale: 3,
            ..Default::default()
        },
        store: StoreVitals {
            state: "ok",
            stored_rows: 48_000,
            last_commit_s: Some(1_795_399_200.5),
            commit_s: 0.004,
            bytes: vec![("tail", 1 << 20), ("raw", 1 << 24), ("m5", 1 << 22), ("h1", 1 << 20), ("d1", 1 << 16)],
            free_bytes: Some(1 << 36),
            ..Default::default()
        },
        queues: vec![QueueVitals { name: "poll-store", length: 3, capacity: 1024, shed: 0 }],
        task_restarts: vec![("poll".into(), 0)],
        ..Default::default()
    }
}

/// The pages over a table, with some history of polls and reloads.
pub(crate) fn metrics(live: &Arc<Live>) -> (Arc<OwnMetrics>, axum::Router) {
    let own = Arc::new(OwnMetrics::new(Arc::clone(live), Arc::new(vitals)).unwrap());
    own.reloaded(true, table::START);
    for (gap, took_ms) in [(None, 40), (None, 900), (Some(Gap::Timeout), 4500)] {
        own.polled(&round(gap, took_ms));
    }
    let metrics = Arc::new(Metrics::new(Arc::clone(live), Arc::clone(&own)));
    (own, router(metrics, true))
}

/// A poll that took so long.
pub(crate) fn round(gap: Option<Gap>, took_ms: u64) -> PollRound {
    PollRound {
        device: DeviceId(0),
        due: table::START,
        started: table::START,
        finished: table::START + Duration::from_millis(took_ms),
        uptime_ticks: None,
        engine_time: None,
        rtt_us: None,
        inventory: None,
        rows: Vec::new(),
        gap,
        detail: None,
    }
}

/// Serves the pages while `test` runs.
pub(crate) async fn served<T>(router: axum::Router, test: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::select! {
        ended = async { axum::serve(listener, router).await } => panic!("the server ended: {ended:?}"),
        value = test(address) => value,
    }
}

async fn get(address: SocketAddr, path: &str, accept: &str) -> (u16, String, String) {
    let answer = reqwest::Client::new().get(format!("http://{address}{path}")).header("accept", accept).send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status().as_u16(), kind, answer.text().await.unwrap())
}

fn text(live: &Live, filter: &Filter) -> String {
    String::from_utf8(Exposer::default().expose(live, filter, Form::Classic).collect::<Vec<_>>().concat()).unwrap()
}

/// The samples of a text: name and labels to value.
fn samples(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap()).collect()
}

/// The names of all series of both pages.
pub(crate) async fn names(address: SocketAddr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in ["/metrics", "/metrics/ports"] {
        let (status, _, text) = get(address, path, "").await;
        assert_eq!(status, 200, "{text}");
        names.extend(samples(&text).keys().map(|series| series.split('{').next().unwrap().to_owned()));
    }
    names
}

#[tokio::test]
async fn promtool_is_content() {
    let live = table::live(4, 12);
    served(metrics(&live).1, async |address| {
        for path in ["/metrics", "/metrics/ports", "/metrics/ports?device=sw-0000&up=1"] {
            let (status, kind, text) = get(address, path, "").await;
            assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
            if let Some(said) = promtool(&["check", "metrics"], text.as_bytes()) {
                assert_eq!(said, "", "{path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_families_are_as_reviewed() {
    let live = table::live(4, 12);
    served(metrics(&live).1, async |address| {
        let mut heads = String::new();
        for path in ["/metrics", "/metrics/ports"] {
            let text = get(address, path, "").await.2;
            for line in text.lines().filter(|line| line.starts_with('#') && !line.contains(" process_")) {
                heads.push_str(line);
                heads.push('\n');
            }
        }
        insta::assert_snapshot!("families", heads);
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_for_is_what_comes() {
    let live = table::live(4, 12);
    served(metrics(&live).1, async |address| {
        let all = get(address, "/metrics/ports", "").await.2;
        let one = get(address, "/metrics/ports?device=sw-0001", "").await.2;
        assert!(samples(&one).keys().all(|series| series.contains("{device=\"sw-0001\",")));
        assert!(samples(&one).len() * 3 < samples(&all).len());
        let west = get(address, "/metrics/ports?site=%E8%A5%BF%E6%A5%BC", "").await.2;
        assert!(!samples(&west).is_empty() && samples(&west).keys().all(|series| series.contains("sw-0001") || series.contains("sw-0003")));
        let up = get(address, "/metrics/ports?up=1", "").await.2;
        assert!(samples(&up).iter().filter(|(series, _)| series.starts_with("netroom_port_oper_status")).all(|(_, value)| *value == "1"));
        assert_eq!(get(address, "/metrics/ports?device=nobody", "").await.0, 404);
        assert_eq!(get(address, "/metrics/ports?devise=sw-0001", "").await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn openmetrics_comes_when_asked_for() {
    let live = table::live(2, 4);
    served(metrics(&live).1, async |address| {
        let (_, kind, text) = get(address, "/metrics/ports", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert!(text.ends_with("\n# EOF\n"));
        assert!(text.contains("# TYPE netroom_port_in_octets counter\n") && text.contains("\nnetroom_port_in_octets_total{"));
        assert!(text.contains("# TYPE netroom_port info\n") && text.contains("\nnetroom_port_info{"));
    })
    .await;
}

#[tokio::test]
async fn the_list_of_targets_leads_to_each_device() {
    let live = table::live(3, 4);
    served(metrics(&live).1, async |address| {
        let (status, kind, text) = get(address, "/metrics/targets", "").await;
        assert_eq!((status, kind.as_str()), (200, "application/json"));
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list.as_array().unwrap().len(), 3);
        assert_eq!(list[1]["targets"][0], address.to_string());
        assert_eq!(list[1]["labels"]["instance"], "sw-0001");
        assert_eq!(list[1]["labels"]["__meta_netroom_site"], "西楼");
        let path = format!(
            "{}?device={}",
            list[1]["labels"]["__metrics_path__"].as_str().unwrap(),
            list[1]["labels"]["__param_device"].as_str().unwrap()
        );
        assert!(samples(&get(address, &path, "").await.2).len() > 4);
    })
    .await;
}

#[tokio::test]
async fn devices_are_told_with_what_is_known_of_them() {
    let live = table::live(3, 4);
    served(metrics(&live).1, async |address| {
        let text = get(address, "/metrics", "").await.2;
        let samples = samples(&text);
        for (series, value) in [
            ("netroom_device_up{device=\"sw-0000\"}", Some("1")),
            ("netroom_device_up{device=\"sw-0001\"}", Some("1")),
            ("netroom_device_up{device=\"sw-0002\"}", Some("0")),
            ("netroom_device_poll_complete{device=\"sw-0001\"}", Some("0")),
            ("netroom_device_rtt_seconds{device=\"sw-0000\"}", Some("0.00125")),
            ("netroom_device_rtt_seconds{device=\"sw-0002\"}", None),
            ("netroom_device_uptime_seconds{device=\"sw-0002\"}", None),
            ("netroom_device_ports{device=\"sw-0000\",state=\"up\"}", Some("2")),
            ("netroom_devices{state=\"down\"}", Some("1")),
            ("netroom_ports{state=\"unknown\"}", Some("4")),
            ("netroom_polls_total{result=\"ok\"}", Some("2")),
            ("netroom_polls_total{result=\"refused\"}", Some("0")),
            ("netroom_poll_duration_seconds_count", Some("3")),
            ("netroom_store_state{state=\"ok\"}", Some("1")),
            ("netroom_store_state{state=\"full\"}", Some("0")),
            ("netroom_queue_length{queue=\"poll-store\"}", Some("3")),
            ("netroom_config_last_reload_successful", Some("1")),
        ] {
            assert_eq!(samples.get(series).copied(), value, "{series}");
        }
        assert!(text.contains("sysdescr=\"Switch OS, version 7 built by \\\"us\\\"\""), "{text}");
    })
    .await;
}

#[test]
fn a_failed_reload_shows_and_keeps_the_time_of_the_good_one() {
    let live = table::live(1, 1);
    let (own, _) = metrics(&live);
    own.reloaded(false, Timestamp::from_secs(table::START.secs() + 60));
    let text = String::from_utf8(own.text().unwrap()).unwrap();
    assert!(text.contains("netroom_config_last_reload_successful 0\n"));
    assert!(text.contains("netroom_config_last_reload_success_timestamp_seconds 1795399200\n"));
    assert!(text.contains("netroom_config_reloads_total{result=\"failed\"} 1\n"));
}

#[test]
fn what_is_absent_has_no_line() {
    let live = table::live(1, 4);
    change(&live, 0, 1, |port| port.counters.set(PortMetric::InErrors, None));
    change(&live, 0, 2, |port| port.state = PortState::Unknown);
    let all = text(&live, &Filter::default());
    let series = |number: u32| {
        samples(&all).into_keys().filter(|series| series.contains(&format!("ifindex=\"{number}\""))).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(series(1).len(), 17);
    assert_eq!(series(2).len(), 16);
    assert!(!series(2).iter().any(|series| series.starts_with("netroom_port_in_errors_total")));
    assert_eq!(series(3).len(), 1, "old counters of a port that is not there are not shown");
    assert!(series(3)[0].starts_with("netroom_port_info{"));
}

#[test]
fn counters_are_whole_numbers_to_the_last_digit() {
    let live = table::live(1, 2);
    change(&live, 0, 1, |port| port.counters.set(PortMetric::InOctets, Some(u64::MAX)));
    let all = text(&live, &Filter::default());
    let series = "netroom_port_in_octets_total{device=\"sw-0000\",ifindex=\"2\",ifname=\"GigabitEthernet1/0/2\"}";
    assert_eq!(samples(&all)[series], "18446744073709551615");
}

#[test]
fn the_text_comes_in_pieces_and_no_family_is_torn() {
    let live = table::live(60, 48);
    let pieces: Vec<Bytes> = Exposer::default().expose(&live, &Filter::default(), Form::Classic).collect();
    assert!(pieces.len() > 50);
    assert!(pieces.iter().all(|piece| piece.len() < PIECE + 2048 && piece.ends_with(b"\n")));
    let all = String::from_utf8(pieces.concat()).unwrap();
    let lines = all.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&all).len(), lines, "no series comes twice");
    let mut order: Vec<&str> = all.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('{').next().unwrap()).collect();
    order.dedup();
    assert_eq!(order.len(), order.iter().collect::<BTreeSet<_>>().len(), "a family stands in one place");
    // 59 devices answer, the last does not: its ports have their names only.
    assert_eq!(lines, 59 * 48 * 17 + 48);
}

#[test]
fn names_that_change_are_followed() {
    let live = table::live(1, 3);
    let exposer = Exposer::default();
    let read = || String::from_utf8(exposer.expose(&live, &Filter::default(), Form::Classic).collect::<Vec<_>>().concat()).unwrap();
    assert!(read().contains("ifindex=\"2\",ifname=\"GigabitEthernet1/0/2\""));
    change(&live, 0, 1, |port| {
        port.identity = Arc::new(PortIdentity { name: "Te1/2".into(), ..PortIdentity::clone(&port.identity) });
    });
    let after = read();
    assert!(after.contains("ifindex=\"2\",ifname=\"Te1/2\"") && !after.contains("GigabitEthernet1/0/2\"}"));
    let cell = Arc::clone(&live.devices()[0]);
    let mut ports = cell.load().ports.to_vec();
    ports.remove(0);
    cell.store(Arc::new(DeviceLive { ports: ports.into(), ..DeviceLive::clone(&cell.load()) }));
    assert!(!read().contains("ifindex=\"1\""));
}

proptest! {
    #[test]
    fn no_name_breaks_out_of_its_label(name in any::<String>(), alias in ".{0,40}|[\"\\\\\n{}, =]{0,20}") {
        let live = table::live(1, 1);
        change(&live, 0, 0, |port| {
            port.identity = Arc::new(PortIdentity {
                name: name.as_str().into(),
                alias: DeviceText::from(alias.as_str()),
                ..PortIdentity::clone(&port.identity)
            });
        });
        let all = text(&live, &Filter::default());
        let line = all.split('\n').find(|line| line.starts_with("netroom_port_info{")).unwrap();
        let (labels, alias) = (labels(line), DeviceText::from(alias.as_str()));
        prop_assert_eq!(labels.get("ifname"), Some(&name));
        prop_assert_eq!(labels.get("alias").map(String::as_str), Some(alias.as_str()));
        prop_assert_eq!(labels.len(), 9);
        prop_assert_eq!(all.split('\n').filter(|line| !line.starts_with('#') && !line.is_empty()).count(), 17);
    }
}

/// The labels of a line, read by the rules of the format.
fn labels(line: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = line.split_once('{').unwrap().1.chars();
    loop {
        let name: String = rest.by_ref().take_while(|c| *c != '=').collect();
        assert_eq!(rest.next(), Some('"'));
        let mut value = String::new();
        loop {
            match rest.next().unwrap() {
                '"' => break,
                '\\' => value.push(match rest.next().unwrap() {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        found.insert(name, value);
        if rest.next() == Some('}') {
            assert_eq!(rest.as_str(), " 1");
            return found;
        }
    }
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    let folder = dashboards().join("prometheus");
    let path = |name: &str| folder.join(name).display().to_string();
    promtool(&["check", "rules", &path("netroom-recording.yml"), &path("netroom-alerts.yml")], b"");
    promtool(&["check", "config", &path("prometheus.yml")], b"");
    promtool(&["test", "rules", &path("netroom-tests.yml")], b"");
}

#[tokio::test]
async fn dashboards_and_rules_use_only_series_that_exist() {
    let live = table::live(4, 12);
    let mut known = served(metrics(&live).1, names).await;
    let folder = dashboards();
    let rules = std::fs::read_to_string(folder.join("prometheus/netroom-recording.yml")).unwrap();
    known.extend(rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).map(str::to_owned));
    let files = ["grafana", "prometheus"].into_iter().flat_map(|sub| std::fs::read_dir(folder.join(sub)).unwrap());
    let mut used = BTreeSet::new();
    for file in files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "json" || end == "yml")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':') {
            let ours = word.starts_with("netroom_") || word.contains(":netroom_") || word.starts_with("process_");
            if ours && !word.ends_with([':', '_']) {
                assert!(known.contains(word), "{word} in {} is no series of ours", file.display());
                used.insert(word.to_owned());
            }
        }
    }
    assert!(used.len() > 30, "only {} series are used: is the folder empty?", used.len());
}

/// Replaces one port of one device.
fn change(live: &Live, device: usize, port: usize, change: impl Fn(&mut PortLive)) {
    let cell = &live.devices()[device];
    let old = cell.load();
    let mut ports = old.ports.to_vec();
    change(&mut ports[port]);
    cell.store(Arc::new(DeviceLive { ports: ports.into(), ..DeviceLive::clone(&old) }));
}
