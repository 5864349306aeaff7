//! The pictures as a whole: snapshots of the SVG, and what the rasterised image really shows.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::png;
use super::spark::Sparkline;
use super::{Kind, PortChart, Span, Theme, Usual, feed};
use crate::i18n::Lang;
use crate::model::{Gap, PortMetric, Timestamp};
use crate::series::history::{Curve, GapSpan, History, Tier};

/// 2026-11-23T10:02:00+08:00.
const NOW: i64 = 1_795_399_320;

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

/// An office day: quiet at night, busy from eight to six, in octets per second around `busy`.
fn office(span: Span, busy: f64) -> History {
    let window = span.window(Timestamp::from_secs(NOW), &shanghai());
    let buckets = (window.to.secs() - window.from.secs()) / i64::from(window.step_s);
    let value = |bucket: i64, phase: f64| {
        let hour = ((window.from.secs() + bucket * i64::from(window.step_s)) / 3600 + 8).rem_euclid(24) as f64;
        let day = (-((hour - 13.0) / 4.0).powi(2)).exp();
        let noise = 0.5 + 0.5 * ((bucket as f64 * 12.9898 + phase).sin() * 43_758.545).fract().abs();
        Some(busy * (0.04 + day) * noise)
    };
    let curve = |metric, phase: f64, share: f64| {
        let average: Vec<Option<f64>> = (0..buckets).map(|bucket| value(bucket, phase).map(|v| v * share)).collect();
        let maximum = average.iter().map(|v| v.map(|v| v * 1.4)).collect();
        Curve { metric, average, maximum, minimum: Vec::new() }
    };
    History {
        tier: Tier::Minutes5,
        t0: window.from,
        step_s: window.step_s,
        curves: vec![curve(PortMetric::InOctets, 0.0, 0.7), curve(PortMetric::OutOctets, 7.0, 0.25)],
        gaps: Vec::new(),
    }
}

/// Cuts buckets out of all curves and gives the reason.
fn gap(history: &mut History, from: usize, to: usize, reason: Gap) {
    for curve in &mut history.curves {
        for values in [&mut curve.average, &mut curve.maximum] {
            values[from..to].fill(None);
        }
    }
    let at = |bucket: usize| Timestamp::from_secs(history.t0.secs() + bucket as i64 * i64::from(history.step_s));
    history.gaps.push(GapSpan { from: at(from), to: at(to), reason });
}

fn chart(history: &History, span: Span, speed: u64) -> PortChart {
    let mut chart = PortChart::new(Kind::Traffic, span, history, Some(speed), shanghai());
    chart.title = "sw-a3 GigabitEthernet1/0/17".to_owned();
    chart.subtitle = "三楼会议室 301 上联".to_owned();
    chart.inbound.p95 = Some(610e6);
    chart.outbound.p95 = Some(215e6);
    chart
}

fn day_with_gaps() -> PortChart {
    let mut history = office(Span::Day, 125e6);
    gap(&mut history, 60, 84, Gap::Timeout);
    gap(&mut history, 84, 85, Gap::Reset);
    gap(&mut history, 200, 212, Gap::DaemonDown);
    chart(&history, Span::Day, 1_000_000_000)
}

/// A short answer that a person can follow in a snapshot: an hour in steps of five minutes.
fn hour() -> History {
    let t0 = Timestamp::from_secs(NOW - 120 - 3600);
    let curve = |metric, values: [Option<f64>; 12]| Curve {
        metric,
        average: values.to_vec(),
        maximum: values.iter().map(|value| value.map(|value| value * 1.5)).collect(),
        minimum: Vec::new(),
    };
    let s = Some;
    History {
        tier: Tier::Minutes5,
        t0,
        step_s: 300,
        curves: vec![
            curve(PortMetric::InOctets, [s(1e6), s(2e6), s(2e6), s(4e6), None, None, s(6e6), s(6e6), s(5e6), s(3e6), s(1e6), s(0.0)]),
            curve(PortMetric::OutOctets, [s(5e5), s(5e5), s(5e5), s(9e5), None, None, s(1e6), s(2e6), s(1e6), s(1e6), s(1e6), s(1e6)]),
        ],
        gaps: vec![
            GapSpan { from: Timestamp::from_secs(t0.secs() + 1200), to: Timestamp::from_secs(t0.secs() + 1500), reason: Gap::Timeout },
            GapSpan { from: Timestamp::from_secs(t0.secs() + 1500), to: Timestamp::from_secs(t0.secs() + 1800), reason: Gap::Reset },
        ],
    }
}

