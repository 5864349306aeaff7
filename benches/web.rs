//! What a page costs the server: overview, list, device and port pages over 10,000 ports of 200 switches, while another
//! thread goes on replacing the table's snapshots as polls do. Times are from request to the last byte, in process;
//! sparklines and curves come from a store that answers at once, so that this measures the pages and not the disk.
//! Bars: overview and list at most 50 ms at the 99th percentile.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

#[path = "../tests/it/table.rs"]
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use jiff::tz::TimeZone;
use netroom::model::{PortId, PortMetric, Timestamp, clock};
use netroom::ports::live::{DeviceLive, Live, PortState};
use netroom::series::history::{Curve, History, HistoryQuery, Tier};
use netroom::web::{App, HistoryError, HistorySource, router};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const PAGES: [(&str, &str, bool); 7] = [
    ("overview", "/", true),
    ("list", "/ports", true),
    ("list, busiest first", "/ports?sort=-in", true),
    ("list, filtered", "/ports?q=gi%2047&state=up&sort=name&page=2", true),
    ("list, csv of all", "/ports.csv", false),
    ("device", "/device/sw-0007", false),
    ("devices", "/devices", false),
];

fn main() {
    // Without `--bench` this is a smoke run of the tests: small, and without bars.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (devices, turns) = if measured { (200, 300) } else { (10, 2) };
    let live = table::live(devices, 50);
    set_rates(&live);
    let app = Arc::new(App::new(Arc::clone(&live), Arc::new(Flat), TimeZone::UTC, CancellationToken::new()));
    let routes = router(app);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                table::pass(&live, 60);
            }
        });
        for (name, path, barred) in PAGES {
            let mut times: Vec<Duration> = Vec::new();
            let mut octets = 0;
            for _ in 0..turns {
                let start = clock::monotonic();
                octets = runtime.block_on(ask(&routes, path));
                times.push(clock::monotonic().duration_since(start));
            }
            times.sort_unstable();
            let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
            println!("{name:20} {octets:9} bytes  median {:7.2} ms  p99 {:7.2} ms", at(50), at(99));
            assert!(!measured || !barred || at(99) <= 50.0, "{name}: {:.1} ms at the 99th percentile, more than 50", at(99));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Gives every port that is up its own rates, so that sorting and the lists of the largest have work to do.
fn set_rates(live: &Live) {
    for cell in live.devices().iter() {
        let device = cell.load();
        let ports = device.ports.iter().map(|port| {
            let mut port = port.clone();
            let seed = u64::from(port.identity.id.0).wrapping_mul(2_654_435_761) % 100_000_007;
            for metric in PortMetric::ALL.into_iter().filter(|_| port.state == PortState::Up) {
                let errors = metric.index() >= PortMetric::InErrors.index() && !seed.is_multiple_of(50);
                port.rates.set(metric, Some(if errors { 0.0 } else { (seed >> metric.index()) as f32 }));
            }
            port
        });
        cell.store(Arc::new(DeviceLive { ports: ports.collect(), ..DeviceLive::clone(&device) }));
    }
}

async fn ask(routes: &Router, path: &str) -> usize {
    let response = routes.clone().oneshot(Request::get(path).body(Body::empty()).expect("a request")).await.expect("infallible");
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.into_body().collect().await.expect("a body").to_bytes().len()
}

/// A store that has the same value everywhere.
struct Flat;

impl HistorySource for Flat {
    fn history(&self, query: &HistoryQuery) -> Result<History, HistoryError> {
        let buckets = (query.to.secs() - query.from.secs()) / i64::from(query.step_s);
        let values: Vec<Option<f64>> = (0..buckets).map(|bucket| Some(1e6 + (bucket % 17) as f64 * 1e5)).collect();
        let curve = |metric: &PortMetric| Curve { metric: *metric, average: values.clone(), maximum: values.clone(), minimum: Vec::new() };
        let curves = query.metrics.iter().map(curve).collect();
        Ok(History { tier: Tier::Raw, t0: query.from, step_s: query.step_s, curves, gaps: Vec::new() })
    }

    fn percentile(&self, _: PortId, _: PortMetric, _: Timestamp, _: Timestamp, _: f64) -> Result<Option<f64>, HistoryError> {
        Ok(Some(2e6))
    }
}
