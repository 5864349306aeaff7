//! Each rule at its boundary, from outside: packets in, detections out. One more contact finds, one fewer does not; who is
//! exempt is not told; a victim is never accused.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use crate::capture::packet::{Arp, Body, Icmp, Ip, Nanos, Packet, Quoted, Tcp, Transport, Udp};
use crate::detect::settings::Sizes;
use crate::detect::{Detection, Engine, Kind, Level, Settings, Site};
use crate::model::{Fact, MacAddr, Timestamp};

mod shapes;

const WORM: [u8; 4] = [10, 0, 0, 66];

/// An engine with small tables, and the packets of a little network.
struct Net {
    engine: Engine,
    ms: u64,
    found: Vec<Detection>,
}

fn mac(ip: IpAddr) -> MacAddr {
    let IpAddr::V4(v4) = ip else { return MacAddr([2, 6, 6, 6, 6, 6]) };
    let [_, b, c, d] = v4.octets();
    // Whatever is not ours comes by the router.
    if v4.octets()[0] == 10 { MacAddr([2, 0, 0, b, c, d]) } else { MacAddr([2, 0xff, 0, 0, 0, 1]) }
}

fn small() -> Settings {
    Settings { sizes: Sizes::SMALL, ..Settings::default() }
}

fn site() -> Site {
    Site { local: vec!["10.0.0.0/8".parse().unwrap()], routers: [MacAddr([2, 0xff, 0, 0, 0, 1])].into(), ..Site::default() }
}

impl Net {
    fn new(site: Site) -> Self {
        Self { engine: Engine::new(small(), site, 3), ms: 1_700_000_000_000, found: Vec::new() }
    }

    fn wait(&mut self, ms: u64) -> &mut Self {
        self.ms += ms;
        self.engine.tick(Nanos(self.ms * 1_000_000));
        self
    }

    fn send(&mut self, src: IpAddr, dst: IpAddr, transport: Transport<'_>) {
        let body = Body::Ip(Ip { src, dst, hops: 64, extensions: 0, later_fragment: false, transport });
        let at = Nanos(self.ms * 1_000_000);
        self.engine.packet(&Packet { at, wire_octets: 60, src_mac: Some(mac(src)), dst_mac: Some(mac(dst)), vlan: Some(9), body });
    }

    fn tcp(&mut self, src: [u8; 4], dst: [u8; 4], ports: (u16, u16), flags: u8) {
        let tcp = Tcp { src_port: ports.0, dst_port: ports.1, flags, data_octets: 0, data: &[] };
        self.send(src.into(), dst.into(), Transport::Tcp(tcp));
    }

    fn syn(&mut self, src: [u8; 4], dst: [u8; 4], port: u16) {
        self.tcp(src, dst, (40_000, port), Tcp::SYN);
    }

    fn syn_ack(&mut self, src: [u8; 4], dst: [u8; 4], port: u16) {
        self.tcp(src, dst, (port, 40_000), Tcp::SYN | Tcp::ACK);
    }

    fn rst(&mut self, src: [u8; 4], dst: [u8; 4], port: u16) {
        self.tcp(src, dst, (port, 40_000), Tcp::RST | Tcp::ACK);
    }

    fn udp(&mut self, src: [u8; 4], dst: [u8; 4], ports: (u16, u16)) {
        self.send(src.into(), dst.into(), Transport::Udp(Udp { src_port: ports.0, dst_port: ports.1, data: &[] }));
    }

    fn echo(&mut self, src: [u8; 4], dst: [u8; 4], kind: u8) {
        self.send(src.into(), dst.into(), Transport::Icmp(Icmp { kind, code: 0, quoted: None, data: &[] }));
    }

    fn asks(&mut self, sender: [u8; 4], target: [u8; 4], operation: u16) {
        let arp =
            Arp { operation, sender_mac: mac(sender.into()), sender: sender.into(), target_mac: MacAddr([0; 6]), target: target.into() };
        let (at, src_mac) = (Nanos(self.ms * 1_000_000), Some(mac(sender.into())));
        let dst_mac = Some(if operation == 1 { MacAddr([0xff; 6]) } else { mac(target.into()) });
        self.engine.packet(&Packet { at, wire_octets: 60, src_mac, dst_mac, vlan: Some(9), body: Body::Arp(arp) });
    }

