//! Asking one switch again, just before somebody changes something there: is the address still behind that port, who else
//! is, and is the port still the one that was meant. Effects: it talks to the device.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::merge::is_station;
use super::table::DeviceTables;
use crate::model::observe::InterfaceRow;
use crate::model::{DeviceText, MacAddr, Timestamp, clock};
use crate::snmp::ask::{self, QuestionError};
use crate::snmp::job::{Ask, Credentials, End, Request, SubmitError, Target, Transport};
use crate::snmp::message::{self, Version};
use crate::snmp::poll::mib;
use crate::snmp::poll::packing::Packing;
use crate::snmp::poll::table::{TableJob, TableOutcome};
use crate::snmp::poll::walk::{Caps, Cut};
use crate::snmp::tables::cisco;
use crate::snmp::tables::fdb::FdbEntry;
use crate::snmp::tables::reading::{Question, Reading, Scope, Seen};
use crate::snmp::value::Value;

/// What a forwarding database may be.
const CAPS: Caps = Caps { rows: 40_000, octets: 8 << 20 };
/// How long to wait before a device that is being polled is asked again.
const BUSY: Duration = Duration::from_millis(100);
/// Columns of ifXTable and ifTable: ifName, ifAlias, ifDescr.
const IF_NAME: u32 = 1;
const IF_ALIAS: u32 = 18;
const IF_DESCR: u32 = 2;

/// What a switch says at this moment about one port and one address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fresh {
    /// When the last of it was read.
    pub at: Timestamp,
    /// The port's ifIndex, as asked.
    pub if_index: u32,
    /// The number by which the bridge calls the port (dot1qPvid, port lists).
    pub bridge_port: Option<u32>,
    /// ifName, else ifDescr.
    pub if_name: Option<Arc<str>>,
    /// ifAlias; empty when none is set.
    pub if_alias: Arc<str>,
    /// The VLANs in which the address is behind this port; empty when it is not there. 0 where the device tells no VLANs.
    pub here: Vec<u32>,
    /// The other ports behind which it is, with the VLAN, by ifIndex.
    pub elsewhere: Vec<(u32, u32)>,
    /// All addresses behind this port, that one among them.
    pub macs: Vec<MacAddr>,
}

/// Why there is no fresh answer. Nobody acts without one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FreshError {
    /// It is not asked, or does not answer in time.
    #[error("{device} was not asked again before the change: {source}; look whether it answers, and try again")]
    Silent {
        /// Which.
        device: Arc<str>,
        /// Why.
        #[source]
        source: QuestionError,
    },
    /// A table came in part.
    #[error("{device} did not give its forwarding database whole ({table}: {cut}); try again")]
    Broken {
        /// Which.
        device: Arc<str>,
        /// The table.
        table: String,
        /// Why.
        cut: Cut,
    },
}

/// Reads who sits where on a device, and the port's names, until `deadline`. `before` is what is known of the device; it
/// tells how its interfaces and filtering databases are numbered.
///
/// # Errors
/// When the device does not say all of it in time.
pub async fn ask(
    transport: &dyn Transport,
    target: &Arc<Target>,
    before: &DeviceTables,
    if_index: u32,
    mac: MacAddr,
    deadline: Instant,
) -> Result<Fresh, FreshError> {
    let silent = |source| FreshError::Silent { device: Arc::clone(&before.device), source };
    let rows = before.ports.iter().map(|(if_index, name)| InterfaceRow {
        if_index: *if_index,
        if_name: Some(DeviceText::decode(name.as_bytes())),
        ..InterfaceRow::default()
    });
    let mut reading = Reading::new(rows.collect(), Scope::Seats);
    let mut packing = Packing::new(match target.credentials {
        Credentials::Community { version, .. } => version,
        Credentials::User { .. } => Version::V2c,
    });
    while let Some(question) = reading.question() {
        let outcome = walk(transport, target, &question, packing, deadline).await.map_err(silent)?;
        if let Some(cut) = outcome.cut {
            return Err(FreshError::Broken { device: Arc::clone(&before.device), table: question.name, cut });
        }
        packing = outcome.packing;
        reading.answered(&outcome.table, true);
    }
    let names = names(transport, target, if_index, deadline).await.map_err(silent)?;
    Ok(judge(before, &reading.into_seen(), names, if_index, mac, clock::wall()))
}

