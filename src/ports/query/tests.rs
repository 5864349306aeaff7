use super::*;
use crate::model::{DeviceId, DeviceText, Gap, IfIndex, PortId, PortIdentity, Zone};
use crate::ports::live::{DeviceCell, DeviceHealth, DeviceLabel};

fn port(id: u32, name: &str, alias: &str, state: PortState, in_octets: Option<f32>) -> PortLive {
    let identity = PortIdentity {
        id: PortId(id),
        if_index: IfIndex(id),
        name: name.into(),
        descr: DeviceText::default(),
        alias: alias.into(),
        if_type: 6,
        mac: None,
        speed_bps: Some(1_000),
        mtu: None,
        admin: 1,
        connector: None,
        duplex: None,
        last_change_ticks: None,
    };
    let mut port = PortLive::unknown(&Arc::new(identity), Gap::First);
    port.state = state;
    port.rates.set(PortMetric::InOctets, in_octets);
    port
}

fn device(id: u32, name: &str, state: DeviceState, ports: Vec<PortLive>) -> Arc<DeviceCell> {
    let label = DeviceLabel {
        id: DeviceId(id),
        name: name.into(),
        address: "192.0.2.1:161".parse().unwrap(),
        site: "north".into(),
        zone: Zone::Inner,
        interval_s: 60,
    };
    let health = DeviceHealth {
        state,
        gap: None,
        detail: None,
        since: None,
        last_poll: None,
        last_answer: None,
        rtt_us: None,
        poll_ms: None,
        booted: None,
    };
    Arc::new(DeviceCell::new(DeviceLive { label: Arc::new(label), system: None, health, ports: ports.into() }))
}

fn table() -> Live {
    let live = Live::new();
    live.set_devices(vec![
        device(
            1,
            "sw-10",
            DeviceState::Up,
            vec![
                port(1, "Gi0/2", "打印室", PortState::Up, Some(10.0)),
                port(2, "Gi0/10", "", PortState::Down, Some(0.0)),
                port(3, "Gi0/1", "Uplink", PortState::Up, Some(100.0)),
            ],
        ),
        device(2, "sw-9", DeviceState::Down, vec![port(4, "Gi0/1", "", PortState::Unknown, None)]),
    ]);
    live
}

fn ids(ports: &[PortRef]) -> Vec<u32> {
    ports.iter().map(|port| port.port().unwrap().identity.id.0).collect()
}

#[test]
fn totals_count_states_and_sum_traffic() {
    let totals = table().totals();
    assert_eq!((totals.devices, totals.devices_up, totals.devices_down), (2, 1, 1));
    assert_eq!((totals.ports, totals.ports_up, totals.ports_down, totals.ports_shut, totals.ports_unknown), (4, 2, 1, 0, 1));
    assert_eq!((totals.in_bps, totals.out_bps), (880.0, 0.0));
}

#[test]
fn the_busiest_come_first_and_idle_ports_never() {
    let live = table();
    assert_eq!(ids(&live.top_talkers(Figure::In, 10)), [3, 1]);
    assert_eq!(ids(&live.top_talkers(Figure::Utilisation, 1)), [3]);
    assert_eq!(ids(&live.top_talkers(Figure::Out, 10)), [0; 0]);
    assert_eq!(ids(&live.top_talkers(Figure::In, 0)), [0; 0]);
}

#[test]
fn one_port_is_found_by_name() {
    let live = table();
    assert_eq!(live.port("sw-9", "Gi0/1").unwrap().port().unwrap().identity.id, PortId(4));
    assert!(live.port("sw-9", "Gi0/2").is_none());
    assert!(live.port("sw-8", "Gi0/1").is_none());
}

#[test]
fn lists_are_filtered_and_sorted() {
    let live = table();
    let all = PortQuery::default();
    for (query, expected, case) in [
        (all.clone(), vec![4, 1, 2, 3], "by device as people read numbers, then the device's order"),
        (PortQuery { sort: PortSort::Name, ..all.clone() }, vec![3, 4, 1, 2], "by name"),
        (PortQuery { sort: PortSort::Name, descending: true, ..all.clone() }, vec![2, 1, 3, 4], "by name, descending"),
        (PortQuery { sort: PortSort::Alias, ..all.clone() }, vec![3, 1, 2, 4], "empty aliases last"),
        (PortQuery { sort: PortSort::Alias, descending: true, ..all.clone() }, vec![1, 3, 2, 4], "empty aliases last all the same"),
        (PortQuery { sort: PortSort::In, ..all.clone() }, vec![2, 1, 3, 4], "unknown last"),
        (PortQuery { sort: PortSort::In, descending: true, ..all.clone() }, vec![3, 1, 2, 4], "unknown last all the same"),
        (PortQuery { text: "UPLINK".to_owned(), ..all.clone() }, vec![3], "alias, whatever the case"),
        (PortQuery { text: "打印".to_owned(), ..all.clone() }, vec![1], "Chinese"),
        (PortQuery { text: " sw-9 ".to_owned(), ..all.clone() }, vec![4], "device name"),
        (PortQuery { text: "north".to_owned(), state: Some(PortState::Up), ..all.clone() }, vec![1, 3], "site and state"),
        (PortQuery { device: Some("sw-9".to_owned()), ..all.clone() }, vec![4], "device"),
        (PortQuery { min_utilisation: Some(50.0), ..all.clone() }, vec![3], "busy"),
        (PortQuery { text: "nowhere".to_owned(), ..all }, vec![], "nothing fits"),
    ] {
        assert_eq!(ids(&live.ports(&query).ports), expected, "{case}");
    }
}

#[test]
fn pages_follow_each_other_without_holes_and_end_at_the_last() {
    let live = table();
    let page = |page| live.ports(&PortQuery { page, per_page: 3, ..PortQuery::default() });
    assert_eq!((ids(&page(1).ports), page(1).total, page(1).pages), (vec![4, 1, 2], 4, 2));
    assert_eq!(ids(&page(2).ports), [3]);
    assert_eq!((page(99).page, ids(&page(99).ports)), (2, vec![3]));
    assert_eq!(page(0).page, 1);
    let empty = Live::new().ports(&PortQuery { per_page: 0, ..PortQuery::default() });
    assert_eq!((empty.total, empty.page, empty.pages), (0, 1, 1));
}

#[test]
fn natural_order_is_an_order() {
    let sorted = ["", "01", "1", "2", "10", "Eth1/1", "eth1/2", "Eth1/10", "eth2", "Gi0/1", "Gi0/1.5", "端口2", "端口10"];
    for (place, one) in sorted.iter().enumerate() {
        for (other_place, other) in sorted.iter().enumerate() {
            assert_eq!(natural(one, other), place.cmp(&other_place), "{one} {other}");
        }
    }
}
