//! The identity read: who the device says it is, which interfaces it has, and which counters each of them gives.

use std::collections::HashMap;

use super::columns::{self, COLUMNS, ColumnSet};
use super::meaning;
use super::mib;
use super::packing::Packing;
use super::scalars::Scalars;
use super::walk::{Caps, Cut, Walk};
use crate::model::observe::{InterfaceRow, Inventory};
use crate::model::{DeviceText, PortMetric};
use crate::snmp::job::{Answer, AskError, Request};
use crate::snmp::oid::{Oid, OidRef};
use crate::snmp::value::Value;

/// The interface tables of the largest chassis seen (3,300 rows) need about 4 MiB.
const CAPS: Caps = Caps { rows: 200_000, octets: 32 << 20 };
/// A device that restarts more often than this during one read is left alone until its next turn.
const MOST_RESTARTS: u8 = 2;

/// What an identity read found.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The part for the rooms above.
    pub inventory: Inventory,
    /// For each row of the inventory, in its order, the columns to poll.
    pub columns: Vec<ColumnSet>,
    /// The octets of the longest value of each column of `columns::ALL`; 0 where there was none.
    pub longest: [usize; COLUMNS],
    /// What tells one epoch of the device from the next.
    pub epoch: Epoch,
    /// What the device has shown it can take.
    pub packing: Packing,
}

/// What must not change while rows are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Epoch {
    /// sysUpTime in ticks; `None` when the device has none.
    pub uptime: Option<u32>,
    /// ifNumber.
    pub if_number: Option<u32>,
    /// ifTableLastChange in ticks.
    pub table_last_change: Option<u32>,
    /// snmpEngineTime in seconds.
    pub engine_time: Option<u32>,
}

/// Reads a device's identity: feed it answers until [`Self::request`] gives `None`, then [`Self::into_reading`].
/// It may be laid aside between two questions and taken up again.
#[derive(Clone, Debug)]
pub struct InventoryReader {
    scalars: Option<Scalars>,
    groups: std::vec::IntoIter<Group>,
    walk: Option<(Group, Walk)>,
    packing: Packing,
    inventory: Inventory,
    epoch: Epoch,
    rows: HashMap<u32, usize>,
    drafts: Vec<Draft>,
    octets: usize,
    unsorted: bool,
    restarts: u8,
    failure: Option<Failure>,
}

/// Why an identity read came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The device did not answer, or not validly.
    #[error("{0}")]
    Ask(AskError),
    /// The interface tables are endless or refused.
    #[error("{0}")]
    Cut(Cut),
    /// sysUpTime fell again and again.
    #[error("the device restarted {times} times while its identity was read")]
    Restarts {
        /// How often.
        times: u8,
    },
}

type Group = Vec<(Oid, Kind)>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Descr,
    Type,
    Mtu,
    Speed,
    PhysAddress,
    LastChange,
    Name,
    HighSpeed,
    Connector,
    Alias,
    Duplex,
    Polled(usize),
}

#[derive(Clone, Debug, Default)]
struct Draft {
    row: InterfaceRow,
    present: ColumnSet,
    counting: ColumnSet,
    /// Octets of each polled value.
    longest: [u8; COLUMNS],
}

impl InventoryReader {
    /// A fresh read; `packing` tells what the device can take.
    pub fn new(packing: Packing) -> Self {
        Self {
            scalars: Some(system_group()),
            groups: groups().into_iter(),
            walk: None,
            packing,
            inventory: Inventory::default(),
            epoch: Epoch::default(),
            rows: HashMap::new(),
            drafts: Vec::new(),
            octets: 0,
            unsorted: false,
            restarts: 0,
            failure: None,
        }
    }

