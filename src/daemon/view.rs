//! The network of the moment, for whoever looks for a machine in it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::config::Settings;
use crate::daemon::tables::Located;
use crate::locate::class::Infrastructure;
use crate::locate::seek::{self, Seeker, Sought, Wanted};
use crate::locate::{self, DeviceTables, Found, Scene};
use crate::model::{IfIndex, MacAddr, clock};
use crate::ports::live::{DeviceLive, Live, PortState};

/// Tables, devices and settings of one moment.
pub(super) struct View {
    pub(super) all: Vec<Arc<DeviceTables>>,
    live: Arc<Live>,
    settings: Arc<super::tables::Setup>,
    infrastructure: Infrastructure,
}

impl View {
    pub(super) fn new(located: &Located) -> Self {
        let (all, live) = (located.tables.all(), Arc::clone(&located.around.live));
        let said = |device: &str| {
            let system = live.device(device)?.system.clone()?;
            Some(Arc::from(system.name.as_str())).filter(|name: &Arc<str>| !name.is_empty())
        };
        let infrastructure = Infrastructure::new(&all, &said);
        Self { all, live, settings: located.setup(), infrastructure }
    }

    pub(super) fn find(&self, mac: MacAddr) -> Found {
        self.scene(|scene| locate::find::find(scene, mac, clock::wall()))
    }

    pub(super) fn tables(&self, device: &str) -> Option<&Arc<DeviceTables>> {
        self.all.iter().find(|tables| *tables.device == *device)
    }

    pub(super) fn live(&self, device: &str) -> Option<Arc<DeviceLive>> {
        self.live.device(device)
    }

    /// The machine that a router last knew by an address.
    pub(super) fn bound(&self, ip: IpAddr) -> Option<MacAddr> {
        locate::table::bindings(&self.all, ip.to_canonical()).into_iter().find_map(|(_, binding)| binding.mac)
    }

    /// All addresses that routers have resolved to a machine, with the one that is named.
    pub(super) fn addresses(&self, mac: MacAddr, named: Option<IpAddr>) -> Vec<IpAddr> {
        let bindings = self.all.iter().flat_map(|tables| tables.bindings.iter());
        let bound = bindings.filter(|binding| binding.mac == Some(mac)).map(|binding| binding.address);
        let mut addresses: Vec<IpAddr> = bound.chain(named).map(|address| address.to_canonical()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    fn scene<T>(&self, ask: impl FnOnce(&Scene<'_>) -> T) -> T {
        let settings: &Settings = &self.settings.settings;
        let is_listed = |device: &str, port: &str| settings.incident.uplinks.iter().any(|glob| glob.is_match(&format!("{device}/{port}")));
        let is_up = |device: &str, if_index: u32| {
            let live = self.live.device(device)?;
            let port = live.ports.iter().find(|port| port.identity.if_index == IfIndex(if_index))?;
            match port.state {
                PortState::Up => Some(true),
                PortState::Down | PortState::Shut => Some(false),
                PortState::Unknown => None,
            }
        };
        ask(&Scene { all: &self.all, infrastructure: &self.infrastructure, is_listed: &is_listed, is_up: &is_up })
    }
}

impl Seeker for Located {
    fn seek(&self, wanted: Wanted) -> Vec<Sought> {
        View::new(self).scene(|scene| seek::seek(scene, wanted, clock::wall()))
    }
}
