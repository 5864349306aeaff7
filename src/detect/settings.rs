//! Every parameter of the rules on contacts, packets and ARP, with the defaults that were measured. Numbers only: what a
//! rule does with them is said where the rule is.

use serde::{Deserialize, Serialize};

/// All of them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How much is remembered.
    pub sizes: Sizes,
    /// What a contact is, and when it has failed.
    pub contact: Contact,
    /// The walk of a machine's TCP contacts (rule 1).
    pub tcp_walk: Walk,
    /// The walk of a machine's UDP contacts: slow worms over UDP (rule 8).
    pub udp_walk: UdpWalk,
    /// What the failures must have in common to be a worm's, not a peer-to-peer program's.
    pub ports: PortTest,
    /// When timeouts are no evidence.
    pub outage: Outage,
    /// Very many TCP contacts at once (rule 2).
    pub fast_tcp: Burst,
    /// Very many UDP contacts at once (rules 2 and 8).
    pub fast_udp: FastUdp,
    /// Very many machines on the ports by which worms enter (rule 3).
    pub lateral: Lateral,
    /// Contacts with addresses where nobody lives (rule 4).
    pub dark: Dark,
    /// Many ports of one machine (rule 5).
    pub port_scan: PortScan,
    /// ARP requests for many addresses (rule 6).
    pub arp: ArpSweep,
    /// Echo requests to many addresses (rule 7).
    pub icmp: IcmpSweep,
    /// Mail straight to many servers (rule 9).
    pub spam: Spam,
    /// Packets without answer at one target (rule 12).
    pub flood: Flood,
    /// Source addresses that are not the sender's (rule 13).
    pub spoof: Spoof,
    /// Frames without end (rule 17).
    pub storm: Storm,
    /// Log-ins one after another (rule 18).
    pub guessing: Guessing,
    /// The rules of the segment: names, leases, addresses (rules 10, 11, 15, 16).
    pub lan: super::lan::Settings,
    /// Far more of the line than is usual.
    pub hog: super::class::HogSettings,
    /// How a judgement grows and ends.
    pub levels: Levels,
}

/// How much is remembered. The defaults come to less than 128 MiB whatever arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sizes {
    /// Pairs of source, destination and class, 16 octets each; rounded up to a power of two.
    pub pairs: u32,
    /// Machines whose contacts are counted, 256 octets each.
    pub hosts: u32,
    /// Contacts whose outcome is awaited, 32 octets each.
    pub pending: u32,
    /// Machines of which destinations are kept as a sample, 256 octets each.
    pub samples: u32,
    /// Judgements that stand at one time.
    pub cases: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { pairs: 4 << 20, hosts: 131_072, pending: 229_376, samples: 16_384, cases: 4096 }
    }
}

impl Sizes {
    /// Small tables, for tests and small sites.
    pub const SMALL: Self = Self { pairs: 65_536, hosts: 4096, pending: 16_384, samples: 1024, cases: 512 };
}

/// What a contact is: the first packet of a (source, destination, class) that was not seen for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contact {
    /// A pair that was quiet for so many seconds is new again.
    pub memory_s: u32,
    /// A TCP contact without answer has failed after so many milliseconds.
    pub tcp_ms: u32,
    /// The same for UDP.
    pub udp_ms: u32,
    /// The same for echo requests.
    pub icmp_ms: u32,
    /// The same for ARP requests.
    pub arp_ms: u32,
    /// So many contacts of several machines without any answer at all: the mirror shows one direction only, failures say nothing.
    pub one_way: u32,
}

impl Default for Contact {
    fn default() -> Self {
        Self { memory_s: 1800, tcp_ms: 3000, udp_ms: 8000, icmp_ms: 4000, arp_ms: 3000, one_way: 200 }
    }
}

/// A sequential test of outcomes that starts anew at 1 (CUSUM): a failure multiplies by (1 - worm) / (1 - benign), a success
/// by worm / benign.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Walk {
    /// The share of contacts that succeed for a usual machine.
    pub benign: f32,
    /// The same for a scanning one.
    pub worm: f32,
    /// At this product it is told: 2000 with .75 and .15 are seven failures in a row.
    pub bound: f32,
}

impl Walk {
    /// The factor of a failure.
    pub fn failure(&self) -> f32 {
        (1.0 - self.worm) / (1.0 - self.benign)
    }

    /// The factor of a success.
    pub fn success(&self) -> f32 {
        self.worm / self.benign
    }
}

impl Default for Walk {
    fn default() -> Self {
        Self { benign: 0.75, worm: 0.15, bound: 2000.0 }
    }
}

/// The walk of UDP contacts, where much goes unanswered without harm.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UdpWalk {
    /// The test.
    pub walk: Walk,
    /// So many failures on the port that leads, at least.
    pub failures: u8,
}

impl Default for UdpWalk {
    fn default() -> Self {
        Self { walk: Walk { benign: 0.6, worm: 0.15, bound: 50_000.0 }, failures: 20 }
    }
}

