//! Reading what bridges, routers and neighbours tell of a device, table after table: pure. It says which table to walk next
//! and takes what came of it; whoever drives it decides when, and how long.

use std::collections::VecDeque;

use super::address::{self, OwnAddress};
use super::arp::{self, ArpEntry};
use super::cdp::{self, CdpEntry};
use super::fdb::{self, BridgePorts, FdbEntry};
use super::layout::{self, Layout};
use super::lldp::{self, LocalPorts, Neighbour};
use super::own::{self, Own};
use super::vlan::{self, Vlan};
use super::{Oid, cisco};
use crate::model::observe::InterfaceRow;
use crate::snmp::poll::table::Table;

/// How much is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// For a person who looks at one device: both tables of addresses, and the VLANs.
    Person,
    /// For the daemon, every few minutes: each fact once, and what the device says of itself as a router and a bridge.
    Watch {
        /// Also what does not change from one reading to the next: VLANs, the setup of ports, serial numbers.
        rarely: bool,
    },
    /// Only who sits behind which port, for somebody who is about to change something there.
    Seats,
}

/// A table to be walked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Its name in the MIB.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Oid>,
    /// The VLAN whose community or context it is asked in.
    pub vlan: Option<u32>,
}

/// What was seen. What could not be read whole is named in `holes`: what is missing there is not absent.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Learnt addresses.
    pub fdb: Vec<FdbEntry>,
    /// Which interface a bridge port is.
    pub bridge_ports: BridgePorts,
    /// ipNetToMediaTable.
    pub media: Vec<ArpEntry>,
    /// ipNetToPhysicalTable.
    pub physical: Vec<ArpEntry>,
    /// LLDP neighbours with the interface that each is at.
    pub neighbours: Vec<(Neighbour, Option<u32>)>,
    /// CDP neighbours.
    pub cdp: Vec<CdpEntry>,
    /// VLANs.
    pub vlans: Vec<Vlan>,
    /// Its own addresses.
    pub addresses: Vec<OwnAddress>,
    /// What it says of itself.
    pub own: Own,
    /// How its ports are set up; `None` when that was not asked for.
    pub layout: Option<Layout>,
    /// What was not read whole.
    pub holes: Holes,
}

/// What was not read whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Holes {
    /// The forwarding database.
    pub fdb: bool,
    /// The addresses of neighbours.
    pub arp: bool,
    /// The neighbours.
    pub neighbours: bool,
    /// What it says of itself.
    pub own: bool,
    /// The VLANs and the setup of its ports.
    pub layout: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    BasePorts,
    QBridge,
    VlansNow,
    VlansFixed,
    Vtp,
    Membership,
    Bridge,
    BridgeIn(u32),
    BasePortsIn(u32),
    Media,
    Physical,
    LldpRemote,
    LldpLocal,
    Cdp,
    Scalars,
    Addresses,
    NextHops,
    Designated,
    Pvids,
    Trunks,
    Bundles,
    Stack,
    Serials,
    Done,
}

/// The reading of one device.
#[derive(Debug)]
pub struct Reading {
    scope: Scope,
    interfaces: Vec<InterfaceRow>,
    stage: Stage,
    seen: Seen,
    current: Table,
    remote: Vec<Neighbour>,
    cisco: Vec<Vlan>,
    /// vmVlan, by ifIndex.
    access: Vec<(u32, u32)>,
    to_ask: VecDeque<u32>,
}

impl Reading {
    /// Of a device with these interfaces.
    pub fn new(interfaces: Vec<InterfaceRow>, scope: Scope) -> Self {
        Self {
            scope,
            interfaces,
            stage: Stage::BasePorts,
            seen: Seen::default(),
            current: Table::default(),
            remote: Vec::new(),
            cisco: Vec::new(),
            access: Vec::new(),
            to_ask: VecDeque::new(),
        }
    }