    /// The next question; `None` when the read is over, well or not.
    pub fn request(&mut self) -> Option<Request> {
        if self.failure.is_some() {
            return None;
        }
        if let Some(request) = self.scalars.as_ref().and_then(Scalars::request) {
            return Some(request);
        }
        self.scalars = None;
        loop {
            if self.walk.is_none() {
                let group = self.groups.next()?;
                let columns: Vec<Oid> = group.iter().map(|(oid, _)| oid.clone()).collect();
                let caps = Caps { octets: CAPS.octets.saturating_sub(self.octets), ..CAPS };
                self.walk = Some((group, Walk::new(&columns, self.packing, caps)));
            }
            let (_, walk) = self.walk.as_mut()?;
            if let Some(request) = walk.request() {
                return Some(request);
            }
            let (group, walk) = self.walk.take()?;
            self.packing = walk.packing();
            self.octets += walk.octets();
            self.unsorted |= walk.went_backwards();
            // A device may refuse a whole optional group (EtherLike-MIB); without ifTable's identity there is nothing.
            match walk.cut() {
                Some(Cut::Status { .. }) if !is_essential(&group) => {}
                Some(Cut::Ask(error)) => self.failure = Some(Failure::Ask(error.clone())),
                Some(cut) => self.failure = Some(Failure::Cut(cut.clone())),
                None => {}
            }
            if self.failure.is_some() {
                return None;
            }
        }
    }

    /// Which column is being read.
    pub fn column(&self) -> Option<&Oid> {
        self.walk.as_ref().and_then(|(_, walk)| walk.column())
    }

    /// Takes an answer.
    pub fn answered(&mut self, answer: &Answer<'_>) {
        if let Some(scalars) = &mut self.scalars {
            let (inventory, epoch) = (&mut self.inventory, &mut self.epoch);
            let too_many = scalars.answered(answer, &mut |name, value| take_scalar(inventory, epoch, name, &value));
            if let Some(names) = too_many {
                self.packing.refused(names);
            }
            return;
        }
        let Some((group, walk)) = &mut self.walk else { return };
        let (rows, drafts) = (&mut self.rows, &mut self.drafts);
        walk.answered(answer, &mut |column, index, value| {
            let (Some(&(_, kind)), Some(if_index)) = (group.get(column), index.only()) else { return };
            // A row of EtherLike-MIB alone makes no port.
            if (kind != Kind::Duplex || rows.contains_key(&if_index))
                && let Some(draft) = draft_of(rows, drafts, if_index)
            {
                draft.take(kind, &value);
            }
        });
        if let (Some(before), Some(now)) = (self.epoch.uptime, walk.uptime()) {
            if meaning::restarted(before, now) {
                self.begin_again();
            } else {
                self.epoch.uptime = Some(now);
            }
        }
    }

    /// Takes a failure; [`Self::request`] tells whether there is another way.
    pub fn failed(&mut self, error: &AskError) {
        let another = match (&mut self.scalars, &mut self.walk) {
            (Some(scalars), _) => matches!(error, AskError::Timeout { .. }) && scalars.failed(),
            (None, Some((_, walk))) => {
                walk.failed(error);
                true
            }
            (None, None) => false,
        };
        if !another {
            self.failure = Some(Failure::Ask(error.clone()));
        }
    }

    /// What the device has shown it can take so far.
    pub fn packing(&self) -> Packing {
        self.walk.as_ref().map_or(self.packing, |(_, walk)| walk.packing())
    }

    /// Whether anything was read that another turn may go on from.
    pub const fn is_worth_keeping(&self) -> bool {
        self.failure.is_none() && self.scalars.is_none()
    }

    /// What was read.
    pub fn into_reading(mut self) -> Result<Reading, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        // Sparse columns bring rows to light out of turn; only a device with unsorted tables has an order of its own.
        if !self.unsorted {
            self.drafts.sort_unstable_by_key(|draft| draft.row.if_index);
        }
        let health = Health::of(&self.drafts);
        let columns = self.drafts.iter().map(|draft| health.columns(draft)).collect();
        let mut longest = [0; COLUMNS];
        for draft in &self.drafts {
            longest.iter_mut().zip(draft.longest).for_each(|(longest, octets)| *longest = (*longest).max(usize::from(octets)));
        }
        let mut inventory = self.inventory;
        inventory.interfaces = self.drafts.into_iter().map(|draft| draft.row).collect();
        Ok(Reading { inventory, columns, longest, epoch: self.epoch, packing: self.packing })
    }

    fn begin_again(&mut self) {
        let restarts = self.restarts + 1;
        if restarts > MOST_RESTARTS {
            self.failure = Some(Failure::Restarts { times: restarts });
        } else {
            *self = Self { restarts, ..Self::new(self.packing) };
        }
    }
}

