//! What an agent serves: objects by name, and their order.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::RwLock;

use super::Datum;
use crate::model::Timestamp;
use crate::snmp::oid::Oid;

/// Why GET finds nothing (RFC 3416 section 4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// noSuchObject: no row of this object exists.
    Object,
    /// noSuchInstance: the object exists, this instance does not.
    Instance,
}

impl Missing {
    /// Tells the two reasons apart by the neighbours of a name in the order of the MIB: one with the same parent means that
    /// the object is there.
    pub fn beside<'a>(name: &Oid, mut neighbours: impl Iterator<Item = &'a Oid>) -> Self {
        let octets = name.octets();
        // The parent ends where the last but one subidentifier ends: at an octet without the continuation bit.
        let from_end = octets.iter().rev().skip(1).position(|octet| octet & 0x80 == 0);
        let parent = octets.get(..from_end.map_or(0, |from_end| octets.len() - 1 - from_end)).unwrap_or_default();
        if neighbours.any(|other| other.octets().starts_with(parent)) { Self::Instance } else { Self::Object }
    }
}

/// A device's objects at a moment. All names of one request are asked with the same `now`.
pub trait Mib: Send + Sync {
    /// The value of exactly this name.
    fn get(&self, name: &Oid, now: Timestamp) -> Result<Datum, Missing>;

    /// The name behind this one, and its value; `None` at the end. Need not be the next larger one: devices differ.
    fn next(&self, name: &Oid, now: Timestamp) -> Option<(Oid, Datum)>;

    /// The objects under `community@context`, as Cisco IOS has them for each VLAN; `None` where there are none.
    fn under(&self, _context: &[u8]) -> Option<&dyn Mib> {
        None
    }

    /// Whether the device answers at all at this moment; not while it restarts or is cut off.
    fn answers(&self, _now: Timestamp) -> bool {
        true
    }
}

/// A table in the order of the MIB that its owner fills and changes while it is served.
#[derive(Debug, Default)]
pub struct Table(RwLock<BTreeMap<Oid, Datum>>);

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a name.
    pub fn set(&self, name: Oid, value: Datum) {
        self.write(|rows| {
            rows.insert(name, value);
        });
    }

    /// Takes a name away.
    pub fn remove(&self, name: &Oid) {
        self.write(|rows| {
            rows.remove(name);
        });
    }

    fn write(&self, change: impl FnOnce(&mut BTreeMap<Oid, Datum>)) {
        change(&mut self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl FromIterator<(Oid, Datum)> for Table {
    fn from_iter<I: IntoIterator<Item = (Oid, Datum)>>(rows: I) -> Self {
        Self(RwLock::new(rows.into_iter().collect()))
    }
}

impl Mib for Table {
    fn get(&self, name: &Oid, _now: Timestamp) -> Result<Datum, Missing> {
        let rows = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        rows.get(name).cloned().ok_or_else(|| {
            let below = rows.range(..name).next_back();
            let above = rows.range((Bound::Excluded(name), Bound::Unbounded)).next();
            Missing::beside(name, below.into_iter().chain(above).map(|(other, _)| other))
        })
    }

    fn next(&self, name: &Oid, _now: Timestamp) -> Option<(Oid, Datum)> {
        let rows = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (name, value) = rows.range((Bound::Excluded(name), Bound::Unbounded)).next()?;
        Some((name.clone(), value.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_row_of_a_present_column_is_no_instance_and_an_absent_column_is_no_object() {
        let now = Timestamp::default();
        let table: Table =
            [1, 300].map(|row| (format!("1.3.6.1.2.1.2.2.1.10.{row}").parse().unwrap(), Datum::Counter32(row))).into_iter().collect();
        let get = |name: &str| table.get(&name.parse().unwrap(), now);
        assert_eq!(get("1.3.6.1.2.1.2.2.1.10.300"), Ok(Datum::Counter32(300)));
        assert_eq!(get("1.3.6.1.2.1.2.2.1.10.2"), Err(Missing::Instance));
        assert_eq!(get("1.3.6.1.2.1.2.2.1.10.100000"), Err(Missing::Instance));
        assert_eq!(get("1.3.6.1.2.1.2.2.1.11.1"), Err(Missing::Object));
        assert_eq!(get("1.3.6.1.2.1.1.3.0"), Err(Missing::Object));
    }

    #[test]
    fn the_next_name_is_the_next_larger_one() {
        let now = Timestamp::default();
        let table = Table::new();
        for row in [2, 10, 128] {
            table.set(format!("1.3.6.1.{row}").parse().unwrap(), Datum::Integer(row));
        }
        let next = |name: &str| table.next(&name.parse().unwrap(), now).map(|(name, _)| name.to_string());
        assert_eq!(next("1.3.6.1"), Some("1.3.6.1.2".into()));
        assert_eq!(next("1.3.6.1.10"), Some("1.3.6.1.128".into()));
        assert_eq!(next("1.3.6.1.128"), None);
        table.remove(&"1.3.6.1.128".parse().unwrap());
        assert_eq!(next("1.3.6.1.10"), None);
    }
}