fn hour_chart(lang: Lang, theme: Theme) -> PortChart {
    let mut chart = PortChart::new(Kind::Traffic, Span::Custom, &hour(), Some(100_000_000), shanghai());
    chart.title = "sw-a3 Gi0/17".to_owned();
    chart.subtitle = "A-301 <张三 & 李四>".to_owned();
    chart.inbound.p95 = Some(46e6);
    (chart.lang, chart.theme) = (lang, theme);
    chart
}

/// The pictures that go wrong first: name, picture, a text that must be in it.
fn extremes() -> Vec<(&'static str, PortChart, &'static str)> {
    let without_percentiles = |mut chart: PortChart| {
        (chart.inbound.p95, chart.outbound.p95) = (None, None);
        chart
    };
    let mut empty = office(Span::Day, 1.0);
    gap(&mut empty, 0, 384, Gap::Unreachable);
    let mut one = office(Span::Day, 1000.0);
    gap(&mut one, 0, 383, Gap::DaemonDown);
    let long = "核心交换机<script>alert(1)</script>".repeat(4);
    vec![
        ("gaps", day_with_gaps(), "设备未应答 2 小时；采集程序未运行 1 小时"),
        ("week", without_percentiles(chart(&office(Span::Week, 30e6), Span::Week, 1_000_000_000)), "周一 16"),
        ("month", without_percentiles(chart(&office(Span::Month, 30e6), Span::Month, 1_000_000_000)), "11月2日"),
        ("year", without_percentiles(chart(&office(Span::Year, 30e6), Span::Year, 100_000_000)), "10月"),
        ("empty", without_percentiles(chart(&empty, Span::Day, 0)), "此时段没有数据"),
        ("one", without_percentiles(chart(&one, Span::Day, 100_000_000)), "采集程序未运行 31 小时 55 分钟"),
        ("huge", without_percentiles(chart(&office(Span::Day, 40e9), Span::Day, 400_000_000_000)), "端口速率 400 Gbit/s"),
        ("tiny", without_percentiles(PortChart { title: long, ..chart(&office(Span::Day, 0.05), Span::Day, 10_000_000) }), "0.5 bit/s"),
    ]
}

/// Set NETROOM_LOOK to a directory to look at them.
#[test]
fn extremes_are_drawn() {
    let look = std::env::var_os("NETROOM_LOOK").map(std::path::PathBuf::from);
    for (name, chart, words) in extremes() {
        for (lang, theme) in [(Lang::ZhCn, Theme::Light), (Lang::En, Theme::Dark)] {
            let svg = PortChart { lang, theme, ..chart.clone() }.svg();
            assert!(lang == Lang::En || svg.contains(words), "{name} says: {words}");
            let image = png::render(&svg, 2.0).unwrap();
            let (_, pixels) = pixels(&image);
            assert!(pixels.iter().filter(|pixel| **pixel != pixels[0]).count() > 3000, "{name} shows something");
            if let Some(look) = &look {
                std::fs::create_dir_all(look).unwrap();
                std::fs::write(look.join(format!("{name}-{lang}.png")), image).unwrap();
            }
        }
    }
}

/// One element a line, for reading.
fn lines(svg: &str) -> String {
    svg.replace("><", ">\n<")
}

#[test]
fn the_pictures_are_as_reviewed() {
    insta::assert_snapshot!("hour_zh_page", lines(&hour_chart(Lang::ZhCn, Theme::Page).svg()));
    insta::assert_snapshot!("hour_en_dark", lines(&hour_chart(Lang::En, Theme::Dark).svg()));
    let values = [Some(0.0), Some(2.0), None, Some(4.0), Some(1.0)];
    let spark = Sparkline { inbound: &values, outbound: &values, label: "流量", width: 80, height: 16, theme: Theme::Page };
    insta::assert_snapshot!("spark", lines(&spark.svg()));
    insta::assert_snapshot!("page_css", super::theme::page_css().replace('}', "}\n"));
}