fn system_group() -> Scalars {
    Scalars::new([
        &*mib::SYS_UP_TIME,
        &*mib::SYS_DESCR,
        &*mib::SYS_OBJECT_ID,
        &*mib::SYS_CONTACT,
        &*mib::SYS_NAME,
        &*mib::SYS_LOCATION,
        &*mib::SNMP_ENGINE_TIME,
        &*mib::IF_NUMBER,
        &*mib::IF_TABLE_LAST_CHANGE,
    ])
}

/// The columns that are walked side by side, group after group.
fn groups() -> Vec<Group> {
    let polled = |wanted: fn(&Oid) -> bool| {
        let columns = columns::ALL.iter().enumerate().filter(move |(_, column)| wanted(&column.oid));
        columns.map(|(number, column)| (column.oid.clone(), Kind::Polled(number)))
    };
    let mut identity = vec![
        (mib::if_column(2), Kind::Descr),
        (mib::if_column(3), Kind::Type),
        (mib::if_column(4), Kind::Mtu),
        (mib::if_column(5), Kind::Speed),
        (mib::if_column(6), Kind::PhysAddress),
        (mib::if_column(9), Kind::LastChange),
    ];
    identity.extend(polled(|oid| *oid == mib::if_column(7) || *oid == mib::if_column(8)));
    let mut extended = vec![
        (mib::if_x_column(1), Kind::Name),
        (mib::if_x_column(15), Kind::HighSpeed),
        (mib::if_x_column(17), Kind::Connector),
        (mib::if_x_column(18), Kind::Alias),
    ];
    extended.extend(polled(|oid| *oid == mib::if_x_column(19)));
    let wide = polled(|oid| (6..=13).any(|number| *oid == mib::if_x_column(number))).collect();
    let narrow =
        polled(|oid| (10..=20).any(|number| *oid == mib::if_column(number)) || (2..=5).any(|number| *oid == mib::if_x_column(number)));
    vec![identity, extended, wide, narrow.collect(), vec![(mib::DOT3_STATS_DUPLEX_STATUS.clone(), Kind::Duplex)]]
}

fn is_essential(group: &Group) -> bool {
    group.iter().any(|&(_, kind)| kind == Kind::Descr)
}

fn take_scalar(inventory: &mut Inventory, epoch: &mut Epoch, name: OidRef<'_>, value: &Value<'_>) {
    let system = &mut inventory.system;
    let texts = [
        (&*mib::SYS_DESCR, &mut system.descr),
        (&*mib::SYS_CONTACT, &mut system.contact),
        (&*mib::SYS_NAME, &mut system.name),
        (&*mib::SYS_LOCATION, &mut system.location),
    ];
    for (object, text) in texts {
        if let Some(octets) = value.octets().filter(|_| mib::is_scalar(name, object)) {
            *text = DeviceText::decode(octets);
        }
    }
    let numbers = [
        (&*mib::SYS_UP_TIME, &mut epoch.uptime),
        (&*mib::IF_NUMBER, &mut epoch.if_number),
        (&*mib::IF_TABLE_LAST_CHANGE, &mut epoch.table_last_change),
        (&*mib::SNMP_ENGINE_TIME, &mut epoch.engine_time),
    ];
    for (object, number) in numbers {
        if mib::is_scalar(name, object) {
            *number = meaning::number32(value);
        }
    }
    inventory.engine_time = epoch.engine_time;
    if let Value::Oid(oid) = value
        && mib::is_scalar(name, &mib::SYS_OBJECT_ID)
    {
        system.object_id = oid.to_string();
    }
}

