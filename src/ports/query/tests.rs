use super::*;
use crate::model::{DeviceId, DeviceText, Gap, IfIndex, MacAddr, PortId, PortIdentity, PortMetric, Zone};
use crate::ports::live::{DeviceHealth, DeviceLabel, DeviceState};

fn port(id: u32, name: &str, alias: &str, state: PortState, in_octets: Option<f32>) -> PortLive {
    let identity = PortIdentity {
        id: PortId(id),
        if_index: IfIndex(id),
        name: name.into(),
        descr: DeviceText::default(),
        alias: alias.into(),
        if_type: 6,
        mac: Some(MacAddr([2, 0, 0, 0, 0, id as u8])),
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
    port.rates.set(PortMetric::OutDiscards, Some(if id == 2 { 0.5 } else { 0.0 }));
    port
}

fn device(id: u32, name: &str, state: DeviceState, ports: Vec<PortLive>) -> Arc<DeviceLive> {
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
    Arc::new(DeviceLive { label: Arc::new(label), system: None, health, ports: ports.into() })
}

fn fleet() -> Vec<Arc<DeviceLive>> {
    vec![
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
    ]
}

fn ids(rows: &[Found<'_>]) -> Vec<u32> {
    rows.iter().map(|(_, port)| port.identity.id.0).collect()
}

#[test]
fn lists_are_filtered_and_sorted() {
    let fleet = fleet();
    let all = PortQuery::default();
    for (query, expected, case) in [
        (all.clone(), vec![4, 3, 1, 2], "by device, then by name, as people read numbers"),
        (PortQuery { sort: PortSort::Name, ..all.clone() }, vec![4, 3, 1, 2], "by name"),
        (PortQuery { sort: PortSort::Name, descending: true, ..all.clone() }, vec![2, 1, 4, 3], "by name, descending"),
        (PortQuery { sort: PortSort::Alias, ..all.clone() }, vec![3, 1, 4, 2], "empty aliases last"),
        (PortQuery { sort: PortSort::Alias, descending: true, ..all.clone() }, vec![1, 3, 4, 2], "empty aliases last all the same"),
        (PortQuery { sort: PortSort::In, ..all.clone() }, vec![2, 1, 3, 4], "unknown last"),
        (PortQuery { sort: PortSort::In, descending: true, ..all.clone() }, vec![3, 1, 2, 4], "unknown last all the same"),
        (all.clone().text("UPLINK"), vec![3], "alias, whatever the case"),
        (all.clone().text("打印"), vec![1], "Chinese"),
        (all.clone().text(" sw-9 "), vec![4], "device name"),
        (all.clone().text("gi0/1 sw-10"), vec![3, 2], "all words, wherever they stand"),
        (all.clone().text("0200.0000.0003"), vec![3], "MAC address in any notation"),
        (PortQuery { state: Some(PortState::Up), ..all.clone() }.text("north"), vec![3, 1], "site and state"),
        (PortQuery { device: Some("sw-9".to_owned()), ..all.clone() }, vec![4], "device"),
        (PortQuery { min_utilisation: Some(50.0), ..all.clone() }, vec![3], "busy"),
        (PortQuery { with_errors: true, ..all.clone() }, vec![2], "with errors"),
        (all.text("nowhere"), vec![], "nothing fits"),
    ] {
        assert_eq!(ids(&query.all(&fleet)), expected, "{case}");
        assert_eq!(ids(&query.page(&fleet).rows), expected, "{case}, as a page");
    }
}

#[test]
fn pages_follow_each_other_without_holes_and_end_at_the_last() {
    let fleet = fleet();
    let page = |page| PortQuery { page, per_page: 3, ..PortQuery::default() }.page(&fleet);
    assert_eq!((ids(&page(1).rows), page(1).found, page(1).pages), (vec![4, 3, 1], 4, 2));
    assert_eq!(ids(&page(2).rows), [2]);
    assert_eq!((page(99).page, ids(&page(99).rows)), (2, vec![2]));
    assert_eq!(page(0).page, 1);
    let empty = PortQuery { per_page: 0, ..PortQuery::default() };
    assert_eq!((empty.page(&[]).found, empty.page(&[]).page, empty.page(&[]).pages), (0, 1, 1));
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

#[test]
fn a_mac_is_known_in_any_notation() {
    for (text, digits) in [
        ("00:1B:2c:00:00:01", Some("001b2c000001")),
        ("0:1b:2c:0:0:1", Some("001b2c000001")),
        ("001b.2c00.0001", Some("001b2c000001")),
        ("00-1B-2C", Some("001b2c")),
        ("001B2C000001", Some("001b2c000001")),
        ("1/0/12", None),
        ("cafe", None),
        ("office", None),
    ] {
        assert_eq!(mac_digits(text).as_deref(), digits, "{text}");
    }
}