/// ifName or ifDescr, and ifAlias.
type Names = (Option<Arc<str>>, Arc<str>);

fn judge(before: &DeviceTables, seen: &Seen, (if_name, if_alias): Names, if_index: u32, mac: MacAddr, at: Timestamp) -> Fresh {
    // learned(3), mgmt(5) and other(1) sit there; invalid(2) and self(4) do not.
    let sits = |status: Option<u32>| !matches!(status, Some(2 | 4));
    let place = |entry: &FdbEntry| {
        let vlan = entry.vlan.or(entry.fdb_id.map(|database| before.layout.vlan_of(database))).unwrap_or(0);
        Some((entry.address, vlan, seen.bridge_ports.if_index(entry.port)?))
    };
    let seats: Vec<_> = seen.fdb.iter().filter(|entry| sits(entry.status) && is_station(entry.address)).filter_map(place).collect();
    let is_own = |mac: &MacAddr| before.identity.macs.binary_search(mac).is_ok();
    let macs: BTreeSet<MacAddr> = seats.iter().filter(|(_, _, port)| *port == if_index).map(|(mac, _, _)| *mac).collect();
    let of_it = || seats.iter().filter(|(address, _, _)| *address == mac);
    Fresh {
        at,
        if_index,
        bridge_port: seen.bridge_ports.port_of(if_index),
        if_name,
        if_alias,
        here: of_it().filter(|(_, _, port)| *port == if_index).map(|(_, vlan, _)| *vlan).collect(),
        elsewhere: of_it().filter(|(_, _, port)| *port != if_index).map(|(_, vlan, port)| (*port, *vlan)).collect(),
        macs: macs.into_iter().filter(|mac| !is_own(mac)).collect(),
    }
}

/// One table. While the device is being polled it is waited for: one thing at a time is asked of it.
async fn walk(
    transport: &dyn Transport,
    target: &Arc<Target>,
    question: &Question,
    packing: Packing,
    deadline: Instant,
) -> Result<TableOutcome, QuestionError> {
    let target = question.vlan.map_or_else(
        || Arc::clone(target),
        |vlan| Arc::new(Target { credentials: cisco::in_vlan(&target.credentials, vlan), ..Target::clone(target) }),
    );
    loop {
        let job = TableJob::new(&question.columns, packing, CAPS, |_| ());
        match ask::one(transport, &target, job, deadline).await {
            Ok((job, End::Complete)) => return Ok(job.into_outcome(End::Complete)),
            Ok((_, End::Deadline)) => return Err(QuestionError::Deadline),
            Ok((_, End::Cancelled)) => return Err(SubmitError::Stopped.into()),
            Err(SubmitError::Busy | SubmitError::Full) if clock::monotonic() + BUSY < deadline => tokio::time::sleep(BUSY).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn names(transport: &dyn Transport, target: &Arc<Target>, if_index: u32, deadline: Instant) -> Result<Names, QuestionError> {
    let columns = [mib::if_x_column(IF_NAME), mib::if_x_column(IF_ALIAS), mib::if_column(IF_DESCR)];
    let names: Vec<_> = columns.iter().map(|column| column.child(&[if_index])).collect();
    let varbinds: Arc<[u8]> = message::encode_names(names.iter()).into();
    let reply = loop {
        let request = Request { ask: Ask::Get, varbinds: Arc::clone(&varbinds) };
        match ask::question(transport, target, request, deadline).await {
            Err(QuestionError::NotAsked(SubmitError::Busy | SubmitError::Full)) if clock::monotonic() + BUSY < deadline => {
                tokio::time::sleep(BUSY).await;
            }
            other => break other?,
        }
    };
    let mut texts = [None, None, None];
    for (slot, varbind) in texts.iter_mut().zip(reply.varbinds()) {
        if let Ok((_, Value::OctetString(octets))) = varbind {
            *slot = Some(DeviceText::decode(octets)).filter(|text| !text.is_empty()).map(|text| Arc::<str>::from(text.as_str()));
        }
    }
    let [name, alias, descr] = texts;
    Ok((name.or(descr), alias.unwrap_or_default()))
}
