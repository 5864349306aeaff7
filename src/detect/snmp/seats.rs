//! Rules over forwarding databases: machines that move from port to port, crowds, floods of addresses, loops, strangers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::{Condition, MAC_FLAP, MAC_FLOOD, NEW_MAC, PORT_CROWDED, PORT_LOOP, evidence, sample};
use crate::detect::facts::is_virtual;
use crate::locate::{ByPort, DeviceTables, Seat};
use crate::model::{Fact, MacAddr, Severity, Subject, Timestamp};

/// So many moves between access ports ...
const MOVES: usize = 3;
/// ... within this time are flapping.
const WINDOW: Duration = Duration::from_secs(600);
/// A port with more machines than this is no socket but something with machines behind it, which may roam.
const FEW: usize = 8;
/// So many addresses that are new in one reading are a flood.
const FLOOD: usize = 50;
/// Readings further apart than this do not tell what is new.
const NEAR: Duration = Duration::from_secs(20 * 60);
/// Broadcasts a second on a port that make a move between two ports a loop.
const LOOP_BROADCASTS: f64 = 100.0;
/// How long a stranger is shown.
const STRANGER_FOR: Duration = Duration::from_secs(3600);
/// Tables are read every few minutes: what is seen in them is over when it was not for so long.
const QUIET: Duration = Duration::from_secs(15 * 60);
/// A device is read more often for so long after somebody moved there.
const WATCHED_FOR: Duration = Duration::from_secs(15 * 60);
/// Machines whose last place is remembered.
const MOST: usize = 200_000;
/// For so long when they are not seen.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// What is around the tables.
pub struct Around<'a> {
    /// Whether a port (device, ifIndex) leads to other bridges.
    pub is_uplink: &'a dyn Fn(&str, u32) -> bool,
    /// Whether a MAC address is one of a device of ours.
    pub is_own: &'a dyn Fn(MacAddr) -> bool,
    /// Broadcasts per second that come in by a port (device, ifIndex).
    pub broadcasts: &'a dyn Fn(&str, u32) -> Option<f64>,
    /// Whether strangers are told on a port (device, name).
    pub is_watched: &'a dyn Fn(&str, &str) -> bool,
    /// An access port with more machines than this is told.
    pub crowded: usize,
}

type Port = (Arc<str>, u32);

#[derive(Clone, Debug)]
struct Track {
    place: Port,
    seen: Timestamp,
    /// Where it came from, and when.
    moves: VecDeque<(Timestamp, Port)>,
}

/// What is remembered between readings.
#[derive(Debug, Default)]
pub struct Seats {
    before: HashMap<Arc<str>, Arc<DeviceTables>>,
    tracks: HashMap<MacAddr, Track>,
    /// Who was ever seen on the ports that are watched.
    known: ByPort,
    strangers: Vec<(Timestamp, Condition)>,
    /// What holds by the last reading of each device.
    holds: HashMap<Arc<str>, Vec<Condition>>,
    moved: HashMap<Arc<str>, Timestamp>,
    fresh: Vec<(Arc<str>, Arc<str>, MacAddr)>,
    shed: u64,
}

impl Seats {
    /// With those who were ever seen on watched ports.
    pub fn new(known: ByPort) -> Self {
        Self { known, ..Self::default() }
    }

