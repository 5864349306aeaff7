//! A live table as the poller would leave it: so many switches with so many ports, whose counters move.

use std::net::SocketAddr;
use std::sync::Arc;

use netroom::model::observe::SystemInfo;
use netroom::model::{DeviceId, DeviceText, Gap, IfIndex, MacAddr, PortId, PortIdentity, PortMetric, Timestamp, Zone};
use netroom::ports::live::{Counters, DeviceCell, DeviceHealth, DeviceLabel, DeviceLive, DeviceState, Live, PortLive, PortState, Rates};

/// 2026-11-23T10:00:00+08:00.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_795_399_200);

/// A table of `devices` switches with `ports` ports each. Where there are several, the second is degraded and the last
/// does not answer; each third port is down.
pub(crate) fn live(devices: u32, ports: u32) -> Arc<Live> {
    let live = Live::new();
    let cells = (0..devices).map(|number| {
        let state = match number {
            0 => DeviceState::Up,
            n if n == devices - 1 => DeviceState::Down,
            1 => DeviceState::Degraded,
            _ => DeviceState::Up,
        };
        Arc::new(DeviceCell::new(device(number, ports, state)))
    });
    live.set_devices(cells.collect());
    Arc::new(live)
}

/// Lets `seconds` pass: the counters of ports that are up move on.
pub(crate) fn pass(live: &Live, seconds: u64) {
    for cell in live.devices().iter() {
        let device = cell.load();
        let ports = device.ports.iter().map(|port| {
            let mut port = port.clone();
            if port.state == PortState::Up {
                for (index, metric) in PortMetric::ALL.into_iter().enumerate().filter(|(_, metric)| !metric.is_gauge()) {
                    let pace = 1_000_000 / (1 + index as u64 * index as u64 * index as u64 * 50);
                    port.counters.set(metric, port.counter(metric).map(|value| value + pace.max(1) * seconds));
                }
            }
            port
        });
        cell.store(Arc::new(DeviceLive { ports: ports.collect(), ..DeviceLive::clone(&device) }));
    }
}

fn device(number: u32, ports: u32, state: DeviceState) -> DeviceLive {
    let answers = state != DeviceState::Down;
    let label = DeviceLabel {
        id: DeviceId(number),
        name: format!("sw-{number:04}").into(),
        address: SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 161)),
        site: if number.is_multiple_of(2) { "东楼".into() } else { "西楼".into() },
        zone: Zone::Inner,
        interval_s: 60,
    };
    let system = SystemInfo {
        descr: DeviceText::from("Switch OS, version 7\nbuilt by \"us\""),
        object_id: "1.3.6.1.4.1.8072.3.2.10".to_owned(),
        name: DeviceText::from(&*label.name),
        location: DeviceText::from("机房一"),
        contact: DeviceText::from(""),
    };
    let health = DeviceHealth {
        state,
        gap: (state != DeviceState::Up).then_some(Gap::Timeout),
        detail: None,
        since: Some(START),
        last_poll: Some(START),
        last_answer: answers.then_some(START),
        rtt_us: answers.then_some(1250),
        poll_ms: Some(48),
        booted: answers.then(|| Timestamp::from_secs(START.secs() - 86_400)),
    };
    let ports = (0..ports).map(|port| one_port(number * ports + port, port, answers)).collect();
    DeviceLive { label: Arc::new(label), system: Some(Arc::new(system)), health, ports }
}

fn one_port(id: u32, number: u32, answers: bool) -> PortLive {
    let up = !number.is_multiple_of(3);
    let identity = PortIdentity {
        id: PortId(id),
        if_index: IfIndex(number + 1),
        name: format!("GigabitEthernet1/0/{}", number + 1).into(),
        descr: DeviceText::from(format!("GigabitEthernet1/0/{} Interface", number + 1).as_str()),
        alias: DeviceText::from(format!("房间 A-{number:03}").as_str()),
        if_type: 6,
        mac: MacAddr::from_octets(&[0, 0x1b, 0x54, (id >> 16) as u8, (id >> 8) as u8, id as u8]),
        speed_bps: Some(1_000_000_000),
        mtu: Some(1500),
        admin: 1,
        connector: Some(true),
        duplex: Some(3),
        last_change_ticks: Some(100),
    };
    let mut counters = Counters::default();
    for (index, metric) in PortMetric::ALL.into_iter().enumerate() {
        let value = ((u64::from(id) * 982_451_653) % 1_000_000_000_007) >> index;
        counters.set(metric, Some(value));
    }
    counters.set(PortMetric::OperStatus, Some(if up { 1 } else { 2 }));
    let state = match (answers, up) {
        (false, _) => PortState::Unknown,
        (true, true) => PortState::Up,
        (true, false) => PortState::Down,
    };
    PortLive { identity: Arc::new(identity), state, sampled: Some(START), counters, rates: Rates::default(), gap: None }
}
