//! The facts of the site out of what SNMP and the configuration say. Pure: tables in, [`Site`] out.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::Site;
use super::site::chart;
use crate::config::site::{SiteSettings, Station};
use crate::config::zones::ZoneSettings;
use crate::locate::DeviceTables;
use crate::model::{MacAddr, Timestamp};

/// A neighbour cache that was read whole within this time says who lives.
const FRESH: Duration = Duration::from_secs(3600);

/// With so many who live a network counts as known.
const CHARTED: usize = 3;

/// This machine's own addresses: nothing is told about who asks and pings everybody by profession.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ourselves {
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
    /// MAC addresses.
    pub macs: Vec<MacAddr>,
}

/// Puts the facts together.
pub fn site(settings: &SiteSettings, zones: &ZoneSettings, tables: &[Arc<DeviceTables>], own: &Ourselves, now: Timestamp) -> Site {
    let mut site = Site { local: settings.local.clone(), inner: zones.inner.clone(), ..Site::default() };
    let mut gateways: BTreeMap<IpAddr, Option<MacAddr>> = BTreeMap::new();
    for device in tables {
        routers(device, tables, &mut site, &mut gateways);
    }
    for station in &settings.routers {
        match station {
            Station::Address(address) => drop_in(&mut gateways, *address, mac_of(tables, *address), &mut site),
            Station::Mac(mac) => site.routers.extend([*mac]),
        }
    }
    for gateway in &settings.gateways {
        drop_in(&mut gateways, gateway.address, gateway.mac.or_else(|| mac_of(tables, gateway.address)), &mut site);
    }
    site.gateways = gateways.into_iter().collect();
    for station in &settings.dhcp {
        match station {
            Station::Address(address) => site.dhcp.extend([*address]),
            Station::Mac(mac) => site.dhcp_macs.extend([*mac]),
        }
    }
    site.mail.extend(&settings.mail);
    site.resolvers.extend(&settings.resolvers);
    site.servers.extend([&settings.servers, &settings.printers, &settings.mail, &settings.resolvers].into_iter().flatten());
    site.exempt.extend(&own.addresses);
    site.exempt_macs.extend(&own.macs);
    site.live = live(tables, now);
    site.charted = charted(site.live.iter().flatten());
    // Of no network is enough known: an empty list would mean that of all is.
    site.live = site.live.filter(|_| !site.charted.is_empty());
    site
}

/// What a device says of itself as a router: its own addresses are gateways, and so is whoever it sends all else to. A
/// forwarding switch with one address is none: it forwards for its management only.
fn routers(device: &DeviceTables, all: &[Arc<DeviceTables>], site: &mut Site, gateways: &mut BTreeMap<IpAddr, Option<MacAddr>>) {
    let identity = &device.identity;
    if identity.forwards && identity.addresses.len() > 1 {
        site.routers.extend(&identity.macs);
        for (address, mac) in &identity.addresses {
            drop_in(gateways, *address, *mac, site);
        }
    }
    for hop in &identity.next_hops {
        drop_in(gateways, *hop, mac_of(all, *hop), site);
    }
    // Addresses that routers share (VRRP, HSRP, GLBP) are nobody's interface, but stand in caches.
    for binding in device.bindings.iter() {
        if let Some(mac) = binding.mac.filter(|mac| is_virtual(*mac)) {
            drop_in(gateways, binding.address, Some(mac), site);
        }
    }
}

fn drop_in(gateways: &mut BTreeMap<IpAddr, Option<MacAddr>>, address: IpAddr, mac: Option<MacAddr>, site: &mut Site) {
    let known = gateways.entry(address).or_default();
    // A virtual address counts more than the router's own behind it.
    if known.is_none() || mac.is_some_and(is_virtual) {
        *known = mac.or(*known);
    }
    site.routers.extend(mac);
}

fn mac_of(all: &[Arc<DeviceTables>], address: IpAddr) -> Option<MacAddr> {
    all.iter().filter_map(|device| device.binding_of(address)).max_by_key(|binding| binding.seen)?.mac
}

/// Who lives, when a router's cache was read of late; else nothing is known.
fn live(tables: &[Arc<DeviceTables>], now: Timestamp) -> Option<HashSet<IpAddr>> {
    let tells = |device: &&Arc<DeviceTables>| {
        device.identity.forwards && !device.bindings.is_empty() && device.bindings_whole.is_some_and(|at| now.since(at) <= FRESH)
    };
    let telling: Vec<_> = tables.iter().filter(tells).collect();
    if telling.is_empty() {
        return None;
    }
    let bound = telling.iter().flat_map(|device| device.bindings.iter()).filter(|binding| binding.mac.is_some());
    let own = tables.iter().flat_map(|device| device.identity.addresses.iter().map(|(address, _)| *address));
    Some(bound.map(|binding| binding.address).chain(own).collect())
}

/// The networks of which enough is known to say who is dead there.
fn charted<'a>(live: impl Iterator<Item = &'a IpAddr>) -> HashSet<IpNet> {
    let mut counts: BTreeMap<IpNet, usize> = BTreeMap::new();
    for network in live.filter_map(|address| chart(*address)) {
        *counts.entry(network).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count >= CHARTED).map(|(network, _)| network).collect()
}

