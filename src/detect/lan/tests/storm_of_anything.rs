//! Whatever arrives: no panic, never a victim, and no more memory than from the start.

use proptest::prelude::*;

use super::*;
use crate::capture::packet::Tcp;

#[derive(Clone, Debug)]
struct Piece {
    at: u64,
    from: u8,
    to: u8,
    vlan: Option<u16>,
    ports: (u16, u16),
    way: u8,
    data: Vec<u8>,
}

fn piece() -> impl Strategy<Value = Piece> {
    let port = prop_oneof![Just(53), Just(67), Just(68), Just(443), any::<u16>()];
    let data = proptest::collection::vec(any::<u8>(), 0..300);
    let ports = (port.clone(), port);
    (any::<u64>(), 0_u8..6, 0_u8..6, proptest::option::of(0_u16..3), ports, 0_u8..8, data)
        .prop_map(|(at, from, to, vlan, ports, way, data)| Piece { at, from, to, vlan, ports, way, data })
}

impl Piece {
    fn pass(&self, bench: &mut Bench) {
        let at = Nanos(self.at);
        let transport = match self.way {
            0 => Transport::Tcp(Tcp { src_port: self.ports.0, dst_port: self.ports.1, flags: 16, data_octets: 9, data: &self.data }),
            1 | 2 => Transport::Udp(Udp { src_port: self.ports.0, dst_port: self.ports.1, data: &self.data }),
            3 | 4 => Transport::Icmp(Icmp { kind: 133 + self.to, code: 0, quoted: None, data: &self.data }),
            _ => Transport::Other(47),
        };
        let v6 = |last: u8| IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(last)]);
        let (src, dst) = if self.way >= 3 { (v6(self.from), v6(self.to)) } else { (ip(self.from), ip(self.to)) };
        let arp =
            Arp { operation: self.ports.0 % 3, sender_mac: mac(self.from), sender: v4(self.to), target_mac: mac(self.to), target: v4(3) };
        let body = match self.way {
            6 => Body::Arp(arp),
            7 => Body::Other(self.ports.0, &self.data),
            _ => Body::Ip(Ip { src, dst, hops: 255, extensions: 0, later_fragment: false, transport }),
        };
        let packet = Packet { at, wire_octets: 60, src_mac: Some(mac(self.from)), dst_mac: Some(mac(self.to)), vlan: self.vlan, body };
        bench.ms = bench.ms.saturating_add(self.at % 1000);
        let now = Now { ms: bench.ms, at };
        bench.lan.packet(&packet, now, &bench.sight, &mut bench.found);
    }
}

proptest! {
    #[test]
    fn anything_is_borne(pieces in proptest::collection::vec(piece(), 1..200)) {
        let mut bench = Bench::with_gateway();
        for piece in &pieces {
            piece.pass(&mut bench);
        }
        prop_assert!(bench.found.len() <= pieces.len() * 4);
        for detection in &bench.found {
            prop_assert!(detection.first <= detection.last);
            prop_assert_ne!(detection.machine.mac, Some(GATEWAY));
        }
    }
}

#[test]
fn equal_stamps_and_stamps_that_step_back_are_judged_alike() {
    let ask = |bench: &mut Bench, at: u64| {
        let piece = Piece { at, from: 1, to: 2, vlan: None, ports: (2, 0), way: 6, data: Vec::new() };
        piece.pass(bench);
        Piece { from: 4, ..piece }.pass(bench);
    };
    let (mut equal, mut back) = (Bench::with_gateway(), Bench::with_gateway());
    for number in 0..4 {
        ask(&mut equal, 5);
        ask(&mut back, 5_000 - number);
    }
    assert!(equal.found.len() >= 2);
    assert_eq!(equal.found.len(), back.found.len());
}
