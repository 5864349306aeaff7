//! Inner and outer network, which are physically apart: whatever is seen on both sides. Pure.
//!
//! From tables: a MAC address, a serial number or a neighbour on both sides; an inner address in a cache of the outer side, a
//! public one in a cache of the inner side. From packets ([`Border`]): an inner machine that sends to a public address. And this machine
//! itself: it does not start with a foot on either side ([`both_sides`], NET-SEP-01).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::facts::is_virtual;
use super::snmp::{Condition, ZONE_BREACH, evidence, sample};
use super::{Detection, Kind, Level, Machine, Sight};
use crate::capture::packet::{Body, Nanos, Packet};
use crate::config::zones::ZoneSettings;
use crate::flow::record::Record;
use crate::locate::class::Infrastructure;
use crate::locate::table::DeviceTables;
use crate::model::{Fact, MacAddr, Severity, Subject, Zone};

/// Tables are read every few minutes: what is seen in them is over when it was not for so long.
const QUIET: Duration = Duration::from_secs(20 * 60);
/// At most so many breaches of one sort are told: a cable between the two sides shows every machine on both.
const MOST: usize = 20;

/// A machine with addresses on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BothSides {
    /// Interfaces with their addresses, the inner ones first.
    pub addresses: Vec<(String, IpAddr)>,
}

impl fmt::Display for BothSides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.addresses.iter().map(|(interface, address)| format!("{interface} {address}")).collect::<Vec<_>>().join(", ");
        write!(
            f,
            "NET-SEP-01: this machine has addresses in both the inner and the outer network ({list}): refuse to start; \
             unplug one of them, or say why it may with zones.allow_both_zones = \"REASON\""
        )
    }
}

/// Whether a machine with these addresses stands on both sides without being allowed to.
pub fn both_sides(addresses: &[(String, IpAddr)], zones: &ZoneSettings) -> Option<BothSides> {
    let on = |zone: Zone| addresses.iter().filter(move |(_, address)| zones.of(*address) == Some(zone)).cloned();
    let is_both = on(Zone::Inner).next().is_some() && on(Zone::Outer).next().is_some();
    (is_both && zones.allow_both_zones.is_none()).then(|| BothSides { addresses: on(Zone::Inner).chain(on(Zone::Outer)).collect() })
}

/// Whether nobody of an inner network may send there: an address of the internet.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            let is_reserved = first == 0 || first >= 240 || v4.is_documentation() || (first == 198 && second & 0xfe == 18);
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || is_shared || is_reserved)
        }
        IpAddr::V6(v6) => {
            v6.segments().first().is_some_and(|first| first & 0xe000 == 0x2000) && !v6.octets().starts_with(&[0x20, 1, 0x0d, 0xb8])
        }
    }
}

/// Everything in the tables that is on both sides.
pub fn breaches(all: &[Arc<DeviceTables>], zones: &ZoneSettings, infrastructure: &Infrastructure) -> Vec<Condition> {
    let mut found = machines(all, infrastructure);
    found.extend(serials(all));
    found.extend(neighbours(all, infrastructure));
    found.extend(addresses(all, zones));
    found
}

/// MAC addresses behind bridges of both sides.
fn machines(all: &[Arc<DeviceTables>], infrastructure: &Infrastructure) -> Vec<Condition> {
    let sides = |zone: Zone| all.iter().filter(move |tables| tables.zone == zone);
    let mut inner: HashMap<MacAddr, (&DeviceTables, u32)> = HashMap::new();
    for tables in sides(Zone::Inner) {
        for seat in tables.seats.iter().filter(|seat| !is_virtual(seat.mac)) {
            inner.entry(seat.mac).or_insert((tables, seat.if_index));
        }
    }
    if inner.is_empty() {
        return Vec::new();
    }
    let mut both: BTreeMap<MacAddr, Vec<String>> = BTreeMap::new();
    for tables in sides(Zone::Outer) {
        for seat in tables.seats.iter() {
            if let Some((other, if_index)) = inner.get(&seat.mac) {
                let places = both.entry(seat.mac).or_insert_with(|| vec![place(other, *if_index)]);
                places.push(place(tables, seat.if_index));
            }
        }
    }
    let condition = |(mac, places): (MacAddr, Vec<String>)| {
        // Our own device on the other side is told by its name.
        let subject = infrastructure
            .device_of(mac)
            .map_or_else(|| Subject::Machine(mac.to_string().into()), |name| Subject::Device(Arc::clone(name)));
        breach(subject, "mac", mac.to_string(), places)
    };
    both.into_iter().take(MOST).map(condition).collect()
}

