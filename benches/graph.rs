//! What a picture costs: CPU of the SVG, of the image for mail, of the feed for the page, and their sizes.
//! CPU time is that of this thread (the kernel's scheduler statistics), so other work on the machine does not count.
//! Bars (design of the series room, section 12): an image for mail costs at most 10 ms of CPU.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops at the first surprise")]

use std::hint::black_box;

use jiff::tz::TimeZone;
use netroom::graph::{Kind, PortChart, Span, Theme, feed, png};
use netroom::i18n::Lang;
use netroom::model::{Gap, PortMetric, Timestamp};
use netroom::series::history::{Curve, GapSpan, History, Tier};

/// CPU time of this thread so far, nanoseconds.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with scheduler statistics");
    text.split(' ').next().and_then(|field| field.parse().ok()).expect("nanoseconds")
}

/// CPU milliseconds of one turn, the median of nine rounds; 0 in a smoke run.
fn cost(measured: bool, turns: u32, mut work: impl FnMut()) -> f64 {
    work();
    if !measured {
        return 0.0;
    }
    let mut rounds: Vec<u64> = (0..9)
        .map(|_| {
            let start = cpu_ns();
            (0..turns).for_each(|_| work());
            cpu_ns() - start
        })
        .collect();
    rounds.sort_unstable();
    rounds[4] as f64 / f64::from(turns) / 1e6
}

/// A day in steps of five minutes with three gaps: an office day with its noise, or nothing but noise, whose every step
/// crosses half the picture (the worst that can come).
fn day(office: bool) -> History {
    let window = Span::Day.window(Timestamp::from_secs(1_795_399_320), &TimeZone::UTC);
    let curve = |metric, seed: u64| {
        let mut state = seed;
        let average: Vec<Option<f64>> = (0..384)
            .map(|bucket| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = (state >> 38) as f64;
                let hour = (f64::from(bucket) / 12.0 + 2.0) % 24.0;
                let load = (0.03 + (-((hour - 13.0) / 3.0).powi(2)).exp()) * (0.7 * 67e6 + 0.3 * noise);
                (bucket % 100 > 5).then_some(if office { load } else { noise })
            })
            .collect();
        let maximum = average.iter().map(|value| value.map(|value| value * 1.3)).collect();
        Curve { metric, average, maximum, minimum: Vec::new() }
    };
    let gap = |bucket: i64, reason| GapSpan {
        from: Timestamp::from_secs(window.from.secs() + bucket * 300),
        to: Timestamp::from_secs(window.from.secs() + (bucket + 6) * 300),
        reason,
    };
    History {
        tier: Tier::Minutes5,
        t0: window.from,
        step_s: window.step_s,
        curves: vec![curve(PortMetric::InOctets, 1), curve(PortMetric::OutOctets, 2)],
        gaps: vec![gap(0, Gap::Timeout), gap(100, Gap::Reset), gap(200, Gap::Timeout)],
    }
}

fn main() {
    // Without `--bench` this is a smoke run of the tests, whose build says nothing about speed.
    let measured = std::env::args().any(|argument| argument == "--bench");
    for (name, office) in [("noise", false), ("office", true)] {
        let history = day(office);
        let zone = TimeZone::get("Asia/Shanghai").expect("the zone is embedded");
        let mut chart = PortChart::new(Kind::Traffic, Span::Day, &history, Some(1_000_000_000), zone);
        chart.title = "sw-a3 GigabitEthernet1/0/17".to_owned();
        chart.subtitle = "三楼会议室 301 上联".to_owned();
        (chart.inbound.p95, chart.outbound.p95) = (Some(500e6), Some(400e6));
        (chart.lang, chart.theme) = (Lang::ZhCn, Theme::Light);
        let svg = chart.svg();
        let image = png::render(&svg, 1.0).expect("our own picture");
        let dense = png::render(&svg, 2.0).expect("our own picture");
        let text = feed::json(Kind::Traffic, &history, None, None);

        let drawing = cost(measured, 200, || drop(black_box(black_box(&chart).svg())));
        let raster = cost(measured, 20, || drop(black_box(png::render(black_box(&svg), 1.0))));
        let raster2 = cost(measured, 10, || drop(black_box(png::render(black_box(&svg), 2.0))));
        let feeding = cost(measured, 500, || drop(black_box(feed::json(Kind::Traffic, black_box(&history), None, None))));
        println!("{name:6} svg    {drawing:7.3} ms CPU  {:6} bytes", svg.len());
        println!("{name:6} png 1x {raster:7.3} ms CPU  {:6} bytes", image.len());
        println!("{name:6} png 2x {raster2:7.3} ms CPU  {:6} bytes", dense.len());
        println!("{name:6} feed   {feeding:7.3} ms CPU  {:6} bytes", text.len());
        let all = drawing + raster;
        assert!(!office || all <= 10.0, "an image for mail costs {all:.1} ms of CPU, more than 10");
    }
}
