//! Questions to the live table: totals, the busiest ports, one port, and pages of a filtered, sorted list of all ports.
//! Nothing is copied but references; 10,000 ports are gone through in about a millisecond.

use std::cmp::Ordering;
use std::sync::Arc;

use super::live::{DeviceLive, DeviceState, Live, PortLive, PortState};
use crate::model::PortMetric;

/// A port in a snapshot of its device.
#[derive(Clone, Debug)]
pub struct PortRef {
    device: Arc<DeviceLive>,
    place: usize,
}

impl PortRef {
    /// Its device.
    pub fn device(&self) -> &Arc<DeviceLive> {
        &self.device
    }

    /// The port; `None` never happens for references that the live table gave out.
    pub fn port(&self) -> Option<&PortLive> {
        self.device.ports.get(self.place)
    }
}

/// How many there are of what.
#[derive(Clone, Copy, PartialEq, Debug, Default, serde::Serialize)]
pub struct Totals {
    /// Configured devices.
    pub devices: usize,
    /// Devices whose last poll was whole.
    pub devices_up: usize,
    /// Devices that answer, with holes.
    pub devices_degraded: usize,
    /// Devices that do not answer.
    pub devices_down: usize,
    /// Devices not polled yet.
    pub devices_unknown: usize,
    /// Listed ports.
    pub ports: usize,
    /// Ports by state.
    pub ports_up: usize,
    /// See `ports_up`.
    pub ports_down: usize,
    /// See `ports_up`.
    pub ports_shut: usize,
    /// See `ports_up`.
    pub ports_unknown: usize,
    /// The inbound traffic of all ports together, in bits per second.
    pub in_bps: f64,
    /// The outbound traffic of all ports together, in bits per second.
    pub out_bps: f64,
}

/// What the busiest ports are the busiest in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Inbound bits per second.
    In,
    /// Outbound bits per second.
    Out,
    /// The larger of both as a share of the speed.
    Utilisation,
    /// Packets with errors per second, both ways.
    Errors,
    /// Packets discarded per second, both ways.
    Discards,
}

impl Figure {
    /// The figure of a port; `None` when it is not known.
    pub fn of(self, port: &PortLive) -> Option<f64> {
        let both = |one, other| match (port.rate(one), port.rate(other)) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0.0) + other.unwrap_or(0.0)),
        };
        match self {
            Self::In => port.in_bps(),
            Self::Out => port.out_bps(),
            Self::Utilisation => port.utilisation_percent(),
            Self::Errors => both(PortMetric::InErrors, PortMetric::OutErrors),
            Self::Discards => both(PortMetric::InDiscards, PortMetric::OutDiscards),
        }
    }
}

/// By what a list of ports is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortSort {
    /// Device, then the device's own order.
    #[default]
    Device,
    /// Port name, `Gi0/2` before `Gi0/10`.
    Name,
    /// ifAlias; ports without one last.
    Alias,
    /// Up, down, shut, unknown.
    State,
    /// Bits per second.
    Speed,
    /// See [`Figure`]; unknown figures last in both directions.
    In,
    /// See `In`.
    Out,
    /// See `In`.
    Utilisation,
    /// See `In`.
    Errors,
    /// See `In`.
    Discards,
}

/// Which ports, in which order, and which page of them.
#[derive(Clone, PartialEq, Debug)]
pub struct PortQuery {
    /// Stands in the name, ifAlias or ifDescr of the port, or in the name or site of its device; empty for all.
    /// Upper and lower case letters are the same.
    pub text: String,
    /// Only this device.
    pub device: Option<String>,
    /// Only in this state.
    pub state: Option<PortState>,
    /// Only ports at least so busy, in percent.
    pub min_utilisation: Option<f64>,
    /// The order.
    pub sort: PortSort,
    /// The largest first.
    pub descending: bool,
    /// The page, from 1; beyond the end it is the last one.
    pub page: usize,
    /// How many ports a page, at least 1.
    pub per_page: usize,
}

impl Default for PortQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            device: None,
            state: None,
            min_utilisation: None,
            sort: PortSort::Device,
            descending: false,
            page: 1,
            per_page: 50,
        }
    }
}

/// One page of a list of ports.
#[derive(Clone, Debug)]
pub struct PortPage {
    /// The ports.
    pub ports: Vec<PortRef>,
    /// How many ports the query fits in all.
    pub total: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
}

