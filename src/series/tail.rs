//! The tail in memory: every poll not yet in a day's file, in the small form of [`super::codec::poll`]. Readers see a
//! poll as soon as it is taken; the file `tail.db` holds the same for the next start.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::{DeviceId, PortId};

use super::codec::poll::{Chain, is_key};
use super::layout::time;
use super::stretch::Stretch;

/// One poll in its small form.
#[derive(Clone, Debug)]
pub(super) struct TailRow {
    /// When, milliseconds.
    pub(super) time_ms: i64,
    /// The blob.
    pub(super) blob: Arc<[u8]>,
}

#[derive(Debug, Default)]
struct Inside {
    devices: HashMap<DeviceId, Vec<TailRow>>,
    ports: HashMap<PortId, DeviceId>,
    newest_ms: Option<i64>,
}

/// The tail of all devices.
#[derive(Debug, Default)]
pub(super) struct Tail(RwLock<Inside>);

impl Tail {
    /// Appends a poll. Polls of the device at or after its time are superseded (the clock was set back): removed, and
    /// their times returned.
    pub(super) fn push(&self, device: DeviceId, row: TailRow, ports: impl Iterator<Item = PortId>) -> Vec<i64> {
        let mut inside = self.write();
        inside.newest_ms = inside.newest_ms.max(Some(row.time_ms));
        for port in ports {
            inside.ports.insert(port, device);
        }
        let rows = inside.devices.entry(device).or_default();
        let keep = rows.partition_point(|earlier| earlier.time_ms < row.time_ms);
        let superseded = rows.drain(keep..).map(|row| row.time_ms).collect();
        rows.push(row);
        superseded
    }

    /// Which device a port was last seen on.
    pub(super) fn device_of(&self, port: PortId) -> Option<DeviceId> {
        self.read().ports.get(&port).copied()
    }

    /// All ports ever seen, in order.
    pub(super) fn ports(&self) -> Vec<PortId> {
        let mut ports: Vec<_> = self.read().ports.keys().copied().collect();
        ports.sort_unstable();
        ports
    }

    /// The ports of every device.
    pub(super) fn members(&self) -> BTreeMap<DeviceId, Vec<PortId>> {
        let mut members = BTreeMap::<DeviceId, Vec<PortId>>::new();
        for (port, device) in &self.read().ports {
            members.entry(*device).or_default().push(*port);
        }
        members
    }

    /// Notes ports found in files.
    pub(super) fn learn(&self, port: PortId, device: DeviceId) {
        self.write().ports.insert(port, device);
    }

    /// The newest poll of any device, milliseconds.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        self.read().newest_ms
    }

    /// Notes the newest poll found in files.
    pub(super) fn raise_newest(&self, time_ms: i64) {
        let mut inside = self.write();
        inside.newest_ms = inside.newest_ms.max(Some(time_ms));
    }

    /// The devices that have polls before `before_ms`.
    pub(super) fn devices_before(&self, before_ms: i64) -> Vec<DeviceId> {
        let inside = self.read();
        let mut devices: Vec<_> = inside
            .devices
            .iter()
            .filter(|(_, rows)| rows.first().is_some_and(|row| row.time_ms < before_ms))
            .map(|(device, _)| *device)
            .collect();
        devices.sort_unstable();
        devices
    }

    /// The earliest poll of all, milliseconds.
    pub(super) fn earliest_ms(&self) -> Option<i64> {
        self.read().devices.values().filter_map(|rows| rows.first()).map(|row| row.time_ms).min()
    }

    /// A device's polls.
    pub(super) fn rows(&self, device: DeviceId) -> Vec<TailRow> {
        self.read().devices.get(&device).cloned().unwrap_or_default()
    }

    /// Forgets a device's polls before `before_ms`: they are in a day's file.
    pub(super) fn forget(&self, device: DeviceId, before_ms: i64) {
        let mut inside = self.write();
        if let Some(rows) = inside.devices.get_mut(&device) {
            let keep = rows.partition_point(|row| row.time_ms < before_ms);
            rows.drain(..keep);
            rows.shrink_to_fit();
            if rows.is_empty() {
                inside.devices.remove(&device);
            }
        }
    }

    /// How many polls, and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        let inside = self.read();
        let rows = || inside.devices.values().flatten();
        (rows().count() as u64, rows().map(|row| row.blob.len() as u64).sum())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inside> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inside> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decodes a device's polls; with `only`, the rows of one port. Polls that cannot be read (their key is missing) are
/// left out and counted.
pub(super) fn decode(device: DeviceId, rows: &[TailRow], only: Option<PortId>) -> (Stretch, u64) {
    let (mut stretch, mut unreadable) = (Stretch::with_room(device, rows.len()), 0);
    let mut chain = None;
    for row in rows {
        if is_key(&row.blob) {
            chain = Some(Chain::default());
        }
        let decoded = chain.as_mut().and_then(|chain| chain.decode(device, time(row.time_ms), &row.blob).ok());
        let Some(mut sample) = decoded else {
            (chain, unreadable) = (None, unreadable + 1);
            continue;
        };
        if let Some(port) = only {
            sample.rows.retain(|row| row.port == port);
        }
        stretch.push(&sample);
    }
    (stretch, unreadable)
}