fn draft_of<'d>(rows: &mut HashMap<u32, usize>, drafts: &'d mut Vec<Draft>, if_index: u32) -> Option<&'d mut Draft> {
    let place = *rows.entry(if_index).or_insert(drafts.len());
    if place == drafts.len() {
        drafts.push(Draft { row: InterfaceRow { if_index, ..InterfaceRow::default() }, ..Draft::default() });
    }
    drafts.get_mut(place)
}

impl Draft {
    fn take(&mut self, kind: Kind, value: &Value<'_>) {
        let text = || value.octets().map(DeviceText::decode);
        let row = &mut self.row;
        match kind {
            Kind::Descr => row.if_descr = text(),
            Kind::Type => row.if_type = meaning::number32(value),
            Kind::Mtu => row.if_mtu = meaning::number32(value),
            Kind::Speed => row.if_speed = meaning::number(value),
            Kind::PhysAddress => row.phys_address = value.octets().map(<[u8]>::to_vec),
            Kind::LastChange => row.last_change = meaning::number32(value),
            Kind::Name => row.if_name = text(),
            Kind::HighSpeed => row.if_high_speed = meaning::number(value),
            Kind::Connector => row.connector = meaning::truth(value),
            Kind::Alias => row.if_alias = text(),
            Kind::Duplex => row.duplex = meaning::state(value),
            Kind::Polled(column) => self.take_polled(column, value),
        }
    }

    fn take_polled(&mut self, column: usize, value: &Value<'_>) {
        let Some(number) = meaning::number(value) else { return };
        self.present.insert(column);
        if let Some(longest) = self.longest.get_mut(column) {
            *longest = meaning::octets(number);
        }
        if number > 0 {
            self.counting.insert(column);
        }
        match columns::ALL.get(column).map(|column| column.field) {
            Some(columns::Field::Admin) => self.row.admin = meaning::state(value),
            Some(columns::Field::Metric(PortMetric::OperStatus, _)) => self.row.oper = meaning::state(value),
            _ => {}
        }
    }
}

/// For each metric: do the wide counters of this device count?
struct Health {
    metrics: Vec<MetricHealth>,
}

struct MetricHealth {
    wide: usize,
    narrow: usize,
    /// Some row's wide counter is above 0.
    counts: bool,
    /// Some row's wide counter is 0 while its narrow one is not.
    stuck: bool,
}

impl Health {
    fn of(drafts: &[Draft]) -> Self {
        let metrics = PortMetric::ALL.into_iter().filter_map(|metric| {
            let (Some(wide), Some(narrow)) = columns::forms(metric) else { return None };
            let counts = drafts.iter().any(|draft| draft.counting.contains(wide));
            let stuck = drafts.iter().any(|draft| draft.is_stuck(wide, narrow));
            Some(MetricHealth { wide, narrow, counts, stuck })
        });
        Self { metrics: metrics.collect() }
    }

    /// The columns to poll of a row. Where both forms are there, the wide one is enough if it counts, or if it counts on
    /// the device's other rows and is nowhere stuck; else both are asked, and the narrow one is used while the wide is 0.
    fn columns(&self, draft: &Draft) -> ColumnSet {
        let mut columns = draft.present;
        for metric in &self.metrics {
            let both = draft.present.contains(metric.wide) && draft.present.contains(metric.narrow);
            let trusted =
                draft.counting.contains(metric.wide) || (!draft.counting.contains(metric.narrow) && metric.counts && !metric.stuck);
            if both && trusted {
                columns.remove(metric.narrow);
            }
        }
        columns
    }
}

impl Draft {
    const fn is_stuck(&self, wide: usize, narrow: usize) -> bool {
        self.present.contains(wide) && !self.counting.contains(wide) && self.counting.contains(narrow)
    }
}