    /// Looks at all tables; gives what holds now. A device that was not read anew costs little.
    pub fn look(&mut self, all: &[Arc<DeviceTables>], around: &Around<'_>, now: Timestamp) -> Vec<Condition> {
        for tables in all {
            let before = self.before.get(&tables.device).cloned();
            if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, tables)) {
                continue;
            }
            self.device(tables, before.as_deref(), around);
            self.before.insert(Arc::clone(&tables.device), Arc::clone(tables));
        }
        let names: HashSet<&str> = all.iter().map(|tables| &*tables.device).collect();
        self.before.retain(|name, _| names.contains(&**name));
        self.holds.retain(|name, _| names.contains(&**name));
        self.tracks.retain(|_, track| now.since(track.seen) < REMEMBERED);
        self.moved.retain(|_, at| now.since(*at) < WATCHED_FOR);
        self.strangers.retain(|(at, _)| now.since(*at) < STRANGER_FOR);
        let mut conditions: Vec<Condition> = self.holds.values().flatten().cloned().collect();
        conditions.extend(self.strangers.iter().map(|(_, condition)| condition.clone()));
        conditions.extend(self.flaps(now));
        conditions
    }

    /// The devices to be read more often: somebody moved there of late.
    pub fn is_moving(&self, device: &str) -> bool {
        self.moved.contains_key(device)
    }

    /// The machines that were seen on watched ports for the first time since this was last asked.
    pub fn take_new(&mut self) -> Vec<(Arc<str>, Arc<str>, MacAddr)> {
        std::mem::take(&mut self.fresh)
    }

    /// Machines that found no room.
    pub const fn shed(&self) -> u64 {
        self.shed
    }

    fn device(&mut self, tables: &DeviceTables, before: Option<&DeviceTables>, around: &Around<'_>) {
        let mut by_port: HashMap<u32, Vec<&Seat>> = HashMap::new();
        for seat in tables.seats.iter() {
            by_port.entry(seat.if_index).or_default().push(seat);
        }
        // After a pause, or for the first time, everything would be new.
        let is_continued = before
            .and_then(|before| before.seats_whole)
            .is_some_and(|at| tables.seats_whole.is_some_and(|whole| whole > at && whole.since(at) <= NEAR));
        let mut holds = Vec::new();
        for (&if_index, seats) in &by_port {
            self.watch(tables, if_index, seats, around);
            if (around.is_uplink)(&tables.device, if_index) {
                continue;
            }
            crowd(tables, if_index, seats, around, &mut holds);
            let new = seats.iter().filter(|seat| seat.since == tables.at).count();
            let was = before.map_or(0, |before| before.seats.iter().filter(|seat| seat.if_index == if_index).count());
            if is_continued && new >= FLOOD {
                holds.push(flood(tables, if_index, new, was));
            }
            if seats.len() <= FEW {
                self.place(tables, if_index, seats, is_continued, around);
            }
        }
        holds.extend(self.loops(tables, around));
        self.holds.insert(Arc::clone(&tables.device), holds);
    }

    /// Notes who sits on an access port, and who came from another one.
    fn place(&mut self, tables: &DeviceTables, if_index: u32, seats: &[&Seat], is_continued: bool, around: &Around<'_>) {
        for seat in seats.iter().filter(|seat| !is_virtual(seat.mac) && !(around.is_own)(seat.mac)) {
            let place = (Arc::clone(&tables.device), if_index);
            let Some(track) = self.tracks.get_mut(&seat.mac) else {
                if self.tracks.len() < MOST {
                    self.tracks.insert(seat.mac, Track { place, seen: tables.at, moves: VecDeque::new() });
                } else {
                    self.shed += 1;
                }
                continue;
            };
            // An old seat that another bridge has not forgotten yet is no move.
            let has_moved = track.place != place && is_continued && seat.since == tables.at;
            if has_moved {
                let from = std::mem::replace(&mut track.place, place);
                for device in [&from.0, &tables.device] {
                    self.moved.insert(Arc::clone(device), tables.at);
                }
                track.moves.push_back((tables.at, from));
                if track.moves.len() > 16 {
                    track.moves.pop_front();
                }
            }
            if track.place.0 == tables.device {
                track.seen = tables.at;
            }
        }
    }

    fn flaps(&mut self, now: Timestamp) -> Vec<Condition> {
        let before = &self.before;
        let name = |port: &Port| {
            let port_name = before.get(&port.0).map_or_else(|| "?".into(), |tables| tables.port(port.1));
            format!("{} {port_name}", port.0)
        };
        let flap = |(mac, track): (&MacAddr, &mut Track)| {
            while track.moves.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
                track.moves.pop_front();
            }
            if track.moves.len() < MOVES {
                return None;
            }
            let mut ports: Vec<String> = track.moves.iter().map(|(_, from)| from).chain([&track.place]).map(name).collect();
            ports.sort();
            ports.dedup();
            let facts = [
                ("count", Fact::Count(track.moves.len() as u64)),
                ("window", Fact::Millis(WINDOW.as_millis() as f64)),
                ("sample", Fact::Text(sample(ports))),
            ];
            let (subject, evidence) = (Subject::Machine(mac.to_string().into()), evidence(facts));
            Some(Condition { rule: MAC_FLAP, subject, severity: Severity::Major, evidence, quiet: WINDOW })
        };
        self.tracks.iter_mut().filter_map(flap).collect()
    }

    /// A machine that moved between two access ports of one bridge while broadcasts pour in by one of them: frames come back.
    fn loops(&self, tables: &DeviceTables, around: &Around<'_>) -> Vec<Condition> {
        let mut found: HashMap<u32, (f64, Vec<MacAddr>, u32)> = HashMap::new();
        for (mac, track) in self.tracks.iter().filter(|(_, track)| track.place.0 == tables.device) {
            let within = track.moves.iter().filter(|(at, from)| tables.at.since(*at) <= WINDOW && from.0 == tables.device);
            for (_, (_, other)) in within {
                let pair = [(track.place.1, *other), (*other, track.place.1)];
                let pours = pair.into_iter().filter_map(|(port, other)| Some(((around.broadcasts)(&tables.device, port)?, port, other)));
                let Some((rate, port, other)) = pours.max_by(|one, other| one.0.total_cmp(&other.0)) else { continue };
                if rate > LOOP_BROADCASTS {
                    let (_, macs, _) = found.entry(port).or_insert_with(|| (rate, Vec::new(), other));
                    macs.push(*mac);
                }
            }
        }
        let told = |(port, (rate, mut macs, other)): (u32, (f64, Vec<MacAddr>, u32))| {
            macs.sort();
            macs.dedup();
            let facts = [
                ("rate", Fact::PerSecond(rate)),
                ("other", Fact::Text(tables.port(other).to_string())),
                ("count", Fact::Count(macs.len() as u64)),
                ("sample", Fact::Text(sample(macs.iter().map(ToString::to_string)))),
            ];
            condition(PORT_LOOP, tables, port, Severity::Major, evidence(facts), WINDOW)
        };
        found.into_iter().map(told).collect()
    }

    /// Strangers on watched ports. Who sits there when a port is first looked at is no stranger.
    fn watch(&mut self, tables: &DeviceTables, if_index: u32, seats: &[&Seat], around: &Around<'_>) {
        let port = tables.port(if_index);
        if !(around.is_watched)(&tables.device, &port) {
            return;
        }
        let key = (Arc::clone(&tables.device), Arc::clone(&port));
        let is_first = !self.known.contains_key(&key);
        let known = self.known.entry(key).or_default();
        for seat in seats {
            if !known.insert(seat.mac) {
                continue;
            }
            self.fresh.push((Arc::clone(&tables.device), Arc::clone(&port), seat.mac));
            if !is_first {
                let facts = [("claimed", Fact::Text(seat.mac.to_string())), ("vlan", Fact::Count(seat.vlan.into()))];
                let condition = condition(NEW_MAC, tables, if_index, Severity::Minor, evidence(facts), Duration::from_secs(1));
                self.strangers.push((tables.at, condition));
            }
        }
    }
}

