//! Which notification becomes which finding.

use super::*;
use crate::model::{DeviceId, DeviceText, Gap, IfIndex, PortId, PortIdentity, Zone};
use crate::ports::live::{DeviceCell, DeviceHealth, DeviceLabel, DeviceState};

const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn port(id: u32, name: &str) -> PortLive {
    let identity = PortIdentity {
        id: PortId(id),
        if_index: IfIndex(id),
        name: name.into(),
        descr: DeviceText::decode(format!("GigabitEthernet0/{id}").as_bytes()),
        alias: DeviceText::default(),
        if_type: 6,
        mac: None,
        speed_bps: None,
        mtu: None,
        admin: 1,
        connector: None,
        duplex: None,
        last_change_ticks: None,
    };
    PortLive::unknown(&Arc::new(identity), Gap::First)
}

fn device() -> DeviceLive {
    let label = DeviceLabel {
        id: DeviceId(1),
        name: "sw-a3".into(),
        address: (SOURCE, 161).into(),
        site: "".into(),
        zone: Zone::Inner,
        interval_s: 60,
    };
    let health = DeviceHealth {
        state: DeviceState::Up,
        gap: None,
        detail: None,
        since: None,
        last_poll: None,
        last_answer: None,
        rtt_us: None,
        poll_ms: None,
        booted: None,
    };
    DeviceLive { label: Arc::new(label), system: None, health, ports: [port(1, "Gi0/1"), port(2, "Gi0/2")].into() }
}

fn trap(standard: Option<Standard>, if_index: Option<u32>, if_name: Option<&str>) -> Trap {
    Trap {
        received: Timestamp::from_secs(1_000),
        source: SOURCE,
        version: 2,
        standard,
        name: "linkDown".into(),
        uptime_ticks: Some(1),
        if_index,
        if_name: if_name.map(|name| DeviceText::decode(name.as_bytes())),
        admin: None,
        oper: None,
        is_inform: false,
    }
}

fn judged(trap: &Trap) -> Option<(String, Subject, Verdict)> {
    let found = finding(trap, &device(), |_, port| (port.identity.id != PortId(9)).then_some(Severity::Major))?;
    Some((found.rule.to_string(), found.subject, found.verdict))
}

fn gi(number: u32) -> Subject {
    Subject::Port("sw-a3".into(), format!("Gi0/{number}").into())
}

#[test]
fn links_are_told_by_their_port() {
    let down = judged(&trap(Some(Standard::LinkDown), Some(2), None));
    assert_eq!(down, Some((LINK_DOWN.into(), gi(2), Verdict::Raised(Severity::Major))));
    let up = judged(&trap(Some(Standard::LinkUp), Some(2), Some("Gi0/2")));
    assert_eq!(up, Some((LINK_DOWN.into(), gi(2), Verdict::Cleared)));
    let disabled = judged(&trap(Some(Standard::ErrDisabled), Some(1), None));
    assert_eq!(disabled, Some((ERR_DISABLED.into(), gi(1), Verdict::Raised(Severity::Major))));
}

#[test]
fn the_name_counts_more_than_an_index_that_has_moved() {
    for name in ["Gi0/1", "GigabitEthernet0/1"] {
        let down = judged(&trap(Some(Standard::LinkDown), Some(2), Some(name)));
        assert_eq!(down.map(|(_, subject, _)| subject), Some(gi(1)), "{name}");
    }
    assert_eq!(judged(&trap(Some(Standard::LinkDown), Some(77), None)), None, "a port that nobody has seen");
}

#[test]
fn a_port_that_an_administrator_shut_is_no_fault() {
    let shut = Trap { admin: Some(SHUT), ..trap(Some(Standard::LinkDown), Some(1), None) };
    assert_eq!(judged(&shut), Some((LINK_DOWN.into(), gi(1), Verdict::Cleared)));
}

#[test]
fn what_is_about_the_device_or_means_nothing_here() {
    let whole = Subject::Device("sw-a3".into());
    let start = judged(&trap(Some(Standard::WarmStart), None, None));
    assert_eq!(start, Some((COLD_START.into(), whole.clone(), Verdict::Raised(Severity::Minor))));
    let guess = judged(&trap(Some(Standard::AuthenticationFailure), None, None));
    assert_eq!(guess, Some((AUTHENTICATION.into(), whole, Verdict::Raised(Severity::Info))));
    assert_eq!(judged(&trap(None, Some(1), None)), None);
}

#[test]
fn a_sender_is_known_by_the_address_it_is_polled_at() {
    let live = Live::new();
    live.set_devices(vec![Arc::new(DeviceCell::new(device()))]);
    assert_eq!(sender(&live, SOURCE).map(|device| device.label.name.to_string()).as_deref(), Some("sw-a3"));
    assert!(sender(&live, "192.0.2.7".parse().unwrap()).is_none());
}

#[test]
fn guesses_are_over_when_nobody_guesses_any_more() {
    let mut guesses = Guesses::default();
    let guess = finding(&trap(Some(Standard::AuthenticationFailure), None, None), &device(), |_, _| None).unwrap();
    guesses.note(&guess);
    guesses.assume(AUTHENTICATION, Subject::Device("sw-b1".into()), guess.at + Duration::from_secs(60));
    assert!(guesses.over(guess.at + QUIET - Duration::from_secs(1)).is_empty());
    let over = guesses.over(guess.at + QUIET);
    assert_eq!(over.iter().map(|over| (&over.subject, over.verdict)).collect::<Vec<_>>(), [(&guess.subject, Verdict::Cleared)]);
    assert_eq!(guesses.over(guess.at + QUIET * 2).len(), 1);
}