    /// Everything that was told so far of a kind.
    fn told(&mut self, kind: Kind) -> Vec<Detection> {
        self.found.extend(self.engine.take());
        self.found.iter().filter(|detection| detection.kind == kind).cloned().collect()
    }

    fn tells_nothing(&mut self) {
        self.found.extend(self.engine.take());
        assert!(self.found.is_empty(), "{:?}", self.found);
    }
}

fn outside(last: u16) -> [u8; 4] {
    let [high, low] = last.to_be_bytes();
    [93, 184, high, low]
}

#[test]
fn seven_refusals_on_one_port_are_a_scan_and_six_are_not() {
    let mut net = Net::new(site());
    for last in 0..7 {
        net.tells_nothing();
        net.syn(WORM, outside(last), 8022);
        net.rst(outside(last), WORM, 8022);
        net.wait(100);
    }
    let found = net.told(Kind::TcpScan);
    assert_eq!(found.len(), 1);
    let machine = found[0].machine;
    assert_eq!((machine.ip, machine.mac, machine.vlan), (Some(WORM.into()), Some(mac(WORM.into())), Some(9)));
    assert_eq!((found[0].contacts, found[0].level), (7, Level::Suspect));
    assert_eq!((&found[0].evidence["failed"], &found[0].evidence["port"]), (&Fact::Count(7), &Fact::Count(8022)));
    let Fact::Text(sample) = &found[0].evidence["sample"] else { panic!() };
    assert!(sample.contains("93.184.0.6:8022") && sample.split(", ").count() == 7, "{sample}");
}

#[test]
fn silence_is_a_failure_after_three_seconds() {
    let mut net = Net::new(site());
    (0..7).for_each(|last| net.syn(WORM, outside(last), 8022));
    net.wait(2800).tells_nothing();
    net.wait(400);
    assert_eq!(net.told(Kind::TcpScan).len(), 1);
}

#[test]
fn a_scan_that_is_held_is_reason_to_block() {
    let mut net = Net::new(site());
    for last in 0..40 {
        net.syn(WORM, outside(last), 8022);
        net.rst(outside(last), WORM, 8022);
        net.wait(1000);
    }
    assert_eq!(net.told(Kind::TcpScan).last().map(|detection| detection.level), Some(Level::BlockWorthy));
}

#[test]
fn successes_between_failures_are_a_usual_life() {
    let mut net = Net::new(site());
    for last in 0..200 {
        net.syn(WORM, outside(last), 443);
        if last % 3 != 0 {
            net.syn_ack(outside(last), WORM, 443);
        }
        net.wait(700);
    }
    net.wait(9000).tells_nothing();
}

#[test]
fn where_only_one_direction_is_seen_the_initiator_shows_what_was_accepted() {
    let mut net = Net::new(site());
    for last in 0..30 {
        net.syn(WORM, outside(last), 443);
        net.tcp(WORM, outside(last), (40_000, 443), Tcp::ACK);
    }
    net.wait(9000).tells_nothing();
}

#[test]
fn an_outage_accuses_nobody() {
    let mut net = Net::new(site());
    for round in 0..10_u16 {
        for host in 1..=30_u8 {
            net.syn([10, 0, 1, host], outside(round * 100 + u16::from(host)), 443);
        }
        net.wait(1000);
    }
    net.wait(9000).tells_nothing();
    // One that fails where the others succeed is found as before.
    for round in 0..10_u16 {
        for host in 1..=30_u8 {
            let to = outside(5000 + round * 100 + u16::from(host));
            net.syn([10, 0, 1, host], to, 443);
            if host != 30 {
                net.syn_ack(to, [10, 0, 1, host], 443);
            }
        }
        net.wait(1000);
    }
    net.wait(30_000);
    let found = net.told(Kind::TcpScan);
    assert!(!found.is_empty() && found.iter().all(|detection| detection.machine.ip == Some([10, 0, 1, 30].into())), "{found:?}");
}

#[test]
fn a_way_that_is_closed_is_no_evidence() {
    let mut net = Net::new(site());
    for (last, code) in [0_u8, 9, 10, 13].into_iter().cycle().take(40).enumerate() {
        let to = outside(u16::try_from(last).unwrap());
        net.syn(WORM, to, 8022);
        let quoted = Quoted { src: WORM.into(), dst: to.into(), protocol: 6, src_port: 40_000, dst_port: 8022 };
        net.send([93, 0, 0, 1].into(), WORM.into(), Transport::Icmp(Icmp { kind: 3, code, quoted: Some(quoted), data: &[] }));
    }
    net.wait(9000).tells_nothing();
}

