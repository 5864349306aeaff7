//! The live table: the last known state of every device and port, for readers that must not wait for the poller.
//! The poller replaces a device's snapshot as a whole; readers hold an immutable one for as long as they like.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::model::observe::SystemInfo;
use crate::model::{DeviceId, Gap, METRICS, PortIdentity, PortMetric, Timestamp, Zone};

/// What a device's polls say about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceState {
    /// Not polled yet.
    Unknown,
    /// The last poll was whole.
    Up,
    /// It answers, but the last poll has holes.
    Degraded,
    /// It does not answer.
    Down,
}

/// A port's state as people read it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PortState {
    /// ifOperStatus up(1).
    Up,
    /// Not up although ifAdminStatus is up.
    Down,
    /// Shut by an administrator: ifAdminStatus down(2).
    Shut,
    /// Not known: the device does not answer, or the port has vanished.
    Unknown,
}

/// What the configuration says of a device; the same through many polls.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeviceLabel {
    /// The number in the catalogue.
    pub id: DeviceId,
    /// The configured, unique name.
    pub name: Arc<str>,
    /// Where it is asked.
    pub address: SocketAddr,
    /// The configured site, empty when none.
    pub site: Arc<str>,
    /// The configured zone.
    pub zone: Zone,
    /// The poll interval in seconds.
    pub interval_s: u32,
}

/// How the polling of a device goes.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeviceHealth {
    /// The state.
    pub state: DeviceState,
    /// Why it is not `Up`.
    pub gap: Option<Gap>,
    /// One sentence about it, English, for hover and logs.
    pub detail: Option<Arc<str>>,
    /// Since when it is in this state.
    pub since: Option<Timestamp>,
    /// The end of the last poll, whole or not.
    pub last_poll: Option<Timestamp>,
    /// The last time it answered anything.
    pub last_answer: Option<Timestamp>,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: Option<u32>,
    /// How long the last poll took, milliseconds.
    pub poll_ms: Option<u32>,
    /// When the device started, by its sysUpTime.
    pub booted: Option<Timestamp>,
}

/// The counters of a port: one a metric, or absent. Half the size of an array of options, which counts at 240,000 ports.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    values: [u64; METRICS],
    present: u16,
}

/// The rates of a port: one a metric, or unknown.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct Rates {
    values: [f32; METRICS],
    known: u16,
}

macro_rules! compact {
    ($name:ident, $number:ty, $mask:ident) => {
        impl $name {
            /// The value of a metric.
            pub fn get(&self, metric: PortMetric) -> Option<$number> {
                let index = metric.index();
                (self.$mask >> index & 1 == 1).then(|| self.values.get(index).copied()).flatten()
            }

            /// Sets the value of a metric, or takes it away.
            pub fn set(&mut self, metric: PortMetric, value: Option<$number>) {
                let bit = 1 << metric.index();
                self.$mask = if value.is_some() { self.$mask | bit } else { self.$mask & !bit };
                if let Some(place) = self.values.get_mut(metric.index()) {
                    *place = value.unwrap_or_default();
                }
            }

            /// All values in the order of [`PortMetric::ALL`].
            pub fn to_array(&self) -> [Option<$number>; METRICS] {
                PortMetric::ALL.map(|metric| self.get(metric))
            }
        }

        impl From<[Option<$number>; METRICS]> for $name {
            fn from(values: [Option<$number>; METRICS]) -> Self {
                let mut compact = Self::default();
                for (metric, value) in PortMetric::ALL.into_iter().zip(values) {
                    compact.set(metric, value);
                }
                compact
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.to_array().fmt(f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.to_array().serialize(serializer)
            }
        }
    };
}

compact!(Counters, u64, present);
compact!(Rates, f32, known);

/// A port now.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PortLive {
    /// Who it is.
    pub identity: Arc<PortIdentity>,
    /// Its state.
    pub state: PortState,
    /// When the counters were read; `None` before the first time.
    pub sampled: Option<Timestamp>,
    /// The counters as last read, continued over wraps; `None` where absent.
    pub counters: Counters,
    /// Rates per second over the last interval (octets/s for octets, packets/s else); `None` is unknown.
    pub rates: Rates,
    /// Why rates are unknown.
    pub gap: Option<Gap>,
}