/// Serial numbers of parts in devices of both sides: a module or a whole device was carried across.
fn serials(all: &[Arc<DeviceTables>]) -> Vec<Condition> {
    let mut owners: BTreeMap<&Arc<str>, Vec<&DeviceTables>> = BTreeMap::new();
    for tables in all.iter().filter(|tables| tables.zone != Zone::Management) {
        for serial in &tables.identity.serials {
            owners.entry(serial).or_default().push(tables);
        }
    }
    let crossing = owners.into_iter().filter_map(|(serial, devices)| {
        let on = |zone| devices.iter().find(|tables| tables.zone == zone);
        let (inner, outer) = (on(Zone::Inner)?, on(Zone::Outer)?);
        let places = vec![inner.device.to_string(), outer.device.to_string()];
        Some(breach(Subject::Device(Arc::clone(&outer.device)), "serial", serial.to_string(), places))
    });
    crossing.take(MOST).collect()
}

/// Ports at which a device of the other side is heard (LLDP, CDP, spanning tree).
fn neighbours(all: &[Arc<DeviceTables>], infrastructure: &Infrastructure) -> Vec<Condition> {
    let zone_of: HashMap<&Arc<str>, Zone> = all.iter().map(|tables| (&tables.device, tables.zone)).collect();
    let mut found = Vec::new();
    for tables in all {
        for neighbour in tables.neighbours.iter() {
            let Some(device) = infrastructure.neighbour(neighbour) else { continue };
            let Some(&other) = zone_of.get(device) else { continue };
            if matches!((tables.zone, other), (Zone::Inner, Zone::Outer) | (Zone::Outer, Zone::Inner)) {
                let places = vec![place(tables, neighbour.if_index), device.to_string()];
                let subject = Subject::Port(Arc::clone(&tables.device), tables.port(neighbour.if_index));
                found.push(breach(subject, "neighbour", device.to_string(), places));
            }
        }
    }
    found.truncate(MOST);
    found
}

