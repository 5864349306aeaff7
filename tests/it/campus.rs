//! The demo's campus against the rooms that take it in: its configuration is one, its history is drawn as it flowed.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use netroom::config::{Origin, Overrides};
use netroom::demo::campus::{Campus, History, HistoryIds, Options, Span};
use netroom::model::{DeviceId, Gap, PortId, PortMetric, Timestamp};
use netroom::series;
use netroom::series::history::HistoryQuery;

/// Monday 2026-11-23 10:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_secs(1_795_399_200);

fn campus() -> Arc<Campus> {
    Campus::new(Options { ipv6: true, ..Options::default() })
}

fn number(device: usize, port: usize) -> PortId {
    PortId((device * 100 + port + 1) as u32)
}

#[test]
fn the_configuration_of_the_campus_has_no_problems() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("netroom.toml");
    let campus = campus();
    std::fs::write(&path, campus.configuration(&[])).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let loaded =
        Origin { main: path, overrides: Overrides::default(), credentials: None }.load().unwrap_or_else(|problems| panic!("{problems:?}"));
    let named = |device: &netroom::demo::campus::Device| (device.name.to_owned(), device.address, device.site.clone());
    let read = loaded.settings.devices.iter().map(|device| (device.name.to_string(), device.address, device.site.to_string()));
    assert_eq!(read.collect::<Vec<_>>(), campus.devices().iter().map(named).collect::<Vec<_>>());
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn history_comes_out_of_the_store_as_it_flowed_with_its_silences() {
    let campus = campus();
    let device = campus.devices().iter().position(|device| device.name == "acc-b3").unwrap();
    let (core, up) = (0, campus.ports(0) - 2);
    // Only what is looked at is kept: the core's way out and one port of the switch that falls silent.
    let ids = (0..campus.devices().len()).map(|place| HistoryIds {
        device: DeviceId(place as u32 + 1),
        ports: (0..campus.ports(place))
            .map(|port| ([(core, up), (device, 0)].contains(&(place, port))).then(|| number(place, port)))
            .collect(),
    });
    let day = Duration::from_secs(86_400);
    let spans = [Span { back: day * 3, interval_s: 3600 }, Span { back: day * 2, interval_s: 300 }];
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader, mut keeper) = series::open(dir.path(), series::Options::default()).unwrap();
    let kept = [core, device].map(|place| DeviceId(place as u32 + 1));
    for sample in History::new(Arc::clone(&campus), ids.collect(), &spans, NOW).filter(|sample| kept.contains(&sample.device)) {
        writer.import(sample).unwrap();
    }
    writer.flush().unwrap();
    keeper.tick(NOW).unwrap();
    let ask = |device: usize, port: usize, from: Timestamp| {
        let query = HistoryQuery {
            port: number(device, port),
            metrics: vec![PortMetric::InOctets],
            from,
            to: NOW - Duration::from_secs(300),
            step_s: 300,
            origin_s: 0,
        };
        reader.history(&query).unwrap()
    };
    // The volume under the core's curve is what its counter has counted.
    let from = NOW - Duration::from_secs(6 * 3600);
    let drawn = ask(core, up, from);
    let octets: f64 = drawn.curves[0].average.iter().map(|rate| rate.unwrap() * 300.0).sum();
    let counted = |at| campus.counters_at(core, up, at).unwrap()[PortMetric::InOctets.index()] as f64;
    let truth = counted(NOW - Duration::from_secs(300)) - counted(from);
    assert!(truth > 1e11 && (octets / truth - 1.0).abs() < 1e-6, "{octets} drawn, {truth} counted");
    assert_eq!(drawn.gaps, []);
    let silent = ask(device, 0, NOW - day * 2);
    assert!(silent.gaps.iter().any(|gap| gap.reason == Gap::Timeout), "{:?}", silent.gaps);
    keeper.close().unwrap();
}
