//! Where a machine sits: all places where its address is seen, each with points and the reasons for them. Pure.
//!
//! A switch learns an address on every port on the way to it, so most places are on the way and few are the end of it. The
//! best is the one that was confirmed last, has the fewest others beside it and leads nowhere else.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::class::{Crowd, Infrastructure, Why};
use super::merge::is_station;
use super::table::{DeviceTables, Neighbour, Seat};
use crate::model::{MacAddr, Timestamp, Zone};

/// What a place begins with.
const FULL: i32 = 100;
/// A place of fewer points is no answer.
pub const ENOUGH: i32 = 50;
/// Two places within so many points are rivals.
const CLOSE: i32 = 20;
/// So many addresses sit behind one socket: a telephone, a computer and a virtual machine in it.
const FEW: usize = 3;
/// So many VLANs with tags make a trunk: the one of telephones is no trunk yet.
const TAGGED: usize = 2;
/// What was confirmed this long ago is as good as now: one reading and its delay.
const RECENT: Duration = Duration::from_secs(600);
/// How many of those beside it are named.
const NAMED: usize = 32;

/// What is known of the network, to find machines in.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The tables of all devices.
    pub all: &'a [Arc<DeviceTables>],
    /// The devices themselves.
    pub infrastructure: &'a Infrastructure,
    /// Whether the configuration names a port of a device, by its name, as one that leads on.
    pub is_listed: &'a dyn Fn(&str, &str) -> bool,
    /// ifOperStatus up of a device's port, by ifIndex; `None` where it is not known.
    pub is_up: &'a dyn Fn(&str, u32) -> Option<bool>,
}

/// What kind of port it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PortKind {
    /// A socket with one machine, or a telephone with one behind it.
    Access,
    /// Several machines behind one socket: an unmanaged switch, most likely.
    Hybrid,
    /// It carries several VLANs, or leads to another bridge.
    Trunk,
    /// A bundle of ports, or one of its members.
    Lag,
}

impl PortKind {
    /// The word of JSON and of text keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Hybrid => "hybrid",
            Self::Trunk => "trunk",
            Self::Lag => "lag",
        }
    }
}

/// Why a place has the points that it has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nobody else is seen on the port.
    Alone,
    /// So many others are.
    Beside(usize),
    /// It was last confirmed so many minutes ago.
    Old(u64),
    /// It was seen elsewhere after it was last seen here.
    Moved,
    /// The last reading of the forwarding database was not whole, and it was not in what came.
    Unconfirmed,
    /// The port leads on.
    LeadsOn(Why),
    /// The port leads to the root of the spanning tree.
    Root,
    /// The port is a bundle, or part of one.
    Bundle,
    /// The port carries so many VLANs with tags.
    Tagged(usize),
    /// A neighbour that says it is a switch, a router or an access point.
    Neighbour(Arc<str>),
    /// The port is down: nobody can be there now.
    Down,
    /// Another place is as likely.
    Rival(Arc<str>, Arc<str>),
}

impl Reason {
    /// The word of text keys.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Beside(_) => "beside",
            Self::Old(_) => "old",
            Self::Moved => "moved",
            Self::Unconfirmed => "unconfirmed",
            Self::LeadsOn(_) => "leads-on",
            Self::Root => "root",
            Self::Bundle => "bundle",
            Self::Tagged(_) => "tagged",
            Self::Neighbour(_) => "neighbour",
            Self::Down => "down",
            Self::Rival(..) => "rival",
        }
    }

    /// The points that it costs.
    fn cost(&self) -> i32 {
        let bounded = |count: usize, most: i32| i32::try_from(count).unwrap_or(most).min(most);
        match self {
            Self::Alone => 0,
            Self::Beside(others) => bounded(others.saturating_sub(FEW - 1), 20),
            Self::Old(minutes) => i32::try_from(minutes / 10).unwrap_or(60).min(60),
            Self::Moved => 60,
            Self::Unconfirmed => 5,
            Self::LeadsOn(_) => 70,
            Self::Root => 70,
            Self::Bundle => 30,
            Self::Tagged(_) => 20,
            Self::Neighbour(_) => 15,
            Self::Down => 60,
            Self::Rival(..) => 0,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone => f.write_str("alone on the port"),
            Self::Beside(others) => write!(f, "others on the port: {others}"),
            Self::Old(minutes) => write!(f, "last confirmed {minutes} min ago"),
            Self::Moved => f.write_str("seen elsewhere since"),
            Self::Unconfirmed => f.write_str("not in the last reading, which was not whole"),
            Self::LeadsOn(why) => write!(f, "leads on: {why}"),
            Self::Root => f.write_str("leads to the root of the spanning tree"),
            Self::Bundle => f.write_str("part of a bundle"),
            Self::Tagged(vlans) => write!(f, "VLANs with tags: {vlans}"),
            Self::Neighbour(name) => write!(f, "its neighbour {name} is a network device"),
            Self::Down => f.write_str("the port is down"),
            Self::Rival(device, port) => write!(f, "nearly as likely at {device} {port}"),
        }
    }
}

