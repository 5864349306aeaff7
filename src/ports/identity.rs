//! Which port is which: the rows of ifTable and ifXTable matched to the known ports of the device. Pure.
//!
//! A port is (device, ifName). Where a name stands twice (57 of 844 recordings), ifDescr, ifPhysAddress, ifAlias and at last
//! ifIndex tell the doubles apart, in this order. ifIndex alone says nothing: devices renumber.

use std::collections::{HashMap, HashSet};

use crate::model::MacAddr;
use crate::model::observe::InterfaceRow;

/// Where a port's name comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// ifName.
    Name,
    /// ifDescr, because there is no ifName.
    Descr,
    /// ifIndex, because there is neither.
    Index,
}

/// What tells a port from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Face<'a> {
    /// Where `base` comes from.
    pub source: Source,
    /// ifName or ifDescr as the device gives it, without the `#2` of a double; empty for [`Source::Index`].
    pub base: &'a str,
    /// ifDescr.
    pub descr: &'a str,
    /// ifAlias.
    pub alias: &'a str,
    /// ifPhysAddress.
    pub mac: Option<MacAddr>,
    /// ifIndex.
    pub if_index: u32,
}

impl<'a> Face<'a> {
    /// The face of a row.
    pub fn of(row: &'a InterfaceRow) -> Self {
        let name = row.if_name.as_ref().map_or("", |text| text.as_str());
        let descr = row.if_descr.as_ref().map_or("", |text| text.as_str());
        let (source, base) = match (name, descr) {
            ("", "") => (Source::Index, ""),
            ("", descr) => (Source::Descr, descr),
            (name, _) => (Source::Name, name),
        };
        let alias = row.if_alias.as_ref().map_or("", |text| text.as_str());
        let mac = row.phys_address.as_deref().and_then(MacAddr::from_octets);
        Self { source, base, descr, alias, mac, if_index: row.if_index }
    }

    /// The name of a new port with this face, before it is told from its doubles.
    pub fn name(&self) -> String {
        match self.source {
            Source::Index => format!("ifIndex {}", self.if_index),
            Source::Name | Source::Descr => self.base.to_owned(),
        }
    }
}

const DESCR: u8 = 8;
const MAC: u8 = 4;
const ALIAS: u8 = 2;
const INDEX: u8 = 1;

type Key<'a> = (Source, &'a str, Option<&'a str>, Option<Option<MacAddr>>, Option<&'a str>, Option<u32>);

/// For each row, the place in `known` of the port that it is; `None` is a new port. No known port is given twice.
pub fn assign(known: &[Face<'_>], rows: &[Face<'_>]) -> Vec<Option<usize>> {
    let mut matching = Matching { known, rows, of_row: vec![None; rows.len()], free: vec![true; known.len()] };
    // From all four marks equal down to the name alone: what agrees most is matched first.
    for marks in (0..16_u8).rev() {
        if matching.is_done() {
            break;
        }
        matching.join(|face| by_name(face, marks), marks == 0);
    }
    // Without a name of any kind, an address that nobody shares, or the address together with the index.
    matching.join(|face| (face.source == Source::Index && face.mac.is_some()).then(|| key(face, MAC)), true);
    matching.join(|face| (face.source == Source::Index).then(|| key(face, MAC | INDEX)), true);
    // A device that began, or ceased, to give ifName is still known by ifDescr.
    matching.join_by_descr();
    matching.of_row
}

/// Gives each new row a name that no other port of the device has: `Gi0/1`, else `Gi0/1#2` ...
#[derive(Debug, Default)]
pub struct Names {
    taken: HashSet<String>,
    next: HashMap<String, u32>,
}

impl Names {
    /// Names that are in use.
    pub fn new<'a>(taken: impl Iterator<Item = &'a str>) -> Self {
        Self { taken: taken.map(str::to_owned).collect(), next: HashMap::new() }
    }

    /// Takes `wanted` or the first free double of it.
    pub fn take(&mut self, wanted: String) -> String {
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let number = self.next.entry(wanted.clone()).or_insert(2);
        loop {
            let double = format!("{wanted}#{number}");
            *number += 1;
            if self.taken.insert(double.clone()) {
                return double;
            }
        }
    }
}

fn by_name<'a>(face: &Face<'a>, marks: u8) -> Option<Key<'a>> {
    (face.source != Source::Index).then(|| key(face, marks))
}

fn key<'a>(face: &Face<'a>, marks: u8) -> Key<'a> {
    let with = |mark| marks & mark != 0;
    (
        face.source,
        face.base,
        with(DESCR).then_some(face.descr),
        with(MAC).then_some(face.mac),
        with(ALIAS).then_some(face.alias),
        with(INDEX).then_some(face.if_index),
    )
}

struct Matching<'a> {
    known: &'a [Face<'a>],
    rows: &'a [Face<'a>],
    of_row: Vec<Option<usize>>,
    free: Vec<bool>,
}

impl<'a> Matching<'a> {
    fn is_done(&self) -> bool {
        self.of_row.iter().all(Option::is_some) || self.free.iter().all(|free| !free)
    }

    /// Matches free rows and free known ports with equal keys. A key that stands several times is matched in the order of
    /// ifIndex when it stands as often on both sides; otherwise, or with `alone`, it does not tell who is who.
    fn join(&mut self, key: impl Fn(&Face<'a>) -> Option<Key<'a>>, alone: bool) {
        let mut groups: HashMap<Key<'a>, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for number in self.in_order(self.known, |number| self.free.get(number) == Some(&true)) {
            if let Some(key) = self.known.get(number).and_then(&key) {
                groups.entry(key).or_default().0.push(number);
            }
        }
        for number in self.in_order(self.rows, |number| self.of_row.get(number) == Some(&None)) {
            if let Some(group) = self.rows.get(number).and_then(&key).and_then(|key| groups.get_mut(&key)) {
                group.1.push(number);
            }
        }
        for (known, rows) in groups.into_values() {
            if known.len() == rows.len() && (known.len() == 1 || !alone) {
                for (known, row) in known.into_iter().zip(rows) {
                    self.give(row, known);
                }
            }
        }
    }

    fn join_by_descr(&mut self) {
        let bridges = |face: &Face<'_>, other: &Face<'_>| {
            matches!((face.source, other.source), (Source::Name, Source::Descr) | (Source::Descr, Source::Name))
                && (face.mac.is_none() || other.mac.is_none() || face.mac == other.mac)
        };
        let mut by_descr: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, face) in self.known.iter().enumerate() {
            if self.free.get(number) == Some(&true) && !face.descr.is_empty() {
                by_descr.entry(face.descr).or_default().push(number);
            }
        }
        for number in self.in_order(self.rows, |number| self.of_row.get(number) == Some(&None)) {
            let Some(row) = self.rows.get(number) else { continue };
            let Some([only]) = by_descr.get(row.descr).map(Vec::as_slice) else { continue };
            let only = *only;
            if self.free.get(only) == Some(&true) && self.known.get(only).is_some_and(|face| bridges(face, row)) {
                self.give(number, only);
            }
        }
    }

    fn in_order(&self, faces: &[Face<'_>], wanted: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut order: Vec<usize> = (0..faces.len()).filter(|&number| wanted(number)).collect();
        order.sort_by_key(|&number| faces.get(number).map(|face| face.if_index));
        order
    }

    fn give(&mut self, row: usize, known: usize) {
        if let (Some(of_row), Some(free)) = (self.of_row.get_mut(row), self.free.get_mut(known)) {
            *of_row = Some(known);
            *free = false;
        }
    }
}

#[cfg(test)]
mod tests;
