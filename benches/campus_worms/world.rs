//! What passes on the mirrored ports: frames in the order of time, by the paths they really take. Inside a network from
//! machine to machine; between networks by the router, whose MAC address the second copy carries; to nobody as nothing but
//! ARP requests, of the machine itself or of the router.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use super::chance::{Chance, mix};
use super::frame::{self, BROADCAST, Load, Mac};
use super::town::{Role, Town};
use super::truth::Truth;
use super::{Plan, Sight};

/// Something that acts again and again. Gets the time in seconds, says when it acts next.
pub(crate) trait Actor {
    fn step(&mut self, world: &mut World, t: f64) -> Option<f64>;
}

enum What {
    Frame(Vec<u8>, u32),
    Wake(usize),
}

struct Event {
    at: u64,
    number: u64,
    what: What,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Open,
    Refused,
    Silent,
    /// ICMP destination unreachable with this code (of IPv4).
    Unreachable(u8),
}

/// The whole.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) town: Town,
    pub(crate) truth: Truth,
    pub(crate) chance: Chance,
    /// When nothing comes from outside.
    pub(crate) outage: (f64, f64),
    events: BinaryHeap<Reverse<Event>>,
    /// Nanoseconds from the start up to the event in hand; nothing happens before.
    now: u64,
    number: u64,
    actors: Vec<Option<Box<dyn Actor>>>,
    /// Who knows whose MAC address until when; the router is `u32::MAX`.
    neighbours: HashMap<(u32, Ipv4Addr), f64>,
    /// Round trip to outside in seconds, of this campus.
    far: f64,
}

