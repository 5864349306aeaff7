//! One walk over all devices: how many are in which state, what is wrong now and first, who talks most. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::html::HOT_PERCENT;
use crate::model::{Gap, PortIdentity, Timestamp};
use crate::ports::live::{DeviceLive, DeviceState, PortLive, PortState};

/// A port of a device with its device's snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) device: Arc<DeviceLive>,
    port: PortLive,
}

impl Place {
    /// The port at `index`; `None` when the device has no such port.
    pub(crate) fn new(device: &Arc<DeviceLive>, index: usize) -> Option<Self> {
        let port = device.ports.get(index)?.clone();
        Some(Self { device: Arc::clone(device), port })
    }

    /// The port.
    pub(crate) const fn port(&self) -> &PortLive {
        &self.port
    }
}

/// Devices and ports by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub(crate) struct Counts {
    pub(crate) devices: usize,
    pub(crate) devices_up: usize,
    pub(crate) devices_degraded: usize,
    pub(crate) devices_down: usize,
    pub(crate) devices_unknown: usize,
    pub(crate) ports: usize,
    pub(crate) ports_up: usize,
    pub(crate) ports_down: usize,
    pub(crate) ports_shut: usize,
    pub(crate) ports_unknown: usize,
}

/// Something that wants a person's eye.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// A device does not answer.
    Down(Arc<DeviceLive>),
    /// A device answers with holes.
    Degraded(Arc<DeviceLive>),
    /// A port that its alias calls an uplink has no link.
    UplinkDown(Place),
    /// A port counts errors, packets per second.
    Errors(Place, f64),
    /// A port is nearly full, percent.
    Hot(Place, f64),
}

impl Trouble {
    const fn rank(&self) -> u8 {
        match self {
            Self::Down(_) => 0,
            Self::UplinkDown(_) => 1,
            Self::Degraded(_) => 2,
            Self::Hot(..) => 3,
            Self::Errors(..) => 4,
        }
    }

    /// Since when, for those that know.
    fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Down(device) | Self::Degraded(device) => device.health.since,
            _ => None,
        }
    }

    fn weight(&self) -> f64 {
        match self {
            Self::Errors(_, value) | Self::Hot(_, value) => *value,
            Self::Down(device) => device.ports.len() as f64,
            _ => 0.0,
        }
    }
}

/// The largest of a kind, biggest first.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    most: usize,
    pub(crate) entries: Vec<(f64, Place)>,
}

impl Top {
    const fn new(most: usize) -> Self {
        Self { most, entries: Vec::new() }
    }

    fn offer(&mut self, value: Option<f64>, device: &Arc<DeviceLive>, index: usize) {
        let Some(value) = value.filter(|value| *value > 0.0) else { return };
        if self.entries.len() == self.most && self.entries.last().is_some_and(|(least, _)| value <= *least) {
            return;
        }
        let at = self.entries.partition_point(|(other, _)| *other >= value);
        if let Some(place) = Place::new(device, index) {
            self.entries.insert(at, (value, place));
            self.entries.truncate(self.most);
        }
    }
}

/// What one walk found.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    pub(crate) counts: Counts,
    /// Bits per second into and out of all physical ports; `None` when none is known.
    pub(crate) total_in: Option<f64>,
    pub(crate) total_out: Option<f64>,
    pub(crate) troubles: Vec<Trouble>,
    /// Ports that are up but have no rates, by reason; devices not yet asked are counted in `counts`.
    pub(crate) unmeasured: BTreeMap<Gap, usize>,
    pub(crate) uplinks: Vec<Place>,
    pub(crate) top_in: Top,
    pub(crate) top_out: Top,
    pub(crate) top_used: Top,
    pub(crate) top_errors: Top,
    pub(crate) last_poll: Option<Timestamp>,
    pub(crate) slowest_poll_ms: Option<u32>,
}

/// Rows of each list of the largest.
pub(crate) const TOP: usize = 8;
const UPLINKS: usize = 8;

impl Survey {
    /// Walks over the devices.
    pub(crate) fn of(fleet: &[Arc<DeviceLive>]) -> Self {
        let mut survey = Self {
            counts: Counts::default(),
            total_in: None,
            total_out: None,
            troubles: Vec::new(),
            unmeasured: BTreeMap::new(),
            uplinks: Vec::new(),
            top_in: Top::new(TOP),
            top_out: Top::new(TOP),
            top_used: Top::new(TOP),
            top_errors: Top::new(TOP),
            last_poll: None,
            slowest_poll_ms: None,
        };
        for device in fleet {
            survey.device(device);
        }
        survey.sort();
        survey
    }