impl PortLive {
    /// Inbound traffic in bits per second.
    pub fn in_bps(&self) -> Option<f64> {
        self.rate(PortMetric::InOctets).map(|octets| octets * 8.0)
    }

    /// Outbound traffic in bits per second.
    pub fn out_bps(&self) -> Option<f64> {
        self.rate(PortMetric::OutOctets).map(|octets| octets * 8.0)
    }

    /// The rate of a metric per second.
    pub fn rate(&self, metric: PortMetric) -> Option<f64> {
        self.rates.get(metric).map(f64::from)
    }

    /// Packets with errors per second, both directions.
    pub fn error_rate(&self) -> Option<f64> {
        self.both(PortMetric::InErrors, PortMetric::OutErrors)
    }

    /// Discarded packets per second, both directions.
    pub fn discard_rate(&self) -> Option<f64> {
        self.both(PortMetric::InDiscards, PortMetric::OutDiscards)
    }

    /// The sum of two rates, as far as they are known.
    fn both(&self, one: PortMetric, other: PortMetric) -> Option<f64> {
        match (self.rate(one), self.rate(other)) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        }
    }

    /// The continued counter of a metric.
    pub fn counter(&self, metric: PortMetric) -> Option<u64> {
        self.counters.get(metric)
    }

    /// The larger of in and out as a share of the port's speed in percent.
    pub fn utilisation_percent(&self) -> Option<f64> {
        let speed = self.identity.speed_bps? as f64;
        let busiest = match (self.in_bps(), self.out_bps()) {
            (Some(inbound), Some(outbound)) => inbound.max(outbound),
            (one, other) => one.or(other)?,
        };
        Some(busiest / speed * 100.0)
    }
}

/// A device now: one immutable snapshot.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeviceLive {
    /// What the configuration says.
    pub label: Arc<DeviceLabel>,
    /// What it says of itself; `None` before the first answer.
    pub system: Option<Arc<SystemInfo>>,
    /// How its polling goes.
    pub health: DeviceHealth,
    /// Its ports in the device's order.
    pub ports: Arc<[PortLive]>,
}

/// One device's place in the table.
#[derive(Debug)]
pub struct DeviceCell(ArcSwap<DeviceLive>);

impl DeviceCell {
    /// A place that holds a first snapshot.
    pub fn new(first: DeviceLive) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// A place around a snapshot that is shared already.
    pub fn holding(first: Arc<DeviceLive>) -> Self {
        Self(ArcSwap::new(first))
    }

    /// The snapshot now.
    pub fn load(&self) -> Arc<DeviceLive> {
        self.0.load_full()
    }

    /// Replaces the snapshot.
    pub fn store(&self, next: Arc<DeviceLive>) {
        self.0.store(next);
    }
}

/// All devices.
#[derive(Debug, Default)]
pub struct Live {
    devices: ArcSwap<Vec<Arc<DeviceCell>>>,
}

impl Live {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the list of devices (start and reload).
    pub fn set_devices(&self, devices: Vec<Arc<DeviceCell>>) {
        self.devices.store(Arc::new(devices));
    }

    /// The devices in the order of the configuration.
    pub fn devices(&self) -> Arc<Vec<Arc<DeviceCell>>> {
        self.devices.load_full()
    }

    /// The snapshot of the device with this configured name.
    pub fn device(&self, name: &str) -> Option<Arc<DeviceLive>> {
        self.devices().iter().map(|cell| cell.load()).find(|device| &*device.label.name == name)
    }
}
