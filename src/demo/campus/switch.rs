//! A switch of the campus: its ports and what hangs on them, when it starts, when it is silent.

use encoding_rs::GB18030;

use super::host::{Class, Host};
use super::plan::{BUILDINGS, Mix, Plan, Quirk, SWITCHES, Style, if_index, port_names};
use crate::demo::chance::hash;
use crate::model::Timestamp;

/// ifType ethernetCsmacd.
const ETHERNET: u32 = 6;
/// ifType propVirtual.
const VIRTUAL: u32 = 53;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// What is behind a port.
#[derive(Clone, Debug)]
pub(super) enum Feed {
    /// Nothing is plugged in.
    Empty,
    /// Shut by an administrator.
    Shut,
    /// The way up: carries what the other ports carry.
    Up,
    /// The switch with this place hangs here: mirrors its way up.
    Down(usize),
    /// A host.
    Host(Box<Host>),
    /// No socket at all: the interface of a VLAN.
    Vlan,
}

/// A port.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) if_index: u32,
    pub(super) name: String,
    pub(super) descr: String,
    /// ifAlias as the device sends it.
    pub(super) alias: Vec<u8>,
    pub(super) if_type: u32,
    pub(super) speed_bps: u64,
    pub(super) feed: Feed,
}

impl Port {
    /// ifOperStatus.
    pub(super) const fn oper(&self, at: Timestamp) -> u8 {
        match &self.feed {
            Feed::Up | Feed::Down(_) | Feed::Vlan => 1,
            Feed::Host(host) if host.is_on(at) => 1,
            Feed::Empty | Feed::Shut | Feed::Host(_) => 2,
        }
    }

    /// When ifOperStatus last changed; `None` when it never did.
    pub(super) fn last_change(&self, at: Timestamp) -> Option<Timestamp> {
        if let Feed::Host(host) = &self.feed { host.last_switched(at) } else { None }
    }

    /// dot3StatsDuplexStatus; `None` for what is no Ethernet.
    pub(super) const fn duplex(&self, at: Timestamp) -> Option<u8> {
        match (&self.feed, self.oper(at)) {
            (Feed::Vlan, _) => None,
            (_, 1) => Some(3),
            _ => Some(1),
        }
    }
}

/// Moments that come again and again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    first: i64,
    every: i64,
}

impl Rhythm {
    /// The last of them at or before this moment.
    fn last(self, at: Timestamp) -> Option<i64> {
        (at.millis() >= self.first).then(|| at.millis() - (at.millis() - self.first).rem_euclid(self.every))
    }
}

/// A switch.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    pub(super) plan: &'static Plan,
    pub(super) ports: Vec<Port>,
    /// When it starts.
    starts: Vec<Rhythm>,
    /// When it stops answering, and for how long (ms).
    silences: Vec<(Rhythm, i64)>,
}

impl Switch {
    /// The switch with this place in the plan. `shown` is when somebody begins to watch: from then on the restarts and
    /// silences come often enough to be seen.
    pub(super) fn new(place: usize, seed: u64, offset_ms: i64, shown: Option<Timestamp>) -> Self {
        let plan = &SWITCHES[place];
        let seed = hash(seed, place as u64 + 1);
        let epoch = super::curve::EPOCH_DAY * 24 * HOUR_MS - offset_ms;
        // Every switch is restarted for its software some time of the year.
        let maintenance = 40 + (hash(seed, 90) % 60) as i64;
        let mut starts = vec![
            Rhythm { first: epoch - 90 * 24 * HOUR_MS, every: i64::MAX / 4 },
            Rhythm { first: epoch + maintenance * 24 * HOUR_MS + 22 * HOUR_MS, every: 233 * 24 * HOUR_MS },
        ];
        let mut silences = Vec::new();
        let shown = shown.map(Timestamp::millis);
        match plan.quirk {
            Quirk::Restarts => {
                starts.push(Rhythm { first: epoch + 5 * HOUR_MS + 17 * MINUTE_MS, every: 61 * HOUR_MS });
                starts.extend(shown.map(|shown| Rhythm { first: shown + 4 * MINUTE_MS, every: 47 * MINUTE_MS }));
            }
            Quirk::Unreachable => {
                silences.push((Rhythm { first: epoch + 3 * HOUR_MS, every: 43 * HOUR_MS }, 35 * MINUTE_MS));
                silences.extend(shown.map(|shown| (Rhythm { first: shown + 7 * MINUTE_MS, every: 38 * MINUTE_MS }, 4 * MINUTE_MS)));
            }
            _ => {}
        }
        // A restart takes 90 seconds.
        silences.extend(starts.iter().skip(1).map(|&start| (Rhythm { first: start.first - 90_000, ..start }, 90_000)));
        Self { plan, ports: ports(place, plan, seed, offset_ms), starts, silences }
    }