    /// The next table; `None` when all have been read.
    pub fn question(&self) -> Option<Question> {
        let ask = |name: &str, columns: Vec<Oid>| Some(Question { name: name.to_owned(), columns, vlan: None });
        let ask_in = |name: &str, vlan: u32, columns| {
            let name = format!("{name} of VLAN {vlan}");
            Some(Question { name, columns, vlan: Some(vlan) })
        };
        match self.stage {
            Stage::BasePorts => ask("dot1dBasePortTable", fdb::base_port_columns()),
            Stage::QBridge => ask("dot1qTpFdbTable", fdb::q_bridge_columns()),
            Stage::VlansNow => ask("dot1qVlanCurrentTable", vlan::current_columns()),
            Stage::VlansFixed => ask("dot1qVlanStaticTable", vlan::static_columns()),
            Stage::Vtp => ask("vtpVlanTable", cisco::vlan_columns()),
            Stage::Membership => ask("vmMembershipTable", cisco::membership_columns()),
            Stage::Bridge => ask("dot1dTpFdbTable", fdb::bridge_columns()),
            Stage::BridgeIn(vlan) => ask_in("dot1dTpFdbTable", vlan, fdb::bridge_columns()),
            Stage::BasePortsIn(vlan) => ask_in("dot1dBasePortTable", vlan, fdb::base_port_columns()),
            Stage::Media => ask("ipNetToMediaTable", arp::media_columns()),
            Stage::Physical => ask("ipNetToPhysicalTable", arp::physical_columns()),
            Stage::LldpRemote => ask("lldpRemTable", lldp::remote_columns()),
            Stage::LldpLocal => ask("lldpLocPortTable", lldp::local_columns()),
            Stage::Cdp => ask("cdpCacheTable", cdp::columns()),
            Stage::Scalars => ask("ipForwarding, dot1dBaseBridgeAddress and lldpLocChassisId", own::scalar_columns()),
            Stage::Addresses => ask("ipAddrTable and ipAddressTable", address::own_columns()),
            Stage::NextHops => ask("the default routes", address::default_route_columns()),
            Stage::Designated => ask("dot1dStpPortTable", own::designated_columns()),
            Stage::Pvids => ask("dot1qPortVlanTable", layout::pvid_columns()),
            Stage::Trunks => ask("vlanTrunkPortTable", layout::trunk_columns()),
            Stage::Bundles => ask("dot3adAggPortTable", layout::bundle_columns()),
            Stage::Stack => ask("ifStackTable", layout::stack_columns()),
            Stage::Serials => ask("entPhysicalTable", own::serial_columns()),
            Stage::Done => None,
        }
    }

    /// Takes the table that was asked for, and whether it is all of it.
    pub fn answered(&mut self, table: &Table, is_whole: bool) {
        let holes = &mut self.seen.holes;
        match self.stage {
            Stage::BasePorts
            | Stage::QBridge
            | Stage::Vtp
            | Stage::Membership
            | Stage::Bridge
            | Stage::BridgeIn(_)
            | Stage::BasePortsIn(_) => holes.fdb |= !is_whole,
            Stage::Media | Stage::Physical => holes.arp |= !is_whole,
            Stage::LldpRemote | Stage::LldpLocal | Stage::Cdp => holes.neighbours |= !is_whole,
            Stage::Scalars | Stage::Addresses | Stage::NextHops | Stage::Designated | Stage::Serials => holes.own |= !is_whole,
            Stage::VlansNow | Stage::VlansFixed | Stage::Pvids | Stage::Trunks | Stage::Bundles | Stage::Stack => holes.layout |= !is_whole,
            Stage::Done => {}
        }
        self.take(table);
        self.stage = self.following();
    }

    /// What was seen.
    pub fn into_seen(self) -> Seen {
        self.seen
    }