/// A worm wants one service of everybody; a peer-to-peer program finds dead peers on any port.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortTest {
    /// The port with most failures must have so many times more failures than successes.
    pub lead: f32,
    /// And this share of all failures.
    pub share: f32,
    /// Or the ports of known services together have this share.
    pub service_share: f32,
    /// Ports of known services.
    pub services: Vec<u16>,
    /// Ports on which programs look for their like in the LAN and find nobody: failures there are no evidence.
    pub lan_peers: Vec<u16>,
    /// Ports that are peer-to-peer programs' own: failures there never make a worm.
    pub peers: Vec<u16>,
    /// Failed contacts with so many machines on so many different ports carry the label `p2p`.
    pub peer_machines: u8,
    /// See `peer_machines`.
    pub peer_ports: u8,
}

impl Default for PortTest {
    fn default() -> Self {
        Self {
            lead: 2.0,
            share: 0.5,
            service_share: 0.7,
            services: vec![
                21, 22, 23, 25, 80, 81, 88, 110, 111, 135, 139, 143, 389, 443, 445, 465, 512, 513, 514, 587, 631, 873, 993, 995, 1080,
                1433, 1521, 2049, 2323, 2375, 3128, 3306, 3389, 5060, 5432, 5555, 5900, 5985, 6379, 7547, 8000, 8080, 8081, 8443, 8888,
                9200, 11211, 27017, 37215, 52869,
            ],
            lan_peers: vec![5353, 5355, 5357, 1900, 3702, 7680, 8008, 8009, 8612, 9956, 17500, 21027, 22000, 27036, 54915, 57621],
            peers: vec![4661, 4662, 4665, 4672, 6346, 6347, 6348, 6349, 6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889, 51413],
            peer_machines: 8,
            peer_ports: 5,
        }
    }
}

/// When very many fail at once, it is the network that fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outage {
    /// So many other machines must mostly fail in the region, and outnumber those that do not.
    pub machines: u8,
    /// Within so many seconds.
    pub window_s: u32,
}

impl Default for Outage {
    fn default() -> Self {
        Self { machines: 4, window_s: 20 }
    }
}

/// Contacts in a short window, by their answers.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Burst {
    /// More new contacts than this.
    pub contacts: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// Of which less than this share was answered.
    pub answered: f32,
}

impl Default for Burst {
    fn default() -> Self {
        Self { contacts: 100, window_s: 10, answered: 0.5 }
    }
}

/// The burst of a UDP worm.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FastUdp {
    /// The burst.
    pub burst: Burst,
    /// When some were answered, it is judged after so many milliseconds, so that answers can arrive.
    pub wait_ms: u32,
    /// Four times as many contacts are a worm's whatever their ports, when less than this share was answered.
    pub anywhere: f32,
}

impl Default for FastUdp {
    fn default() -> Self {
        Self { burst: Burst { contacts: 300, window_s: 10, answered: 0.25 }, wait_ms: 1000, anywhere: 0.05 }
    }
}

/// New machines on ports by which worms enter, answered or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lateral {
    /// TCP ports.
    pub tcp_ports: Vec<u16>,
    /// So many machines on them.
    pub tcp_machines: u16,
    /// UDP ports.
    pub udp_ports: Vec<u16>,
    /// So many machines on them.
    pub udp_machines: u16,
    /// Within so many seconds.
    pub window_s: u32,
}

impl Default for Lateral {
    fn default() -> Self {
        Self {
            tcp_ports: vec![22, 23, 135, 139, 445, 2323, 3389, 5985, 5986],
            tcp_machines: 25,
            udp_ports: vec![69, 111, 161, 389, 623, 1434, 11211],
            udp_machines: 8,
            window_s: 600,
        }
    }
}

/// Contacts with addresses where nobody lives. Needs the list of those who live.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dark {
    /// So many dead addresses.
    pub addresses: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// And the walk of TCP contacts at this power of its bound.
    pub walk: f32,
}

impl Default for Dark {
    fn default() -> Self {
        Self { addresses: 8, window_s: 300, walk: 0.6 }
    }
}

/// Many ports of one machine.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortScan {
    /// So many different ports.
    pub ports: u16,
    /// The same over UDP, where answers are no rule.
    pub udp_ports: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// Of which less than this share was answered.
    pub answered: f32,
    /// Answers have so many milliseconds to arrive, unless that many were refused.
    pub wait_ms: u32,
}

impl Default for PortScan {
    fn default() -> Self {
        Self { ports: 10, udp_ports: 25, window_s: 60, answered: 0.333, wait_ms: 1000 }
    }
}

/// ARP requests for many addresses.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArpSweep {
    /// More addresses than this.
    pub targets: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// Or by outcome: the test.
    pub walk: Walk,
    /// Of so many addresses at least.
    pub least: u16,
    /// Within so many seconds.
    pub walk_s: u32,
    /// By count only, when less than this share of all requests is seen answered: replies are unicast.
    pub replies: f32,
}