/// 2026-11-02 08:00 in China.
const START: u64 = 1_793_577_600;
const ROUTER: u32 = u32::MAX;

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let mut chance = Chance::new(plan.seed, 2);
        let far = chance.between(0.02, 0.08);
        Self {
            town: Town::new(&plan),
            truth: Truth::default(),
            chance,
            outage: (f64::MAX, f64::MAX),
            events: BinaryHeap::new(),
            now: 0,
            number: 0,
            actors: Vec::new(),
            neighbours: HashMap::new(),
            far,
            plan,
        }
    }

    /// Adds an actor that acts first at `t`.
    pub(crate) fn enter(&mut self, t: f64, actor: impl Actor + 'static) {
        self.actors.push(Some(Box::new(actor)));
        self.push(t, What::Wake(self.actors.len() - 1));
    }

    /// The next frame: nanoseconds since the epoch, length on the wire, octets.
    pub(crate) fn next_frame(&mut self) -> Option<(u64, u32, Vec<u8>)> {
        while let Some(Reverse(event)) = self.events.pop() {
            if event.at >= u64::from(self.plan.seconds) * 1_000_000_000 {
                return None;
            }
            self.now = event.at;
            match event.what {
                What::Frame(octets, wire) => return Some((START * 1_000_000_000 + event.at, wire, octets)),
                What::Wake(number) => self.wake(number, event.at as f64 / 1e9),
            }
        }
        None
    }

    fn wake(&mut self, number: usize, t: f64) {
        let Some(mut actor) = self.actors[number].take() else { return };
        if let Some(next) = actor.step(self, t) {
            self.actors[number] = Some(actor);
            self.push(next.max(t + 1e-6), What::Wake(number));
        }
    }

    fn push(&mut self, t: f64, what: What) {
        self.number += 1;
        self.events.push(Reverse(Event { at: ((t * 1e9) as u64).max(self.now), number: self.number, what }));
    }

    /// A frame as it is, seen on the mirror port.
    #[expect(clippy::too_many_arguments, reason = "the fields of one frame, in the order of the wire")]
    pub(crate) fn raw(&mut self, t: f64, subnet: Option<usize>, src: Mac, dst: Mac, kind: u16, body: &[u8], unseen: u16) {
        let vlan = match subnet {
            _ if !self.plan.tags => None,
            Some(subnet) => Some(self.town.subnets[subnet].vlan),
            None => Some(4000),
        };
        if self.plan.sight == Sight::Inner && dst[0] & 1 == 0 && subnet.is_some() {
            let routed = self.town.routers.contains(&src) || self.town.routers.contains(&dst);
            if !routed {
                return;
            }
        }
        if self.plan.sight == Sight::OneWay && dst[0] & 1 == 0 && self.town.routers.contains(&src) {
            return;
        }
        let octets = frame::ethernet(src, dst, vlan, kind, body);
        let wire = octets.len() as u32 + u32::from(unseen);
        self.push(t, What::Frame(octets, wire));
    }

    /// An IP packet by its whole path, when somebody is there to take it.
    pub(crate) fn send(&mut self, t: f64, src: IpAddr, dst: IpAddr, load: &Load) {
        let mac = self.town.host_of(src).map(|host| (self.town.hosts[host].mac, self.town.hosts[host].subnet));
        self.send_as(t, mac, src, dst, load);
    }

    /// The same with whatever source address; `origin` is the machine that sends, with its network, or outside.
    pub(crate) fn send_as(&mut self, t: f64, origin: Option<(Mac, usize)>, src: IpAddr, dst: IpAddr, load: &Load) {
        let kind = if src.is_ipv4() { 0x0800 } else { 0x86dd };
        let Some(body) = frame::packet(src, dst, 64, load) else { return };
        let target = self.town.host_of(dst).map(|host| (self.town.hosts[host].mac, self.town.hosts[host].subnet));
        let both = self.plan.copies;
        let (ours, provider) = self.town.uplink;
        match (origin, target) {
            (Some((mac, from)), Some((to_mac, to))) if from == to => self.raw(t, Some(from), mac, to_mac, kind, &body, load.unseen),
            (Some((mac, from)), target) => {
                let gateway = self.town.subnets[from].gateway_mac;
                self.raw(t, Some(from), mac, gateway, kind, &body, load.unseen);
                match target {
                    Some((to_mac, to)) if both => {
                        let router = self.town.subnets[to].router_mac;
                        self.raw(t + 3e-5, Some(to), router, to_mac, kind, &body, load.unseen);
                    }
                    None if both && !self.town.is_local(dst) => self.raw(t + 3e-5, None, ours, provider, kind, &body, load.unseen),
                    _ => {}
                }
            }
            (None, Some((to_mac, to))) => {
                if both {
                    self.raw(t, None, provider, ours, kind, &body, load.unseen);
                }
                let router = self.town.subnets[to].router_mac;
                self.raw(t + 3e-5, Some(to), router, to_mac, kind, &body, load.unseen);
            }
            (None, None) => {
                if both {
                    self.raw(t, None, provider, ours, kind, &body, load.unseen);
                }
            }
        }
    }

    /// To everybody of a network (or a group there).
    pub(crate) fn spread(&mut self, t: f64, host: usize, dst: IpAddr, load: &Load) {
        let host = &self.town.hosts[host];
        let (mac, subnet, src) = match dst {
            IpAddr::V4(_) => (host.mac, host.subnet, IpAddr::V4(host.ip)),
            IpAddr::V6(_) => (host.mac, host.subnet, self.link_local(host.mac)),
        };
        let to = match dst {
            IpAddr::V4(ip) if ip.is_multicast() => {
                let [_, b, c, d] = ip.octets();
                [1, 0, 0x5e, b & 0x7f, c, d]
            }
            IpAddr::V4(_) => BROADCAST,
            IpAddr::V6(ip) => {
                let octets = ip.octets();
                [0x33, 0x33, octets[12], octets[13], octets[14], octets[15]]
            }
        };
        if let Some(body) = frame::packet(src, dst, 1, load) {
            self.raw(t, Some(subnet), mac, to, if dst.is_ipv4() { 0x0800 } else { 0x86dd }, &body, load.unseen);
        }
    }

    pub(crate) fn link_local(&self, mac: Mac) -> IpAddr {
        let [a, b, c, d, e, f] = mac.map(u16::from);
        IpAddr::V6(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, (a ^ 2) << 8 | b, c << 8 | 0xff, 0xfe00 | d, e << 8 | f))
    }

    /// One ARP request to everybody.
    pub(crate) fn ask(&mut self, t: f64, subnet: usize, mac: Mac, ip: Ipv4Addr, target: Ipv4Addr) {
        let body = frame::arp(1, mac, ip, [0; 6], target);
        self.raw(t, Some(subnet), mac, BROADCAST, 0x0806, &body, 0);
    }

    fn reply(&mut self, t: f64, subnet: usize, (mac, ip): (Mac, Ipv4Addr), (to_mac, to): (Mac, Ipv4Addr)) {
        let body = frame::arp(2, mac, ip, to_mac, to);
        self.raw(t, Some(subnet), mac, to_mac, 0x0806, &body, 0);
    }

    /// Finds the MAC address of a neighbour as systems do: three requests when nobody answers. The time when it is known.
    pub(crate) fn resolve(&mut self, t: f64, host: usize, target: Ipv4Addr) -> Option<f64> {
        let me = &self.town.hosts[host];
        let (subnet, mac, ip) = (me.subnet, me.mac, me.ip);
        if self.neighbours.get(&(host as u32, target)).is_some_and(|until| *until > t) {
            return Some(t);
        }
        let network = &self.town.subnets[subnet];
        let owner = if network.gateway == target {
            Some(network.gateway_mac)
        } else {
            self.town.host_of(IpAddr::V4(target)).filter(|host| self.town.hosts[*host].up).map(|host| self.town.hosts[host].mac)
        };
        self.ask(t, subnet, mac, ip, target);
        let Some(owner) = owner else {
            self.ask(t + 1.0, subnet, mac, ip, target);
            self.ask(t + 2.01, subnet, mac, ip, target);
            return None;
        };
        let delay = self.chance.between(1e-4, 1.5e-3);
        self.reply(t + delay, subnet, (owner, target), (mac, ip));
        let lasts = self.chance.between(60.0, 600.0);
        self.neighbours.insert((host as u32, target), t + lasts);
        Some(t + delay)
    }

    /// The same by the router for what comes from elsewhere.
    pub(crate) fn router_resolves(&mut self, t: f64, subnet: usize, target: Ipv4Addr) -> Option<f64> {
        let network = &self.town.subnets[subnet];
        let (mac, ip) = (network.router_mac, network.gateway);
        let known = self.neighbours.get(&(ROUTER, target)).copied();
        if let Some(host) = self.town.host_of(IpAddr::V4(target)) {
            if self.town.hosts[host].up {
                // A router has known its hosts for hours.
                return Some(t);
            }
            if known.is_none_or(|until| until > t) && self.plan.seed.is_multiple_of(2) {
                return Some(t);
            }
        }
        if known.is_some_and(|until| until > t) {
            return None;
        }
        for again in 0..3 {
            self.ask(t + f64::from(again) * 1.02, subnet, mac, ip, target);
        }
        self.neighbours.insert((ROUTER, target), t + 8.0);
        None
    }

    /// Whether packets reach the machine at `dst` from `host`; when they may leave. Emits the ARP that this takes.
    pub(crate) fn reach(&mut self, t: f64, host: usize, dst: IpAddr) -> Option<(f64, bool)> {
        let IpAddr::V4(target) = dst else { return Some((t, true)) };
        let subnet = self.town.hosts[host].subnet;
        match self.town.subnet_of(dst) {
            Some(to) if to == subnet => self.resolve(t, host, target).map(|t| (t, true)),
            Some(to) => {
                let gateway = self.town.subnets[subnet].gateway;
                let t = self.resolve(t, host, gateway)?;
                let there = self.router_resolves(t, to, target).is_some();
                Some((t, there))
            }
            None => {
                let gateway = self.town.subnets[subnet].gateway;
                let t = self.resolve(t, host, gateway)?;
                Some((t, !self.town.is_local(dst)))
            }
        }
    }

    /// What a local machine says at this port; `None` when nobody lives there.
    pub(crate) fn local_answer(&self, dst: IpAddr, port: u16) -> Option<Answer> {
        let host = &self.town.hosts[self.town.host_of(dst)?];
        Some(match () {
            () if !host.up => Answer::Silent,
            () if host.opens.contains(&port) => Answer::Open,
            () if host.silent => Answer::Silent,
            () => Answer::Refused,
        })
    }

    /// What any address outside says at this port: mostly nothing.
    pub(crate) fn far_answer(&self, dst: IpAddr, port: u16) -> Answer {
        let bits = match dst {
            IpAddr::V4(ip) => u64::from(u32::from(ip)),
            IpAddr::V6(ip) => u128::from(ip) as u64,
        };
        let lives = mix(bits ^ self.plan.seed << 32);
        let share = |bits: u64| (bits >> 11) as f64 / (1_u64 << 53) as f64;
        if share(lives) > 0.12 {
            return match share(mix(lives ^ 1)) {
                x if x < 0.02 => Answer::Unreachable(1),
                x if x < 0.03 => Answer::Unreachable(0),
                x if x < 0.04 => Answer::Unreachable(13),
                _ => Answer::Silent,
            };
        }
        let open = match port {
            80 | 443 => 0.3,
            22 => 0.12,
            23 | 2323 => 0.05,
            445 | 3389 => 0.03,
            _ => 0.02,
        };
        match share(mix(lives ^ u64::from(port) << 20)) {
            x if x < open => Answer::Open,
            x if x < open + 0.3 => Answer::Refused,
            _ => Answer::Silent,
        }
    }

    pub(crate) fn is_out(&self, t: f64) -> bool {
        t >= self.outage.0 && t < self.outage.1
    }

    /// The time to there and back.
    pub(crate) fn trip(&mut self, dst: IpAddr) -> f64 {
        if self.town.is_local(dst) { self.chance.between(2e-4, 2e-3) } else { self.far * self.chance.heavy(0.4, 1.6, 12.0) }
    }

    pub(crate) fn port(&mut self, host: usize) -> u16 {
        let me = &mut self.town.hosts[host];
        me.port = if me.port >= 60_990 { 32_768 } else { me.port + 1 };
        me.port
    }

    pub(crate) fn gone(&self, host: usize) -> bool {
        !self.town.hosts[host].up
    }

    pub(crate) fn address(&self, host: usize) -> IpAddr {
        IpAddr::V4(self.town.hosts[host].ip)
    }

    pub(crate) fn resolver(&self, nth: usize) -> IpAddr {
        self.address(self.town.one_of(Role::Resolver, nth))
    }
}
