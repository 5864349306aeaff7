//! Who gives addresses, and who asks for all of them.

use super::*;

/// A DHCP message: 2 offers, 1 asks.
fn dhcp(operation: u8, kind: u8, client: MacAddr, given: Ipv4Addr, options: &[u8]) -> Vec<u8> {
    let mut octets = vec![operation, 1, 6, 0, 0, 0, 0, 1];
    octets.extend([0; 8]);
    octets.extend(given.octets());
    octets.extend([0; 8]);
    octets.extend(client.0);
    octets.extend([0; 10 + 192]);
    octets.extend([99, 130, 83, 99, 53, 1, kind]);
    octets.extend(options);
    octets.push(255);
    octets
}

impl Bench {
    fn offers(&mut self, from: u8, router: u8, relay: u8) {
        let (server, router) = (v4(from).octets(), v4(router).octets());
        let options = [&[54, 4], &server[..], &[3, 4], &router].concat();
        let mut message = dhcp(2, 2, mac(1), v4(100), &options);
        if relay > 0 {
            message[24..28].copy_from_slice(&v4(relay).octets());
        }
        let frame_from = if relay > 0 { GATEWAY } else { mac(from) };
        self.udp((frame_from, ip(from), 67), (BROADCAST, IpAddr::from([255; 4]), 68), &message);
    }

    fn asks(&mut self, from: MacAddr, client: MacAddr) {
        let message = dhcp(1, 1, client, Ipv4Addr::UNSPECIFIED, &[]);
        self.udp((from, IpAddr::from([0; 4]), 68), (BROADCAST, IpAddr::from([255; 4]), 67), &message);
    }
}

#[test]
fn a_server_that_is_not_on_the_list_is_told_at_once() {
    let site = Site { dhcp: [ip(2)].into(), dhcp_macs: [mac(3)].into(), routers: [GATEWAY].into(), ..Site::default() };
    let mut bench = Bench::new(site);
    bench.offers(2, 254, 0);
    bench.offers(3, 254, 0);
    bench.offers(8, 254, 254);
    assert!(bench.found.is_empty(), "by its address, by its MAC address, through the relay");
    bench.offers(9, 254, 0);
    assert_eq!(bench.told(Kind::RogueDhcp), [(mac(9), Level::Virus)]);
    assert_eq!(bench.found[0].machine.ip, Some(ip(9)));
    assert_eq!(bench.fact("sample"), &Fact::Text("10.1.0.100".into()));
}

#[test]
fn without_a_list_the_first_is_believed_and_the_second_told() {
    let mut bench = Bench::new(Site::default());
    bench.offers(2, 254, 0);
    bench.offers(2, 254, 0);
    assert!(bench.found.is_empty());
    bench.offers(4, 254, 0);
    assert_eq!(bench.told(Kind::RogueDhcp), [(mac(4), Level::Suspect)]);
    bench.offers(9, 9, 0);
    assert_eq!(bench.told(Kind::RogueDhcp), [(mac(4), Level::Suspect), (mac(9), Level::Virus)], "the gateway that it names is its own");
    bench.offers(2, 254, 0);
    assert_eq!(bench.told(Kind::RogueDhcp).len(), 2, "the believed one is never told");
}

#[test]
fn a_server_that_gives_no_address_is_none() {
    let mut bench = Bench::new(Site { dhcp: [ip(2)].into(), ..Site::default() });
    let message = dhcp(2, 2, mac(1), Ipv4Addr::UNSPECIFIED, &[54, 4, 10, 1, 0, 9]);
    bench.udp((mac(9), ip(9), 67), (BROADCAST, IpAddr::from([255; 4]), 68), &message);
    assert!(bench.found.is_empty(), "it says where to boot from");
}

#[test]
fn one_that_asks_without_end_is_told_beyond_400_in_ten_seconds() {
    let mut bench = Bench::new(Site::default());
    for _ in 0..400 {
        bench.asks(mac(9), mac(1));
    }
    assert!(bench.found.is_empty());
    bench.asks(mac(9), mac(1));
    assert_eq!(bench.told(Kind::DhcpStarvation), [(mac(9), Level::Virus)]);
    assert_eq!((bench.fact("count"), bench.fact("targets")), (&Fact::Count(401), &Fact::Count(1)));
    let mut slow = Bench::new(Site { routers: [mac(8)].into(), ..Site::default() });
    for number in 0..2000 {
        slow.wait_ms(26);
        slow.asks(mac(9), mac(1));
        slow.asks(mac(8), mac(u8::try_from(number % 200).unwrap()));
    }
    assert!(slow.found.is_empty(), "38 a second of one machine, and what a router passes on");
}

#[test]
fn a_building_that_has_its_power_back_is_no_attack_and_invented_senders_are() {
    // 900 machines of 24 makers at once; telephones with addresses of their own.
    let mut building = Bench::new(Site::default());
    for number in 0..900_u16 {
        let [high, low] = number.to_be_bytes();
        let machine = MacAddr([if number % 3 == 0 { 0xda } else { 0x00 }, (number % 24) as u8, 0x90, 7, high, low]);
        building.asks(machine, machine);
        building.asks(machine, machine);
    }
    assert!(building.found.is_empty());
    let mut tool = Bench::new(Site::default());
    for number in 0..1000_u32 {
        let [a, b, c, d] = number.wrapping_mul(2_654_435_761).to_be_bytes();
        let invented = MacAddr([a & 0xfe, b, c, d, 1, 2]);
        tool.asks(invented, invented);
    }
    assert_eq!(tool.told(Kind::DhcpStarvation).len(), 1, "one attack, however many addresses it bears");
}

#[test]
fn one_that_asks_for_dozens_of_others_is_told_however_slowly() {
    let mut bench = Bench::new(Site::default());
    (0..49).for_each(|client| bench.asks(mac(200), mac(client)));
    assert!(bench.found.is_empty());
    bench.asks(mac(200), mac(49));
    assert_eq!(bench.told(Kind::DhcpStarvation), [(mac(200), Level::Virus)]);
}

#[test]
fn machines_that_are_known_may_all_ask_at_once_whoever_made_them() {
    let told = |known: bool| {
        let mut bench = Bench::new(Site::default());
        for number in 0..1000_u32 {
            let [a, b, c, d] = number.wrapping_mul(2_654_435_761).to_be_bytes();
            let machine = MacAddr([a & 0xfc, b, c, d, 1, 2]);
            if known {
                bench.sight.learn_speaker(machine);
            }
            bench.asks(machine, machine);
        }
        bench.told(Kind::DhcpStarvation).len()
    };
    assert_eq!((told(true), told(false)), (0, 1));
}