#[test]
fn dead_peers_on_many_ports_are_a_label() {
    let mut net = Net::new(site());
    for last in 0..60 {
        net.syn(WORM, outside(last), 20_000 + last * 7);
    }
    net.wait(6000);
    let found = net.told(Kind::P2p);
    assert!(!found.is_empty() && found.iter().all(|detection| detection.level == Level::Label));
    assert_eq!(net.told(Kind::TcpScan), []);
}

#[test]
fn programs_that_look_for_their_like_are_no_scanners() {
    let mut net = Net::new(site());
    (0..120).for_each(|last| net.syn(WORM, [10, 0, 3, last], 7680));
    net.engine.finish();
    assert_eq!(net.told(Kind::TcpScan), []);
}

#[test]
fn a_victim_is_not_accused() {
    let mut net = Net::new(site());
    let victim = [10, 0, 0, 7];
    // Scanned, pinged and flooded from outside; and what a flood with its address forged sends back.
    for last in 0..300 {
        net.syn(outside(last), victim, 1000 + last);
        net.rst(victim, outside(last), 1000 + last);
        net.echo(outside(last), victim, 8);
        net.echo(victim, outside(last), 0);
        net.udp(outside(last), victim, (5000, 53));
        net.udp(victim, outside(last), (53, 5000));
        net.syn_ack(outside(last), victim, 80);
    }
    net.wait(9000).tells_nothing();
}

#[test]
fn a_hundred_and_one_contacts_in_ten_seconds_are_fast() {
    for (contacts, found) in [(100, 0), (101, 1)] {
        let mut net = Net::new(site());
        (0..contacts).for_each(|last| net.syn(WORM, outside(last), 8022));
        assert_eq!(net.told(Kind::FastScan).len(), found);
    }
    let mut answered = Net::new(site());
    for last in 0..400 {
        answered.syn(WORM, outside(last), 443);
        answered.syn_ack(outside(last), WORM, 443);
    }
    answered.wait(9000).tells_nothing();
}

#[test]
fn three_hundred_and_one_datagrams_without_answer_are_a_worm() {
    for (contacts, found) in [(300, 0), (301, 1)] {
        let mut net = Net::new(site());
        (0..contacts).for_each(|last| net.udp(WORM, outside(last), (3000, 4040)));
        assert_eq!(net.told(Kind::UdpWorm).len(), found);
    }
    let mut browser = Net::new(site());
    for last in 0..600 {
        browser.udp(WORM, outside(last), (3000, 27_015));
        browser.udp(outside(last), WORM, (27_015, 3000));
    }
    browser.wait(20_000).tells_nothing();
}

#[test]
fn twenty_five_machines_on_one_share_port_are_too_many_even_if_they_answer() {
    let run = |site: Site, machines: u8, kind: Kind| {
        let mut net = Net::new(site);
        for last in 0..machines {
            net.syn(WORM, [10, 0, 4, last], 445);
            net.syn_ack([10, 0, 4, last], WORM, 445);
        }
        net.told(kind).len()
    };
    assert_eq!((run(site(), 24, Kind::Lateral), run(site(), 25, Kind::Lateral)), (0, 1));
    assert_eq!(run(Site { servers: [WORM.into()].into(), ..site() }, 60, Kind::Lateral), 0, "a declared server may");
    assert_eq!(run(Site { exempt: [WORM.into()].into(), ..site() }, 60, Kind::Lateral), 0);
    let mut snmp = Net::new(site());
    (0..8).for_each(|last| snmp.udp(WORM, [10, 0, 4, last], (3000, 161)));
    assert_eq!(snmp.told(Kind::Lateral).len(), 1);
}

#[test]
fn dead_addresses_count_before_anybody_could_answer() {
    let live = (1..=20).map(|last| IpAddr::from([10, 0, 5, last])).collect();
    let mut net = Net::new(Site { live: Some(live), ..site() });
    for last in 100..107 {
        net.syn(WORM, [10, 0, 5, last], 5000);
    }
    assert_eq!(net.told(Kind::DarkContact), []);
    net.syn(WORM, [10, 0, 5, 107], 5000);
    assert_eq!(net.told(Kind::DarkContact).len(), 1);
    assert_eq!(net.told(Kind::TcpScan).len(), 1, "they have failed before they were sent");
}