fn crowd(tables: &DeviceTables, if_index: u32, seats: &[&Seat], around: &Around<'_>, holds: &mut Vec<Condition>) {
    let macs: HashSet<MacAddr> = seats.iter().map(|seat| seat.mac).collect();
    if macs.len() > around.crowded {
        let facts = [("count", Fact::Count(macs.len() as u64)), ("threshold", Fact::Count(around.crowded as u64))];
        holds.push(condition(PORT_CROWDED, tables, if_index, Severity::Minor, evidence(facts), QUIET));
    }
}

fn flood(tables: &DeviceTables, if_index: u32, new: usize, was: usize) -> Condition {
    let facts = [("count", Fact::Count(new as u64)), ("usual", Fact::Count(was as u64)), ("threshold", Fact::Count(FLOOD as u64))];
    condition(MAC_FLOOD, tables, if_index, Severity::Major, evidence(facts), QUIET)
}

fn condition(
    rule: &'static str,
    tables: &DeviceTables,
    if_index: u32,
    severity: Severity,
    evidence: crate::model::Evidence,
    quiet: Duration,
) -> Condition {
    let subject = Subject::Port(Arc::clone(&tables.device), tables.port(if_index));
    Condition { rule, subject, severity, evidence, quiet }
}

#[cfg(test)]
mod tests;
