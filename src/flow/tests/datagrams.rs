//! Datagrams as exporters send them, for tests and benches.

use std::net::IpAddr;

/// When they are sent, seconds since the epoch.
pub(crate) const SENT_S: u32 = 1_700_000_000;
/// The uptime of the exporter then, milliseconds.
pub(crate) const UPTIME_MS: u32 = 100_000;

/// One flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) ports: (u16, u16),
    pub(crate) protocol: u8,
    pub(crate) flags: u8,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    /// Milliseconds of uptime.
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// A flow of its own for each number.
pub(crate) fn flow(number: u32) -> Flow {
    Flow {
        src: std::net::Ipv4Addr::from_bits(0x0a01_0000 + number % 60_000).into(),
        dst: std::net::Ipv4Addr::from_bits(0x0a02_0000 + number / 7).into(),
        ports: (1_024 + (number % 50_000) as u16, 443),
        protocol: 6,
        flags: 0x1b,
        packets: 3 + number % 5,
        octets: 1_000 + number,
        first: UPTIME_MS - 9_000,
        last: UPTIME_MS - 2_000,
    }
}

/// The fields that softflowd and most routers send for IPv4: element and length.
pub(crate) const V4_FIELDS: [(u16, u16); 14] =
    [(8, 4), (12, 4), (10, 4), (14, 4), (1, 4), (2, 4), (22, 4), (21, 4), (7, 2), (11, 2), (4, 1), (6, 1), (60, 1), (5, 1)];

impl Flow {
    /// Its value for an element, in so many octets.
    fn field(&self, element: u16, length: u16) -> Vec<u8> {
        let address = |address: IpAddr| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let value: u64 = match element {
            8 | 27 => return address(self.src),
            12 | 28 => return address(self.dst),
            1 => self.octets.into(),
            2 => self.packets.into(),
            4 => self.protocol.into(),
            6 => self.flags.into(),
            7 => self.ports.0.into(),
            11 => self.ports.1.into(),
            10 => 3,
            14 => 4,
            22 => self.first.into(),
            21 => self.last.into(),
            152 => u64::from(SENT_S) * 1_000 - u64::from(UPTIME_MS - self.first),
            153 => u64::from(SENT_S) * 1_000 - u64::from(UPTIME_MS - self.last),
            _ => 0,
        };
        let octets = value.to_be_bytes();
        octets[8 - usize::from(length)..].to_vec()
    }
}

/// The record of a flow, laid out by fields.
pub(crate) fn record(fields: &[(u16, u16)], flow: &Flow) -> Vec<u8> {
    fields.iter().flat_map(|(element, length)| flow.field(*element, *length)).collect()
}

/// NetFlow v5.
pub(crate) fn v5(sequence: u32, sampling: u16, flows: &[Flow]) -> Vec<u8> {
    let mut out = [5_u16.to_be_bytes(), (flows.len() as u16).to_be_bytes()].concat();
    for word in [UPTIME_MS, SENT_S, 0, sequence] {
        out.extend(word.to_be_bytes());
    }
    out.extend([1, 2]);
    out.extend(sampling.to_be_bytes());
    for flow in flows {
        let fields = [(8, 4), (12, 4), (0, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (0, 1), (6, 1), (4, 1)];
        out.extend(record(&fields, flow));
        out.extend([0; 9]);
    }
    out
}

/// NetFlow v9.
pub(crate) fn v9(sequence: u32, domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = [9_u16.to_be_bytes(), (sets.len() as u16).to_be_bytes()].concat();
    for word in [UPTIME_MS, SENT_S, sequence, domain] {
        out.extend(word.to_be_bytes());
    }
    out.extend(sets.concat());
    out
}

/// IPFIX.
pub(crate) fn ipfix(sequence: u32, domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let body = sets.concat();
    let mut out = [10_u16.to_be_bytes(), (16 + body.len() as u16).to_be_bytes()].concat();
    for word in [SENT_S, sequence, domain] {
        out.extend(word.to_be_bytes());
    }
    out.extend(body);
    out
}

/// A set with its header, filled up to whole words.
pub(crate) fn set(id: u16, mut body: Vec<u8>) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(4), 0);
    [&id.to_be_bytes()[..], &(4 + body.len() as u16).to_be_bytes(), &body].concat()
}

/// A template of plain fields.
pub(crate) fn template(id: u16, fields: &[(u16, u16)]) -> Vec<u8> {
    let mut out = [id.to_be_bytes(), (fields.len() as u16).to_be_bytes()].concat();
    for (element, length) in fields {
        out.extend([element.to_be_bytes(), length.to_be_bytes()].concat());
    }
    out
}

/// sFlow v5.
pub(crate) fn sflow(sequence: u32, samples: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [5, 1, 0x0a01_0002, 0, sequence, UPTIME_MS, samples.len() as u32] {
        out.extend(word.to_be_bytes());
    }
    out.extend(samples.concat());
    out
}

/// A structure of sFlow with its format and length.
pub(crate) fn part(format: u32, mut body: Vec<u8>) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(4), 0);
    [&format.to_be_bytes()[..], &(body.len() as u32).to_be_bytes(), &body].concat()
}

/// A flow sample of one head.
pub(crate) fn sample(rate: u32, frame_octets: u32, head: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    for word in [1, frame_octets, 4, head.len() as u32] {
        raw.extend(word.to_be_bytes());
    }
    raw.extend(head);
    let mut body = Vec::new();
    for word in [1, 3, rate, rate, 0, 3, 4, 1] {
        body.extend(word.to_be_bytes());
    }
    body.extend(part(1, raw));
    part(1, body)
}

/// The head of a frame of TCP over IPv4.
pub(crate) fn frame(flow: &Flow, vlan: Option<u16>, ip_octets: u16) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    if let Some(vlan) = vlan {
        out.extend([&0x8100_u16.to_be_bytes()[..], &vlan.to_be_bytes()].concat());
    }
    out.extend([8, 0, 0x45, 0]);
    out.extend(ip_octets.to_be_bytes());
    out.extend([0, 0, 0x40, 0, 64, flow.protocol, 0, 0]);
    out.extend(record(&[(8, 4), (12, 4), (7, 2), (11, 2)], flow));
    out.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flow.flags, 1, 0, 0, 0, 0, 0]);
    out.resize(out.len().max(128), 0);
    out
}
