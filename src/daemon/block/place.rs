//! Where the machine of a case sits: by the tables, and by the switch itself, which is asked at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::House;
use crate::block::desk::Located;
use crate::block::gate::{Place, PortKind};
use crate::block::shield::Suspect;
use crate::block::{Case, Spot};
use crate::daemon::view::View;
use crate::detect::{MachineKey, Site};
use crate::locate::class::Why;
use crate::locate::find::ENOUGH;
use crate::locate::fresh::{self, Fresh};
use crate::locate::{self, Candidate, DeviceTables, Reason};
use crate::model::{IfIndex, MacAddr, clock};
use crate::ports::live::DeviceLive;

/// How long a switch may take to say who is behind a port; it may be in the middle of a poll.
const ASKED_FOR: Duration = Duration::from_secs(20);
/// ifType of sockets: ethernetCsmacd, and its forms of old that some makers still tell (fastEther, gigabitEthernet).
const SOCKETS: [u32; 3] = [6, 62, 117];

/// Finds the machine of a case, and asks its switch at once.
pub(super) async fn locate(house: &House, case: &Case) -> Located {
    let view = View::new(&house.around.located);
    let site = house.around.located.site();
    let site = Arc::clone(&site.borrow());
    let round = house.around.located.setup().settings.tables.every;
    let nowhere = |suspect| Located { suspect, round, ..Located::default() };
    let Some(mac) = address_of(&view, case, &site) else {
        return nowhere(Suspect { ips: case.ip.into_iter().collect(), ..Suspect::default() });
    };
    let found = view.find(mac);
    let mut suspect = Suspect { mac: Some(mac), ips: view.addresses(mac, case.ip), own: found.own.clone(), ..Suspect::default() };
    // After a start a port that leads to a switch whose tables are not read yet looks like a socket. One that never tells them
    // is not waited for for ever: its addresses are known by polls.
    let is_early = clock::monotonic().duration_since(house.started) < round * 2;
    if is_early && house.around.located.is_incomplete() {
        return nowhere(suspect);
    }
    let Some(best) = found.candidates.first().filter(|best| is_place(best)) else { return nowhere(suspect) };
    let fresh = ask(house, &view, (&best.device, &best.port, best.if_index), mac).await;
    let live = view.live(&best.device);
    suspect.vlan = u16::try_from(best.vlan).ok().filter(|vlan| *vlan > 0);
    suspect.port = Some((Arc::clone(&best.device), Arc::clone(&best.port)));
    suspect.alias = alias(live.as_deref(), best.if_index, fresh.as_ref());
    let place = place(best, fresh.as_ref(), &house.infrastructure());
    suspect.beside = place.macs.iter().copied().filter(|other| *other != mac).collect();
    Located {
        suspect,
        spot: Some(Spot { device: Arc::clone(&best.device), if_name: Arc::clone(&best.port), if_index: IfIndex(best.if_index) }),
        site: live.as_ref().map(|live| Arc::clone(&live.label.site)).unwrap_or_default(),
        place: Some(place),
        base_port: fresh.and_then(|fresh| fresh.bridge_port).or_else(|| bridge_port(view.tables(&best.device)?, best.if_index)),
        ports: live.map_or(0, |live| live.ports.iter().filter(|port| SOCKETS.contains(&port.identity.if_type)).count()),
        round,
    }
}

