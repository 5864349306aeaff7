//! What is plugged into a port, and the traffic that it makes there.

use super::curve::{Burst, Cursor, Curve, Shape, local_hour};
use crate::demo::chance::{hash, share};
use crate::model::{METRICS, PortMetric, Timestamp};

/// The values of a port by [`PortMetric::index`] since the epoch of the curves.
pub(super) type Flow = [u64; METRICS];

/// A kind of thing at the end of a cable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// A desktop computer that sleeps at night.
    Desk,
    /// An office that never switches off.
    Office,
    /// A wireless access point.
    AccessPoint,
    /// A telephone or printer: next to nothing.
    Quiet,
    /// A camera: steady upstream.
    Camera,
    /// A server.
    Server,
    /// A server that takes the night's backups.
    Backup,
    /// Something that floods broadcasts.
    Chatty,
}

impl Class {
    const fn shape(self) -> Shape {
        match self {
            Self::Desk => Shape::DeskHours,
            Self::Office | Self::Quiet | Self::Chatty => Shape::Office,
            Self::AccessPoint => Shape::Wireless,
            Self::Camera => Shape::Flat,
            Self::Server => Shape::Server,
            Self::Backup => Shape::Night,
        }
    }

    const fn burst(self) -> Burst {
        match self {
            Self::Desk | Self::Office | Self::Quiet | Self::Chatty => Burst { five: 16, minute: 4 },
            Self::AccessPoint => Burst { five: 6, minute: 3 },
            Self::Camera => Burst { five: 0, minute: 0 },
            Self::Server | Self::Backup => Burst { five: 4, minute: 1 },
        }
    }

    /// The least mean rates of a working day in kbit/s: from the host, to the host; a host has up to eight times that.
    const fn mean_kbps(self) -> (u64, u64) {
        match self {
            Self::Desk => (35, 200),
            Self::Office => (50, 250),
            Self::AccessPoint => (150, 800),
            Self::Quiet => (1, 2),
            Self::Camera => (900, 12),
            Self::Server => (8_000, 2_500),
            Self::Backup => (1_500, 20_000),
            Self::Chatty => (40, 120),
        }
    }

    /// Mean packet sizes in octets: from the host, to the host.
    const fn packet_octets(self) -> (u64, u64) {
        match self {
            Self::Camera => (1_180, 84),
            Self::Server => (1_120, 420),
            Self::Backup => (310, 1_390),
            _ => (260, 940),
        }
    }
}

/// A host at a port.
#[derive(Clone, Debug)]
pub(super) struct Host {
    class: Class,
    offset_ms: i64,
    /// Octets from the host: what the port receives.
    received: Curve,
    /// Octets to the host: what the port sends.
    sent: Curve,
    /// Broadcasts of the network that the port floods to the host, packets.
    flood: Curve,
    /// Broadcasts of a chatty host, packets.
    chatter: Option<Curve>,
    /// One inbound packet of so many is broken; 0 is none.
    pub(super) broken_one_in: u64,
    /// One outbound packet of so many finds no room; 0 is none.
    pub(super) dropped_one_in: u64,
}

/// Where the curves of a host were read last.
#[derive(Clone, Debug, Default)]
pub(super) struct HostCursor {
    received: Cursor,
    sent: Cursor,
    flood: Cursor,
    chatter: Cursor,
}

const DAY_S: u64 = 86_400;

impl Host {
    /// A host on a port of this speed (bit/s). `flood_seed` is the same for all ports of a network.
    pub(super) fn new(seed: u64, flood_seed: u64, class: Class, speed_bps: u64, offset_ms: i64) -> Self {
        let (up_kbps, down_kbps) = class.mean_kbps();
        let scale = 2_f64.powf(share(hash(seed, 1)) * 3.0) * if speed_bps < 1_000_000_000 { 0.25 } else { 1.0 };
        let daily = |kbps: u64| (kbps as f64 * scale * 125.0 * DAY_S as f64) as u64;
        let curve = |salt, kbps| Curve::new(hash(seed, salt), class.shape(), class.burst(), daily(kbps), offset_ms);
        // Broadcasts come to whatever is switched on.
        let shape = if class == Class::Desk { Shape::DeskHours } else { Shape::Server };
        let flood = Curve::new(flood_seed, shape, Burst { five: 2, minute: 1 }, 12 * DAY_S, offset_ms);
        let chatter = (class == Class::Chatty)
            .then(|| Curve::new(hash(seed, 4), Shape::Office, Burst { five: 8, minute: 8 }, 600 * DAY_S, offset_ms));
        Self {
            class,
            offset_ms,
            received: curve(2, up_kbps),
            sent: curve(3, down_kbps),
            flood,
            chatter,
            broken_one_in: 0,
            dropped_one_in: 0,
        }
    }

    /// All counters since the epoch, with ifOperStatus.
    pub(super) fn flow(&self, at: Timestamp, cursor: &mut HostCursor) -> Flow {
        let received = self.received.at(at, &mut cursor.received);
        let sent = self.sent.at(at, &mut cursor.sent);
        let flood = self.flood.at(at, &mut cursor.flood);
        let chatter = self.chatter.as_ref().map_or(0, |curve| curve.at(at, &mut cursor.chatter));
        let (received_size, sent_size) = self.class.packet_octets();
        let (in_ucast, out_ucast) = (received / received_size, sent / sent_size);
        let (in_broadcast, in_multicast) = (in_ucast / 800 + chatter, in_ucast / 1_500);
        let one_in = |packets: u64, many: u64| packets.checked_div(many).unwrap_or(0);
        let mut flow = [0; METRICS];
        for (metric, value) in [
            (PortMetric::InOctets, received + 64 * in_broadcast + 80 * in_multicast),
            (PortMetric::OutOctets, sent + 64 * flood + 80 * (flood / 3)),
            (PortMetric::InUcast, in_ucast),
            (PortMetric::OutUcast, out_ucast),
            (PortMetric::InMulticast, in_multicast),
            (PortMetric::OutMulticast, flood / 3),
            (PortMetric::InBroadcast, in_broadcast),
            (PortMetric::OutBroadcast, flood),
            (PortMetric::InErrors, one_in(in_ucast, self.broken_one_in)),
            (PortMetric::OutDiscards, one_in(out_ucast, self.dropped_one_in)),
            (PortMetric::InUnknownProtos, in_ucast / 40_000),
            (PortMetric::OperStatus, if self.is_on(at) { 1 } else { 2 }),
        ] {
            flow[metric.index()] = value;
        }
        flow
    }

    /// What it is.
    pub(super) const fn class(&self) -> Class {
        self.class
    }

    /// Whether the host is switched on.
    pub(super) const fn is_on(&self, at: Timestamp) -> bool {
        let (_, weekday, hour) = local_hour(at, self.offset_ms);
        self.class.shape().hour(weekday, hour) > 0
    }

    /// When it was last switched on or off; `None` when it never is.
    pub(super) fn last_switched(&self, at: Timestamp) -> Option<Timestamp> {
        const HOUR_MS: i64 = 3_600_000;
        let now = self.is_on(at);
        let this_hour = Timestamp::from_millis(at.millis() + self.offset_ms).floor_to(HOUR_MS).millis() - self.offset_ms;
        (0..24 * 7)
            .map(|back| this_hour - back * HOUR_MS)
            .find(|&start| self.is_on(Timestamp::from_millis(start - 1)) != now)
            .map(Timestamp::from_millis)
    }
}
