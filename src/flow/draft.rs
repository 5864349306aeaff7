//! A record as it is read field by field, and what becomes of it.

use std::net::IpAddr;

use super::bytes::number;
use super::clock::{Clock, ntp_ms};
use super::record::Record;
use super::sampling::{Sampling, Told};
use super::slot::Slot;
use crate::model::{MacAddr, Timestamp};

const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;

/// What one record of a template told.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Draft {
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    src_mac: Option<MacAddr>,
    vlan: u16,
    protocol: u8,
    flags: u8,
    src_port: u16,
    dst_port: u16,
    icmp: u16,
    input: u32,
    output: u32,
    octets: u64,
    packets: u64,
    octets_other: u64,
    packets_other: u64,
    reverse_octets: u64,
    reverse_packets: u64,
    reverse_flags: u8,
    start: Moment,
    end: Moment,
    duration_ms: u64,
    booted_ms: Option<i64>,
    told: Told,
    sampler: Option<u64>,
}

/// A time in the way it was told.
#[derive(Clone, Copy, Default, Debug)]
enum Moment {
    #[default]
    Unknown,
    /// Milliseconds since the epoch, by the exporter's clock.
    Wall(i64),
    /// Milliseconds since the exporter's start.
    Uptime(u32),
    /// Microseconds before the datagram was sent.
    Before(u64),
}

impl Moment {
    fn at(self, clock: &Clock, booted_ms: Option<i64>) -> Option<Timestamp> {
        match self {
            Self::Unknown => None,
            Self::Wall(ms) => Some(clock.wall(ms)),
            Self::Uptime(ms) => clock.uptime(ms, booted_ms),
            Self::Before(micros) => Some(clock.before(micros)),
        }
    }
}

impl Draft {
    /// Takes the value of a field. Its length fits the slot ([`Slot::of`]).
    #[inline]
    pub(super) fn set(&mut self, slot: Slot, value: &[u8]) {
        let seconds = |value: &[u8]| Moment::Wall((number(value) as i64).saturating_mul(1_000));
        match slot {
            Slot::Skip => {}
            Slot::Octets => self.octets = number(value),
            Slot::Packets => self.packets = number(value),
            Slot::OctetsOther => self.octets_other = number(value),
            Slot::PacketsOther => self.packets_other = number(value),
            Slot::ReverseOctets => self.reverse_octets = number(value),
            Slot::ReversePackets => self.reverse_packets = number(value),
            Slot::ReverseFlags => self.reverse_flags = number(value) as u8,
            Slot::Protocol => self.protocol = number(value) as u8,
            Slot::Flags => self.flags = number(value) as u8,
            Slot::SrcPort => self.src_port = number(value) as u16,
            Slot::DstPort => self.dst_port = number(value) as u16,
            Slot::Src4 => address::<4>(&mut self.src, value),
            Slot::Dst4 => address::<4>(&mut self.dst, value),
            Slot::Src6 => address::<16>(&mut self.src, value),
            Slot::Dst6 => address::<16>(&mut self.dst, value),
            Slot::SrcMac => self.src_mac = MacAddr::from_octets(value),
            Slot::Vlan => self.vlan = number(value) as u16 & 0xfff,
            Slot::Input => self.input = number(value) as u32,
            Slot::Output => self.output = number(value) as u32,
            Slot::IcmpTypeCode => self.icmp |= number(value) as u16,
            Slot::IcmpType => self.icmp |= (number(value) as u16) << 8,
            Slot::IcmpCode => self.icmp |= number(value) as u16 & 0xff,
            Slot::StartUptime => self.start = Moment::Uptime(number(value) as u32),
            Slot::EndUptime => self.end = Moment::Uptime(number(value) as u32),
            Slot::StartSeconds => self.start = seconds(value),
            Slot::EndSeconds => self.end = seconds(value),
            Slot::StartMillis => self.start = Moment::Wall(number(value) as i64),
            Slot::EndMillis => self.end = Moment::Wall(number(value) as i64),
            Slot::StartNtp => self.start = Moment::Wall(ntp_ms(number(value))),
            Slot::EndNtp => self.end = Moment::Wall(ntp_ms(number(value))),
            Slot::StartBefore => self.start = Moment::Before(number(value)),
            Slot::EndBefore => self.end = Moment::Before(number(value)),
            Slot::DurationMillis => self.duration_ms = number(value),
            Slot::DurationMicros => self.duration_ms = number(value) / 1_000,
            Slot::BootMillis => self.booted_ms = Some(number(value) as i64),
            Slot::SampleInterval => self.told.interval = number(value) as u32,
            Slot::SampleTaken => self.told.taken = number(value) as u32,
            Slot::SampleLeftOut => self.told.left_out = number(value) as u32,
            Slot::SampleSize => self.told.size = number(value) as u32,
            Slot::SamplePopulation => self.told.population = number(value) as u32,
            Slot::Sampler => self.sampler = Some(number(value)),
        }
    }

