use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::demo::agent::{Datum, Mib};
use crate::model::{DeviceId, Gap, PortId, PortMetric};
use crate::snmp::oid::Oid;

/// Monday 2026-11-23 10:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_secs(1_795_399_200);
const DAY: Duration = Duration::from_secs(86_400);

fn campus() -> Arc<Campus> {
    Campus::new(Options { port: 0, ipv6: false, ..Options::default() })
}

fn place(campus: &Campus, name: &str) -> usize {
    campus.devices().iter().position(|device| device.name == name).unwrap()
}

fn ids(campus: &Campus) -> Vec<HistoryIds> {
    let port = |device: usize, port: usize| Some(PortId((device * 100 + port) as u32));
    (0..campus.devices().len())
        .map(|device| HistoryIds { device: DeviceId(device as u32), ports: (0..campus.ports(device)).map(|p| port(device, p)).collect() })
        .collect()
}

#[test]
fn the_campus_has_ports_up_down_and_shut_on_twelve_switches() {
    let campus = campus();
    let mut states = HashMap::new();
    for device in 0..campus.devices().len() {
        for row in campus.inventory(device, NOW).unwrap().interfaces {
            *states.entry((row.admin.unwrap(), row.oper.unwrap())).or_insert(0) += 1;
        }
    }
    assert_eq!(campus.devices().len(), 12);
    assert!(states[&(1, 1)] > 100 && states[&(1, 2)] > 60 && states[&(2, 2)] > 5, "{states:?}");
    assert_eq!(states.values().sum::<i32>(), (0..12).map(|device| campus.ports(device) as i32).sum::<i32>());
}

#[test]
fn names_and_indexes_are_unique_on_each_switch() {
    let campus = campus();
    for device in 0..campus.devices().len() {
        let rows = campus.inventory(device, NOW).unwrap().interfaces;
        let names: std::collections::HashSet<_> = rows.iter().map(|row| row.if_name.clone()).collect();
        let indexes: std::collections::HashSet<_> = rows.iter().map(|row| row.if_index).collect();
        assert_eq!((names.len(), indexes.len()), (rows.len(), rows.len()));
    }
}

/// Counters only grow, except when their switch starts anew, and never faster than the port's speed.
#[test]
fn counters_grow_within_the_speed_of_the_port_and_fall_only_at_a_restart() {
    let campus = campus();
    let mut reader = campus.reader();
    let mut restarts = 0;
    let devices = 0..campus.devices().len();
    let speed = |row: &InterfaceRow| row.if_high_speed.unwrap() * 125_000;
    let speeds: Vec<Vec<u64>> =
        devices.clone().map(|device| campus.inventory(device, NOW).unwrap().interfaces.iter().map(speed).collect()).collect();
    let mut last: Vec<Option<(Timestamp, Vec<[u64; METRICS]>)>> = vec![None; devices.len()];
    for (minute, device) in (0..4 * 24 * 60).flat_map(|minute| devices.clone().map(move |device| (minute, device))) {
        let at = NOW - DAY * 6 + Duration::from_secs(minute * 60);
        let now = campus.counters(&mut reader, device, at).to_vec();
        let Some((before, old)) = last[device].replace((at, now.clone())) else { continue };
        if campus.booted(device, at).unwrap() > before {
            restarts += 1;
            continue;
        }
        for (port, (old, new)) in old.iter().zip(&now).enumerate() {
            for metric in PortMetric::ALL.into_iter().filter(|metric| !metric.is_gauge()) {
                let (old, new) = (old[metric.index()], new[metric.index()]);
                assert!(new >= old, "device {device} port {port} {metric:?} fell from {old} to {new}");
            }
            for index in [PortMetric::InOctets, PortMetric::OutOctets].map(PortMetric::index) {
                let (rate, speed) = ((new[index] - old[index]) / 60, speeds[device][port]);
                assert!(rate <= speed, "device {device} port {port}: {rate} octets/s of {speed}");
            }
        }
    }
    assert!((1..=2).contains(&restarts), "one switch restarts every 61 hours: {restarts} in four days");
}

#[test]
fn a_way_up_carries_the_sum_of_the_ports_and_both_ends_agree() {
    let campus = campus();
    let (access, above) = (place(&campus, "acc-a1"), place(&campus, "dist-a"));
    let mut reader = campus.reader();
    let span = |device: usize, reader: &mut Reader| {
        let before = campus.counters(reader, device, NOW - DAY).to_vec();
        let after = campus.counters(reader, device, NOW).to_vec();
        let grown = |port: usize, metric: PortMetric| after[port][metric.index()] - before[port][metric.index()];
        (0..before.len())
            .map(|port| PortMetric::ALL.map(|metric| if metric.is_gauge() { 0 } else { grown(port, metric) }))
            .collect::<Vec<_>>()
    };
    let ports = span(access, &mut reader);
    let up = campus.switches[access].up().unwrap();
    let sum =
        |metric: PortMetric| ports.iter().enumerate().filter(|&(port, _)| port != up).map(|(_, grown)| grown[metric.index()]).sum::<u64>();
    assert!(ports[up][PortMetric::InOctets.index()] > 10_000_000_000);
    assert_eq!(ports[up][PortMetric::InOctets.index()], sum(PortMetric::OutOctets));
    assert_eq!(ports[up][PortMetric::OutOctets.index()], sum(PortMetric::InOctets));
    assert_eq!(ports[up][PortMetric::InUcast.index()], sum(PortMetric::OutUcast));
    let far = span(above, &mut reader);
    let down = campus.switches[above].ports.iter().position(|port| matches!(port.feed, Feed::Down(child) if child == access)).unwrap();
    assert_eq!(far[down][PortMetric::OutOctets.index()], ports[up][PortMetric::InOctets.index()]);
    assert_eq!(far[down][PortMetric::InBroadcast.index()], ports[up][PortMetric::OutBroadcast.index()]);
}