/// A port by its names, with what its switch says of it at this moment.
pub(super) async fn port(house: &House, device: &str, port: &str) -> Located {
    let view = View::new(&house.around.located);
    let Some(live) = view.live(device) else { return Located::default() };
    let Some(identity) = live.ports.iter().map(|port| &port.identity).find(|identity| *identity.name == *port) else {
        return Located::default();
    };
    let (device, port, if_index) = (Arc::clone(&live.label.name), Arc::clone(&identity.name), identity.if_index);
    // Nobody is looked for: what counts is who is there.
    let fresh = ask(house, &view, (&device, &port, if_index.0), MacAddr([0; 6])).await;
    let macs = fresh.as_ref().map(|fresh| fresh.macs.clone()).unwrap_or_default();
    let candidate = macs
        .iter()
        .find_map(|mac| view.find(*mac).candidates.into_iter().find(|place| (&place.device, place.if_index) == (&device, if_index.0)));
    let mut place = match &candidate {
        Some(candidate) => place(candidate, fresh.as_ref(), &house.infrastructure()),
        None => empty_place(&view, &device, if_index.0, fresh.as_ref()),
    };
    // How many machines sit there is nobody's obstacle to work on the port itself.
    let beside = std::mem::take(&mut place.macs);
    place.is_our_path |= beside.iter().any(|mac| house.infrastructure().contains(mac));
    let alias = alias(Some(&*live), if_index.0, fresh.as_ref());
    let suspect = Suspect { port: Some((Arc::clone(&device), Arc::clone(&port))), alias, beside, ..Suspect::default() };
    Located {
        suspect,
        spot: Some(Spot { device: Arc::clone(&device), if_name: port, if_index }),
        site: Arc::clone(&live.label.site),
        place: Some(place),
        base_port: fresh.and_then(|fresh| fresh.bridge_port).or_else(|| bridge_port(view.tables(&device)?, if_index.0)),
        ..Located::default()
    }
}

/// A port behind which nobody is seen, by what its device says of it.
fn empty_place(view: &View, device: &str, if_index: u32, fresh: Option<&Fresh>) -> Place {
    let layout = view.tables(device).and_then(|tables| tables.layout.ports.get(&if_index).cloned()).unwrap_or_default();
    let heard = view.tables(device).map(|tables| locate::find::neighbours(tables, if_index)).unwrap_or_default();
    let bridge = heard.iter().find(|neighbour| neighbour.capabilities.leads_on());
    let name = |neighbour: &locate::Neighbour| neighbour.name.as_deref().or(neighbour.chassis.as_deref()).unwrap_or("?").to_owned();
    let root = view.tables(device).and_then(|tables| tables.layout.root_port);
    Place {
        asked: fresh.map(|fresh| (fresh.at, false)),
        told_name: fresh.and_then(|fresh| fresh.if_name.as_deref().map(ToOwned::to_owned)),
        kind: match (layout.is_bundle || layout.bundle.is_some(), layout.is_trunk) {
            (true, _) => PortKind::Aggregated,
            (false, true) => PortKind::Trunk,
            (false, false) => PortKind::Access,
        },
        is_root_port: root == Some(if_index),
        neighbour: bridge.map(|bridge| (name(bridge), what(bridge).to_owned())),
        ..Place::default()
    }
}

/// What the tables know of a machine, without a question to its switch.
pub(super) fn suspect(house: &House, machine: MachineKey) -> Suspect {
    let view = View::new(&house.around.located);
    let (mac, ip) = match machine {
        MachineKey::Mac(mac) => (Some(mac), None),
        MachineKey::Ip(ip) => (view.bound(ip), Some(ip)),
    };
    let Some(mac) = mac else { return Suspect { ips: ip.into_iter().collect(), ..Suspect::default() } };
    let found = view.find(mac);
    let mut suspect = Suspect { mac: Some(mac), ips: view.addresses(mac, ip), own: found.own, ..Suspect::default() };
    if let Some(best) = found.candidates.first().filter(|best| is_place(best)) {
        suspect.vlan = u16::try_from(best.vlan).ok().filter(|vlan| *vlan > 0);
        suspect.port = Some((Arc::clone(&best.device), Arc::clone(&best.port)));
        suspect.alias = alias(view.live(&best.device).as_deref(), best.if_index, None);
        suspect.beside = best.others.clone();
    }
    suspect
}

/// Whether the tables show the machine at another port since it was cut off: costs no question.
pub(super) fn has_moved(house: &House, case: &Case) -> bool {
    let (Some(mac), Some(spot), Some(blocked)) = (case.mac, case.order.as_ref().and_then(|order| order.spot()), case.blocked) else {
        return false;
    };
    let found = View::new(&house.around.located).find(mac);
    let is_elsewhere = |best: &Candidate| (&best.device, &best.port) != (&spot.device, &spot.if_name) && best.seen > blocked;
    found.certain().is_some_and(is_elsewhere)
}

/// By the MAC address of the evidence, unless that is a router's: then what counts is the machine behind its address.
fn address_of(view: &View, case: &Case, site: &Site) -> Option<MacAddr> {
    let named = case.mac.filter(|mac| !site.routers.contains(mac));
    let bound = || view.bound(case.ip?);
    named.or_else(bound).or(case.mac)
}

