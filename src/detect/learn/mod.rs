//! What machines are by what the network itself shows: who is answered by whom, day by day. A day's evidence counts when the day
//! is over and the machine was not suspected in it, and a role is held after several such days, so that a worm of an hour
//! teaches nothing. Pure and bounded: [`MOST`] machines with at most [`SERVICES`] services each.
//!
//! A role excuses weak kinds only ([`Role::excuses`]), those that count contacts without regard to their outcome, and only while
//! nothing else is held against the machine.

mod day;

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use self::day::Day;
use super::portrait::Service;
use super::{Kind, Machine};
use crate::capture::packet::Nanos;
use crate::model::{Evidence, Fact};

/// Machines that are followed at most.
pub const MOST: usize = 4096;
/// Services of one machine that are followed in a day.
pub const SERVICES: usize = 8;
/// A role that was not seen for so many days is no longer held.
pub const FORGOTTEN_DAYS: u32 = 14;
const DAY_S: u64 = 86_400;

/// What a machine was seen to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Many connect to it.
    Server,
    /// It takes print jobs.
    Printer,
    /// Many ask it for names.
    Resolver,
    /// It asks many by SNMP or ping, and they answer.
    Monitor,
    /// Systems of several kinds send through its address.
    Nat,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Server, Self::Printer, Self::Resolver, Self::Monitor, Self::Nat];

    /// The word for pages and API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Printer => "printer",
            Self::Resolver => "resolver",
            Self::Monitor => "monitor",
            Self::Nat => "nat",
        }
    }

    /// Of how many days it takes evidence.
    pub const fn days(self) -> u16 {
        match self {
            Self::Printer | Self::Resolver | Self::Nat => 2,
            Self::Server | Self::Monitor => 3,
        }
    }

    /// The weak kinds that such a machine is not told for. What a machine is declared to be excuses more.
    pub const fn excuses(self) -> &'static [Kind] {
        match self {
            Self::Server => &[Kind::Lateral, Kind::Hog],
            Self::Printer => &[Kind::Hog],
            Self::Resolver => &[Kind::Dga, Kind::Hog],
            Self::Monitor => &[Kind::IcmpSweep, Kind::Lateral, Kind::PortScan],
            Self::Nat => &[Kind::Hog, Kind::PasswordGuessing, Kind::PortScan],
        }
    }
}

/// How far the evidence for a role has come.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// The role.
    pub role: Role,
    /// Days that gave evidence.
    pub days: u16,
    /// The last of them, in days since the epoch.
    pub last: u32,
    /// What it showed: `count` (machines), `port`, or `near` and `far` (connections by the hops they had left).
    pub facts: Evidence,
}

impl Progress {
    /// Whether the role is held at a moment.
    pub fn is_held(&self, now: Nanos) -> bool {
        self.days >= self.role.days() && day_of(now).saturating_sub(self.last) <= FORGOTTEN_DAYS
    }

    /// The reason, for a sentence: the facts of the last day with the number of days.
    pub fn reason(&self) -> Evidence {
        let mut facts = self.facts.clone();
        facts.insert("days".to_owned(), Fact::Count(self.days.into()));
        facts
    }
}

/// A machine with what is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Known {
    /// Its address.
    pub ip: IpAddr,
    /// By role.
    pub progress: Vec<Progress>,
}

#[derive(Debug, Default)]
struct Entry {
    progress: Vec<Progress>,
    today: Day,
    day: u32,
    /// Whether it was suspected on that day.
    tainted: bool,
}

impl Entry {
    /// Begins the day anew when it is another one; what the last one showed counts if nothing was held against the machine.
    fn turn(&mut self, day: u32) {
        if day <= self.day {
            return;
        }
        let (past, over) = (std::mem::take(&mut self.today), self.day);
        if !std::mem::take(&mut self.tainted) {
            for (role, facts) in past.shows() {
                self.note(role, facts, over);
            }
        }
        self.progress.retain(|progress| day.saturating_sub(progress.last) <= FORGOTTEN_DAYS);
        self.day = day;
    }

    fn note(&mut self, role: Role, facts: Evidence, day: u32) {
        match self.progress.iter_mut().find(|progress| progress.role == role) {
            Some(known) if known.last < day => {
                *known = Progress { role, days: known.days.saturating_add(1), last: day, facts };
            }
            Some(_) => {}
            None => self.progress.push(Progress { role, days: 1, last: day, facts }),
        }
    }
}

