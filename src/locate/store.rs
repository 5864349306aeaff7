//! The tables in `netroom.db`: the last snapshot of each device, so that a restart goes on with what was known and commands
//! can read it beside the daemon; and which MAC addresses were seen on the ports that are watched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::layout::Layout;
use super::table::{Binding, ByPort, DeviceTables, Identity, Neighbour, Seat};
use crate::model::{MacAddr, Timestamp, Zone};
use crate::store::{Store, StoreError};

/// A snapshot as it is kept: rows as lists, times in milliseconds.
#[derive(Serialize, Deserialize)]
struct Kept {
    zone: Zone,
    at: i64,
    ports: HashMap<u32, Arc<str>>,
    seats: Vec<(MacAddr, u32, u32, i64, i64)>,
    seats_whole: Option<i64>,
    bindings: Vec<(std::net::IpAddr, Option<MacAddr>, u32, i64, i64)>,
    bindings_whole: Option<i64>,
    neighbours: Vec<Neighbour>,
    identity: Identity,
    #[serde(default)]
    layout: Layout,
}

/// Keeps snapshots, all or none.
///
/// # Errors
/// When the database does not take them.
pub async fn save(store: &Store, snapshots: Vec<Arc<DeviceTables>>) -> Result<(), StoreError> {
    let rows: Vec<(Arc<str>, i64, String)> = snapshots
        .iter()
        .filter_map(|tables| Some((Arc::clone(&tables.device), tables.at.millis(), serde_json::to_string(&kept(tables)).ok()?)))
        .collect();
    let put = move |file: &Connection| {
        let mut put = file.prepare_cached(
            "INSERT INTO located (device, at_ms, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (device) DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body",
        )?;
        rows.iter().try_for_each(|(device, at, body)| put.execute(params![&**device, at, body]).map(|_| ()))
    };
    store.write(put).await
}

/// Forgets the devices that are not watched any more.
///
/// # Errors
/// When the database does not take it.
pub async fn keep_only(store: &Store, wanted: HashSet<Arc<str>>) -> Result<(), StoreError> {
    let forget = move |file: &Connection| {
        let kept: Vec<String> =
            file.prepare_cached("SELECT device FROM located")?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for device in kept.iter().filter(|device| !wanted.contains(device.as_str())) {
            file.execute("DELETE FROM located WHERE device = ?1", [device])?;
            file.execute("DELETE FROM watched_mac WHERE device = ?1", [device])?;
        }
        Ok(())
    };
    store.write(forget).await
}

/// The snapshots that are kept, in the order of the devices' names.
///
/// # Errors
/// When the database cannot be read.
pub fn load(file: &Connection) -> rusqlite::Result<Vec<Arc<DeviceTables>>> {
    let mut query = file.prepare("SELECT device, body FROM located ORDER BY device")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut all = Vec::new();
    for row in rows {
        let (device, body) = row?;
        // One that another version wrote in another form is read anew from the device within minutes.
        let Ok(kept) = serde_json::from_str::<Kept>(&body) else { continue };
        all.push(Arc::new(tables(device.into(), kept)));
    }
    Ok(all)
}

/// The MAC addresses that were ever seen on watched ports, by device and port.
///
/// # Errors
/// When the database cannot be read.
pub fn watched(file: &Connection) -> rusqlite::Result<ByPort> {
    let mut query = file.prepare("SELECT device, port, mac FROM watched_mac")?;
    let mut known = ByPort::new();
    let rows = query.query_map([], |row| {
        let mac: [u8; 6] = row.get(2)?;
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, MacAddr(mac)))
    })?;
    for row in rows {
        let (device, port, mac) = row?;
        known.entry((device.into(), port.into())).or_default().insert(mac);
    }
    Ok(known)
}

