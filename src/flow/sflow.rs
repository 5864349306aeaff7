//! sFlow v5 (sflow.org, "sFlow Version 5"): samples of single packets. Each becomes a flow of one packet, scaled by the rate.

use std::net::IpAddr;

use super::bytes::Bytes;
use super::collector::Heard;
use super::header::{Header, Link};
use super::record::Record;
use crate::model::Timestamp;

/// Octets of the check sequence that an Ethernet frame's length counts.
const CHECK_OCTETS: u32 = 4;
/// An Ethernet header without tags.
const ETHERNET_OCTETS: u32 = 14;

/// What stands before the samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram {
    /// The number of the part of the agent that sends.
    pub(super) sub_agent: u32,
    pub(super) sequence: u32,
    samples: u32,
}

/// What a flow sample says before its records.
#[derive(Clone, Copy, Debug)]
struct Sample {
    rate: u32,
    input: u32,
    output: u32,
    records: u32,
}

impl Datagram {
    /// Reads what follows the version.
    pub(super) fn read(data: &mut Bytes<'_>) -> Option<Self> {
        match data.u32()? {
            1 => data.take(4)?,
            2 => data.take(16)?,
            _ => return None,
        };
        let (sub_agent, sequence, _uptime, samples) = (data.u32()?, data.u32()?, data.u32()?, data.u32()?);
        Some(Self { sub_agent, sequence, samples })
    }

    /// Reads the samples.
    pub(super) fn samples(&self, mut data: Bytes<'_>, exporter: IpAddr, at: Timestamp, heard: &mut Heard, out: &mut Vec<Record>) {
        for _ in 0..self.samples {
            let Some((format, body)) = part(&mut data) else {
                heard.malformed = true;
                return;
            };
            match sample(format, body) {
                // Counters, and what vendors add: the polls know better.
                Some(None) => {}
                Some(Some((sample, records))) => match flow(&sample, records, exporter, at) {
                    Ok(Some(record)) => out.push(record),
                    Ok(None) => heard.other += 1,
                    Err(CutShort) => heard.malformed = true,
                },
                None => heard.malformed = true,
            }
        }
    }
}

/// A structure that ends in the middle.
struct CutShort;

/// Format and body of the next structure.
fn part<'a>(data: &mut Bytes<'a>) -> Option<(u32, Bytes<'a>)> {
    let (format, length) = (data.u32()?, data.u32()?);
    let body = data.take(usize::try_from(length).ok()?)?;
    // Bodies are whole words; an exporter that forgets to fill up is read all the same.
    data.take(usize::try_from(length).ok()?.wrapping_neg() & 3).or(Some(&[]))?;
    Some((format, Bytes::new(body)))
}

/// A flow sample, compact (1) or expanded (3). `Some(None)` for other samples.
fn sample(format: u32, mut body: Bytes<'_>) -> Option<Option<(Sample, Bytes<'_>)>> {
    let expanded = match format {
        1 => false,
        3 => true,
        _ => return Some(None),
    };
    body.take(if expanded { 12 } else { 8 })?;
    let rate = body.u32()?.max(1);
    body.take(8)?;
    let mut port = || {
        // The upper two bits, or a word of its own, say what the number is: 0 for one ifIndex.
        let (kind, number) = if expanded { (body.u32()?, body.u32()?) } else { body.u32().map(|word| (word >> 30, word & 0x3fff_ffff))? };
        Some(if kind == 0 { number } else { 0 })
    };
    let (input, output) = (port()?, port()?);
    let records = body.u32()?;
    Some(Some((Sample { rate, input, output, records }, body)))
}

/// Makes a record of a sample. `Ok(None)` when nothing in it is of IP.
fn flow(sample: &Sample, mut records: Bytes<'_>, exporter: IpAddr, at: Timestamp) -> Result<Option<Record>, CutShort> {
    let (mut found, mut vlan) = (None, None);
    for _ in 0..sample.records {
        let (format, mut body) = part(&mut records).ok_or(CutShort)?;
        match format {
            1 => found = raw(body).ok_or(CutShort)?.or(found),
            3 if found.is_none() => found = ip(body, Bytes::v4),
            4 if found.is_none() => found = ip(body, Bytes::v6),
            // extended_switch: the VLAN by which it came in.
            1001 => vlan = body.u32().and_then(|vlan| u16::try_from(vlan).ok()).filter(|vlan| (1..4095).contains(vlan)),
            _ => {}
        }
    }
    let Some((header, octets)) = found else { return Ok(None) };
    let rate = u64::from(sample.rate);
    Ok(Some(Record {
        exporter,
        first: at,
        last: at,
        src: header.src,
        dst: header.dst,
        src_mac: header.src_mac,
        vlan: header.vlan.or(vlan),
        protocol: header.protocol,
        src_port: header.src_port,
        dst_port: header.dst_port,
        tcp_flags: header.tcp_flags,
        packets: rate,
        octets: u64::from(octets) * rate,
        sampling: sample.rate,
        input: sample.input,
        output: sample.output,
    }))
}

/// sampled_header: the head of the packet, with the length of its IP packet. `Some(None)` when it is not of IP.
fn raw(mut body: Bytes<'_>) -> Option<Option<(Header, u32)>> {
    let (protocol, frame_octets, _stripped, length) = (body.u32()?, body.u32()?, body.u32()?, body.u32()?);
    let link = match protocol {
        1 => Link::Ethernet,
        11 => Link::V4,
        12 => Link::V6,
        _ => return Some(None),
    };
    // The last record's head is sometimes shorter than it says.
    let head = body.rest().get(..usize::try_from(length).ok()?).unwrap_or(body.rest());
    let Some(header) = Header::read(link, head) else { return Some(None) };
    let around = if link == Link::Ethernet { ETHERNET_OCTETS + CHECK_OCTETS } else { 0 };
    Some(Some((header, header.octets.unwrap_or(frame_octets.saturating_sub(around)))))
}

/// sampled_ipv4 and sampled_ipv6: the fields of the head, read by the switch.
fn ip<'a>(mut body: Bytes<'a>, address: impl Fn(&mut Bytes<'a>) -> Option<IpAddr>) -> Option<(Header, u32)> {
    let (octets, protocol) = (body.u32()?, body.u32()?);
    let (src, dst) = (address(&mut body)?, address(&mut body)?);
    let (src_port, dst_port, flags) = (body.u32()?, body.u32()?, body.u32()?);
    let header = Header {
        src_mac: None,
        vlan: None,
        src,
        dst,
        protocol: protocol as u8,
        src_port: src_port as u16,
        dst_port: dst_port as u16,
        tcp_flags: flags as u8,
        octets: Some(octets),
    };
    Some((header, octets))
}