/// Everybody of whom something was seen.
#[derive(Debug, Default)]
pub struct Learner {
    all: BTreeMap<IpAddr, Entry>,
    shed: u64,
}

impl Learner {
    /// Goes on with what was known before a restart.
    pub fn restore(&mut self, known: &[Known]) {
        for one in known.iter().take(MOST) {
            let day = one.progress.iter().map(|progress| progress.last.saturating_add(1)).max().unwrap_or_default();
            self.all.insert(one.ip, Entry { progress: one.progress.clone(), day, ..Entry::default() });
        }
    }

    /// A server took what a client wanted of it. Told once for each pair and day at least.
    pub fn accepted(&mut self, server: IpAddr, client: IpAddr, service: Service, at: Nanos) {
        if Day::is_serving(service)
            && let Some(entry) = self.of(server, at)
        {
            entry.today.serve(service, client);
        }
        if Day::is_watching(service)
            && let Some(entry) = self.of(client, at)
        {
            entry.today.watch(server, true);
        }
    }

    /// A client was refused, or nobody answered it.
    pub fn failed(&mut self, client: IpAddr, target: IpAddr, service: Service, at: Nanos) {
        if Day::is_watching(service)
            && let Some(entry) = self.of(client, at)
        {
            entry.today.watch(target, false);
        }
    }

    /// A connection was opened from this address, with so many hops left of those that systems begin with.
    pub fn opened(&mut self, client: IpAddr, hops: u8, at: Nanos) {
        // One hop below what Linux, phones and Windows begin with: somebody has passed it on.
        if matches!(hops, 63 | 127)
            && let Some(entry) = self.of(client, at)
        {
            entry.today.pass_on(hops);
        }
    }

    /// Something is held against these now: what they do today teaches nothing.
    pub fn suspect(&mut self, ips: &HashSet<IpAddr>, at: Nanos) {
        for ip in ips {
            if let Some(entry) = self.all.get_mut(ip) {
                entry.turn(day_of(at));
                entry.tainted = true;
            }
        }
    }

    /// What is known at a moment, by address.
    pub fn known(&mut self, now: Nanos) -> Vec<Known> {
        let day = day_of(now);
        self.all.values_mut().for_each(|entry| entry.turn(day));
        self.all.retain(|_, entry| !entry.progress.is_empty() || !entry.today.is_empty());
        let told = self.all.iter().filter(|(_, entry)| !entry.progress.is_empty());
        told.map(|(ip, entry)| Known { ip: *ip, progress: entry.progress.clone() }).collect()
    }

    /// Machines that found no room.
    pub const fn shed(&self) -> u64 {
        self.shed
    }

    fn of(&mut self, ip: IpAddr, at: Nanos) -> Option<&mut Entry> {
        if !self.all.contains_key(&ip) && self.all.len() >= MOST {
            self.shed += 1;
            return None;
        }
        let entry = self.all.entry(ip).or_default();
        entry.turn(day_of(at));
        Some(entry)
    }
}

/// The roles that are held by a machine.
pub fn held<'a>(known: &'a [Known], machine: &Machine, now: Nanos) -> impl Iterator<Item = &'a Progress> {
    let ip = machine.ip.map(|ip| ip.to_canonical());
    let of = known.iter().filter(move |known| Some(known.ip.to_canonical()) == ip);
    of.flat_map(|known| &known.progress).filter(move |progress| progress.is_held(now))
}

/// Several views of the same network: of each machine and role the one that has come furthest.
pub fn together(views: &[&[Known]]) -> Vec<Known> {
    let mut all: BTreeMap<IpAddr, BTreeMap<Role, Progress>> = BTreeMap::new();
    for known in views.iter().copied().flatten() {
        for progress in &known.progress {
            let best = all.entry(known.ip).or_default().entry(progress.role).or_insert_with(|| progress.clone());
            if (progress.days, progress.last) > (best.days, best.last) {
                *best = progress.clone();
            }
        }
    }
    all.into_iter().map(|(ip, roles)| Known { ip, progress: roles.into_values().collect() }).collect()
}

fn day_of(at: Nanos) -> u32 {
    u32::try_from(at.0 / 1_000_000_000 / DAY_S).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