    /// When it last started.
    pub(super) fn booted(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(self.starts.iter().filter_map(|rhythm| rhythm.last(at)).max().unwrap_or(at.millis()))
    }

    /// How often it has started since it was bought.
    pub(super) fn boots(&self, at: Timestamp) -> u32 {
        let times = |rhythm: &Rhythm| rhythm.last(at).map_or(0, |last| (last - rhythm.first) / rhythm.every + 1);
        u32::try_from(self.starts.iter().map(times).sum::<i64>()).unwrap_or(u32::MAX)
    }

    /// Whether it answers.
    pub(super) fn answers(&self, at: Timestamp) -> bool {
        !self.silences.iter().any(|(rhythm, length)| rhythm.last(at).is_some_and(|from| at.millis() < from + length))
    }

    /// sysUpTime, hundredths of a second, at an event since the last start; 0 when there was none.
    pub(super) fn ticks(&self, event: Option<Timestamp>, at: Timestamp) -> u32 {
        let since = event.map_or(0, |event| event.since(self.booted(at)).as_millis() / 10);
        // TimeTicks wrap after 497 days.
        (since & u128::from(u32::MAX)) as u32
    }

    /// The place of its way up among its ports.
    pub(super) fn up(&self) -> Option<usize> {
        self.ports.iter().position(|port| matches!(port.feed, Feed::Up))
    }

    /// A text as this device sends it.
    pub(super) fn text(&self, text: &str) -> Vec<u8> {
        encode(self.plan, text)
    }

    /// sysLocation in UTF-8.
    pub(super) fn location(&self) -> String {
        let (chinese, english) = BUILDINGS[self.plan.building];
        let building = if self.plan.place.is_ascii() { english } else { chinese };
        format!("{building} {}", self.plan.place)
    }

    /// ifPhysAddress of a port: locally administered.
    pub(super) fn mac(&self, place: usize, port: usize) -> [u8; 6] {
        [0x02, 0x4e, 0x52, place as u8, 0, port as u8]
    }
}

fn encode(plan: &Plan, text: &str) -> Vec<u8> {
    match plan.quirk {
        Quirk::Gb18030 => GB18030.encode(text).0.into_owned(),
        _ => text.as_bytes().to_vec(),
    }
}