/// A place that is likely enough; or one that is not, because it leads on, which is then said.
fn is_place(best: &Candidate) -> bool {
    best.score >= ENOUGH || !best.leads_on.is_empty() || best.is_root_port
}

async fn ask(house: &House, view: &View, (device, port, if_index): (&str, &str, u32), mac: MacAddr) -> Option<Fresh> {
    let target = Arc::clone(house.setup.load().targets.get(device)?);
    let before = view.tables(device)?;
    let asked = fresh::ask(&*house.around.transport, &target, before, if_index, mac, clock::monotonic() + ASKED_FOR).await;
    asked.inspect_err(|error| tracing::warn!(device, port, "{device} does not say who is on {port}: {error}")).ok()
}

/// What the tables and the switch tell of the port. Who is seen there by either counts.
fn place(best: &Candidate, fresh: Option<&Fresh>, ours: &HashSet<MacAddr>) -> Place {
    let asked = fresh.map(|fresh| (fresh.at, !fresh.here.is_empty()));
    let mut macs: Vec<MacAddr> = best.others.clone();
    macs.extend(fresh.iter().flat_map(|fresh| fresh.macs.iter().copied()));
    macs.sort_unstable();
    macs.dedup();
    let bridge = best.neighbours.iter().find(|neighbour| neighbour.capabilities.leads_on());
    let name = |neighbour: &locate::Neighbour| neighbour.name.as_deref().or(neighbour.chassis.as_deref()).unwrap_or("?").to_owned();
    Place {
        // What the switch has just said is as fresh as can be.
        seen: asked.filter(|(_, is_here)| *is_here).map_or(best.seen, |(at, _)| at),
        asked,
        told_name: fresh.and_then(|fresh| fresh.if_name.as_deref().map(ToOwned::to_owned)),
        kind: match best.kind {
            locate::PortKind::Access | locate::PortKind::Hybrid => PortKind::Access,
            locate::PortKind::Trunk => PortKind::Trunk,
            locate::PortKind::Lag => PortKind::Aggregated,
        },
        is_root_port: best.is_root_port,
        neighbour: bridge.map(|bridge| (name(bridge), what(bridge).to_owned())),
        // Behind a port that leads on sits more than machines of rooms; a port with this machine behind it leads to us.
        is_our_path: macs.iter().any(|mac| ours.contains(mac)) || best.leads_on.iter().any(|why| matches!(why, Why::Behind(_))),
        has_phone: best.neighbours.iter().any(|neighbour| neighbour.capabilities.telephone),
        macs,
        rival: best.reasons.iter().find_map(|reason| match reason {
            Reason::Rival(device, port) => Some(format!("{device} {port}")),
            _ => None,
        }),
    }
}

/// The word for a neighbour that passes traffic of others on.
fn what(neighbour: &locate::Neighbour) -> &'static str {
    let capabilities = &neighbour.capabilities;
    if capabilities.router {
        "router"
    } else if capabilities.access_point {
        "access_point"
    } else {
        "bridge"
    }
}

/// ifAlias: as the switch has just said, else as it was polled.
fn alias(live: Option<&DeviceLive>, if_index: u32, fresh: Option<&Fresh>) -> String {
    if let Some(fresh) = fresh {
        return fresh.if_alias.to_string();
    }
    let port = live.and_then(|live| live.ports.iter().find(|port| port.identity.if_index == IfIndex(if_index)));
    port.map(|port| port.identity.alias.as_str().to_owned()).unwrap_or_default()
}

fn bridge_port(tables: &DeviceTables, if_index: u32) -> Option<u32> {
    tables.layout.ports.get(&if_index)?.bridge_port
}

impl House {
    /// The MAC addresses of this machine, and of all interfaces of all devices as polls tell them.
    fn infrastructure(&self) -> HashSet<MacAddr> {
        let located = &self.around.located;
        let fleet = located.around.live.devices();
        let polled = fleet.iter().flat_map(|cell| cell.load().ports.iter().filter_map(|port| port.identity.mac).collect::<Vec<_>>());
        located.ourselves.macs.iter().copied().chain(polled).collect()
    }
}
