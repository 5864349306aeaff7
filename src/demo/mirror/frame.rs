//! Frames as they pass on a wire, octet by octet: what the simulated machines send. Checksums are left at zero, which no
//! reader of a mirror port looks at; lengths are right.

/// A machine's two addresses.
pub type End = ([u8; 6], [u8; 4]);

const BROADCAST: [u8; 6] = [0xff; 6];
/// TTL of what machines send.
const TTL: u8 = 64;

/// Ethernet II with its payload, padded to the shortest frame.
fn ethernet(from: [u8; 6], to: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(14 + payload.len().max(46));
    frame.extend(to);
    frame.extend(from);
    frame.extend(kind.to_be_bytes());
    frame.extend(payload);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// IPv4 (RFC 791). `data_octets` follow the payload on the wire though they are not written here.
fn ipv4(from: End, to: End, protocol: u8, payload: &[u8], data_octets: u16) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX).saturating_add(data_octets);
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, TTL, protocol, 0, 0]);
    packet.extend(from.1);
    packet.extend(to.1);
    packet.extend(payload);
    ethernet(from.0, to.0, 0x0800, &packet)
}

/// A TCP segment (RFC 9293) without data.
pub fn tcp(from: End, to: End, ports: (u16, u16), flags: u8) -> Vec<u8> {
    tcp_data(from, to, ports, flags, 0)
}

/// A TCP segment of which the data were cut off.
pub fn tcp_data(from: End, to: End, (from_port, to_port): (u16, u16), flags: u8, data_octets: u16) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20);
    segment.extend(from_port.to_be_bytes());
    segment.extend(to_port.to_be_bytes());
    segment.extend([0; 8]);
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    ipv4(from, to, 6, &segment, data_octets)
}

/// A UDP datagram (RFC 768).
pub fn udp(from: End, to: End, (from_port, to_port): (u16, u16), data: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + data.len());
    datagram.extend(from_port.to_be_bytes());
    datagram.extend(to_port.to_be_bytes());
    datagram.extend(u16::try_from(8 + data.len()).unwrap_or(u16::MAX).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    ipv4(from, to, 17, &datagram, 0)
}

/// An ARP request for an address (RFC 826).
pub fn arp_request(from: End, target: [u8; 4]) -> Vec<u8> {
    let mut message = vec![0, 1, 8, 0, 6, 4, 0, 1];
    message.extend(from.0);
    message.extend(from.1);
    message.extend([0; 6]);
    message.extend(target);
    ethernet(from.0, BROADCAST, 0x0806, &message)
}

/// The answer to it.
pub fn arp_reply(from: End, to: End) -> Vec<u8> {
    let mut message = vec![0, 1, 8, 0, 6, 4, 0, 2];
    message.extend(from.0);
    message.extend(from.1);
    message.extend(to.0);
    message.extend(to.1);
    ethernet(from.0, to.0, 0x0806, &message)
}

/// A question for an address, or its answer (RFC 1035), with 203.0.113.0/24 for everything.
pub fn dns(name: &str, answer: Option<[u8; 4]>) -> Vec<u8> {
    let flags = if answer.is_some() { [0x81, 0x80] } else { [0x01, 0x00] };
    let mut message = vec![0x12, 0x34, flags[0], flags[1], 0, 1, 0, u8::from(answer.is_some()), 0, 0, 0, 0];
    for label in name.split('.') {
        let label = label.as_bytes().get(..label.len().min(63)).unwrap_or_default();
        message.push(label.len() as u8);
        message.extend(label);
    }
    message.extend([0, 0, 1, 0, 1]);
    if let Some(address) = answer {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4]);
        message.extend(address);
    }
    message
}

/// A request for a lease with the client's name (RFC 2131, option 12).
pub fn dhcp_request(mac: [u8; 6], name: &str) -> Vec<u8> {
    let mut message = vec![1, 1, 6, 0, 0x3d, 0x1d, mac[4], mac[5]];
    message.extend([0; 20]);
    message.extend(mac);
    message.extend([0; 10 + 64 + 128]);
    message.extend([99, 130, 83, 99, 53, 1, 3, 12, name.len() as u8]);
    message.extend(name.as_bytes());
    message.push(255);
    udp((mac, [0; 4]), (BROADCAST, [255; 4]), (68, 67), &message)
}
