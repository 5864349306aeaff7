//! The ports of one device: who they are now, where they stand in its tables, and what an identity read changes. Pure.

use std::sync::Arc;
use std::time::Duration;

use super::identity::{Face, Names, Source, assign};
use super::rates::Memory;
use super::speed::speed_bps;
use super::store::PortRecord;
use crate::model::observe::{InterfaceRow, Inventory};
use crate::model::{DeviceId, Gap, IfIndex, MacAddr, PortId, PortIdentity, TextPool, Timestamp};

/// A port that has been gone for so long is no longer listed. It is still known, should it return.
const LISTED: Duration = Duration::from_secs(30 * 86_400);
/// How often it is written down that a port is still there.
const SEEN: Duration = Duration::from_secs(86_400);

/// What the whole program shares while it gives out identities.
#[derive(Debug)]
pub(super) struct Shared {
    /// The highest port number ever given.
    pub(super) last_port: u32,
    /// One copy of each text.
    pub(super) pool: TextPool,
}

impl Shared {
    /// Port numbers are below 2^24, because samples on disk give them 24 bits.
    const MOST: u32 = (1 << 24) - 1;

    fn number(&mut self) -> Option<PortId> {
        (self.last_port < Self::MOST).then(|| {
            self.last_port += 1;
            PortId(self.last_port)
        })
    }
}

/// One port of a device. The slots stand in the order of the live table.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) identity: Arc<PortIdentity>,
    /// Of the last reading of its counters.
    pub(super) memory: Option<Memory>,
    /// When the catalogue was last told, in seconds since 1970; 0 when it has to be told.
    saved: u32,
    /// When it was last among the interfaces, in seconds since 1970.
    last_seen: u32,
    /// How many octets of the name are ifName or ifDescr; behind them stands the `#2` of a double.
    base: u16,
    source: Source,
    /// The piece of the time line that its last stored sample is on.
    pub(super) piece: u8,
    /// Why the next stored sample cannot be compared with the last stored one.
    pub(super) owed: Option<Gap>,
    /// Whether it is among the device's interfaces now.
    pub(super) present: bool,
    /// The row behind it is another one: the next reading has nothing to be compared with.
    pub(super) replaced: bool,
    /// The speed was read after the port last came up.
    pub(super) speed_is_fresh: bool,
}

/// All ports of one device.
#[derive(Debug, Default)]
pub(super) struct Roster {
    pub(super) slots: Vec<Slot>,
    /// (ifIndex, place in `slots`), in order.
    by_index: Vec<(u32, u32)>,
    /// Ports that have been gone for long.
    attic: Vec<PortRecord>,
    /// Whether the device's tables may have changed since they were read.
    pub(super) outdated: bool,
}

impl Roster {
    /// From the catalogue: nothing is known to be present before the device answers.
    pub(super) fn new(records: Vec<PortRecord>, shared: &mut Shared) -> Self {
        let newest = records.iter().map(|record| record.last_seen).max().unwrap_or_default();
        let mut roster = Self { outdated: true, ..Self::default() };
        for record in records {
            if newest.since(record.last_seen) > LISTED {
                roster.attic.push(record);
            } else {
                roster.slots.push(Slot::from_record(&record, shared));
            }
        }
        roster
    }

    /// Back to what the catalogue knows.
    pub(super) fn into_records(self, device: DeviceId) -> Vec<PortRecord> {
        self.slots.iter().map(|slot| slot.record(device)).chain(self.attic).collect()
    }

    /// Where the row with this ifIndex stands.
    pub(super) fn slot_of(&self, if_index: IfIndex) -> Option<usize> {
        let place = self.by_index.binary_search_by_key(&if_index.0, |entry| entry.0).ok()?;
        self.by_index.get(place).map(|entry| entry.1 as usize)
    }