#[test]
fn the_feed_holds_the_same_numbers() {
    let text = feed::json(Kind::Traffic, &hour(), None, None);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["step"], 300);
    assert_eq!(value["t0"], NOW - 120 - 3600);
    assert_eq!(value["s"][0][3], 32_000_000);
    assert_eq!(value["s"][0][4], serde_json::Value::Null);
    assert_eq!(value["s"][3][11], 12_000_000);
    assert_eq!(value["gaps"][1][2], "reset");
    let share: serde_json::Value = serde_json::from_str(&feed::json(Kind::Utilisation, &hour(), Some(100_000_000), None)).unwrap();
    assert_eq!(share["s"][0][3], 32);
    let unknown: serde_json::Value = serde_json::from_str(&feed::json(Kind::Utilisation, &hour(), None, None)).unwrap();
    assert!(unknown["s"][0].as_array().unwrap().iter().all(serde_json::Value::is_null));
}

#[test]
fn packets_are_summed_over_what_is_known() {
    let curve =
        |metric, average: [Option<f64>; 2]| Curve { metric, average: average.to_vec(), maximum: average.to_vec(), minimum: Vec::new() };
    let history = History {
        curves: vec![
            curve(PortMetric::InUcast, [Some(10.0), None]),
            curve(PortMetric::InMulticast, [Some(1.0), None]),
            curve(PortMetric::InBroadcast, [None, None]),
            curve(PortMetric::OutUcast, [Some(5.0), Some(f64::NAN)]),
        ],
        ..hour()
    };
    let chart = PortChart::new(Kind::Packets, Span::Custom, &history, None, TimeZone::UTC);
    assert_eq!(chart.inbound.average, [Some(11.0), None]);
    assert_eq!(chart.inbound.maximum, []);
    assert_eq!(chart.outbound.average, [Some(5.0), None]);
}

/// The colours of an image by pixel, with its width.
fn pixels(png: &[u8]) -> (usize, Vec<[u8; 3]>) {
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut indices = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut indices).unwrap();
    let palette = reader.info().palette.as_ref().unwrap();
    let rgb = |index: &u8| palette[usize::from(*index) * 3..][..3].try_into().unwrap();
    (frame.width as usize, indices.iter().map(rgb).collect())
}

/// The pixels of the heading of a picture with this title.
fn heading(title: &str) -> Vec<[u8; 3]> {
    let chart = PortChart { title: title.to_owned(), subtitle: String::new(), ..hour_chart(Lang::ZhCn, Theme::Light) };
    let (width, pixels) = pixels(&png::render(&chart.svg(), 1.0).unwrap());
    (2..26).flat_map(|y| pixels[y * width + 8..][..60].to_vec()).collect()
}

#[test]
fn chinese_letters_are_drawn_and_are_not_boxes() {
    let shapes: Vec<_> = ["三", "楼", "樓", "网", "網", "é", "G", "端", "口"].map(heading).into_iter().collect();
    let blank = heading("");
    for (index, shape) in shapes.iter().enumerate() {
        assert_ne!(*shape, blank, "letter {index} is not drawn");
        assert!(shapes.iter().skip(index + 1).all(|other| other != shape), "letter {index} looks like another");
    }
}

#[test]
fn the_image_shows_what_was_measured() {
    let chart = hour_chart(Lang::ZhCn, Theme::Light);
    let (width, pixels) = pixels(&png::render(&chart.svg(), 1.0).unwrap());
    assert_eq!(width, 660);
    // The plot begins at (64, 52), is 576 x 160 pixels, and shows 0 to 100 Mbit/s: a bucket is 48 pixels wide.
    let at = |bucket: usize, mbit: f64| pixels[(52 + (160.0 - mbit * 1.6) as usize) * width + 64 + bucket * 48 + 30];
    let (ground, area) = (at(0, 90.0), at(6, 25.0));
    assert_eq!(ground, [255, 255, 255]);
    assert_ne!(area, ground, "the busy bucket is filled");
    assert_eq!(at(6, 70.0 + 6.0), ground, "and empty above its maximum");
    assert_eq!(at(0, 3.0), area, "8 Mbit/s are filled up to 8 Mbit/s");
    assert_ne!(at(4, 50.0), ground, "a gap is not empty");
    assert_ne!(at(4, 50.0), area, "and not traffic");
}