impl Live {
    /// How many there are of what.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for device in self.snapshots() {
            totals.devices += 1;
            *match device.health.state {
                DeviceState::Up => &mut totals.devices_up,
                DeviceState::Degraded => &mut totals.devices_degraded,
                DeviceState::Down => &mut totals.devices_down,
                DeviceState::Unknown => &mut totals.devices_unknown,
            } += 1;
            for port in device.ports.iter() {
                totals.ports += 1;
                *match port.state {
                    PortState::Up => &mut totals.ports_up,
                    PortState::Down => &mut totals.ports_down,
                    PortState::Shut => &mut totals.ports_shut,
                    PortState::Unknown => &mut totals.ports_unknown,
                } += 1;
                totals.in_bps += port.in_bps().unwrap_or(0.0);
                totals.out_bps += port.out_bps().unwrap_or(0.0);
            }
        }
        totals
    }

    /// The ports with the largest figure above 0, the largest first.
    pub fn top_talkers(&self, figure: Figure, count: usize) -> Vec<PortRef> {
        let devices = self.snapshots();
        let mut found: Vec<(f64, usize, usize)> = Vec::new();
        for (number, device) in devices.iter().enumerate() {
            let figures = device.ports.iter().enumerate().filter_map(|(place, port)| Some((figure.of(port)?, place)));
            found.extend(figures.filter(|(value, _)| *value > 0.0).map(|(value, place)| (value, number, place)));
        }
        let order = |one: &(f64, usize, usize), other: &(f64, usize, usize)| {
            other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2)))
        };
        first_sorted(&mut found, count, order);
        found.into_iter().filter_map(|(_, number, place)| Some(PortRef { device: Arc::clone(devices.get(number)?), place })).collect()
    }

    /// The port of this name on the device of this name.
    pub fn port(&self, device: &str, name: &str) -> Option<PortRef> {
        let device = self.device(device)?;
        let place = device.ports.iter().position(|port| &*port.identity.name == name)?;
        Some(PortRef { device, place })
    }

    /// One page of a filtered, sorted list of all ports.
    pub fn ports(&self, query: &PortQuery) -> PortPage {
        let devices = self.snapshots();
        let mut found = matching(&devices, query);
        let total = found.len();
        let per_page = query.per_page.max(1);
        let pages = total.div_ceil(per_page).max(1);
        let page = query.page.clamp(1, pages);
        let first = (page - 1) * per_page;
        first_sorted(&mut found, first + per_page, |one, other| compare(one, other, query));
        let ports = found.iter().skip(first).map(|entry| PortRef { device: Arc::clone(entry.device), place: entry.place }).collect();
        PortPage { ports, total, page, pages }
    }

    fn snapshots(&self) -> Vec<Arc<DeviceLive>> {
        self.devices().iter().map(|cell| cell.load()).collect()
    }
}

/// A port that fits, with what it is sorted by.
struct Entry<'a> {
    device: &'a Arc<DeviceLive>,
    port: &'a PortLive,
    /// Where the device stands in the configuration, and the port in the device.
    number: usize,
    place: usize,
    figure: Option<f64>,
}

fn matching<'a>(devices: &'a [Arc<DeviceLive>], query: &PortQuery) -> Vec<Entry<'a>> {
    let needle = query.text.trim().to_ascii_lowercase();
    let figure = |port: &PortLive| match query.sort {
        PortSort::Speed => port.identity.speed_bps.map(|speed| speed as f64),
        PortSort::In => Figure::In.of(port),
        PortSort::Out => Figure::Out.of(port),
        PortSort::Utilisation => Figure::Utilisation.of(port),
        PortSort::Errors => Figure::Errors.of(port),
        PortSort::Discards => Figure::Discards.of(port),
        PortSort::Device | PortSort::Name | PortSort::Alias | PortSort::State => None,
    };
    let mut found = Vec::new();
    for (number, device) in devices.iter().enumerate() {
        if query.device.as_ref().is_some_and(|wanted| **wanted != *device.label.name) {
            continue;
        }
        let device_fits = holds(&device.label.name, &needle) || holds(&device.label.site, &needle);
        for (place, port) in device.ports.iter().enumerate() {
            let identity = &port.identity;
            let text_fits = device_fits
                || holds(&identity.name, &needle)
                || holds(identity.alias.as_str(), &needle)
                || holds(identity.descr.as_str(), &needle);
            let state_fits = query.state.is_none_or(|wanted| wanted == port.state);
            let busy_fits = query.min_utilisation.is_none_or(|least| port.utilisation_percent().is_some_and(|percent| percent >= least));
            if text_fits && state_fits && busy_fits {
                found.push(Entry { device, port, number, place, figure: figure(port) });
            }
        }
    }
    found
}

fn compare(one: &Entry<'_>, other: &Entry<'_>, query: &PortQuery) -> Ordering {
    let directed = |order: Ordering| if query.descending { order.reverse() } else { order };
    let order = match query.sort {
        PortSort::Device => directed(natural(&one.device.label.name, &other.device.label.name)),
        PortSort::Name => directed(natural(&one.port.identity.name, &other.port.identity.name)),
        PortSort::Alias => {
            let (a, b) = (one.port.identity.alias.as_str(), other.port.identity.alias.as_str());
            a.is_empty().cmp(&b.is_empty()).then_with(|| directed(natural(a, b)))
        }
        PortSort::State => directed(one.port.state.cmp(&other.port.state)),
        _ => match (one.figure, other.figure) {
            (Some(a), Some(b)) => directed(a.total_cmp(&b)),
            (a, b) => a.is_none().cmp(&b.is_none()),
        },
    };
    order.then_with(|| (one.number, one.place).cmp(&(other.number, other.place)))
}

/// Leaves the first `count` in order, without sorting the rest.
fn first_sorted<T>(items: &mut Vec<T>, count: usize, mut order: impl FnMut(&T, &T) -> Ordering) {
    if count == 0 {
        items.clear();
        return;
    }
    if count < items.len() {
        items.select_nth_unstable_by(count - 1, &mut order);
        items.truncate(count);
    }
    items.sort_unstable_by(order);
}

/// Whether `needle` (in lower case) stands in `text`, whatever the case of its Latin letters.
fn holds(text: &str, needle: &str) -> bool {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    needle.is_empty() || text.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// Compares texts as people do: runs of digits by their value, so that `Gi0/2` comes before `Gi0/10`.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    loop {
        match (a.split_first(), b.split_first()) {
            (Some((x, _)), Some((y, _))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (number_a, rest_a) = digits(a);
                let (number_b, rest_b) = digits(b);
                let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            (Some((x, rest_a)), Some((y, rest_b))) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            (None, None) => return one.cmp(other),
            (left, _) => return if left.is_none() { Ordering::Less } else { Ordering::Greater },
        }
    }
}

/// The digits at the front without leading zeros, and what follows.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
    let zeros = number.iter().take_while(|&&octet| octet == b'0').count();
    (number.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests;