#[test]
fn ten_ports_of_one_machine_are_a_scan_of_it() {
    for (ports, found) in [(9, 0), (10, 1)] {
        let mut net = Net::new(site());
        (0..ports).for_each(|port| net.syn(WORM, [10, 0, 0, 7], 30_000 + port));
        net.wait(1200);
        assert_eq!(net.told(Kind::PortScan).len(), found);
        assert_eq!(net.told(Kind::TcpScan), [], "one machine is no fan-out");
    }
    let mut transfer = Net::new(site());
    for port in 0..50 {
        transfer.syn(WORM, [10, 0, 0, 7], 30_000 + port);
        transfer.syn_ack([10, 0, 0, 7], WORM, 30_000 + port);
    }
    transfer.wait(9000).tells_nothing();
}

#[test]
fn sixty_one_arp_requests_in_a_minute_are_a_sweep_but_not_by_a_router() {
    let run = |net: &mut Net, sender: [u8; 4], targets: u8| {
        (0..targets).for_each(|last| net.asks(sender, [10, 0, 6, last], 1));
        (0..targets).for_each(|_| net.asks(sender, [10, 0, 6, 1], 1));
        net.told(Kind::ArpSweep).len()
    };
    assert_eq!((run(&mut Net::new(site()), WORM, 60), run(&mut Net::new(site()), WORM, 61)), (0, 1));
    assert_eq!(run(&mut Net::new(Site { routers: [mac(WORM.into())].into(), ..site() }), WORM, 200), 0);
    assert_eq!(run(&mut Net::new(Site { gateways: vec![(WORM.into(), None)], ..site() }), WORM, 200), 0);
}

#[test]
fn a_slow_arp_sweep_shows_where_answers_are_seen() {
    let sweep = |answers: bool| {
        let mut net = Net::new(site());
        for last in 0..=254_u8 {
            // Others ask for machines that live; the worm asks for dead ones.
            net.asks([10, 0, 7, 9], [10, 0, 8, last], 1);
            if answers {
                net.asks([10, 0, 8, last], [10, 0, 7, 9], 2);
            }
            net.asks(WORM, [10, 0, 6, last], 1);
            net.wait(2000);
        }
        net.told(Kind::ArpSweep)
    };
    let found = sweep(true);
    assert!(!found.is_empty() && found.iter().all(|detection| detection.machine.ip == Some(WORM.into())), "{found:?}");
    assert_eq!(sweep(false), []);
}

#[test]
fn fifteen_pings_without_answer_are_a_sweep() {
    let run = |targets: u8, answered: bool| {
        let mut net = Net::new(site());
        for last in 0..targets {
            net.echo(WORM, [10, 0, 6, last], 8);
            if answered {
                net.echo([10, 0, 6, last], WORM, 0);
            }
        }
        net.wait(1200);
        net.told(Kind::IcmpSweep).len()
    };
    assert_eq!((run(14, false), run(15, false), run(38, true)), (0, 1, 0));
}

#[test]
fn twelve_mail_servers_are_too_many_for_a_desk() {
    let run = |site: Site, servers: u16| {
        let mut net = Net::new(site);
        for last in 0..servers {
            net.syn(WORM, outside(last), 25);
            net.syn_ack(outside(last), WORM, 25);
        }
        net.told(Kind::Spam).len()
    };
    assert_eq!((run(site(), 11), run(site(), 12)), (0, 1));
    assert_eq!(run(Site { mail: [WORM.into()].into(), ..site() }, 100), 0);
}

#[test]
fn a_hundred_openings_without_answer_at_one_target_are_a_flood() {
    let run = |openings: u16, answered: bool| {
        let mut net = Net::new(site());
        for at in 0..openings {
            net.tcp(WORM, [93, 0, 0, 9], (1024 + at, 80), Tcp::SYN);
            if answered {
                net.tcp([93, 0, 0, 9], WORM, (80, 1024 + at), Tcp::SYN | Tcp::ACK);
            }
            net.wait(2);
        }
        net.engine.finish();
        net.told(Kind::Flood)
    };
    assert_eq!((run(99, false).len(), run(300, true).len()), (0, 0));
    let found = run(100, false);
    assert_eq!((found.len(), &found[0].evidence["sample"]), (1, &Fact::Text("93.0.0.9:80".into())));
}