/// Addresses in caches of the wrong side.
fn addresses(all: &[Arc<DeviceTables>], zones: &ZoneSettings) -> Vec<Condition> {
    let mut found: BTreeMap<IpAddr, (&'static str, Vec<String>)> = BTreeMap::new();
    for tables in all {
        for binding in tables.bindings.iter().filter(|binding| binding.mac.is_some()) {
            let side = zones.of(binding.address);
            let sort = match (tables.zone, side) {
                (Zone::Outer, Some(Zone::Inner)) => "inner-address",
                (Zone::Inner, Some(Zone::Outer)) => "outer-address",
                (Zone::Inner, None) if is_public(binding.address) => "public-address",
                _ => continue,
            };
            found.entry(binding.address).or_insert_with(|| (sort, Vec::new())).1.push(place(tables, binding.if_index));
        }
    }
    let condition = |(address, (sort, places)): (IpAddr, (&'static str, Vec<String>))| {
        breach(Subject::Machine(address.to_string().into()), sort, address.to_string(), places)
    };
    found.into_iter().take(MOST).map(condition).collect()
}

fn place(tables: &DeviceTables, if_index: u32) -> String {
    if if_index == 0 { tables.device.to_string() } else { format!("{} {}", tables.device, tables.port(if_index)) }
}

fn breach(subject: Subject, sort: &str, what: String, places: Vec<String>) -> Condition {
    let facts = [("sort", Fact::Text(sort.to_owned())), ("claimed", Fact::Text(what)), ("sample", Fact::Text(sample(places)))];
    Condition { rule: ZONE_BREACH, subject, severity: Severity::Critical, evidence: evidence(facts), quiet: QUIET }
}

/// Inner machines that are remembered for having sent out at most; beyond it nobody new is told until one is forgotten.
const REMEMBERED: usize = 4_096;
/// An inner machine that goes on sending is told again, with its counts, so often.
const AGAIN: Duration = Duration::from_secs(60);
/// One that has not sent out for so long is forgotten: what it sends then is new.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The watch over packets that leave the inner side: each is a breach, whatever becomes of it.
#[derive(Debug, Default)]
pub struct Border {
    senders: HashMap<IpAddr, Sender>,
}

/// Something that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Nanos,
    src: IpAddr,
    dst: IpAddr,
    packets: u64,
    machine: Machine,
}

#[derive(Debug)]
struct Sender {
    first: Nanos,
    last: Nanos,
    told: Nanos,
    packets: u64,
    targets: Vec<IpAddr>,
}

impl Border {
    /// Looks at a packet. Facts: `sort` (`public-address`), `claimed` (the address sent to), `count`, `sample`.
    pub fn packet(&mut self, packet: &Packet<'_>, sight: &Sight, out: &mut Vec<Detection>) {
        let Body::Ip(ip) = &packet.body else { return };
        if sight.site().inner.is_empty() {
            return;
        }
        let mac = packet.src_mac.filter(|mac| !sight.is_router(*mac));
        let machine = Machine { ip: Some(ip.src), mac, vlan: packet.vlan };
        self.sent(Sent { at: packet.at, src: ip.src, dst: ip.dst, packets: 1, machine }, sight, out);
    }

    /// Looks at a flow.
    pub fn flow(&mut self, record: &Record, sight: &Sight, out: &mut Vec<Detection>) {
        let machine = Machine { ip: Some(record.src), mac: None, vlan: record.vlan };
        let (at, packets) = (Nanos::from(record.last), record.packets.max(1));
        self.sent(Sent { at, src: record.src, dst: record.dst, packets, machine }, sight, out);
    }

    fn sent(&mut self, sent: Sent, sight: &Sight, out: &mut Vec<Detection>) {
        let inner = &sight.site().inner;
        let src = sent.src.to_canonical();
        if !is_public(sent.dst) || !inner.iter().any(|network| network.contains(&src)) {
            return;
        }
        if !self.senders.contains_key(&src) && self.senders.len() >= REMEMBERED {
            self.senders.retain(|_, sender| sent.at.since(sender.last) < FORGOTTEN.as_nanos() as u64);
            if self.senders.len() >= REMEMBERED {
                return;
            }
        }
        let fresh = || Sender { first: sent.at, last: sent.at, told: Nanos::default(), packets: 0, targets: Vec::new() };
        let sender = self.senders.entry(src).or_insert_with(fresh);
        if sent.at.since(sender.last) >= FORGOTTEN.as_nanos() as u64 {
            *sender = fresh();
        }
        (sender.last, sender.packets) = (sent.at, sender.packets + sent.packets);
        if sender.targets.len() < 9 && !sender.targets.contains(&sent.dst) {
            sender.targets.push(sent.dst);
        }
        if sender.packets > sent.packets && sent.at.since(sender.told) < AGAIN.as_nanos() as u64 {
            return;
        }
        sender.told = sent.at;
        let facts = [
            ("sort", Fact::Text("public-address".to_owned())),
            ("claimed", Fact::Text(sent.dst.to_string())),
            ("count", Fact::Count(sender.packets)),
            ("sample", Fact::Text(sample(sender.targets.iter().map(ToString::to_string)))),
        ];
        out.push(Detection {
            kind: Kind::ZoneBreach,
            level: Level::Virus,
            cleared: false,
            machine: sent.machine,
            first: sender.first,
            last: sender.last,
            contacts: sender.packets,
            evidence: evidence(facts),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::packet::{Ip, Transport};
    use crate::detect::Site;
    use crate::locate::table::{By, Identity};
    use crate::locate::{Binding, Neighbour, Seat};
    use crate::model::Timestamp;

    fn zones() -> ZoneSettings {
        ZoneSettings { inner: vec!["10.1.0.0/16".parse().unwrap()], outer: vec!["172.16.0.0/16".parse().unwrap()], allow_both_zones: None }
    }

    fn mac(last: u8) -> MacAddr {
        MacAddr([2, 0, 0, 0, 0, last])
    }

    fn device(name: &str, zone: Zone, seats: &[u8], bindings: &[&str]) -> DeviceTables {
        let at = Timestamp::from_secs(1);
        let seats = seats.iter().map(|&last| Seat { mac: mac(last), vlan: 1, if_index: 3, since: at, seen: at });
        let binding = |address: &&str| Binding { address: address.parse().unwrap(), mac: Some(mac(99)), if_index: 1, since: at, seen: at };
        let ports = HashMap::from([(1, Arc::from("Vlan1")), (3, Arc::from("Gi0/3"))]);
        DeviceTables {
            seats: seats.collect(),
            bindings: bindings.iter().map(binding).collect(),
            ports: Arc::new(ports),
            ..DeviceTables::empty(name.into(), zone)
        }
    }

    fn told(all: Vec<DeviceTables>) -> Vec<(String, Option<Fact>, Option<Fact>)> {
        let all: Vec<_> = all.into_iter().map(Arc::new).collect();
        let found = breaches(&all, &zones(), &Infrastructure::new(&all, &|_| None));
        let facts = |condition: &Condition| {
            (condition.subject.to_string(), condition.evidence.get("sort").cloned(), condition.evidence.get("sample").cloned())
        };
        found.iter().map(facts).collect()
    }

    fn text(text: &str) -> Option<Fact> {
        Some(Fact::Text(text.to_owned()))
    }

    #[test]
    fn a_machine_on_both_sides_is_told_with_both_places() {
        let sides = |one, other| told(vec![device("in", one, &[1, 2], &[]), device("out", other, &[2, 3], &[])]);
        assert_eq!(sides(Zone::Inner, Zone::Outer), [("machine:02:00:00:00:00:02".to_owned(), text("mac"), text("in Gi0/3, out Gi0/3"))]);
        assert_eq!(sides(Zone::Inner, Zone::Management), []);
        assert_eq!(sides(Zone::Outer, Zone::Outer), []);
    }

    #[test]
    fn a_cable_between_the_sides_does_not_bury_everybody() {
        let many: Vec<u8> = (0..200).collect();
        assert_eq!(told(vec![device("in", Zone::Inner, &many, &[]), device("out", Zone::Outer, &many, &[])]).len(), MOST);
    }

    #[test]
    fn serials_and_neighbours_on_both_sides_are_told() {
        let with = |name, zone, neighbours: Vec<Neighbour>| {
            let identity = Identity { serials: vec!["FOC1234X0AB".into()], macs: vec![mac(zone as u8)], ..Identity::default() };
            DeviceTables { identity: Arc::new(identity), neighbours: neighbours.into(), ..device(name, zone, &[], &[]) }
        };
        let heard = Neighbour {
            if_index: 3,
            by: By::Stp,
            chassis: Some(mac(Zone::Inner as u8).to_string().into()),
            name: None,
            port: None,
            capabilities: Default::default(),
        };
        assert_eq!(
            told(vec![with("in", Zone::Inner, vec![]), with("out", Zone::Outer, vec![heard])]),
            [
                ("device:out".to_owned(), text("serial"), text("in, out")),
                ("port:out/Gi0/3".to_owned(), text("neighbour"), text("out Gi0/3, in")),
            ]
        );
    }

    #[test]
    fn addresses_in_caches_of_the_wrong_side_are_told() {
        let inner = device("in", Zone::Inner, &[], &["10.1.0.5", "8.8.8.8", "172.16.0.9", "192.168.1.1"]);
        let outer = device("out", Zone::Outer, &[], &["10.1.0.6", "8.8.4.4", "172.16.0.8"]);
        let sorts: Vec<_> = told(vec![inner, outer]).into_iter().map(|(subject, sort, _)| (subject, sort)).collect();
        assert_eq!(
            sorts,
            [
                ("machine:8.8.8.8".to_owned(), text("public-address")),
                ("machine:10.1.0.6".to_owned(), text("inner-address")),
                ("machine:172.16.0.9".to_owned(), text("outer-address")),
            ]
        );
    }

    #[test]
    fn public_is_what_the_internet_is() {
        for (address, public) in [
            ("8.8.8.8", true),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("169.254.1.1", false),
            ("224.0.0.5", false),
            ("255.255.255.255", false),
            ("2400:3200::1", true),
            ("fd00::1", false),
            ("ff02::1", false),
            ("::ffff:8.8.8.8", true),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn a_machine_on_both_sides_refuses_unless_somebody_says_why() {
        let addresses = |list: &[(&str, &str)]| list.iter().map(|(name, ip)| ((*name).to_owned(), ip.parse().unwrap())).collect::<Vec<_>>();
        let both = addresses(&[("lo", "127.0.0.1"), ("eth1", "172.16.0.9"), ("eth0", "10.1.0.5")]);
        let refused = both_sides(&both, &zones()).unwrap().to_string();
        assert!(
            refused.starts_with(
                "NET-SEP-01: this machine has addresses in both the inner and the outer network (eth0 10.1.0.5, eth1 172.16.0.9): refuse to start"
            ),
            "{refused}"
        );
        assert_eq!(both_sides(&both, &ZoneSettings { allow_both_zones: Some("import".into()), ..zones() }), None);
        assert_eq!(both_sides(&addresses(&[("eth0", "10.1.0.5"), ("eth1", "10.1.0.6")]), &zones()), None);
        assert_eq!(both_sides(&both, &ZoneSettings::default()), None);
    }

    fn sent(second: u64, src: &str, dst: &str) -> Packet<'static> {
        let ip = Ip {
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
            hops: 64,
            extensions: 0,
            later_fragment: false,
            transport: Transport::Other(6),
        };
        let at = Nanos(second * 1_000_000_000);
        Packet { at, wire_octets: 60, src_mac: Some(mac(5)), dst_mac: Some(mac(1)), vlan: None, body: Body::Ip(ip) }
    }

    #[test]
    fn an_inner_machine_that_sends_to_the_internet_is_told_at_once_and_then_each_minute() {
        let site = Site { inner: vec!["10.1.0.0/16".parse().unwrap()], ..Site::default() };
        let (sight, mut border) = (Sight::new(site, 1), Border::default());
        let mut told = |second, src, dst| {
            let mut out = Vec::new();
            border.packet(&sent(second, src, dst), &sight, &mut out);
            out.iter().map(|one: &Detection| (one.machine.ip.unwrap().to_string(), one.contacts)).collect::<Vec<_>>()
        };
        assert_eq!(told(10, "10.1.0.5", "8.8.8.8"), [("10.1.0.5".to_owned(), 1)]);
        assert_eq!(told(11, "10.1.0.5", "8.8.4.4"), []);
        assert_eq!(told(70, "10.1.0.5", "8.8.8.8"), [("10.1.0.5".to_owned(), 3)]);
        assert_eq!(told(71, "10.1.0.5", "10.1.0.9"), [], "inside");
        assert_eq!(told(71, "172.16.0.9", "8.8.8.8"), [], "not ours to judge");
        assert_eq!(told(671, "10.1.0.5", "8.8.8.8"), [("10.1.0.5".to_owned(), 1)], "after a pause it is new");
    }

    #[test]
    fn senders_are_bounded() {
        let site = Site { inner: vec!["10.0.0.0/8".parse().unwrap()], ..Site::default() };
        let (sight, mut border, mut out) = (Sight::new(site, 1), Border::default(), Vec::new());
        for number in 0..10_000_u32 {
            let [_, b, c, d] = number.to_be_bytes();
            border.packet(&sent(10, &format!("10.{b}.{c}.{d}"), "8.8.8.8"), &sight, &mut out);
        }
        assert_eq!(border.senders.len(), REMEMBERED);
    }
}