/// Notes MAC addresses of watched ports.
///
/// # Errors
/// When the database does not take them.
pub async fn note_watched(store: &Store, seen: Vec<(Arc<str>, Arc<str>, MacAddr)>, now: Timestamp) -> Result<(), StoreError> {
    let put = move |file: &Connection| {
        let mut put =
            file.prepare_cached("INSERT INTO watched_mac (device, port, mac, first_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?;
        seen.iter().try_for_each(|(device, port, mac)| put.execute(params![&**device, &**port, mac.0, now.millis()]).map(|_| ()))
    };
    store.write(put).await
}

fn kept(tables: &DeviceTables) -> Kept {
    Kept {
        zone: tables.zone,
        at: tables.at.millis(),
        ports: HashMap::clone(&tables.ports),
        seats: tables.seats.iter().map(|seat| (seat.mac, seat.vlan, seat.if_index, seat.since.millis(), seat.seen.millis())).collect(),
        seats_whole: tables.seats_whole.map(Timestamp::millis),
        bindings: tables.bindings.iter().map(|one| (one.address, one.mac, one.if_index, one.since.millis(), one.seen.millis())).collect(),
        bindings_whole: tables.bindings_whole.map(Timestamp::millis),
        neighbours: tables.neighbours.to_vec(),
        identity: Identity::clone(&tables.identity),
        layout: Layout::clone(&tables.layout),
    }
}

fn tables(device: Arc<str>, kept: Kept) -> DeviceTables {
    let time = Timestamp::from_millis;
    let seat = |(mac, vlan, if_index, since, seen)| Seat { mac, vlan, if_index, since: time(since), seen: time(seen) };
    let binding = |(address, mac, if_index, since, seen)| Binding { address, mac, if_index, since: time(since), seen: time(seen) };
    DeviceTables {
        device,
        zone: kept.zone,
        at: time(kept.at),
        ports: Arc::new(kept.ports),
        seats: kept.seats.into_iter().map(seat).collect(),
        seats_whole: kept.seats_whole.map(time),
        bindings: kept.bindings.into_iter().map(binding).collect(),
        bindings_whole: kept.bindings_whole.map(time),
        neighbours: kept.neighbours.into(),
        identity: Arc::new(kept.identity),
        layout: Arc::new(kept.layout),
        shed: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::table::By;

    #[tokio::test]
    async fn what_was_known_is_known_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("netroom.db")).unwrap();
        let (mac, at) = (MacAddr([2, 0, 0, 0, 0, 7]), Timestamp::from_secs(1_000));
        let snapshot = DeviceTables {
            at,
            ports: Arc::new(HashMap::from([(3, Arc::from("Gi0/3"))])),
            seats: [Seat { mac, vlan: 10, if_index: 3, since: Timestamp::from_secs(5), seen: at }].into(),
            seats_whole: Some(at),
            bindings: [Binding { address: "10.1.0.7".parse().unwrap(), mac: None, if_index: 1, since: at, seen: at }].into(),
            neighbours: [Neighbour {
                if_index: 1,
                by: By::Cdp,
                chassis: None,
                name: Some("core".into()),
                port: None,
                capabilities: Default::default(),
            }]
            .into(),
            identity: Arc::new(Identity { forwards: true, macs: vec![mac], ..Identity::default() }),
            ..DeviceTables::empty("sw-a".into(), Zone::Inner)
        };
        save(&store, vec![Arc::new(snapshot.clone())]).await.unwrap();
        save(&store, vec![Arc::new(DeviceTables::empty("sw-b".into(), Zone::Outer))]).await.unwrap();
        keep_only(&store, HashSet::from([Arc::from("sw-a")])).await.unwrap();
        assert_eq!(load(&store.reader().unwrap()).unwrap(), [Arc::new(snapshot)]);
    }

    #[tokio::test]
    async fn a_watched_address_is_noted_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("netroom.db")).unwrap();
        let (mac, port) = (MacAddr([2, 0, 0, 0, 0, 7]), (Arc::<str>::from("sw-a"), Arc::<str>::from("Gi0/3")));
        for second in [1, 2] {
            note_watched(&store, vec![(Arc::clone(&port.0), Arc::clone(&port.1), mac)], Timestamp::from_secs(second)).await.unwrap();
        }
        assert_eq!(watched(&store.reader().unwrap()).unwrap(), HashMap::from([(port, HashSet::from([mac]))]));
    }
}