#[test]
fn datagrams_without_answer_flood_when_they_keep_their_rate() {
    let run = |each_ms: usize, answered: bool| {
        let mut net = Net::new(site());
        for _ in 0..5000 {
            (0..each_ms).for_each(|_| net.udp(WORM, [93, 0, 0, 9], (3000, 9)));
            if answered {
                net.udp([93, 0, 0, 9], WORM, (9, 3000));
            }
            net.wait(1);
        }
        net.told(Kind::Flood).is_empty()
    };
    assert!(!run(2, false) && run(2, true));
    let mut call = Net::new(site());
    (0..5000).for_each(|_| {
        call.udp(WORM, [93, 0, 0, 9], (3000, 9));
        call.wait(20);
    });
    assert_eq!(call.told(Kind::Flood), [], "a call of fifty packets a second is none");
}

#[test]
fn thirty_log_ins_a_minute_are_guessing() {
    let run = |connections: u16, port: u16| {
        let mut net = Net::new(site());
        for at in 0..connections {
            net.tcp(WORM, [10, 0, 0, 7], (2000 + at, port), Tcp::SYN);
            net.tcp([10, 0, 0, 7], WORM, (port, 2000 + at), Tcp::SYN | Tcp::ACK);
            net.wait(1500);
        }
        net.told(Kind::PasswordGuessing).len()
    };
    assert_eq!((run(29, 22), run(30, 22), run(39, 8080)), (0, 1, 0));
}

#[test]
fn whose_address_is_forged_is_not_accused() {
    let mut net = Net::new(site());
    let forger = Some(MacAddr([2, 9, 9, 9, 9, 9]));
    for at in 0..400_u16 {
        let src = [10, 0, 2, (at % 100) as u8];
        let tcp = Tcp { src_port: at, dst_port: 445, flags: Tcp::SYN, data_octets: 0, data: &[] };
        let (src, dst) = (src.into(), outside(at).into());
        let body = Body::Ip(Ip { src, dst, hops: 64, extensions: 0, later_fragment: false, transport: Transport::Tcp(tcp) });
        net.engine.packet(&Packet {
            at: Nanos(net.ms * 1_000_000),
            wire_octets: 60,
            src_mac: forger,
            dst_mac: Some(mac(dst)),
            vlan: None,
            body,
        });
        net.wait(10);
    }
    net.engine.finish();
    let found = net.told(Kind::SpoofedSource);
    assert!(found.iter().all(|detection| detection.machine.mac == forger) && !found.is_empty());
    assert_eq!(net.found.iter().filter(|detection| detection.kind != Kind::SpoofedSource).count(), 0, "{:?}", net.found);
}

#[test]
fn a_behaviour_ends_when_it_was_quiet_for_ten_minutes() {
    let mut net = Net::new(site());
    (0..15).for_each(|last| net.echo(WORM, [10, 0, 6, last], 8));
    net.wait(2000).wait(599_000);
    assert_eq!(net.told(Kind::IcmpSweep).len(), 1);
    net.wait(3000);
    assert!(net.told(Kind::IcmpSweep).last().is_some_and(|detection| detection.cleared));
}

#[test]
fn only_ours_are_charged_where_the_site_says_who_they_are() {
    let mut net = Net::new(site());
    (0..200).for_each(|last| net.syn([176, 192, 150, 3], [10, 0, 9, last], 445));
    net.wait(9000).tells_nothing();
    let mut unknown = Net::new(Site::default());
    (0..8).for_each(|last| unknown.syn([176, 192, 150, 3], [10, 0, 9, last], 445));
    unknown.engine.finish();
    assert_eq!(unknown.told(Kind::TcpScan).len(), 1);
}

fn flow(src: [u8; 4], dst: [u8; 4], port: u16, tcp_flags: u8, sampling: u32) -> crate::flow::record::Record {
    let at = Timestamp::from_millis(1_700_000_000_000);
    crate::flow::record::Record {
        exporter: [10, 0, 0, 1].into(),
        first: at,
        last: at,
        src: src.into(),
        dst: dst.into(),
        src_mac: None,
        vlan: None,
        protocol: 6,
        src_port: 40_000,
        dst_port: port,
        tcp_flags,
        packets: 1,
        octets: 60,
        sampling,
        input: 1,
        output: 2,
    }
}

