//! Who claims whose address, and who offers itself as the way out.

use super::*;

impl Bench {
    fn arp(&mut self, operation: u16, from: (MacAddr, Ipv4Addr), to: (MacAddr, Ipv4Addr)) {
        let target_mac = if operation == 1 { MacAddr([0; 6]) } else { to.0 };
        let arp = Arp { operation, sender_mac: from.0, sender: from.1, target_mac, target: to.1 };
        let to_mac = if operation == 1 { BROADCAST } else { to.0 };
        self.frame(from.0, to_mac, Body::Arp(arp));
    }

    fn announces(&mut self, from: MacAddr, address: Ipv4Addr) {
        self.arp(2, (from, address), (BROADCAST, address));
    }

    fn neighbour(&mut self, kind: u8, from: (MacAddr, &str), to: &str, data: &[u8], hops: u8) {
        let transport = Transport::Icmp(Icmp { kind, code: 0, quoted: None, data });
        let (src, dst) = (from.1.parse().unwrap(), to.parse().unwrap());
        let ip = Ip { src, dst, hops, extensions: 0, later_fragment: false, transport };
        self.frame(from.0, MacAddr([0x33, 0x33, 0, 0, 0, 1]), Body::Ip(ip));
    }

    fn offers_itself(&mut self, from: MacAddr, lifetime_s: u16, hops: u8) {
        let [high, low] = lifetime_s.to_be_bytes();
        let src = format!("fe80::{:x}", from.0[5]);
        self.neighbour(134, (from, &src), "ff02::1", &[64, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 0], hops);
    }

    fn advertises(&mut self, from: MacAddr, address: &str, flags: u8) {
        let target: std::net::Ipv6Addr = address.parse().unwrap();
        let data = [&[flags, 0, 0, 0], &target.octets()[..], &[2, 1], &from.0].concat();
        let to = if flags & 0x40 == 0 { "ff02::1" } else { "fe80::77" };
        self.neighbour(136, (from, address), to, &data, 255);
    }
}

#[test]
fn a_duplicate_is_told_of_both_at_the_second_change_of_hands() {
    let mut bench = Bench::with_gateway();
    bench.announces(mac(1), v4(2));
    bench.announces(mac(2), v4(2));
    assert!(bench.found.is_empty(), "a machine may move");
    bench.announces(mac(1), v4(2));
    assert_eq!(bench.told(Kind::ArpSpoof), [(mac(1), Level::Suspect), (mac(2), Level::Suspect)]);
    assert_eq!(bench.fact("claimed"), &Fact::Text("10.1.0.2".into()));
    assert_eq!(bench.fact("count"), &Fact::Count(2));
}

#[test]
fn changes_of_hands_far_apart_are_nothing() {
    let mut bench = Bench::with_gateway();
    bench.announces(mac(1), v4(2));
    bench.announces(mac(2), v4(2));
    bench.wait_ms(600_000);
    bench.announces(mac(1), v4(2));
    assert!(bench.found.is_empty());
    bench.wait_ms(599_999);
    bench.announces(mac(2), v4(2));
    assert_eq!(bench.told(Kind::ArpSpoof).len(), 2);
}

#[test]
fn an_address_that_goes_on_to_a_third_is_no_duplicate() {
    let mut bench = Bench::with_gateway();
    for holder in [1, 2, 3, 4] {
        bench.announces(mac(holder), v4(2));
    }
    assert!(bench.found.is_empty());
}

#[test]
fn one_that_answers_unasked_is_told_and_its_victim_is_not() {
    let mut bench = Bench::with_gateway();
    // 1 asks for 2, who answers; then 9 tells 1 unasked that it is 2, again and again.
    bench.arp(1, (mac(1), v4(1)), (BROADCAST, v4(2)));
    bench.arp(2, (mac(2), v4(2)), (mac(1), v4(1)));
    bench.wait_ms(5_000);
    for _ in 0..3 {
        bench.arp(2, (mac(9), v4(2)), (mac(1), v4(1)));
        bench.wait_ms(5_000);
        bench.arp(1, (mac(1), v4(1)), (BROADCAST, v4(2)));
        bench.arp(2, (mac(2), v4(2)), (mac(1), v4(1)));
        bench.wait_ms(5_000);
    }
    assert_eq!(bench.told(Kind::ArpSpoof), [(mac(9), Level::Virus)]);
}

#[test]
fn a_gateways_address_is_told_at_the_first_claim() {
    let mut bench = Bench::with_gateway();
    bench.arp(1, (GATEWAY, v4(254)), (BROADCAST, v4(7)));
    bench.arp(2, (mac(9), v4(254)), (mac(7), v4(7)));
    assert_eq!(bench.told(Kind::ArpSpoof), [(mac(9), Level::Virus)]);
    bench.arp(2, (GATEWAY, v4(254)), (mac(7), v4(7)));
    assert_eq!(bench.told(Kind::ArpSpoof).len(), 1, "the gateway itself is never told");
}

