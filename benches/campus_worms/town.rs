//! The campus: its networks, its machines, what they listen on, and the facts that a site file may tell of it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Plan;
use super::chance::Chance;
use super::frame::Mac;

/// What a machine is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Desk,
    Server,
    Mail,
    Resolver,
    Dhcp,
    Proxy,
    /// Pushes updates to everybody.
    Push,
    Backup,
    Monitor,
    Printer,
    Phone,
    Camera,
    /// Many people behind one address.
    Nat,
}

/// A /24 with its gateway.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    pub(crate) vlan: u16,
    pub(crate) base: [u8; 3],
    pub(crate) gateway: Ipv4Addr,
    /// The MAC address that answers for the gateway: virtual when two routers share it.
    pub(crate) gateway_mac: Mac,
    /// The MAC address that frames from the router carry.
    pub(crate) router_mac: Mac,
}

impl Subnet {
    pub(crate) fn address(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.base;
        Ipv4Addr::new(a, b, c, last)
    }

    pub(crate) fn six(&self, low: u16) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0x77, self.vlan, 0, 0, 0, low)
    }
}

/// A machine.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) ip: Ipv4Addr,
    pub(crate) six: Option<Ipv6Addr>,
    pub(crate) mac: Mac,
    pub(crate) subnet: usize,
    pub(crate) role: Role,
    /// Answers what it does not listen on with silence.
    pub(crate) silent: bool,
    pub(crate) opens: &'static [u16],
    pub(crate) up: bool,
    /// Port base for its next connection.
    pub(crate) port: u16,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) hosts: Vec<Host>,
    by_address: HashMap<IpAddr, usize>,
    /// First two octets of every local address.
    pub(crate) prefix: [u8; 2],
    /// MAC addresses of the uplink: ours and the provider's.
    pub(crate) uplink: (Mac, Mac),
    pub(crate) routers: Vec<Mac>,
}

const WINDOWS: &[u16] = &[135, 139, 445, 5040];
const LOCKED: &[u16] = &[];
const REMOTE: &[u16] = &[135, 139, 445, 3389, 7680];
const UNIX: &[u16] = &[22];
const SERVER: &[u16] = &[22, 80, 443, 445, 135, 139, 88, 389, 8080, 3389, 21, 3306];
const PRINTER: &[u16] = &[9100, 631, 515, 80];
const CAMERA: &[u16] = &[80, 554, 23];
const INFRA: &[u16] = &[22, 25, 53, 80, 443, 445, 465, 587, 993, 3128, 10_000];