    /// Takes an identity read. Gives the slots' earlier places in their new order, and what the catalogue must be told.
    pub(super) fn read(
        &mut self,
        device: DeviceId,
        inventory: &Inventory,
        now: Timestamp,
        shared: &mut Shared,
    ) -> (Vec<Option<usize>>, Vec<PortRecord>) {
        let rows = distinct(&inventory.interfaces);
        let matched = self.matched(&rows);
        let mut names = Names::new(self.slots.iter().map(|slot| &*slot.identity.name).chain(self.attic.iter().map(|record| &*record.name)));
        let mut old: Vec<Option<Slot>> = self.slots.drain(..).map(Some).collect();
        let mut attic: Vec<Option<PortRecord>> = self.attic.drain(..).map(Some).collect();
        let mut places = Vec::with_capacity(rows.len());
        for (row, known) in rows.iter().zip(matched) {
            let listed = known.and_then(|known| old.get_mut(known)).and_then(Option::take);
            let returned = known.and_then(|known| attic.get_mut(known.checked_sub(old.len())?)).and_then(Option::take);
            let slot = match (listed, returned) {
                (Some(slot), _) => Some(slot),
                (None, Some(record)) => Some(Slot::from_record(&record, shared)),
                (None, None) => Slot::new(row, now, &mut names, shared),
            };
            if let Some(mut slot) = slot {
                slot.take_row(row, now, &mut names, shared);
                self.slots.push(slot);
                places.push(known.filter(|&known| known < old.len()));
            }
        }
        self.attic = attic.into_iter().flatten().collect();
        for (place, mut slot) in old.into_iter().enumerate().filter_map(|(place, slot)| Some((place, slot?))) {
            slot.vanish();
            if now.since(moment(slot.last_seen)) > LISTED {
                self.attic.push(slot.record(device));
            } else {
                self.slots.push(slot);
                places.push(Some(place));
            }
        }
        self.slots.shrink_to_fit();
        self.index();
        self.outdated = false;
        let records = self.slots.iter_mut().filter_map(|slot| slot.news(device, now)).collect();
        (places, records)
    }

    /// For each row the number of the known port: slots first, then the attic.
    fn matched(&self, rows: &[&InterfaceRow]) -> Vec<Option<usize>> {
        let known: Vec<Face<'_>> = self.slots.iter().map(Slot::face).chain(self.attic.iter().map(record_face)).collect();
        let faces: Vec<Face<'_>> = rows.iter().map(|row| Face::of(row)).collect();
        assign(&known, &faces)
    }

    fn index(&mut self) {
        let present = self.slots.iter().enumerate().filter(|(_, slot)| slot.present);
        self.by_index = present.map(|(place, slot)| (slot.identity.if_index.0, place as u32)).collect();
        self.by_index.sort_unstable();
    }
}

/// The rows with the first of each ifIndex (two rows with ifIndex 0 have been seen).
fn distinct(interfaces: &[InterfaceRow]) -> Vec<&InterfaceRow> {
    let mut seen = std::collections::HashSet::with_capacity(interfaces.len());
    interfaces.iter().filter(|row| seen.insert(row.if_index)).collect()
}

fn record_face(record: &PortRecord) -> Face<'_> {
    let (source, base) = source_of(&record.if_name, &record.if_descr);
    Face { source, base, descr: &record.if_descr, alias: &record.if_alias, mac: record.mac, if_index: record.if_index }
}

fn source_of<'a>(if_name: &'a str, if_descr: &'a str) -> (Source, &'a str) {
    match (if_name, if_descr) {
        ("", "") => (Source::Index, ""),
        ("", descr) => (Source::Descr, descr),
        (name, _) => (Source::Name, name),
    }
}

impl Slot {
    fn from_record(record: &PortRecord, shared: &mut Shared) -> Self {
        let (source, base) = source_of(&record.if_name, &record.if_descr);
        Self {
            identity: Arc::new(record.identity(&mut shared.pool)),
            memory: None,
            saved: seconds(record.last_seen),
            last_seen: seconds(record.last_seen),
            base: base.len() as u16,
            source,
            piece: 0,
            owed: None,
            present: false,
            replaced: false,
            speed_is_fresh: false,
        }
    }

