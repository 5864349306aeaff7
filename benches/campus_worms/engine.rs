//! Netroom's engine as a [`Judge`], with the facts of a site or with less.

use std::collections::HashSet;
use std::net::IpAddr;

use netroom::capture::packet::Packet;
use netroom::detect::engine::Engine;
use netroom::detect::settings::Settings;
use netroom::detect::{Detection, Site};
use netroom::model::MacAddr;

use super::score::Judge;
use super::town::{Role, Town};

/// How much is known of the site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Knowledge {
    All,
    WithoutRouters,
    WithoutLive,
    /// Not even which addresses are ours.
    Nothing,
}

/// What the engine is told.
pub(crate) fn site(town: &Town, knowledge: Knowledge) -> Site {
    if knowledge == Knowledge::Nothing {
        return Site::default();
    }
    let of = |roles: &[Role]| -> HashSet<IpAddr> {
        town.hosts.iter().filter(|host| roles.contains(&host.role)).map(|host| IpAddr::V4(host.ip)).collect()
    };
    let [a, b] = town.prefix;
    let routers = knowledge != Knowledge::WithoutRouters;
    let live = || {
        let hosts = town.hosts.iter().map(|host| IpAddr::V4(host.ip));
        hosts.chain(town.subnets.iter().map(|subnet| IpAddr::V4(subnet.gateway))).collect()
    };
    Site {
        local: [format!("{a}.{b}.0.0/16"), "2001:db8:77::/48".to_owned()].iter().filter_map(|net| net.parse().ok()).collect(),
        routers: if routers { town.routers.iter().map(|mac| MacAddr(*mac)).collect() } else { HashSet::new() },
        gateways: town.subnets.iter().map(|subnet| (IpAddr::V4(subnet.gateway), None)).collect(),
        servers: of(&[Role::Server, Role::Proxy, Role::Push, Role::Backup]),
        mail: of(&[Role::Mail]),
        resolvers: of(&[Role::Resolver]),
        dhcp: of(&[Role::Dhcp]),
        dhcp_macs: HashSet::new(),
        exempt: of(&[Role::Monitor]),
        exempt_macs: HashSet::new(),
        live: (knowledge != Knowledge::WithoutLive).then(live),
        ..Site::default()
    }
}

/// The engine at work.
pub(crate) struct Netroom(Engine);

impl Netroom {
    pub(crate) fn new(town: &Town, knowledge: Knowledge) -> Self {
        Self(Engine::new(Settings::default(), site(town, knowledge), 1))
    }
}

impl Judge for Netroom {
    fn frame(&mut self, packet: &Packet<'_>) -> Vec<Detection> {
        self.0.packet(packet);
        self.0.take()
    }

    fn end(&mut self) -> Vec<Detection> {
        self.0.finish();
        self.0.take()
    }
}