    fn take(&mut self, table: &Table) {
        let seen = &mut self.seen;
        match self.stage {
            Stage::BasePorts => seen.bridge_ports = BridgePorts::new(table, self.interfaces.iter().map(|row| row.if_index)),
            Stage::QBridge => seen.fdb = fdb::q_bridge(table),
            Stage::VlansNow => self.current = table.clone(),
            Stage::VlansFixed => seen.vlans = vlan::vlans(&self.current, table),
            Stage::Vtp => self.cisco = cisco::vlans(table),
            Stage::Membership => {
                self.to_ask = cisco::with_access_ports(&self.cisco, table).into();
                self.access = layout::pairs(table);
            }
            Stage::Bridge => seen.fdb = fdb::bridge(table),
            Stage::BridgeIn(vlan) => {
                seen.fdb.extend(fdb::bridge(table).into_iter().map(|entry| FdbEntry { vlan: Some(vlan), ..entry }));
            }
            Stage::BasePortsIn(_) => seen.bridge_ports.add(table),
            Stage::Media => seen.media = arp::media(table),
            Stage::Physical => seen.physical = arp::physical(table),
            Stage::LldpRemote => self.remote = lldp::neighbours(table),
            Stage::LldpLocal => {
                let places = LocalPorts::new(table, &self.interfaces, &seen.bridge_ports);
                let placed = std::mem::take(&mut self.remote).into_iter().map(|neighbour| {
                    let if_index = places.if_index(neighbour.local_port);
                    (neighbour, if_index)
                });
                seen.neighbours = placed.collect();
            }
            Stage::Cdp => seen.cdp = cdp::neighbours(table),
            Stage::Scalars => seen.own.take_scalars(table),
            Stage::Addresses => seen.addresses = address::own(table),
            Stage::NextHops => seen.own.next_hops = address::next_hops(table),
            Stage::Designated => seen.own.designated = own::designated(table),
            Stage::Pvids => {
                let (pvids, access) = (layout::pairs(table), std::mem::take(&mut self.access));
                seen.layout = Some(Layout { pvids, access, ..Layout::default() });
            }
            Stage::Trunks => seen.layout.get_or_insert_default().trunks = layout::trunks(table),
            Stage::Bundles => seen.layout.get_or_insert_default().bundles = layout::bundles(table),
            Stage::Stack => seen.layout.get_or_insert_default().bundles = layout::stacked(table, &self.interfaces),
            Stage::Serials => seen.own.serials = own::serials(table),
            Stage::Done => {}
        }
    }

    fn following(&mut self) -> Stage {
        let for_person = self.scope == Scope::Person;
        let rarely = self.scope == (Scope::Watch { rarely: true });
        match self.stage {
            Stage::BasePorts => Stage::QBridge,
            Stage::QBridge if for_person || rarely => Stage::VlansNow,
            Stage::VlansNow => Stage::VlansFixed,
            Stage::QBridge | Stage::VlansFixed if self.seen.fdb.is_empty() => Stage::Vtp,
            Stage::Vtp if self.cisco.is_empty() => Stage::Bridge,
            Stage::Vtp => Stage::Membership,
            Stage::BridgeIn(vlan) if self.seen.fdb.iter().any(|entry| entry.vlan == Some(vlan)) => Stage::BasePortsIn(vlan),
            Stage::Membership | Stage::BridgeIn(_) | Stage::BasePortsIn(_) => match self.to_ask.pop_front() {
                Some(vlan) => Stage::BridgeIn(vlan),
                None => self.after_bridge(),
            },
            Stage::QBridge | Stage::VlansFixed | Stage::Bridge => self.after_bridge(),
            Stage::Media if for_person => Stage::Physical,
            // The newer table, of both families, comes first; the older one only where that has no IPv4.
            Stage::Physical if !for_person && !self.seen.physical.iter().any(|entry| entry.address.is_ipv4()) => Stage::Media,
            Stage::Media | Stage::Physical => Stage::LldpRemote,
            Stage::LldpRemote if !self.remote.is_empty() => Stage::LldpLocal,
            Stage::LldpRemote | Stage::LldpLocal if !for_person => Stage::Cdp,
            Stage::Cdp => Stage::Scalars,
            Stage::Scalars => Stage::Addresses,
            Stage::Addresses => Stage::NextHops,
            Stage::NextHops => Stage::Designated,
            Stage::Designated if rarely => Stage::Pvids,
            Stage::Pvids if self.seen.layout.as_ref().is_some_and(|layout| layout.pvids.is_empty()) => Stage::Trunks,
            Stage::Pvids | Stage::Trunks => Stage::Bundles,
            // Where the standard table of bundles is empty, the order of layers may tell them.
            Stage::Bundles if self.seen.layout.as_ref().is_some_and(|layout| layout.bundles.is_empty()) => Stage::Stack,
            Stage::Bundles | Stage::Stack => Stage::Serials,
            Stage::LldpRemote | Stage::LldpLocal | Stage::Designated | Stage::Serials | Stage::Done => Stage::Done,
        }
    }

    fn after_bridge(&mut self) -> Stage {
        if self.seen.vlans.is_empty() {
            self.seen.vlans = std::mem::take(&mut self.cisco);
        }
        match self.scope {
            Scope::Person => Stage::Media,
            Scope::Watch { .. } => Stage::Physical,
            Scope::Seats => Stage::Done,
        }
    }
}