    /// A port never seen before; `None` when all numbers have been given.
    fn new(row: &InterfaceRow, now: Timestamp, names: &mut Names, shared: &mut Shared) -> Option<Self> {
        let Some(id) = shared.number() else {
            tracing::error!("all 16,777,215 port numbers have been given; new ports are not recorded");
            return None;
        };
        let face = Face::of(row);
        let name = names.take(face.name());
        Some(Self {
            identity: Arc::new(identity(id, shared.pool.share(&name), row, &mut shared.pool)),
            memory: None,
            saved: 0,
            last_seen: seconds(now),
            base: face.base.len() as u16,
            source: face.source,
            piece: 0,
            owed: None,
            present: true,
            replaced: false,
            speed_is_fresh: true,
        })
    }

    fn face(&self) -> Face<'_> {
        let identity = &self.identity;
        let base = identity.name.get(..usize::from(self.base)).unwrap_or(&identity.name);
        Face {
            source: self.source,
            base: if self.source == Source::Index { "" } else { base },
            descr: identity.descr.as_str(),
            alias: identity.alias.as_str(),
            mac: identity.mac,
            if_index: identity.if_index.0,
        }
    }

    fn take_row(&mut self, row: &InterfaceRow, now: Timestamp, names: &mut Names, shared: &mut Shared) {
        let face = Face::of(row);
        let name = if face.source == Source::Name && self.source == Source::Descr {
            // The device has begun to give ifName.
            self.source = Source::Name;
            self.base = face.base.len() as u16;
            shared.pool.share(&names.take(face.name()))
        } else {
            Arc::clone(&self.identity.name)
        };
        let next = identity(self.identity.id, name, row, &mut shared.pool);
        if next.if_index != self.identity.if_index || !self.present {
            self.replaced = self.memory.is_some();
        }
        if next != *self.identity {
            if !says_the_same(&next, &self.identity) {
                self.saved = 0;
            }
            self.identity = Arc::new(next);
        }
        self.present = true;
        self.last_seen = seconds(now);
        self.speed_is_fresh = true;
    }

    fn vanish(&mut self) {
        self.present = false;
        self.memory = None;
    }

    /// What the catalogue must be told: the port is new, says something new, or was last written down a day ago.
    fn news(&mut self, device: DeviceId, now: Timestamp) -> Option<PortRecord> {
        if !self.present || now.since(moment(self.saved)) < SEEN {
            return None;
        }
        self.saved = seconds(now);
        Some(self.record(device))
    }

    fn record(&self, device: DeviceId) -> PortRecord {
        let identity = &self.identity;
        let base = self.face().base;
        PortRecord {
            id: identity.id,
            device,
            name: Arc::clone(&identity.name),
            if_name: if self.source == Source::Name { base.into() } else { "".into() },
            if_descr: identity.descr.shared(),
            if_alias: identity.alias.shared(),
            mac: identity.mac,
            if_index: identity.if_index.0,
            if_type: identity.if_type,
            speed_bps: identity.speed_bps,
            last_seen: moment(self.last_seen),
        }
    }
}

/// Whether the catalogue would keep the same of both.
fn says_the_same(one: &PortIdentity, other: &PortIdentity) -> bool {
    let kept = |port: &PortIdentity| (port.if_index, port.if_type, port.mac, port.speed_bps);
    kept(one) == kept(other)
        && one.name == other.name
        && one.descr.as_str() == other.descr.as_str()
        && one.alias.as_str() == other.alias.as_str()
}

fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.secs()).unwrap_or(0)
}

fn moment(seconds: u32) -> Timestamp {
    Timestamp::from_secs(i64::from(seconds))
}

fn identity(id: PortId, name: Arc<str>, row: &InterfaceRow, pool: &mut TextPool) -> PortIdentity {
    PortIdentity {
        id,
        if_index: IfIndex(row.if_index),
        name,
        descr: row.if_descr.as_ref().map(|text| pool.share_text(text)).unwrap_or_default(),
        alias: row.if_alias.as_ref().map(|text| pool.share_text(text)).unwrap_or_default(),
        if_type: row.if_type.unwrap_or(0),
        mac: row.phys_address.as_deref().and_then(MacAddr::from_octets),
        speed_bps: speed_bps(row),
        mtu: row.if_mtu,
        admin: row.admin.unwrap_or(0),
        connector: row.connector,
        duplex: row.duplex,
        last_change_ticks: row.last_change,
    }
}
