//! The catalogue in `netroom.db`: numbers given once to devices and ports, with a copy of what they said last.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use crate::model::{DeviceId, DeviceText, IfIndex, MacAddr, PortId, PortIdentity, TextPool, Timestamp};
use crate::store::{Store, StoreError};

/// A port as the catalogue keeps it.
#[derive(Clone, PartialEq, Debug)]
pub struct PortRecord {
    /// Its number.
    pub id: PortId,
    /// Its device.
    pub device: DeviceId,
    /// The name people use; no other port of the device ever had it.
    pub name: Arc<str>,
    /// ifName, empty when the device gives none.
    pub if_name: Arc<str>,
    /// ifDescr.
    pub if_descr: Arc<str>,
    /// ifAlias.
    pub if_alias: Arc<str>,
    /// ifPhysAddress.
    pub mac: Option<MacAddr>,
    /// ifIndex.
    pub if_index: u32,
    /// ifType.
    pub if_type: u32,
    /// Bits per second.
    pub speed_bps: Option<u64>,
    /// When it was last among the device's interfaces.
    pub last_seen: Timestamp,
}

/// All that was known when the program started.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The ports of each device.
    pub ports: HashMap<DeviceId, Vec<PortRecord>>,
    /// The highest port number ever given; 0 before the first.
    pub last_port: u32,
    /// The texts of the records.
    pub pool: TextPool,
}

/// Gives each configured name its number: the old one, or the next free one.
///
/// # Errors
/// When the database does not take it, or all 1,048,575 numbers have been given.
pub async fn enrol(store: &Store, names: Vec<Arc<str>>, now: Timestamp) -> Result<Vec<DeviceId>, StoreError> {
    let numbers = move |file: &Connection| {
        let mut enrol = file.prepare_cached(
            "INSERT INTO device (name, first_seen, last_seen) VALUES (?1, ?2, ?2)
             ON CONFLICT (name) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen) RETURNING id",
        )?;
        names.iter().map(|name| enrol.query_row(params![&**name, now.millis()], |row| row.get(0).map(DeviceId))).collect()
    };
    store.write(numbers).await
}

/// Reads the whole catalogue.
///
/// # Errors
/// When the database cannot be read.
pub fn load(store: &Store) -> Result<Catalogue, StoreError> {
    let file = store.reader()?;
    read(&file).map_err(|error| StoreError::sqlite(store.path(), error))
}

/// The names of all devices that were ever configured, by their numbers.
///
/// # Errors
/// When the database cannot be read.
pub fn names(store: &Store) -> Result<Vec<(DeviceId, Arc<str>)>, StoreError> {
    let file = store.reader()?;
    let read = || {
        let mut query = file.prepare("SELECT id, name FROM device ORDER BY name")?;
        let rows = query.query_map([], |row| Ok((DeviceId(row.get(0)?), row.get::<_, String>(1)?.into())))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error| StoreError::sqlite(store.path(), error))
}

/// Writes new and changed ports, all or none.
///
/// # Errors
/// When the database does not take them.
pub async fn save(store: &Store, records: Arc<[PortRecord]>) -> Result<(), StoreError> {
    store.write(move |file| records.iter().try_for_each(|record| put(file, record))).await
}

fn put(file: &Connection, record: &PortRecord) -> rusqlite::Result<()> {
    let mut put = file.prepare_cached(
        "INSERT INTO port (id, device, name, if_name, if_descr, if_alias, mac, if_index, if_type, speed_bps, first_seen, last_seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, if_name = excluded.if_name, if_descr = excluded.if_descr,
             if_alias = excluded.if_alias, mac = excluded.mac, if_index = excluded.if_index, if_type = excluded.if_type,
             speed_bps = excluded.speed_bps, last_seen = excluded.last_seen",
    )?;
    put.execute(params![
        record.id.0,
        record.device.0,
        &*record.name,
        &*record.if_name,
        &*record.if_descr,
        &*record.if_alias,
        record.mac.map(|mac| mac.0),
        record.if_index,
        record.if_type,
        record.speed_bps.map(|speed| i64::try_from(speed).unwrap_or(i64::MAX)),
        record.last_seen.millis(),
    ])?;
    Ok(())
}

