//! `device test --json`: one object whose keys are the MIB objects' names. Counters are raw numbers, null where absent:
//! ifInOctets is the 32-bit counter and ifHCInOctets the 64-bit one, as the device gives them. Its keys are an interface.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;

use super::ask::Sight;
use super::object::Object;
use crate::model::DeviceText;
use crate::model::observe::InterfaceRow;
use crate::snmp::poll::columns::{self, Field};
use crate::snmp::poll::table::{Kept, TableRow};
use crate::snmp::tables::arp::ArpEntry;
use crate::snmp::tables::fdb::FdbEntry;
use crate::snmp::tables::lldp::Neighbour;
use crate::snmp::tables::vlan::Vlan;

/// The whole report.
pub(super) fn report(sight: &Sight) -> Object {
    let names = Names::new(sight);
    let object = Object::default()
        .with_object("device", device(sight))
        .with_list("ports", ports(sight))
        .with_list("fdb", sight.tables.fdb.iter().map(|entry| fdb(sight, &names, entry)))
        .with_list("arp", arp(sight, &names))
        .with_list("neighbours", sight.tables.neighbours.iter().map(|(neighbour, if_index)| neighbour_object(&names, neighbour, *if_index)))
        .with_list("vlans", sight.tables.vlans.iter().map(|vlan| vlan_object(sight, &names, vlan)));
    match (sight.round.gap, &sight.round.detail) {
        (Some(gap), detail) => object.with("gap", gap.word()).with("error", detail.as_deref().unwrap_or_default()),
        (None, _) => object,
    }
}

fn device(sight: &Sight) -> Object {
    let inventory = sight.inventory();
    let system = &inventory.system;
    Object::default()
        .with("sysName", system.name.as_str())
        .with("sysDescr", system.descr.as_str())
        .with("sysObjectID", system.object_id.as_str())
        .with("sysUpTime", sight.round.uptime_ticks)
        .with("sysContact", system.contact.as_str())
        .with("sysLocation", system.location.as_str())
        .with("snmpEngineTime", inventory.engine_time)
}

fn ports(sight: &Sight) -> Vec<Object> {
    let inventory = sight.inventory();
    let rows = sight.counters.rows.iter().filter_map(|row| Some((*row.index.first()?, row)));
    let counters: HashMap<u32, &TableRow> = rows.collect();
    inventory.interfaces.iter().map(|row| port(row, counters.get(&row.if_index).copied())).collect()
}

fn port(row: &InterfaceRow, counters: Option<&TableRow>) -> Object {
    let mut object = Object::default()
        .with("ifIndex", row.if_index)
        .with("ifName", text(row.if_name.as_ref()))
        .with("ifDescr", text(row.if_descr.as_ref()))
        .with("ifAlias", text(row.if_alias.as_ref()))
        .with("ifType", row.if_type.map(if_type))
        .with("ifMtu", row.if_mtu)
        .with("ifSpeed", row.if_speed)
        .with("ifHighSpeed", row.if_high_speed)
        .with("ifPhysAddress", row.phys_address.as_deref().filter(|octets| !octets.is_empty()).map(hex))
        .with("ifAdminStatus", row.admin.map(status))
        .with("ifOperStatus", row.oper.map(status))
        .with("ifLastChange", row.last_change)
        .with("ifConnectorPresent", row.connector)
        .with("dot3StatsDuplexStatus", row.duplex.map(duplex));
    for (place, column) in columns::ALL.iter().enumerate() {
        if !matches!(column.field, Field::Admin | Field::Metric(crate::model::PortMetric::OperStatus, _)) {
            object = object.with(column.name, counters.and_then(|row| row.cell(place)).and_then(Kept::number));
        }
    }
    object
}

fn fdb(sight: &Sight, names: &Names, entry: &FdbEntry) -> Object {
    let if_index = sight.tables.bridge_ports.if_index(entry.port);
    let status = entry.status.map(|status| word(&["other", "invalid", "learned", "self", "mgmt"], status));
    let object = Object::default();
    let object = match entry.fdb_id {
        Some(fdb_id) => {
            let mut users = sight.tables.vlans.iter().filter(|vlan| vlan.fdb_id == Some(fdb_id)).map(|vlan| vlan.number);
            let vlan = users.next().or((1..=4094).contains(&fdb_id).then_some(fdb_id)).filter(|_| users.next().is_none());
            object
                .with("dot1qTpFdbAddress", entry.address.to_string())
                .with("dot1qFdbId", fdb_id)
                .with("dot1qVlanIndex", vlan)
                .with("dot1qTpFdbPort", entry.port)
                .with("dot1qTpFdbStatus", status)
        }
        None => {
            let object = object.with("dot1dTpFdbAddress", entry.address.to_string());
            let object = if entry.vlan.is_some() { object.with("vtpVlanIndex", entry.vlan) } else { object };
            object.with("dot1dTpFdbPort", entry.port).with("dot1dTpFdbStatus", status)
        }
    };
    object.with("ifIndex", if_index).with("ifName", names.of(if_index))
}