impl Town {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut chance = Chance::new(plan.seed, 1);
        // Public addresses on some campuses (documentation ranges have no /16, so this one stands for them).
        let prefix = if plan.public { [59, 64 + chance.below(60) as u8] } else { [10, chance.among(1, 250) as u8] };
        let shared = chance.chance(0.5);
        let one_router = chance.chance(0.5);
        let count = plan.hosts.div_ceil(170).max(2) + 1;
        let start = chance.below(100) as u8;
        let body: [u8; 3] = [0x00, 0x1e, 0x49];
        let mut routers = Vec::new();
        let subnets = (0..count)
            .map(|number| {
                let base = [prefix[0], prefix[1], start + number as u8 * 2];
                let router_mac =
                    if one_router { [body[0], body[1], body[2], 0, 0, 1] } else { [body[0], body[1], body[2], 0, 1, number as u8] };
                let virtual_mac = [0, 0, 0x0c, 0x07, 0xac, number as u8];
                let last = if chance.chance(0.5) { 1 } else { 254 };
                let gateway = Ipv4Addr::new(base[0], base[1], base[2], last);
                routers.push(router_mac);
                if shared {
                    routers.push(virtual_mac);
                }
                Subnet {
                    vlan: 100 + number as u16 * 4,
                    base,
                    gateway,
                    gateway_mac: if shared { virtual_mac } else { router_mac },
                    router_mac,
                }
            })
            .collect();
        let uplink = ([body[0], body[1], body[2], 0, 9, 9], [0x00, 0x25, 0x9e, 1, 2, 3]);
        routers.extend([uplink.0, uplink.1]);
        routers.sort_unstable();
        routers.dedup();
        let mut town = Self { subnets, hosts: Vec::new(), by_address: HashMap::new(), prefix, uplink, routers };
        town.populate(plan, &mut chance);
        town
    }

    fn populate(&mut self, plan: &Plan, chance: &mut Chance) {
        use Role::{Backup, Camera, Desk, Dhcp, Mail, Monitor, Nat, Phone, Printer, Proxy, Push, Resolver, Server};
        // The first network is the servers'.
        let mut fixed = vec![Resolver, Resolver, Dhcp, Mail, Mail, Proxy, Push, Backup, Monitor];
        fixed.resize(fixed.len() + (plan.hosts / 50).clamp(6, 60), Server);
        for (number, role) in fixed.into_iter().enumerate() {
            self.add(0, 10 + number as u8, role, chance);
        }
        let networks = self.subnets.len() - 1;
        let each = plan.hosts.saturating_sub(self.hosts.len()) / networks;
        for subnet in 1..=networks {
            let mut free: Vec<u8> = (2..=253).collect();
            for number in 0..each.min(free.len()) {
                let last = free.swap_remove(chance.below(free.len() as u64) as usize);
                let role = match number % 50 {
                    0 => Printer,
                    1..=3 => Phone,
                    4 | 5 => Camera,
                    6 if number == 6 && subnet % 5 == 1 => Nat,
                    _ => Desk,
                };
                self.add(subnet, last, role, chance);
            }
        }
    }

    fn add(&mut self, subnet: usize, last: u8, role: Role, chance: &mut Chance) {
        let vendor: [u8; 3] = match role {
            Role::Phone => [0x00, 0x15, 0x65],
            Role::Camera => [0x44, 0x19, 0xb6],
            Role::Printer => [0x3c, 0xd9, 0x2b],
            _ => *chance.pick(&[[0x50, 0x9a, 0x4c], [0x8c, 0xec, 0x4b], [0xf4, 0x39, 0x09], [0xa8, 0x5e, 0x45]]).unwrap_or(&[2, 0, 0]),
        };
        let number = self.hosts.len();
        let opens = match role {
            Role::Desk | Role::Nat => *chance.pick(&[WINDOWS, LOCKED, LOCKED, REMOTE, UNIX]).unwrap_or(&LOCKED),
            Role::Server => SERVER,
            Role::Printer => PRINTER,
            Role::Camera | Role::Phone => CAMERA,
            _ => INFRA,
        };
        let network = &self.subnets[subnet];
        let host = Host {
            ip: network.address(last),
            six: (role == Role::Desk && chance.chance(0.4)).then(|| network.six(0x100 + u16::from(last))),
            mac: [vendor[0], vendor[1], vendor[2], chance.below(256) as u8, (number >> 8) as u8, number as u8],
            subnet,
            role,
            silent: matches!(role, Role::Desk | Role::Nat) && chance.chance(0.6),
            opens,
            up: true,
            port: 32_768 + chance.below(20_000) as u16,
        };
        self.by_address.insert(IpAddr::V4(host.ip), number);
        if let Some(six) = host.six {
            self.by_address.insert(IpAddr::V6(six), number);
        }
        self.hosts.push(host);
    }

    pub(crate) fn host_of(&self, ip: IpAddr) -> Option<usize> {
        self.by_address.get(&ip).copied()
    }

    /// The network of a local address, also of one where nobody lives.
    pub(crate) fn subnet_of(&self, ip: IpAddr) -> Option<usize> {
        match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                self.subnets.iter().position(|subnet| subnet.base == [a, b, c])
            }
            IpAddr::V6(ip) => {
                let segments = ip.segments();
                self.subnets.iter().position(|subnet| segments[..4] == subnet.six(0).segments()[..4])
            }
        }
    }

    pub(crate) fn is_local(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => ip.octets()[..2] == self.prefix,
            IpAddr::V6(ip) => ip.segments()[..3] == [0x2001, 0xdb8, 0x77],
        }
    }

    /// The machines of a role.
    pub(crate) fn of(&self, role: Role) -> Vec<usize> {
        (0..self.hosts.len()).filter(|host| self.hosts[*host].role == role).collect()
    }

    pub(crate) fn one_of(&self, role: Role, nth: usize) -> usize {
        let all = self.of(role);
        all.get(nth % all.len().max(1)).copied().unwrap_or(0)
    }

    /// The site file: everything that a monitor would know.
    pub(crate) fn site(&self) -> serde_json::Value {
        let of = |roles: &[Role]| -> Vec<String> {
            self.hosts.iter().filter(|host| roles.contains(&host.role)).map(|host| host.ip.to_string()).collect()
        };
        let text = |mac: &Mac| netroom::model::MacAddr(*mac).to_string();
        serde_json::json!({
            "local": [format!("{}.{}.0.0/16", self.prefix[0], self.prefix[1]), "2001:db8:77::/48"],
            "router": self.routers.iter().map(text).collect::<Vec<_>>(),
            "gateway": self.subnets.iter().map(|subnet| subnet.gateway.to_string()).collect::<Vec<_>>(),
            "server": of(&[Role::Server, Role::Proxy, Role::Push, Role::Backup]),
            "mail": of(&[Role::Mail]),
            "resolver": of(&[Role::Resolver]),
            "dhcp": of(&[Role::Dhcp]),
            "exempt": of(&[Role::Monitor]),
            "live": self.hosts.iter().map(|host| host.ip.to_string())
                .chain(self.subnets.iter().map(|subnet| subnet.gateway.to_string())).collect::<Vec<_>>(),
        })
    }
}
