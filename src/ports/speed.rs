//! A port's speed from ifHighSpeed and ifSpeed (RFC 2863 section 3.1.8), with what devices make of them.

use super::rates::Limits;
use crate::model::observe::InterfaceRow;

/// ifSpeed stands here when the speed does not fit into it.
const SATURATED: u64 = u32::MAX as u64;
/// No port has 10 Tbit/s; an ifHighSpeed from here on is in bits per second (14 of 844 recordings).
const IN_BITS: u64 = 10_000_000;

/// The speed in bits per second; `None` when it is unknown, 0, or does not fit into the only object given.
pub fn speed_bps(row: &InterfaceRow) -> Option<u64> {
    let low = row.if_speed.filter(|&speed| speed > 0 && speed != SATURATED);
    match row.if_high_speed {
        Some(SATURATED) => low,
        Some(bits) if bits >= IN_BITS || (bits > 0 && Some(bits) == low) => Some(bits),
        Some(millions) if millions > 0 => Some(millions * 1_000_000),
        _ => low,
    }
}

/// Whether a port of this ifType moves no faster than its speed says. Virtual ports give a nominal figure (9 kbit/s for a
/// tunnel, 10 Mbit/s for a loopback), which bounds nothing.
const fn is_physical(if_type: u32, connector: Option<bool>) -> bool {
    const OTHER: u32 = 1;
    const ETHERNET: u32 = 6;
    const LOOPBACK: u32 = 24;
    const PROP_VIRTUAL: u32 = 53;
    const TUNNEL: u32 = 131;
    const L2_VLAN: u32 = 135;
    const L3_VLAN: u32 = 136;
    const BRIDGE: u32 = 209;
    match if_type {
        0 | OTHER | LOOPBACK | PROP_VIRTUAL | TUNNEL | L2_VLAN | L3_VLAN | BRIDGE => false,
        // Vendors give switched virtual interfaces as Ethernet without a socket.
        ETHERNET => !matches!(connector, Some(false)),
        _ => true,
    }
}

/// How fast the counters of such a port can move.
pub fn limits(speed_bps: Option<u64>, if_type: u32, connector: Option<bool>) -> Limits {
    Limits { speed_bps: speed_bps.filter(|_| is_physical(if_type, connector)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_read_from_what_devices_send() {
        for (high, low, speed, case) in [
            (Some(1_000), Some(1_000_000_000), Some(1_000_000_000), "both"),
            (Some(10_000), Some(SATURATED), Some(10_000_000_000), "ifSpeed saturated"),
            (Some(0), Some(64_000), Some(64_000), "below 1 Mbit/s"),
            (None, Some(100_000_000), Some(100_000_000), "no ifXTable"),
            (None, Some(SATURATED), None, "saturated and nothing else: unknown, not 4.3 Gbit/s"),
            (Some(100_000_000), Some(100_000_000), Some(100_000_000), "ifHighSpeed in bit/s"),
            (Some(10_000_000), None, Some(10_000_000), "ifHighSpeed in bit/s alone"),
            (Some(SATURATED), Some(SATURATED), None, "both saturated"),
            (Some(1_600_000), Some(SATURATED), Some(1_600_000_000_000), "1.6 Tbit/s"),
            (Some(0), Some(0), None, "down"),
            (None, None, None, "not given"),
        ] {
            let row = InterfaceRow { if_high_speed: high, if_speed: low, ..InterfaceRow::default() };
            assert_eq!(speed_bps(&row), speed, "{case}");
        }
    }

    #[test]
    fn nominal_speeds_bound_nothing() {
        for (if_type, connector, bounds) in [
            (6, Some(true), true),
            (6, None, true),
            (6, Some(false), false),
            (161, Some(false), true),
            (131, None, false),
            (24, None, false),
        ] {
            assert_eq!(limits(Some(9_000), if_type, connector).speed_bps.is_some(), bounds, "ifType {if_type}");
        }
    }
}
