//! Capture files (the classic format of libpcap), written and read just enough for the tests of flows.

use netroom::model::Timestamp;

const MAGIC: u32 = 0xa1b2_c3d4;
/// When the first packet passed and the last one, about, in milliseconds from the end of the capture.
pub(crate) const BEGINS_MS: i64 = -20_000;
pub(crate) const ENDS_MS: i64 = -4_000;

/// A capture that ends now: flows of TCP, UDP and ICMP over IPv4, every fifth over IPv6, of one to four packets.
pub(crate) fn capture(flows: u32, now: Timestamp) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [MAGIC, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(word.to_le_bytes());
    }
    let begin = now.millis() + BEGINS_MS;
    for step in 0..4_u32 {
        for flow in (0..flows).filter(|flow| flow % 4 >= step) {
            let at = begin + i64::from(step) * 4_000 + i64::from(flow) * 4_000 / i64::from(flows);
            let frame = frame(flow, step);
            for word in [(at / 1_000) as u32, (at % 1_000) as u32 * 1_000, frame.len() as u32, frame.len() as u32] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
    }
    file
}

fn frame(flow: u32, step: u32) -> Vec<u8> {
    let protocol = match (flow % 10, flow % 5) {
        (3, _) => 17,
        (7, _) => 1,
        (_, 0) => 6,
        _ => [6, 17][(flow % 2) as usize],
    };
    let ports = (1_024 + (flow % 60_000) as u16, 80 + (flow % 7) as u16);
    let mut transport = match protocol {
        6 => [&[0; 8][..], &[0x50, [2, 16, 24, 17][step as usize], 1, 0, 0, 0, 0, 0]].concat(),
        17 => vec![0, 60, 0, 0],
        _ => vec![8, 0, 0, 0, 0, 1, 0, 1],
    };
    if protocol != 1 {
        transport = [ports.0.to_be_bytes().to_vec(), ports.1.to_be_bytes().to_vec(), transport].concat();
    }
    transport.resize(transport.len() + (flow % 90) as usize, 7);
    let six = flow.is_multiple_of(5);
    let mut out = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    if six {
        out.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        out.extend((transport.len() as u16).to_be_bytes());
        out.extend([protocol, 64]);
        for last in [flow, flow / 3 + 1_000_000] {
            out.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend(last.to_be_bytes());
        }
    } else {
        out.extend([8, 0, 0x45, 0]);
        out.extend((20 + transport.len() as u16).to_be_bytes());
        out.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
        out.extend((0x0a01_0000 + flow).to_be_bytes());
        out.extend((0x0a02_0000 + flow / 3).to_be_bytes());
    }
    out.extend(transport);
    out
}

/// The frames of an Ethernet capture; none of another file.
pub(crate) fn frames(file: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| file.get(at..at + 4).map(|octets| u32::from_le_bytes(octets.try_into().unwrap()));
    let mut frames = Vec::new();
    if word(0) != Some(MAGIC) || word(20) != Some(1) {
        return frames;
    }
    let mut at = 24;
    while let Some(length) = word(at + 8) {
        let Some(frame) = file.get(at + 16..at + 16 + length as usize) else { break };
        frames.push(frame.to_vec());
        at += 16 + length as usize;
    }
    frames
}