#[test]
fn history_and_the_live_agent_agree_at_the_seam() {
    let campus = campus();
    let spans = [Span { back: Duration::from_secs(3600), interval_s: 60 }];
    let history: Vec<_> = History::new(Arc::clone(&campus), ids(&campus), &spans, NOW).collect();
    assert_eq!(history.len(), 60 * 12);
    assert!(history.windows(2).all(|pair| pair[0].time <= pair[1].time));
    let last = history.last().unwrap();
    assert_eq!(last.time, NOW - Duration::from_secs(60));
    let device = last.device.0 as usize;
    let mib = SwitchMib::new(Arc::clone(&campus), device).unwrap();
    let column: Oid = "1.3.6.1.2.1.31.1.1.1.6".parse().unwrap();
    let rows = campus.inventory(device, NOW).unwrap().interfaces;
    for (row, sample) in rows.iter().zip(&last.rows) {
        let live = mib.get(&column.child(&[row.if_index]), last.time).unwrap();
        assert_eq!(live, Datum::Counter64(sample.values[PortMetric::InOctets.index()].unwrap()));
    }
}

#[test]
fn history_tells_restarts_and_silences_with_their_reasons() {
    let campus = campus();
    let spans = [Span { back: DAY * 6, interval_s: 300 }, Span { back: DAY / 2, interval_s: 60 }];
    let mut found: HashMap<(DeviceId, Gap), u32> = HashMap::new();
    for sample in History::new(Arc::clone(&campus), ids(&campus), &spans, NOW) {
        assert_eq!(sample.gap.is_some(), sample.rows.is_empty());
        for reason in sample.gap.into_iter().chain(sample.rows.first().and_then(|row| row.mark)) {
            *found.entry((sample.device, reason)).or_insert(0) += 1;
        }
    }
    let reasons = |name: &str| {
        let device = DeviceId(place(&campus, name) as u32);
        found.iter().filter(|((of, _), _)| *of == device).map(|((_, reason), times)| (*reason, *times)).collect::<HashMap<_, _>>()
    };
    let restarting = reasons("acc-b2");
    assert!((1..=3).contains(&restarting[&Gap::Reset]), "{restarting:?}");
    assert_eq!(restarting[&Gap::First], 1);
    let unreachable = reasons("acc-b3");
    assert!(unreachable[&Gap::Timeout] >= 18, "{unreachable:?}");
    assert_eq!(reasons("core-1"), HashMap::from([(Gap::First, 1)]));
}

#[test]
fn somebody_who_watches_sees_a_restart_and_a_silence_within_ten_minutes() {
    let watched = Campus::new(Options { shown: Some(NOW), ipv6: false, ..Options::default() });
    let later = NOW + Duration::from_secs(600);
    let restarting = place(&watched, "acc-b2");
    assert!(watched.booted(restarting, later).unwrap() > NOW);
    let silent = place(&watched, "acc-b3");
    assert!((0..600).any(|second| !watched.answers(silent, NOW + Duration::from_secs(second))));
    assert_eq!(campus().booted(restarting, NOW), watched.booted(restarting, NOW), "the past is the same");
}

#[test]
fn texts_are_gb18030_where_the_switch_speaks_it_and_counters_narrow_where_it_is_old() {
    let campus = campus();
    let name: Oid = "1.3.6.1.2.1.31.1.1.1.18.5".parse().unwrap();
    let mib = SwitchMib::new(Arc::clone(&campus), place(&campus, "acc-a3")).unwrap();
    let gb = [0xc8, 0xfd, 0xc2, 0xa5, 0xbb, 0xe1, 0xd2, 0xe9, 0xca, 0xd2];
    assert_eq!(mib.get(&name, NOW), Ok(Datum::octets(gb)), "三楼会议室");
    let old = SwitchMib::new(Arc::clone(&campus), place(&campus, "acc-a4-old")).unwrap();
    assert!(old.get(&"1.3.6.1.2.1.31.1.1.1.6.1".parse().unwrap(), NOW).is_err());
    assert!(matches!(old.get(&"1.3.6.1.2.1.2.2.1.10.1".parse().unwrap(), NOW), Ok(Datum::Counter32(_))));
}

#[test]
fn the_configuration_names_every_switch_once() {
    let campus = campus();
    let text = campus.configuration(&[]);
    assert_eq!(text.matches("[[device]]").count(), 12);
    let parsed: toml::Table = text.parse().unwrap();
    let first = &parsed["device"].as_array().unwrap()[0];
    assert_eq!(first["name"].as_str(), Some("core-1"));
    let addresses = vec!["127.0.0.9:4444".parse().unwrap(); 12];
    assert_eq!(campus.configuration(&addresses).matches("port = 4444").count(), 12);
}