/// One place where it may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Candidate {
    /// The device.
    pub device: Arc<str>,
    /// Its side of the separated network.
    pub zone: Zone,
    /// The port's name.
    pub port: Arc<str>,
    /// Its ifIndex at the last reading.
    pub if_index: u32,
    /// The VLAN, 0 where not told.
    pub vlan: u32,
    /// Since when it is seen there.
    pub since: Timestamp,
    /// When it was last seen there.
    pub seen: Timestamp,
    /// 0 to 100; below [`ENOUGH`] it is no answer.
    pub score: i32,
    /// What kind of port it is.
    pub kind: PortKind,
    /// How many addresses are behind the port, this one among them.
    pub macs: usize,
    /// The others, the first 32.
    #[serde(serialize_with = "all_written")]
    pub others: Vec<MacAddr>,
    /// Who says that it is the neighbour there.
    pub neighbours: Vec<Neighbour>,
    /// Whether the port leads to the root of the spanning tree.
    pub is_root_port: bool,
    /// Why it leads on to other bridges; empty where it does not.
    pub leads_on: Vec<Why>,
    /// Why it has its points.
    pub reasons: Vec<Reason>,
}

/// Where it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Found {
    /// Who was asked for.
    #[serde(serialize_with = "written")]
    pub mac: MacAddr,
    /// The watched device whose own address it is.
    pub own: Option<Arc<str>>,
    /// It is of a group or of nobody, and sits nowhere.
    pub is_no_station: bool,
    /// All places, the likeliest first.
    pub candidates: Vec<Candidate>,
}

impl Found {
    /// The one place where it is: likely enough, and without a rival.
    pub fn certain(&self) -> Option<&Candidate> {
        let best = self.candidates.first().filter(|best| best.score >= ENOUGH)?;
        let is_rival = |reason: &Reason| matches!(reason, Reason::Rival(..));
        (!best.reasons.iter().any(is_rival)).then_some(best)
    }
}

/// As people write it.
fn written<S: serde::Serializer>(mac: &MacAddr, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(mac)
}

fn all_written<S: serde::Serializer>(macs: &[MacAddr], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(macs.iter().map(ToString::to_string))
}

/// Finds a machine by its MAC address. What belongs to a watched device itself has no candidates: it is that device.
pub fn find(scene: &Scene<'_>, mac: MacAddr, now: Timestamp) -> Found {
    let own = scene.infrastructure.device_of(mac).cloned();
    let is_no_station = !is_station(mac);
    let mut candidates = Vec::new();
    if own.is_none() && !is_no_station {
        for tables in scene.all {
            let mut done = HashSet::new();
            let seats = tables.seats_of(mac).iter().filter(|seat| seat.if_index > 0);
            candidates.extend(seats.filter(|seat| done.insert((seat.if_index, seat.vlan))).map(|seat| candidate(scene, tables, seat, now)));
        }
    }
    moved(&mut candidates);
    candidates.sort_by(|one, other| {
        let order = |candidate: &Candidate| (-candidate.score, candidate.macs, std::cmp::Reverse(candidate.seen));
        order(one).cmp(&order(other)).then_with(|| (&one.device, &one.port, one.vlan).cmp(&(&other.device, &other.port, other.vlan)))
    });
    rivals(&mut candidates);
    Found { mac, own, is_no_station, candidates }
}

/// The neighbours heard on a port, or on the members of the bundle that it is.
pub fn neighbours(tables: &DeviceTables, if_index: u32) -> Vec<Neighbour> {
    let carriers: Vec<u32> = tables.layout.carriers(if_index).collect();
    tables.neighbours.iter().filter(|neighbour| carriers.contains(&neighbour.if_index)).cloned().collect()
}

