//! A small living campus: twelve switches in three buildings with some 370 ports, whose counters are a pure function of
//! time. Any moment of the past can be asked, so weeks of history and the live agents come from one and the same source.
//!
//! The walk of one datum: a [`curve`] says what has flowed to a host, [`reader`] adds hosts up to ways up and takes off
//! what was before the switch's last start; [`mib`] shows it to SNMP, [`history`] writes it down as polls of the past.

mod configuration;
pub mod curve;
mod history;
mod host;
mod mib;
mod plan;
mod reader;
mod seats;
mod switch;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use super::agent::{Agent, Clock, Manners};
use crate::model::observe::{InterfaceRow, Inventory, SystemInfo};
use crate::model::{DeviceText, METRICS, Timestamp};

use crate::snmp::oid::OidError;
pub use history::{History, HistoryIds, Span, default_spans};
pub use mib::SwitchMib;
use plan::{Quirk, SWITCHES};
pub use reader::Reader;
use switch::{Feed, Switch};

/// What the campus is made from.
#[derive(Clone, Debug)]
pub struct Options {
    /// The same seed gives the same campus with the same past.
    pub seed: u64,
    /// The UDP port of the agents; 0 lets the kernel choose one for each.
    pub port: u16,
    /// What the campus's clocks are ahead of UTC, in seconds: 28,800 in China.
    pub utc_offset_s: i32,
    /// When somebody begins to watch: restarts and silences then come within minutes instead of days.
    pub shown: Option<Timestamp>,
    /// Whether one switch is asked over IPv6.
    pub ipv6: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 2026, port: 16_161, utc_offset_s: 28_800, shown: None, ipv6: ipv6_works().is_ok() }
    }
}

/// The community of all agents.
pub const COMMUNITY: &str = "demo-campus";

/// A switch as the configuration of the demo names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its configured name.
    pub name: &'static str,
    /// Where its agent listens; port 0 is not yet chosen.
    pub address: SocketAddr,
    /// Building and place.
    pub site: String,
    /// Free words for filters.
    pub tags: Vec<&'static str>,
}

/// The campus.
#[derive(Clone, Debug)]
pub struct Campus {
    options: Options,
    switches: Vec<Switch>,
}

impl Campus {
    /// Builds it.
    pub fn new(options: Options) -> Arc<Self> {
        let offset_ms = i64::from(options.utc_offset_s) * 1000;
        let switches = (0..SWITCHES.len()).map(|place| Switch::new(place, options.seed, offset_ms, options.shown)).collect();
        Arc::new(Self { options, switches })
    }

    /// The switches, the core first.
    pub fn devices(&self) -> Vec<Device> {
        (0_u8..).zip(&self.switches).map(|(place, switch)| self.device(place, switch)).collect()
    }

    fn device(&self, place: u8, switch: &Switch) -> Device {
        let ip = match switch.plan.quirk {
            Quirk::Ipv6 if self.options.ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
            _ => IpAddr::V4(Ipv4Addr::new(127, 20, 0, place + 1)),
        };
        let role = match switch.plan.parent {
            None => "core",
            Some(_) if switch.plan.mix == plan::Mix::Switches => "distribution",
            Some(_) => "access",
        };
        let zone = if switch.plan.mix == plan::Mix::Servers { "servers" } else { "users" };
        Device { name: switch.plan.name, address: SocketAddr::new(ip, self.options.port), site: switch.location(), tags: vec![role, zone] }
    }

    /// How many ports the switch at this place has, those of VLANs among them.
    pub fn ports(&self, device: usize) -> usize {
        self.switches.get(device).map_or(0, |switch| switch.ports.len())
    }

    /// A memory for [`Self::counters`].
    pub fn reader(&self) -> Reader {
        Reader::new(self.switches.len())
    }

    /// The counters of all ports of a switch since its last start, by [`crate::model::PortMetric::index`], with
    /// ifOperStatus; the ports are in the order of [`Self::inventory`].
    pub fn counters<'r>(&self, reader: &'r mut Reader, device: usize, at: Timestamp) -> &'r [[u64; METRICS]] {
        reader.counters(self, device, at)
    }

    /// The counters of one port; for many moments or ports, [`Self::counters`] is quicker.
    pub fn counters_at(&self, device: usize, port: usize, at: Timestamp) -> Option<[u64; METRICS]> {
        self.switches.get(device)?;
        self.counters(&mut self.reader(), device, at).get(port).copied()
    }

    /// When a switch last started.
    pub fn booted(&self, device: usize, at: Timestamp) -> Option<Timestamp> {
        Some(self.switches.get(device)?.booted(at))
    }

    /// Whether a switch answers at this moment.
    pub fn answers(&self, device: usize, at: Timestamp) -> bool {
        self.switches.get(device).is_some_and(|switch| switch.answers(at))
    }

    /// What a poller would read of a switch's identity: for giving the history its port numbers before the first poll.
    pub fn inventory(&self, device: usize, at: Timestamp) -> Option<Inventory> {
        let switch = self.switches.get(device)?;
        let system = SystemInfo {
            descr: DeviceText::decode(&switch.text(switch.plan.descr)),
            object_id: switch.plan.object_id.to_owned(),
            name: DeviceText::decode(&switch.text(switch.plan.sys_name)),
            location: DeviceText::decode(&switch.text(&switch.location())),
            contact: DeviceText::decode(&switch.text(mib::CONTACT)),
        };
        let interfaces = (0..switch.ports.len()).map(|port| self.interface(device, switch, port, at)).collect();
        let engine_time = u32::try_from(at.since(switch.booted(at)).as_secs()).ok();
        Some(Inventory { system, engine_time, interfaces })
    }

    fn interface(&self, device: usize, switch: &Switch, number: usize, at: Timestamp) -> InterfaceRow {
        let port = &switch.ports[number];
        InterfaceRow {
            if_index: port.if_index,
            if_name: Some(DeviceText::from(port.name.as_str())),
            if_descr: Some(DeviceText::from(port.descr.as_str())),
            if_alias: Some(DeviceText::decode(&port.alias)),
            if_type: Some(port.if_type),
            phys_address: Some(switch.mac(device, number).to_vec()),
            if_speed: Some(port.speed_bps.min(u64::from(u32::MAX))),
            if_high_speed: Some(port.speed_bps / 1_000_000),
            if_mtu: Some(mib::MTU),
            admin: Some(if matches!(port.feed, Feed::Shut) { 2 } else { 1 }),
            oper: Some(port.oper(at)),
            last_change: Some(switch.ticks(port.last_change(at), at)),
            connector: Some(!matches!(port.feed, Feed::Vlan)),
            duplex: port.duplex(at),
        }
    }

    /// One agent for each switch in the order of [`Self::devices`], ready to be bound.
    pub fn agents(self: &Arc<Self>, clock: &Clock) -> Result<Vec<Agent>, OidError> {
        let agent = |(place, device): (usize, Device)| {
            let mib = SwitchMib::new(Arc::clone(self), place)?;
            Ok(Agent {
                manners: Manners { community: COMMUNITY.as_bytes().to_vec(), ..Manners::default() },
                clock: Arc::clone(clock),
                ..Agent::new(device.address, Arc::new(mib))
            })
        };
        self.devices().into_iter().enumerate().map(agent).collect()
    }
}

/// Whether this machine has an IPv6 loopback address.
fn ipv6_works() -> io::Result<UdpSocket> {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0))
}

#[cfg(test)]
mod tests;