#[test]
fn a_gateway_whose_mac_is_not_known_is_who_was_there_first() {
    let mut bench = Bench::new(Site { gateways: vec![(ip(254), None)], ..Site::default() });
    bench.announces(GATEWAY, v4(254));
    bench.announces(GATEWAY, v4(254));
    assert!(bench.found.is_empty());
    bench.arp(2, (mac(9), v4(254)), (mac(7), v4(7)));
    assert_eq!(bench.told(Kind::ArpSpoof), [(mac(9), Level::Virus)]);
}

#[test]
fn addresses_of_redundant_routers_may_change_hands() {
    for own in
        [[0x00, 0x00, 0x5e, 0x00, 0x01, 2], [0x00, 0x00, 0x0c, 0x07, 0xac, 1], [0x00, 0x07, 0xb4, 0, 1, 1], [0, 0, 0x0c, 0x9f, 0xf0, 1]]
    {
        let mut bench = Bench::with_gateway();
        for _ in 0..3 {
            bench.announces(mac(3), v4(254));
            bench.found.clear();
            bench.announces(MacAddr(own), v4(254));
            // In a frame of the router's own address.
            let arp = Arp { operation: 2, sender_mac: MacAddr(own), sender: v4(254), target_mac: BROADCAST, target: v4(254) };
            bench.frame(mac(3), BROADCAST, Body::Arp(arp));
            bench.announces(mac(1), v4(2));
            bench.announces(MacAddr(own), v4(2));
        }
        assert!(bench.found.is_empty(), "{own:?}");
    }
}

#[test]
fn a_router_that_answers_for_others_is_none_of_them() {
    let mut bench = Bench::with_gateway();
    for _ in 0..4 {
        bench.arp(1, (mac(1), v4(1)), (BROADCAST, v4(2)));
        bench.arp(2, (mac(2), v4(2)), (mac(1), v4(1)));
        bench.arp(2, (GATEWAY, v4(2)), (mac(1), v4(1)));
    }
    assert!(bench.found.is_empty());
}

#[test]
fn who_asks_whether_an_address_is_free_claims_nothing() {
    let mut bench = Bench::with_gateway();
    for from in [1, 2, 1, 2] {
        bench.arp(1, (mac(from), Ipv4Addr::UNSPECIFIED), (BROADCAST, v4(2)));
    }
    assert!(bench.found.is_empty());
}

#[test]
fn neighbours_of_ipv6_are_judged_alike() {
    let mut bench = Bench::with_gateway();
    for from in [1, 2, 1] {
        bench.advertises(mac(from), "fe80::5", 0x20);
    }
    assert_eq!(bench.told(Kind::ArpSpoof), [(mac(1), Level::Suspect), (mac(2), Level::Suspect)]);
    let mut bench = Bench::with_gateway();
    for from in [1, 2, 1, 2] {
        bench.advertises(mac(from), "2001:db8::5", 0x40);
    }
    assert!(bench.found.is_empty(), "without the override flag it is a proxy or shared");
}

#[test]
fn a_second_ipv6_router_is_told_and_the_first_is_not() {
    let mut bench = Bench::new(Site::default());
    bench.offers_itself(mac(1), 1800, 255);
    bench.offers_itself(mac(1), 1800, 255);
    assert!(bench.found.is_empty());
    bench.offers_itself(mac(9), 0, 255);
    bench.offers_itself(mac(9), 1800, 64);
    assert!(bench.found.is_empty(), "no offer, and one from behind a router");
    bench.offers_itself(mac(9), 1, 255);
    assert_eq!(bench.told(Kind::RogueRa), [(mac(9), Level::Suspect)]);
}

#[test]
fn where_routers_are_named_any_other_is_told_at_once() {
    let mut bench = Bench::with_gateway();
    bench.offers_itself(GATEWAY, 1800, 255);
    bench.offers_itself(MacAddr([0, 0, 0x5e, 0, 2, 1]), 1800, 255);
    assert!(bench.found.is_empty());
    bench.offers_itself(mac(9), 1800, 255);
    assert_eq!(bench.told(Kind::RogueRa), [(mac(9), Level::Virus)]);
}

#[test]
fn where_no_gateway_is_named_the_way_out_is_the_victim() {
    let mut bench = Bench::new(Site::default());
    for last in 1..=9 {
        let ip = Ip {
            src: ip(1),
            dst: [93, 0, 0, last].into(),
            hops: 64,
            extensions: 0,
            later_fragment: false,
            transport: Transport::Other(89),
        };
        let at = Nanos(1);
        let packet = Packet { at, wire_octets: 60, src_mac: Some(mac(1)), dst_mac: Some(GATEWAY), vlan: None, body: Body::Ip(ip) };
        bench.sight.learn(&packet, 1);
    }
    for _ in 0..3 {
        bench.announces(GATEWAY, v4(254));
        bench.announces(mac(9), v4(254));
    }
    assert_eq!(bench.told(Kind::ArpSpoof), [(mac(9), Level::Virus)]);
}