#[test]
fn an_image_cannot_be_made_too_large() {
    assert!(matches!(png::render(&hour_chart(Lang::En, Theme::Light).svg(), 1000.0), Err(png::PngError::Size { .. })));
    assert!(matches!(png::render("no picture", 1.0), Err(png::PngError::Svg(_))));
}

/// The element names of a document in order, and all its text.
fn shape(svg: &str) -> (Vec<String>, String) {
    let document = resvg::usvg::roxmltree::Document::parse(svg).unwrap();
    let names = document.descendants().filter(|node| node.is_element()).map(|node| node.tag_name().name().to_owned()).collect();
    let text = document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect();
    (names, text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_text_of_a_device_breaks_out(title in "\\PC{0,40}|[<>&\"'/a-z\\x00-\\x1f]{0,40}", subtitle in ".{0,60}") {
        let harmless = hour_chart(Lang::En, Theme::Light);
        let hostile = PortChart { title: title.clone(), subtitle, ..harmless.clone() };
        let (names, text) = shape(&hostile.svg());
        prop_assert_eq!(names, shape(&harmless.svg()).0);
        if title.len() < 20 && title.chars().all(|c| !c.is_control()) {
            prop_assert!(text.contains(&title));
        }
        prop_assert!(png::render(&hostile.svg(), 0.25).is_ok());
    }

    #[test]
    fn any_numbers_give_a_picture_inside_its_frame(
        values in prop::collection::vec(prop::option::of(prop_oneof![any::<f64>(), 0.0..1e12, Just(f64::INFINITY)]), 0..80),
        speed in prop::option::of(any::<u64>()),
        kind in prop::sample::select(Kind::ALL.to_vec()),
    ) {
        let mut history = hour();
        history.curves = kind.metrics().into_iter()
            .map(|metric| Curve { metric, average: values.clone(), maximum: values.clone(), minimum: Vec::new() })
            .collect();
        let chart = PortChart::new(kind, Span::Custom, &history, speed, shanghai());
        let svg = chart.svg();
        let document = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        for path in document.descendants().filter_map(|node| node.attribute("d")) {
            for number in path.split(|c: char| c.is_ascii_alphabetic() || c == ' ').filter(|part| !part.is_empty()) {
                let number: f64 = number.parse().unwrap();
                prop_assert!((-10.0..=660.0).contains(&number), "{} in {}", number, path);
            }
        }
        let json: serde_json::Value = serde_json::from_str(&feed::json(kind, &history, speed, None)).unwrap();
        prop_assert_eq!(json["s"][0].as_array().unwrap().len(), values.len());
    }
}

#[test]
fn the_usual_range_stands_behind_the_curves_and_is_explained() {
    let history = hour();
    let buckets = history.curves[0].average.len();
    let range = |bucket: usize| (bucket != 3).then_some((2e6, 8e12));
    let usual = Usual { inbound: (0..buckets).map(range).collect(), outbound: vec![None; buckets] };
    let zone = TimeZone::UTC;
    let mut chart = PortChart::new(Kind::Traffic, Span::Day, &history, Some(100_000_000), zone);
    chart.lang = Lang::En;
    let without = chart.svg();
    chart.usual = usual.clone().of(Kind::Traffic, chart.speed_bps);
    let with = chart.svg();
    assert!(!without.contains("<path class=\"ng-inusual\"") && !without.contains("past weeks"));
    assert!(with.contains("<path class=\"ng-inusual\"") && with.contains("past weeks"));
    assert!(!with.contains("<path class=\"ng-outusual\""), "nothing is known of what goes out");
    // The scale is that of the curves: a wide band is cut off at the top.
    let band = with.split("class=\"ng-inusual\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(band.matches('Z').count(), 2, "two runs around the bucket that is not known: {band}");
    assert!(without.contains(with.split("<path class=\"ng-grid\"").nth(1).unwrap().split("/>").next().unwrap()));

    let json: serde_json::Value = serde_json::from_str(&feed::json(Kind::Utilisation, &history, Some(100_000_000), Some(usual))).unwrap();
    assert_eq!((json["usual"][0][0].as_f64(), json["usual"][0][3].as_f64()), (Some(2.0), None));
    assert_eq!(json["usual"][3].as_array().map(Vec::len), Some(buckets));
}