impl Default for ArpSweep {
    fn default() -> Self {
        // A network where most addresses live hides a sweep among answers: a third without is far more than a usual machine's.
        Self { targets: 60, window_s: 60, walk: Walk { benign: 0.92, worm: 0.6, bound: 1e9 }, least: 50, walk_s: 600, replies: 0.05 }
    }
}

/// Echo requests to many addresses.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IcmpSweep {
    /// So many addresses.
    pub targets: u16,
    /// Within so many seconds.
    pub window_s: u32,
    /// Of which less than this share was answered, or four times as many addresses.
    pub answered: f32,
}

impl Default for IcmpSweep {
    fn default() -> Self {
        Self { targets: 15, window_s: 60, answered: 0.8 }
    }
}

/// Mail straight to many servers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spam {
    /// Ports of mail.
    pub ports: Vec<u16>,
    /// So many servers.
    pub servers: u16,
    /// Within so many seconds.
    pub window_s: u32,
}

impl Default for Spam {
    fn default() -> Self {
        Self { ports: vec![25, 465, 587], servers: 12, window_s: 600 }
    }
}

/// Packets without answer at one target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flood {
    /// So many TCP openings to one target within the window.
    pub openings: u32,
    /// Or so many packets a second of another class, for three seconds.
    pub packets_per_s: u32,
    /// The window in seconds.
    pub window_s: u32,
    /// Of which less than this share was answered.
    pub answered: f32,
    /// The same for another class than TCP: who sends a stream hears little, but not nothing.
    pub packets_answered: f32,
    /// Up to so many times `openings`, those that are refused count as answered.
    pub refused_times: u32,
    /// TCP ports by which two agree on a stream of packets.
    pub agreed: Vec<u16>,
    /// UDP ports of our own machines to which records are sent that nobody answers: logs, flows, traps, figures.
    pub records: Vec<u16>,
}

impl Default for Flood {
    fn default() -> Self {
        // RTSP, RTMP, SIP, H.323, iperf, and the cameras of the two large makers.
        let agreed = vec![554, 1720, 1935, 5001, 5060, 5061, 5201, 8000, 8554, 34_567, 37_777];
        let records = vec![162, 514, 2055, 4739, 6343, 8125, 9995, 9996, 12_201];
        Self { openings: 100, packets_per_s: 1000, window_s: 10, answered: 0.1, packets_answered: 0.01, refused_times: 10, agreed, records }
    }
}

/// Source addresses of one MAC address that is no router.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spoof {
    /// More addresses than this.
    pub addresses: u16,
    /// Within so many seconds.
    pub window_s: u32,
}

impl Default for Spoof {
    fn default() -> Self {
        Self { addresses: 30, window_s: 10 }
    }
}

/// Frames without end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storm {
    /// More broadcast and multicast frames of one MAC address in a second than this.
    pub frames_per_s: u32,
    /// More equal frames in a second than this: a loop.
    pub equal_per_s: u32,
}

impl Default for Storm {
    fn default() -> Self {
        Self { frames_per_s: 800, equal_per_s: 200 }
    }
}

/// Log-ins one after another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guessing {
    /// Ports where one logs in.
    pub ports: Vec<u16>,
    /// So many connections to one of them on one machine.
    pub connections: u16,
    /// Within so many seconds.
    pub window_s: u32,
}

impl Default for Guessing {
    fn default() -> Self {
        Self { ports: vec![21, 22, 23, 110, 143, 389, 445, 993, 995, 1433, 2323, 3306, 3389, 5432, 5900], connections: 30, window_s: 60 }
    }
}

/// How a judgement grows and ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Levels {
    /// A behaviour that lasts so many seconds after it was first told is reason to cut the machine off (rules 1 to 3).
    pub held_s: u32,
    /// And has gone on by so many contacts.
    pub held_contacts: u32,
    /// It has ended when nothing of the kind was seen for so many seconds.
    pub quiet_s: u32,
    /// At most so many new judgements a minute; what is more is counted.
    pub new_per_minute: u32,
}

impl Default for Levels {
    fn default() -> Self {
        Self { held_s: 10, held_contacts: 7, quiet_s: 600, new_per_minute: 600 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_walk_takes_seven_failures() {
        let walk = Walk::default();
        let (six, seven) = (walk.failure().powi(6), walk.failure().powi(7));
        assert!(six < walk.bound && seven >= walk.bound, "{six} {seven}");
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let settings: Settings = serde_json::from_str(r#"{"icmp": {"targets": 20}, "sizes": {"pairs": 1024}}"#).unwrap();
        assert_eq!((settings.icmp.targets, settings.icmp.window_s, settings.sizes.pairs), (20, 60, 1024));
        assert_eq!(settings.tcp_walk, Walk::default());
        assert!(serde_json::from_str::<Settings>(r#"{"icmp": {"target": 20}}"#).is_err(), "a word that is not ours is told");
    }
}