fn candidate(scene: &Scene<'_>, tables: &DeviceTables, seat: &Seat, now: Timestamp) -> Candidate {
    let crowd = Crowd::of(tables, scene.infrastructure, seat.if_index);
    let leads_on = crowd.leads_on(tables, scene.infrastructure, scene.is_listed, seat.if_index);
    let neighbours = neighbours(tables, seat.if_index);
    let is_root_port = tables.layout.root_port.is_some_and(|root| tables.layout.carriers(seat.if_index).any(|carrier| carrier == root));
    let kind = kind(tables, seat.if_index, &crowd, !leads_on.is_empty() || is_root_port, &neighbours);
    let mut reasons = vec![match crowd.macs.len() {
        0 | 1 => Reason::Alone,
        several => Reason::Beside(several - 1),
    }];
    let age = now.since(seat.seen);
    if age > RECENT {
        reasons.push(Reason::Old(age.as_secs() / 60));
    }
    if seat.seen < tables.at {
        reasons.push(Reason::Unconfirmed);
    }
    // One way on is as good as several.
    reasons.extend(leads_on.first().cloned().map(Reason::LeadsOn));
    if is_root_port {
        reasons.push(Reason::Root);
    }
    if kind == PortKind::Lag {
        reasons.push(Reason::Bundle);
    }
    let tagged = tables.layout.ports.get(&seat.if_index).map_or(0, |port| port.tagged.len());
    if tagged >= TAGGED {
        reasons.push(Reason::Tagged(tagged));
    }
    let bridge = neighbours.iter().find(|neighbour| neighbour.capabilities.leads_on());
    reasons.extend(bridge.map(|bridge| Reason::Neighbour(name(bridge))));
    if (scene.is_up)(&tables.device, seat.if_index) == Some(false) {
        reasons.push(Reason::Down);
    }
    let mut candidate = Candidate {
        device: Arc::clone(&tables.device),
        zone: tables.zone,
        port: tables.port(seat.if_index),
        if_index: seat.if_index,
        vlan: seat.vlan,
        since: seat.since,
        seen: seat.seen,
        score: 0,
        kind,
        macs: crowd.macs.len(),
        others: crowd.macs.iter().filter(|other| **other != seat.mac).take(NAMED).copied().collect(),
        neighbours,
        is_root_port,
        leads_on,
        reasons,
    };
    candidate.weigh();
    candidate
}

impl Candidate {
    fn weigh(&mut self) {
        self.score = (FULL - self.reasons.iter().map(Reason::cost).sum::<i32>()).clamp(0, FULL);
    }
}

/// What kind of port it is: by the device's own word first, then by who is there.
fn kind(tables: &DeviceTables, if_index: u32, crowd: &Crowd, leads_on: bool, neighbours: &[Neighbour]) -> PortKind {
    let layout = tables.layout.ports.get(&if_index);
    if layout.is_some_and(|port| port.is_bundle || port.bundle.is_some()) {
        return PortKind::Lag;
    }
    if leads_on || layout.is_some_and(|port| port.is_trunk || port.tagged.len() >= TAGGED) {
        return PortKind::Trunk;
    }
    let has_telephone = neighbours.iter().any(|neighbour| neighbour.capabilities.telephone);
    if crowd.macs.len() > 1 + usize::from(has_telephone) { PortKind::Hybrid } else { PortKind::Access }
}

fn name(neighbour: &Neighbour) -> Arc<str> {
    neighbour.name.clone().or_else(|| neighbour.chassis.clone()).unwrap_or_else(|| "?".into())
}

/// An address that appeared at the end of one way after it was last seen at the end of another has moved there: the old
/// switch remembers it for some minutes.
fn moved(candidates: &mut [Candidate]) {
    let ends: Vec<(Arc<str>, u32, Timestamp)> = candidates
        .iter()
        .filter(|candidate| candidate.score >= ENOUGH)
        .map(|candidate| (Arc::clone(&candidate.device), candidate.if_index, candidate.since))
        .collect();
    for candidate in candidates {
        let newer = |(device, if_index, since): &(Arc<str>, u32, Timestamp)| {
            (device, *if_index) != (&candidate.device, candidate.if_index) && *since > candidate.seen
        };
        if ends.iter().any(newer) {
            candidate.reasons.push(Reason::Moved);
            candidate.weigh();
        }
    }
}

/// Tells the best place of another that is nearly as likely.
fn rivals(candidates: &mut [Candidate]) {
    let Some((best, others)) = candidates.split_first_mut() else { return };
    let is_close = |other: &&mut Candidate| {
        best.score - other.score < CLOSE && other.score > 0 && (&other.device, other.if_index) != (&best.device, best.if_index)
    };
    let rival = others.iter_mut().find(is_close).map(|other| Reason::Rival(Arc::clone(&other.device), Arc::clone(&other.port)));
    best.reasons.extend(rival);
}

#[cfg(test)]
mod tests;