fn ports(place: usize, plan: &'static Plan, seed: u64, offset_ms: i64) -> Vec<Port> {
    let (access, access_mbps) = plan.access;
    let (trunks, trunk_mbps) = plan.trunks;
    let below = SWITCHES.iter().enumerate().filter(|(_, other)| other.parent == Some(place));
    let physical = (1..=access + trunks).map(|number| {
        let is_trunk = number > access;
        let mbps = if is_trunk { trunk_mbps } else { access_mbps };
        let (descr, name) = port_names(plan.style, mbps, number);
        let (feed, alias) = if number == access + trunks {
            (Feed::Up, plan.parent.map_or_else(|| "出口 Internet 防火墙".to_owned(), |parent| format!("上联 {}", SWITCHES[parent].name)))
        } else if is_trunk || plan.mix == Mix::Switches {
            // A switch with 40G ports for its way up hangs on a 40G port, the others on 10G ports.
            match below.clone().filter(|(_, other)| (other.trunks.1 > 10_000) == is_trunk).nth(nth_trunk(number, access) as usize) {
                Some((child, other)) => (Feed::Down(child), format!("下联 {}", other.name)),
                None => (Feed::Empty, String::new()),
            }
        } else {
            access_port(plan, hash(seed, u64::from(number)), hash(seed, 0), number, offset_ms)
        };
        let linked_mbps = if let Feed::Down(child) = feed { mbps.min(SWITCHES[child].trunks.1) } else { mbps };
        let index = if_index(plan.style, mbps, number);
        Port { if_index: index, name, descr, alias: encode(plan, &alias), if_type: ETHERNET, speed_bps: linked_mbps * 1_000_000, feed }
    });
    let mut ports: Vec<Port> = physical.collect();
    let vlan = match plan.style {
        Style::Huawei | Style::H3c => ("Vlanif10", 600),
        Style::Plain => ("VLAN-1", 301),
        _ => ("Vlan10", 20_010),
    };
    ports.push(Port {
        if_index: vlan.1,
        name: vlan.0.to_owned(),
        descr: vlan.0.to_owned(),
        alias: encode(plan, "管理"),
        if_type: VIRTUAL,
        speed_bps: 1_000_000_000,
        feed: Feed::Vlan,
    });
    ports
}

/// The place of a trunk or 10G port among its kind, from 0.
const fn nth_trunk(number: u32, access: u32) -> u32 {
    if number > access { number - access - 1 } else { number - 1 }
}

/// What hangs on an access port, and its ifAlias.
fn access_port(plan: &Plan, seed: u64, flood_seed: u64, number: u32, offset_ms: i64) -> (Feed, String) {
    let room = format!("{}{:02}", plan.place.chars().next().unwrap_or('1'), number);
    let speed = plan.access.1 * 1_000_000;
    let host = |class| Box::new(Host::new(seed, flood_seed, class, speed, offset_ms));
    if plan.name == "acc-a1" && number == 7 {
        let mut bad_cable = host(Class::Office);
        bad_cable.broken_one_in = 700;
        return (Feed::Host(bad_cable), format!("{room} 网线待更换"));
    }
    if plan.name == "acc-b1" && number == 13 {
        return (Feed::Host(host(Class::Chatty)), format!("{room} broadcasts, look here"));
    }
    if plan.name == "srv-1" && number == 9 {
        // Busy by night too, so that discards are to be seen at any hour.
        let mut crowded = host(Class::Server);
        crowded.dropped_one_in = 9_000;
        return (Feed::Host(crowded), "视频会议服务器".to_owned());
    }
    if plan.name == "acc-a3" && number == 5 {
        return (Feed::Host(host(Class::AccessPoint)), "三楼会议室".to_owned());
    }
    let (class, label) = match (plan.mix, hash(seed, 9) % 100) {
        (Mix::Servers, 0..30) => (None, ""),
        (Mix::Servers, 30..38) => (Some(Class::Backup), "备份服务器"),
        (Mix::Servers, _) => (Some(Class::Server), "业务服务器"),
        (Mix::Cameras, 0..55) => (Some(Class::Camera), "摄像头"),
        (_, 0..34) => (None, ""),
        (_, 34..42) => return (Feed::Shut, format!("{room} 停用")),
        (_, 42..74) => (Some(Class::Desk), "工位"),
        (_, 74..84) => (Some(Class::Office), "办公室"),
        (_, 84..94) => (Some(Class::Quiet), "打印机"),
        _ => (Some(Class::AccessPoint), "无线AP"),
    };
    let Some(class) = class else { return (Feed::Empty, String::new()) };
    let mut host = host(class);
    if speed < 1_000_000_000 && class == Class::AccessPoint {
        host.dropped_one_in = 9_000;
    }
    (Feed::Host(host), format!("{room} {label}"))
}
