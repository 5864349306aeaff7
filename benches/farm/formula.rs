//! What the farm's counters are: pure functions, so that whoever asks can check every value that came back.
//!
//! All is a function of the device's number (from 1), the port (ifIndex, from 1) and sysUpTime *in the same answer*: ask
//! sysUpTime.0 in every request, and each counter beside it has exactly one right value.

use std::net::Ipv4Addr;

/// What a counter counts; the numbers are those of the ifXTable columns that carry it in 64 bits (6 to 13), or 100 and the
/// column of ifTable for those that exist in 32 bits only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Count {
    /// ifHCInOctets, ifInOctets.
    InOctets = 6,
    /// ifHCInUcastPkts, ifInUcastPkts.
    InUcast = 7,
    /// ifHCInMulticastPkts, ifInMulticastPkts.
    InMulticast = 8,
    /// ifHCInBroadcastPkts, ifInBroadcastPkts.
    InBroadcast = 9,
    /// ifHCOutOctets, ifOutOctets.
    OutOctets = 10,
    /// ifHCOutUcastPkts, ifOutUcastPkts.
    OutUcast = 11,
    /// ifHCOutMulticastPkts, ifOutMulticastPkts.
    OutMulticast = 12,
    /// ifHCOutBroadcastPkts, ifOutBroadcastPkts.
    OutBroadcast = 13,
    /// ifInDiscards.
    InDiscards = 113,
    /// ifInErrors.
    InErrors = 114,
    /// ifInUnknownProtos.
    InUnknownProtos = 115,
    /// ifOutDiscards.
    OutDiscards = 119,
    /// ifOutErrors.
    OutErrors = 120,
}

/// The address of a device.
pub(crate) fn address(device: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 10, 0, 0)) + device)
}

/// sysUpTime of a device (hundredths of a second) when the farm has run for `farm_ticks` of them. Some devices are near
/// the wrap of TimeTicks.
pub(crate) const fn uptime(device: u32, farm_ticks: u64) -> u32 {
    (mix(device as u64) >> 32).wrapping_add(farm_ticks) as u32
}

/// The 64-bit value of a counter at a sysUpTime; a 32-bit column carries its low half. Every 50th device has counters above
/// 2^63. Octets move by up to 100 Mbit/s, packets by up to 10,000 a second, troubles by up to 100 a second. (A wrap of
/// sysUpTime sets the counters back, as a restart would.)
pub(crate) const fn counter(device: u32, port: u32, count: Count, uptime_ticks: u32) -> u64 {
    let seed = mix(((device as u64) << 32) ^ ((port as u64) << 8) ^ count as u64);
    let per_tick = match count {
        Count::InOctets | Count::OutOctets => 1 + seed % 125_000,
        _ if (count as u32) < 100 => 1 + seed % 100,
        _ => seed % 2,
    };
    let base = (seed >> 24) | if device % 50 == 49 { 1 << 63 } else { 0 };
    base + per_tick * uptime_ticks as u64
}

/// ifOperStatus: one port in five is down.
pub(crate) const fn oper_status(port: u32) -> u32 {
    if port % 5 == 4 { 2 } else { 1 }
}

/// The output function of SplitMix64.
pub(crate) const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
