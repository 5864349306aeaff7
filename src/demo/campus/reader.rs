//! Reading the counters of switches at moments. The curves are pure; a reader remembers where it read them last, so that
//! reading in the order of time is cheap.

use super::Campus;
use super::host::{Flow, HostCursor};
use super::switch::Feed;
use crate::model::{METRICS, PortMetric, Timestamp};

/// Metrics of an uplink that are the sums over the ports below, each from the opposite direction.
const CARRIED: [(PortMetric, PortMetric); 4] = [
    (PortMetric::InOctets, PortMetric::OutOctets),
    (PortMetric::OutOctets, PortMetric::InOctets),
    (PortMetric::InUcast, PortMetric::OutUcast),
    (PortMetric::OutUcast, PortMetric::InUcast),
];
/// The directions exchanged: what one end of a cable sends, the other receives.
const MIRRORED: [(PortMetric, PortMetric); 4] = [
    (PortMetric::InMulticast, PortMetric::OutMulticast),
    (PortMetric::OutMulticast, PortMetric::InMulticast),
    (PortMetric::InBroadcast, PortMetric::OutBroadcast),
    (PortMetric::OutBroadcast, PortMetric::InBroadcast),
];

/// A memory for [`Campus::counters`].
#[derive(Clone, Debug)]
pub struct Reader(Vec<Memory>);

/// What is remembered of one switch.
#[derive(Clone, Debug, Default)]
struct Memory {
    cursors: Vec<HostCursor>,
    /// The moment of `flows`.
    at: Option<Timestamp>,
    flows: Vec<Flow>,
    /// The flows when the switch last started, and when that was.
    booted: Option<Timestamp>,
    base: Vec<Flow>,
    counters: Vec<Flow>,
}

impl Reader {
    pub(super) fn new(switches: usize) -> Self {
        Self(vec![Memory::default(); switches])
    }

    /// The counters of all ports of a switch since it last started, with ifOperStatus.
    pub(super) fn counters(&mut self, campus: &Campus, place: usize, at: Timestamp) -> &[Flow] {
        let booted = campus.switches[place].booted(at);
        if self.0[place].booted != Some(booted) {
            self.read(campus, place, booted);
            let memory = &mut self.0[place];
            memory.base = memory.flows.clone();
            memory.booted = Some(booted);
        }
        self.read(campus, place, at);
        let memory = &mut self.0[place];
        memory.counters.clone_from(&memory.flows);
        for (counters, base) in memory.counters.iter_mut().zip(&memory.base) {
            for (metric, (value, start)) in PortMetric::ALL.iter().zip(counters.iter_mut().zip(base)) {
                if !metric.is_gauge() {
                    *value -= start;
                }
            }
        }
        &self.0[place].counters
    }

    /// Brings `flows` of a switch, and of all below it, to a moment.
    fn read(&mut self, campus: &Campus, place: usize, at: Timestamp) {
        if self.0[place].at == Some(at) {
            return;
        }
        let ports = &campus.switches[place].ports;
        let mut memory = std::mem::take(&mut self.0[place]);
        memory.cursors.resize_with(ports.len(), HostCursor::default);
        memory.flows.clear();
        for (port, cursor) in ports.iter().zip(&mut memory.cursors) {
            memory.flows.push(match &port.feed {
                Feed::Host(host) => host.flow(at, cursor),
                Feed::Down(child) => self.way_up(campus, *child, at).map_or_else(|| state(2), |flow| mirrored(&flow)),
                Feed::Vlan | Feed::Up => state(1),
                Feed::Empty | Feed::Shut => state(2),
            });
        }
        if let Some(up) = campus.switches[place].up() {
            memory.flows[up] = carried(&memory.flows);
        }
        memory.at = Some(at);
        self.0[place] = memory;
    }

    fn way_up(&mut self, campus: &Campus, place: usize, at: Timestamp) -> Option<Flow> {
        self.read(campus, place, at);
        self.0[place].flows.get(campus.switches[place].up()?).copied()
    }
}

fn state(oper: u64) -> Flow {
    let mut flow = [0; METRICS];
    flow[PortMetric::OperStatus.index()] = oper;
    flow
}

/// What the way up carries: everything that the other ports receive goes out, everything that they send comes in. Of
/// flooded frames it carries one copy.
fn carried(flows: &[Flow]) -> Flow {
    let mut up = state(1);
    let sum = |metric: PortMetric| flows.iter().map(|flow| flow[metric.index()]).sum::<u64>();
    let most = |metric: PortMetric| flows.iter().map(|flow| flow[metric.index()]).max().unwrap_or(0);
    for (own, theirs) in CARRIED {
        up[own.index()] = sum(theirs);
    }
    up[PortMetric::OutMulticast.index()] = sum(PortMetric::InMulticast);
    up[PortMetric::OutBroadcast.index()] = sum(PortMetric::InBroadcast);
    up[PortMetric::InMulticast.index()] = most(PortMetric::OutMulticast);
    up[PortMetric::InBroadcast.index()] = most(PortMetric::OutBroadcast);
    up
}

fn mirrored(far: &Flow) -> Flow {
    let mut near = state(1);
    for (own, theirs) in CARRIED.into_iter().chain(MIRRORED) {
        near[own.index()] = far[theirs.index()];
    }
    near
}