/// Virtual MAC addresses of VRRP, HSRP (both versions) and GLBP.
pub fn is_virtual(mac: MacAddr) -> bool {
    matches!(
        mac.0,
        [0, 0, 0x5e, 0, 1 | 2, _]
            | [0, 0, 0x0c, 7, 0xac, _]
            | [0, 0, 0x0c, 0x9f, 0xf0..=0xff, _]
            | [0, 5, 0x73, 0xa0..=0xff, ..]
            | [0, 7, 0xb4, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site::Gateway;
    use crate::locate::{Binding, table::Identity};
    use crate::model::Zone;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn mac(last: u8) -> MacAddr {
        MacAddr([2, 0, 0, 0, 0, last])
    }

    fn device(name: &str, identity: Identity, bindings: &[(&str, Option<MacAddr>)]) -> Arc<DeviceTables> {
        let at = Timestamp::from_secs(1_000);
        let binding =
            |(address, mac): &(&str, Option<MacAddr>)| Binding { address: ip(address), mac: *mac, if_index: 1, since: at, seen: at };
        let mut bindings: Vec<_> = bindings.iter().map(binding).collect();
        bindings.sort_by_key(|binding| binding.address);
        let empty = DeviceTables::empty(name.into(), Zone::Outer);
        Arc::new(DeviceTables { identity: Arc::new(identity), bindings: bindings.into(), bindings_whole: Some(at), ..empty })
    }

    fn facts(settings: &SiteSettings, tables: &[Arc<DeviceTables>]) -> Site {
        site(settings, &ZoneSettings::default(), tables, &Ourselves::default(), Timestamp::from_secs(2_000))
    }

    #[test]
    fn routers_and_gateways_come_from_what_devices_say() {
        let core = Identity {
            forwards: true,
            addresses: vec![(ip("10.1.0.1"), Some(mac(1))), (ip("10.2.0.1"), Some(mac(2)))],
            next_hops: vec![ip("10.9.0.1")],
            macs: vec![mac(1), mac(2), mac(3)],
            ..Identity::default()
        };
        let switch =
            Identity { forwards: true, addresses: vec![(ip("10.1.0.2"), Some(mac(7)))], macs: vec![mac(7)], ..Identity::default() };
        let vrrp = MacAddr([0, 0, 0x5e, 0, 1, 0xa]);
        let tables = [
            device("core", core, &[("10.9.0.1", Some(mac(9))), ("10.1.0.254", Some(vrrp)), ("10.1.0.5", Some(mac(5))), ("10.1.0.6", None)]),
            device("sw", switch, &[("10.1.0.77", Some(mac(77)))]),
        ];
        let site = facts(&SiteSettings::default(), &tables);
        assert_eq!(site.routers, [mac(1), mac(2), mac(3), mac(9), vrrp].into(), "a switch with one address is no router");
        assert_eq!(
            site.gateways,
            [
                (ip("10.1.0.1"), Some(mac(1))),
                (ip("10.1.0.254"), Some(vrrp)),
                (ip("10.2.0.1"), Some(mac(2))),
                (ip("10.9.0.1"), Some(mac(9)))
            ]
        );
        assert!(site.is_charted(ip("10.1.0.200")) && !site.is_charted(ip("10.2.0.200")), "of the second network one address is known");
        let live = site.live.unwrap();
        assert!(live.contains(&ip("10.1.0.5")) && live.contains(&ip("10.1.0.2")) && !live.contains(&ip("10.1.0.6")), "{live:?}");
    }

    #[test]
    fn who_lives_is_unknown_without_a_router_that_was_read_of_late() {
        assert_eq!(facts(&SiteSettings::default(), &[]).live, None);
        let switch = device("sw", Identity::default(), &[("10.1.0.5", Some(mac(5)))]);
        assert_eq!(facts(&SiteSettings::default(), &[switch]).live, None);
        let router = Identity { forwards: true, ..Identity::default() };
        let old = DeviceTables {
            bindings_whole: Some(Timestamp::from_secs(-3_000)),
            ..(*device("r", router, &[("10.1.0.5", Some(mac(5)))])).clone()
        };
        assert_eq!(facts(&SiteSettings::default(), &[Arc::new(old)]).live, None);
    }

    #[test]
    fn what_people_say_is_added_and_ourselves_are_never_accused() {
        let settings = SiteSettings {
            gateways: vec![Gateway { address: ip("10.1.0.1"), mac: None }],
            routers: vec![Station::Mac(mac(8))],
            servers: vec![ip("10.1.0.20")],
            printers: vec![ip("10.1.0.30")],
            mail: vec![ip("10.1.0.25")],
            resolvers: vec![ip("10.1.0.53")],
            dhcp: vec![Station::Address(ip("10.1.0.67")), Station::Mac(mac(67))],
            ..SiteSettings::default()
        };
        let own = Ourselves { addresses: vec![ip("10.1.0.99")], macs: vec![mac(99)] };
        let switch = device("sw", Identity::default(), &[("10.1.0.1", Some(mac(1)))]);
        let site = site(&settings, &ZoneSettings::default(), &[switch], &own, Timestamp::from_secs(2_000));
        assert_eq!(site.gateways, [(ip("10.1.0.1"), Some(mac(1)))], "its MAC address out of a cache");
        assert_eq!(site.routers, [mac(1), mac(8)].into());
        assert_eq!(site.servers, [ip("10.1.0.20"), ip("10.1.0.30"), ip("10.1.0.25"), ip("10.1.0.53")].into());
        assert_eq!((site.dhcp, site.dhcp_macs), ([ip("10.1.0.67")].into(), [mac(67)].into()));
        assert_eq!((site.exempt, site.exempt_macs), ([ip("10.1.0.99")].into(), [mac(99)].into()));
    }
}
