//! Which parameters of which rules can be given, and where they stand among the settings of the engine.

use serde::Serialize;

/// What a parameter is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// A count.
    Count,
    /// A duration, whole seconds.
    Seconds,
    /// A share, from 0 to 1.
    Share,
    /// Bits per second.
    BitsPerSecond,
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Parameter {
    /// The rule, by the word of its kind.
    pub rule: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where it stands among the engine's settings.
    pub path: &'static str,
    /// What it is measured in.
    pub measure: Measure,
    /// The least that makes sense.
    pub least: f64,
    /// The most.
    pub most: f64,
}

/// The words of the kinds that the engine judges.
pub(super) const KINDS: [&str; 20] = [
    "tcp-scan",
    "fast-scan",
    "lateral",
    "dark-contact",
    "port-scan",
    "arp-sweep",
    "icmp-sweep",
    "udp-worm",
    "spam",
    "dga",
    "dns-tunnel",
    "flood",
    "hog",
    "spoofed-source",
    "rogue-dhcp",
    "rogue-ra",
    "dhcp-starvation",
    "arp-spoof",
    "storm",
    "password-guessing",
];

const fn count(rule: &'static str, name: &'static str, path: &'static str, least: f64, most: f64) -> Parameter {
    Parameter { rule, name, path, measure: Measure::Count, least, most }
}

const fn window(rule: &'static str, path: &'static str) -> Parameter {
    Parameter { rule, name: "window", path, measure: Measure::Seconds, least: 1.0, most: 3600.0 }
}

const fn share(rule: &'static str, name: &'static str, path: &'static str) -> Parameter {
    Parameter { rule, name, path, measure: Measure::Share, least: 0.0, most: 1.0 }
}

const fn rate(rule: &'static str, name: &'static str, path: &'static str, least: f64, most: f64) -> Parameter {
    Parameter { rule, name, path, measure: Measure::BitsPerSecond, least, most }
}

/// Every parameter that can be given.
pub const PARAMETERS: [Parameter; 44] = [
    count("tcp-scan", "bound", "tcp_walk.bound", 10.0, 1e9),
    share("tcp-scan", "benign", "tcp_walk.benign"),
    share("tcp-scan", "worm", "tcp_walk.worm"),
    count("fast-scan", "contacts", "fast_tcp.contacts", 10.0, 60_000.0),
    window("fast-scan", "fast_tcp.window_s"),
    share("fast-scan", "answered", "fast_tcp.answered"),
    count("udp-worm", "contacts", "fast_udp.burst.contacts", 10.0, 60_000.0),
    window("udp-worm", "fast_udp.burst.window_s"),
    share("udp-worm", "answered", "fast_udp.burst.answered"),
    count("lateral", "tcp-machines", "lateral.tcp_machines", 2.0, 1000.0),
    count("lateral", "udp-machines", "lateral.udp_machines", 2.0, 1000.0),
    window("lateral", "lateral.window_s"),
    count("dark-contact", "addresses", "dark.addresses", 2.0, 1000.0),
    window("dark-contact", "dark.window_s"),
    count("port-scan", "ports", "port_scan.ports", 3.0, 1000.0),
    window("port-scan", "port_scan.window_s"),
    share("port-scan", "answered", "port_scan.answered"),
    count("arp-sweep", "targets", "arp.targets", 5.0, 10_000.0),
    window("arp-sweep", "arp.window_s"),
    count("icmp-sweep", "targets", "icmp.targets", 3.0, 10_000.0),
    window("icmp-sweep", "icmp.window_s"),
    count("spam", "servers", "spam.servers", 2.0, 10_000.0),
    window("spam", "spam.window_s"),
    count("dga", "names", "lan.dga.names", 5.0, 10_000.0),
    window("dga", "lan.dga.window_s"),
    share("dga", "share", "lan.dga.share"),
    count("dns-tunnel", "names", "lan.tunnel.names", 5.0, 10_000.0),
    window("dns-tunnel", "lan.tunnel.window_s"),
    count("dns-tunnel", "octets", "lan.tunnel.octets", 4.0, 200.0),
    count("flood", "openings", "flood.openings", 10.0, 1e6),
    count("flood", "packets-per-second", "flood.packets_per_s", 10.0, 1e7),
    count("spoofed-source", "addresses", "spoof.addresses", 2.0, 10_000.0),
    window("spoofed-source", "spoof.window_s"),
    count("dhcp-starvation", "requests", "lan.starvation.requests", 20.0, 1500.0),
    window("dhcp-starvation", "lan.starvation.window_s"),
    count("arp-spoof", "flips", "lan.claims.flips", 1.0, 1000.0),
    window("arp-spoof", "lan.claims.window_s"),
    count("storm", "frames-per-second", "storm.frames_per_s", 50.0, 1e7),
    count("password-guessing", "connections", "guessing.connections", 3.0, 10_000.0),
    rate("hog", "floor", "hog.floor_bps", 1e5, 1e12),
    rate("hog", "line", "hog.line_bps", 0.0, 1e12),
    share("hog", "share", "hog.share"),
    count("hog", "minutes", "hog.minutes", 1.0, 600.0),
    count("hog", "times-usual", "hog.times_usual", 1.0, 1000.0),
];