    fn device(&mut self, device: &Arc<DeviceLive>) {
        let counts = &mut self.counts;
        counts.devices += 1;
        match device.health.state {
            DeviceState::Up => counts.devices_up += 1,
            DeviceState::Degraded => {
                counts.devices_degraded += 1;
                self.troubles.push(Trouble::Degraded(Arc::clone(device)));
            }
            DeviceState::Down => {
                counts.devices_down += 1;
                self.troubles.push(Trouble::Down(Arc::clone(device)));
            }
            DeviceState::Unknown => counts.devices_unknown += 1,
        }
        self.last_poll = self.last_poll.max(device.health.last_poll);
        self.slowest_poll_ms = self.slowest_poll_ms.max(device.health.poll_ms);
        let uplinks = uplinks(device);
        for index in 0..device.ports.len() {
            self.port(device, index, uplinks.contains(&index));
        }
    }

    fn port(&mut self, device: &Arc<DeviceLive>, index: usize, is_uplink: bool) {
        let Some(port) = device.ports.get(index) else { return };
        let physical = is_physical(&port.identity);
        if physical {
            self.count(port);
        }
        if !physical {
            return;
        }
        if is_uplink && let Some(place) = Place::new(device, index) {
            if port.state == PortState::Down && says_uplink(port.identity.alias.as_str()) {
                self.troubles.push(Trouble::UplinkDown(place.clone()));
            }
            self.uplinks.push(place);
        }
        add(&mut self.total_in, port.in_bps());
        add(&mut self.total_out, port.out_bps());
        self.top_in.offer(port.in_bps(), device, index);
        self.top_out.offer(port.out_bps(), device, index);
        let used = port.utilisation_percent();
        self.top_used.offer(used, device, index);
        let bad = port.error_rate().unwrap_or(0.0) + port.discard_rate().unwrap_or(0.0);
        self.top_errors.offer(Some(bad), device, index);
        if let Some(value) = used.filter(|value| *value >= HOT_PERCENT)
            && let Some(place) = Place::new(device, index)
        {
            self.troubles.push(Trouble::Hot(place, value));
        }
        if let Some(value) = port.error_rate().filter(|value| *value > 0.0)
            && let Some(place) = Place::new(device, index)
        {
            self.troubles.push(Trouble::Errors(place, value));
        }
    }

    fn count(&mut self, port: &PortLive) {
        let counts = &mut self.counts;
        counts.ports += 1;
        match port.state {
            PortState::Up => counts.ports_up += 1,
            PortState::Down => counts.ports_down += 1,
            PortState::Shut => counts.ports_shut += 1,
            PortState::Unknown => counts.ports_unknown += 1,
        }
        if port.state == PortState::Up
            && port.in_bps().is_none()
            && let Some(gap) = port.gap
        {
            *self.unmeasured.entry(gap).or_default() += 1;
        }
    }

    fn sort(&mut self) {
        self.troubles.sort_by(|one, other| {
            one.rank().cmp(&other.rank()).then(other.weight().total_cmp(&one.weight())).then(one.since().cmp(&other.since()))
        });
        self.uplinks.sort_by(|one, other| busy(other.port()).total_cmp(&busy(one.port())));
        self.uplinks.truncate(UPLINKS);
    }
}

fn add(sum: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0.0) + value);
    }
}

fn busy(port: &PortLive) -> f64 {
    port.in_bps().unwrap_or(0.0) + port.out_bps().unwrap_or(0.0)
}

/// Whether a port has a socket: by ifConnectorPresent, else by ifType (Ethernet and its old kinds, optical carriers).
pub(crate) fn is_physical(identity: &PortIdentity) -> bool {
    identity.connector.unwrap_or(matches!(identity.if_type, 6 | 7 | 26 | 37 | 39 | 62 | 69 | 117 | 171 | 195))
}

/// Whether an alias calls its port an uplink.
fn says_uplink(alias: &str) -> bool {
    const WORDS: [&str; 8] = ["uplink", "trunk", "上联", "上行", "出口", "汇聚", "核心", "互联"];
    let alias = alias.to_lowercase();
    WORDS.iter().any(|word| alias.contains(word))
}

/// The ports that lead towards the core: those whose alias says so, else the up ones that are faster than most.
pub(crate) fn uplinks(device: &DeviceLive) -> Vec<usize> {
    let physical = || device.ports.iter().enumerate().filter(|(_, port)| is_physical(&port.identity));
    let named: Vec<usize> = physical().filter(|(_, port)| says_uplink(port.identity.alias.as_str())).map(|(index, _)| index).collect();
    if !named.is_empty() {
        return named;
    }
    let Some(usual) = usual_speed(device) else { return Vec::new() };
    physical()
        .filter(|(_, port)| port.state == PortState::Up && port.identity.speed_bps.is_some_and(|speed| speed > usual))
        .map(|(index, _)| index)
        .collect()
}

/// The speed in the middle of all known speeds of a device's sockets.
pub(crate) fn usual_speed(device: &DeviceLive) -> Option<u64> {
    let mut speeds: Vec<u64> =
        device.ports.iter().filter(|port| is_physical(&port.identity)).filter_map(|port| port.identity.speed_bps).collect();
    speeds.sort_unstable();
    speeds.get(speeds.len() / 2).copied()
}