fn read(file: &Connection) -> rusqlite::Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let mut query = file.prepare(
        "SELECT id, device, name, if_name, if_descr, if_alias, mac, if_index, if_type, speed_bps, last_seen FROM port ORDER BY id",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let record = record(row, &mut catalogue.pool)?;
        catalogue.last_port = catalogue.last_port.max(record.id.0);
        catalogue.ports.entry(record.device).or_default().push(record);
    }
    Ok(catalogue)
}

fn record(row: &Row<'_>, pool: &mut TextPool) -> rusqlite::Result<PortRecord> {
    let mut text = |column| row.get_ref(column).and_then(|value| Ok(pool.share(value.as_str()?)));
    Ok(PortRecord {
        id: PortId(row.get(0)?),
        device: DeviceId(row.get(1)?),
        name: text(2)?,
        if_name: text(3)?,
        if_descr: text(4)?,
        if_alias: text(5)?,
        mac: row.get::<_, Option<[u8; 6]>>(6)?.map(MacAddr),
        if_index: row.get(7)?,
        if_type: row.get(8)?,
        speed_bps: row.get::<_, Option<i64>>(9)?.and_then(|speed| u64::try_from(speed).ok()),
        last_seen: Timestamp::from_millis(row.get(10)?),
    })
}

impl PortRecord {
    /// What is known of the port before its device has answered.
    pub fn identity(&self, pool: &mut TextPool) -> PortIdentity {
        let mut text = |text: &str| pool.share_text(&DeviceText::from(text));
        PortIdentity {
            id: self.id,
            if_index: IfIndex(self.if_index),
            name: Arc::clone(&self.name),
            descr: text(&self.if_descr),
            alias: text(&self.if_alias),
            if_type: self.if_type,
            mac: self.mac,
            speed_bps: self.speed_bps,
            mtu: None,
            admin: 0,
            connector: None,
            duplex: None,
            last_change_ticks: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(id: u32, name: &str) -> PortRecord {
        PortRecord {
            id: PortId(id),
            device: DeviceId(1),
            name: name.into(),
            if_name: name.into(),
            if_descr: "三楼".into(),
            if_alias: "".into(),
            mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            if_index: u32::MAX,
            if_type: 6,
            speed_bps: Some(400_000_000_000),
            last_seen: Timestamp::from_secs(6),
        }
    }

    fn open() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        (dir, store)
    }

    async fn ids(store: &Store, names: &[&str]) -> Vec<DeviceId> {
        enrol(store, names.iter().map(|&name| name.into()).collect(), Timestamp::from_secs(1)).await.unwrap()
    }

    #[tokio::test]
    async fn a_name_keeps_its_number_and_numbers_are_never_reused() {
        let (_dir, store) = open();
        assert_eq!(ids(&store, &["a", "b"]).await, [DeviceId(1), DeviceId(2)]);
        assert_eq!(ids(&store, &["b"]).await, [DeviceId(2)]);
        assert_eq!(ids(&store, &["c", "a"]).await, [DeviceId(3), DeviceId(1)]);
    }

    #[tokio::test]
    async fn what_is_saved_is_loaded() {
        let (_dir, store) = open();
        ids(&store, &["a"]).await;
        save(&store, vec![port(7, "ge1"), port(9, "ge2")].into()).await.unwrap();
        let moved = PortRecord { if_index: 3, mac: None, speed_bps: None, ..port(7, "ge1") };
        save(&store, vec![moved.clone()].into()).await.unwrap();
        // The same name under another number is refused, and nothing of that write stays.
        assert!(save(&store, vec![port(10, "ge10"), port(11, "ge2")].into()).await.is_err());
        let catalogue = load(&store).unwrap();
        assert_eq!(catalogue.ports[&DeviceId(1)], [moved, port(9, "ge2")]);
        assert_eq!(catalogue.last_port, 9);
    }
}