    /// Takes it as what an exporter tells about itself: its sampling and its start.
    pub(super) fn note(&self, sampling: &mut Sampling, booted_ms: &mut Option<i64>) {
        if let Some(rate) = self.told.rate() {
            sampling.note(self.sampler, rate);
        }
        if self.booted_ms.is_some() {
            *booted_ms = self.booted_ms;
        }
    }

    /// Makes the records of the flow: two for a two-way flow. How many they are: none when it is no flow between addresses.
    #[inline]
    pub(super) fn finish(
        &self,
        exporter: IpAddr,
        clock: &Clock,
        booted_ms: Option<i64>,
        sampling: &Sampling,
        out: &mut Vec<Record>,
    ) -> usize {
        let (Some(src), Some(dst)) = (self.src, self.dst) else { return 0 };
        let rate = self.told.rate().unwrap_or_else(|| sampling.rate(self.sampler));
        let (first, last) = self.span(clock, self.booted_ms.or(booted_ms));
        let icmp = matches!(self.protocol, ICMP | ICMP_V6);
        let scaled = |count: u64| count.saturating_mul(u64::from(rate));
        let told = |delta: u64, other: u64| if delta > 0 { delta } else { other };
        let forth = Record {
            exporter,
            first,
            last,
            src,
            dst,
            src_mac: self.src_mac,
            vlan: (self.vlan > 0).then_some(self.vlan),
            protocol: self.protocol,
            src_port: if icmp { 0 } else { self.src_port },
            dst_port: if icmp && self.icmp != 0 { self.icmp } else { self.dst_port },
            tcp_flags: self.flags,
            packets: scaled(told(self.packets, self.packets_other)),
            octets: scaled(told(self.octets, self.octets_other)),
            sampling: rate,
            input: self.input,
            output: self.output,
        };
        let two_way = self.reverse_packets > 0 || self.reverse_octets > 0;
        if two_way {
            out.push(Record {
                src: forth.dst,
                dst: forth.src,
                src_mac: None,
                src_port: if icmp { 0 } else { forth.dst_port },
                dst_port: if icmp { forth.dst_port } else { forth.src_port },
                tcp_flags: self.reverse_flags,
                packets: scaled(self.reverse_packets),
                octets: scaled(self.reverse_octets),
                input: forth.output,
                output: forth.input,
                ..forth
            });
        }
        out.push(forth);
        1 + usize::from(two_way)
    }

    /// From its first to its last packet. What is not told is when the datagram was sent.
    #[inline]
    fn span(&self, clock: &Clock, booted_ms: Option<i64>) -> (Timestamp, Timestamp) {
        let (start, end) = (self.start.at(clock, booted_ms), self.end.at(clock, booted_ms));
        let duration = i64::try_from(self.duration_ms).unwrap_or(0);
        let last = match (start, end) {
            (_, Some(end)) => end,
            (Some(start), None) => Timestamp::from_millis(start.millis().saturating_add(duration)),
            (None, None) => clock.export(),
        };
        let first = start.unwrap_or_else(|| Timestamp::from_millis(last.millis().saturating_sub(duration)));
        (first.min(last), last)
    }
}

/// Exporters that have both families in one template leave the other's address zero.
#[inline]
fn address<const N: usize>(place: &mut Option<IpAddr>, value: &[u8])
where
    IpAddr: From<[u8; N]>,
{
    if let Ok(octets) = <[u8; N]>::try_from(value)
        && (place.is_none() || octets.iter().any(|octet| *octet != 0))
    {
        *place = Some(octets.into());
    }
}
