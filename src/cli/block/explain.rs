//! `netroom block explain`: every line and every fact that protects a machine, by what the daemon last wrote down.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context as _;

use crate::block::shield::{Shield, Suspect};
use crate::cli::{Answer, Outcome, out};
use crate::config::Settings;
use crate::daemon::ourselves;
use crate::detect::{MachineKey, facts};
use crate::locate::class::Infrastructure;
use crate::locate::{self, DeviceTables, table};
use crate::model::clock;
use crate::store::Store;

pub(super) fn run(settings: &Settings, database: &Store, machine: &MachineKey, json: bool) -> Outcome {
    let all = locate::store::load(&database.reader()?).context("the tables cannot be read")?;
    let now = clock::wall();
    let site = facts::site(&settings.site, &settings.zones, &all, &ourselves(), now);
    let named = named(settings);
    let suspect = suspect(&all, machine);
    let rails = Shield { lines: &settings.block.protected, site: &site, named: &named }.explain(&suspect, now);
    if json {
        out::say(serde_json::to_string_pretty(&rails)?)?;
    } else if rails.is_empty() {
        let place = suspect.port.map_or_else(|| "nobody knows its port".to_owned(), |(device, port)| format!("it sits on {device} {port}"));
        out::say(format_args!("nothing protects {machine}; {place}"))?;
    } else {
        rails.iter().try_for_each(|rail| out::say(format_args!("{machine} is {rail}")))?;
    }
    Ok(if rails.is_empty() { Answer::Yes } else { Answer::No })
}

fn named(settings: &Settings) -> Vec<(IpAddr, Arc<str>)> {
    let devices = settings.devices.iter().map(|device| (device.address.ip(), Arc::clone(&device.name)));
    devices.chain(settings.hosts.iter().map(|host| (host.address, Arc::clone(&host.name)))).collect()
}

/// What the tables know of it. Where it sits is the nearest port, without asking the switch.
fn suspect(all: &[Arc<DeviceTables>], machine: &MachineKey) -> Suspect {
    let bound = |ip: IpAddr| table::bindings(all, ip.to_canonical()).into_iter().find_map(|(_, binding)| binding.mac);
    let (mac, ip) = match *machine {
        MachineKey::Mac(mac) => (Some(mac), None),
        MachineKey::Ip(ip) => (bound(ip), Some(ip.to_canonical())),
    };
    let bindings = all.iter().flat_map(|tables| tables.bindings.iter()).filter(|binding| mac.is_some() && binding.mac == mac);
    let place = mac.and_then(|mac| table::places(all, mac).into_iter().next());
    let beside = place.iter().flat_map(|place| {
        let tables = all.iter().filter(|tables| tables.device == place.device);
        tables.flat_map(|tables| tables.seats.iter()).filter(|seat| seat.if_index == place.if_index && Some(seat.mac) != mac)
    });
    Suspect {
        mac,
        ips: bindings.map(|binding| binding.address).chain(ip).collect(),
        vlan: place.as_ref().and_then(|place| u16::try_from(place.vlan).ok()).filter(|vlan| *vlan > 0),
        port: place.as_ref().map(|place| (Arc::clone(&place.device), Arc::clone(&place.port))),
        alias: String::new(),
        own: mac.and_then(|mac| Infrastructure::new(all, &|_| None).device_of(mac).cloned()),
        beside: beside.map(|seat| seat.mac).collect(),
    }
}