/// What both tables say of an address is said once, under the names of the newer one where that alone has it.
fn arp(sight: &Sight, names: &Names) -> Vec<Object> {
    let known: BTreeSet<_> = sight.tables.media.iter().map(|entry| (entry.if_index, entry.address)).collect();
    let media = sight.tables.media.iter().map(|entry| {
        Object::default()
            .with("ipNetToMediaIfIndex", entry.if_index)
            .with("ipNetToMediaPhysAddress", hex(&entry.physical))
            .with("ipNetToMediaNetAddress", entry.address.to_string())
            .with("ipNetToMediaType", entry.kind.map(|kind| word(&["other", "invalid", "dynamic", "static"], kind)))
            .with("ifName", names.of(Some(entry.if_index)))
    });
    let newer = |entry: &&ArpEntry| !known.contains(&(entry.if_index, entry.address));
    let physical = sight.tables.physical.iter().filter(newer).map(|entry| {
        const STATES: [&str; 7] = ["reachable", "stale", "delay", "probe", "invalid", "unknown", "incomplete"];
        Object::default()
            .with("ipNetToPhysicalIfIndex", entry.if_index)
            .with("ipNetToPhysicalPhysAddress", hex(&entry.physical))
            .with("ipNetToPhysicalNetAddress", entry.address.to_string())
            .with("ipNetToPhysicalType", entry.kind.map(|kind| word(&["other", "invalid", "dynamic", "static", "local"], kind)))
            .with("ipNetToPhysicalState", entry.state.map(|state| word(&STATES, state)))
            .with("ifName", names.of(Some(entry.if_index)))
    });
    media.chain(physical).collect()
}

fn neighbour_object(names: &Names, neighbour: &Neighbour, if_index: Option<u32>) -> Object {
    Object::default()
        .with("lldpRemLocalPortNum", neighbour.local_port)
        .with("ifIndex", if_index)
        .with("ifName", names.of(if_index))
        .with("lldpRemChassisIdSubtype", neighbour.chassis_subtype)
        .with("lldpRemChassisId", neighbour.chassis.clone())
        .with("lldpRemPortIdSubtype", neighbour.port_subtype)
        .with("lldpRemPortId", neighbour.port.clone())
        .with("lldpRemPortDesc", text(neighbour.port_descr.as_ref()))
        .with("lldpRemSysName", text(neighbour.name.as_ref()))
        .with("lldpRemSysDesc", text(neighbour.descr.as_ref()))
}

fn vlan_object(sight: &Sight, names: &Names, vlan: &Vlan) -> Object {
    let ports = |ports: &[u32]| -> Json {
        let name = |&port: &u32| names.of(sight.tables.bridge_ports.if_index(port)).unwrap_or_else(|| port.to_string());
        ports.iter().map(name).collect::<Vec<_>>().into()
    };
    Object::default()
        .with("dot1qVlanIndex", vlan.number)
        .with("dot1qVlanStaticName", text(vlan.name.as_ref()))
        .with("dot1qVlanFdbId", vlan.fdb_id)
        .with("dot1qVlanStatus", vlan.status.map(|status| word(&["other", "permanent", "dynamicGvrp"], status)))
        .with("dot1qVlanStaticRowStatus", vlan.row_status)
        .with("dot1qVlanCurrentEgressPorts", ports(&vlan.egress))
        .with("dot1qVlanCurrentUntaggedPorts", ports(&vlan.untagged))
}

/// Names of interfaces by ifIndex.
struct Names(HashMap<u32, String>);

impl Names {
    fn new(sight: &Sight) -> Self {
        let name = |row: &InterfaceRow| {
            let name = [&row.if_name, &row.if_descr].into_iter().flatten().find(|name| !name.is_empty())?;
            Some((row.if_index, name.as_str().to_owned()))
        };
        Self(sight.inventory().interfaces.iter().filter_map(name).collect())
    }

    fn of(&self, if_index: Option<u32>) -> Option<String> {
        self.0.get(&if_index?).cloned()
    }
}

fn text(text: Option<&DeviceText>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

/// The MIB's word for a number that counts from 1; the number itself where the MIB has none.
fn word(words: &[&str], number: u32) -> Json {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    place.and_then(|place| words.get(place)).map_or_else(|| number.into(), |&word| word.into())
}

/// ifAdminStatus and ifOperStatus (IF-MIB).
pub(super) fn status(status: u8) -> Json {
    word(&["up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"], u32::from(status))
}

fn duplex(duplex: u8) -> Json {
    word(&["unknown", "halfDuplex", "fullDuplex"], u32::from(duplex))
}

/// IANAifType: the words of those that switches and routers of an office have.
fn if_type(number: u32) -> Json {
    const WORDS: [(u32, &str); 31] = [
        (1, "other"),
        (6, "ethernetCsmacd"),
        (7, "iso88023Csmacd"),
        (22, "propPointToPointSerial"),
        (23, "ppp"),
        (24, "softwareLoopback"),
        (33, "rs232"),
        (37, "atm"),
        (48, "modem"),
        (53, "propVirtual"),
        (54, "propMultiplexor"),
        (56, "fibreChannel"),
        (62, "fastEther"),
        (69, "fastEtherFX"),
        (71, "ieee80211"),
        (94, "adsl"),
        (97, "vdsl"),
        (108, "pppMultilinkBundle"),
        (117, "gigabitEthernet"),
        (131, "tunnel"),
        (135, "l2vlan"),
        (136, "l3ipvlan"),
        (142, "ipForward"),
        (150, "mplsTunnel"),
        (160, "usb"),
        (161, "ieee8023adLag"),
        (166, "mpls"),
        (209, "bridge"),
        (244, "wwanPP2"),
        (250, "gpon"),
        (251, "vdsl2"),
    ];
    WORDS.iter().find(|(other, _)| *other == number).map_or_else(|| number.into(), |&(_, word)| word.into())
}