#[test]
fn flows_that_only_opened_have_failed() {
    let run = |flags: u8, sampling: u32, contacts: u16, kind: Kind| {
        let mut engine = Engine::new(small(), site(), 3);
        (0..contacts).for_each(|last| engine.flow(&flow(WORM, outside(last), 8022, flags, sampling)));
        engine.finish();
        engine.take().iter().filter(|detection| detection.kind == kind).count()
    };
    assert_eq!((run(Tcp::SYN, 1, 6, Kind::TcpScan), run(Tcp::SYN, 1, 7, Kind::TcpScan)), (0, 1));
    assert_eq!(run(Tcp::SYN | Tcp::ACK | Tcp::FIN, 1, 60, Kind::TcpScan), 0);
    assert_eq!(run(Tcp::SYN, 100, 60, Kind::TcpScan), 0, "sampled flows say nothing of outcomes");
    assert_eq!(run(Tcp::SYN, 100, 101, Kind::FastScan), 1);
}

/// Any packet at all, from a few addresses so that they meet.
fn any_packet() -> impl Strategy<Value = (u64, u8, u8, u8, u16, u16, u8)> {
    (prop_oneof![0..5000_u64, any::<u64>()], 0..6_u8, 0..40_u8, 0..40_u8, 0..600_u16, 0..600_u16, any::<u8>())
}

fn build(&(at, what, from, to, a, b, flags): &(u64, u8, u8, u8, u16, u16, u8)) -> Packet<'static> {
    let (src, dst) = (Ipv4Addr::new(10, 0, 0, from), Ipv4Addr::new(10, 0, to % 3, to));
    let quoted = Some(Quoted { src: dst.into(), dst: src.into(), protocol: [6, 17, 1][usize::from(flags % 3)], src_port: a, dst_port: b });
    let transport = match what {
        0 | 1 => Transport::Tcp(Tcp { src_port: a, dst_port: b, flags, data_octets: 0, data: &[] }),
        2 => Transport::Udp(Udp { src_port: a, dst_port: b, data: &[0; 12] }),
        3 => Transport::Icmp(Icmp { kind: flags % 14, code: flags / 16, quoted, data: &[0; 24] }),
        _ => Transport::Other(flags),
    };
    let body = match what {
        4 => Body::Arp(Arp {
            operation: u16::from(flags % 3),
            sender_mac: mac(src.into()),
            sender: src,
            target_mac: mac(dst.into()),
            target: dst,
        }),
        _ => Body::Ip(Ip { src: src.into(), dst: dst.into(), hops: 3, extensions: 0, later_fragment: false, transport }),
    };
    Packet {
        at: Nanos(at.saturating_mul(1_000_000)),
        wire_octets: 60,
        src_mac: Some(mac(src.into())),
        dst_mac: Some(mac(dst.into())),
        vlan: None,
        body,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever passes: no panic, the same packets give the same detections, and nobody is told of who sent nothing.
    #[test]
    fn any_packets_are_borne(packets in proptest::collection::vec(any_packet(), 0..600)) {
        let run = || {
            let mut engine = Engine::new(small(), Site::default(), 5);
            packets.iter().for_each(|packet| engine.packet(&build(packet)));
            engine.finish();
            engine.take()
        };
        let found = run();
        for detection in &found {
            let sent = packets.iter().any(|packet| {
                let src = IpAddr::from([10, 0, 0, packet.2]);
                detection.machine.ip.is_none_or(|ip| ip == src) && detection.machine.mac.is_none_or(|station| station == mac(src))
            });
            prop_assert!(sent, "{detection:?}");
            prop_assert!(detection.first <= detection.last, "{detection:?}");
        }
        prop_assert_eq!(found, run());
    }

    /// Who only answers is never told of.
    #[test]
    fn who_only_answers_is_not_told_of(ports in proptest::collection::vec((0..200_u16, 1..5000_u16, 0..3_u8), 1..800)) {
        let mut net = Net::new(Site::default());
        let victim = [10, 0, 0, 7];
        for (from, port, how) in ports {
            let scanner = [10, 9, 0, (from % 200) as u8];
            net.syn(scanner, victim, port);
            match how {
                0 => net.rst(victim, scanner, port),
                1 => net.syn_ack(victim, scanner, port),
                _ => {}
            }
            net.wait(u64::from(from));
        }
        net.engine.finish();
        net.found.extend(net.engine.take());
        prop_assert!(net.found.iter().all(|detection| detection.machine.ip != Some(victim.into())), "{:?}", net.found);
    }
}
