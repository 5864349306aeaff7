//! How much one machine sends another and how much comes back (rule 12), and how often it opens connections where one logs in
//! (rule 18).
//!
//! Facts of a flood: `count` (packets), `window`, `threshold`, `answered`, `rate`, `sample`. Of guessing: `count`
//! (connections), `window`, `threshold`, `answered`, `sample`, `port`.

use std::net::IpAddr;

use crate::detect::quick::Fixed;
use crate::detect::settings::{Flood, Guessing};
use crate::model::{Evidence, Fact};

use super::evidence::{Facts, places};
use super::window::{TICKS, Window};

/// Pairs of machines whose packets are counted at one time.
const TALKS: usize = 16_384;
/// Login services that are followed at one time.
const LOGINS: usize = 8192;
/// The class of echo requests.
pub(super) const ECHO: u64 = 1;
/// A class other than TCP floods when it keeps its rate for so many seconds.
const KEEPS_S: u32 = 3;

/// What was found.
pub(super) struct Found {
    pub(super) from: u32,
    pub(super) contacts: u64,
    pub(super) evidence: Evidence,
}

/// One direction of one class between two machines.
#[derive(Clone, Copy, Debug, Default)]
struct Talk {
    key: u64,
    from: u32,
    sent: u32,
    answered: u32,
    refused: u32,
    fresh: u32,
}

#[derive(Debug)]
struct Login {
    window: Window,
    last_port: u16,
}

/// Both rules.
#[derive(Debug)]
pub(super) struct Talks {
    flood: Flood,
    guessing: Guessing,
    talks: Vec<Talk>,
    logins: Fixed<Login>,
}

impl Talks {
    pub(super) fn new(flood: Flood, guessing: Guessing) -> Self {
        Self { flood, guessing, talks: vec![Talk::default(); TALKS], logins: Fixed::new(LOGINS) }
    }

    pub(super) fn set_settings(&mut self, flood: Flood, guessing: Guessing) {
        (self.flood, self.guessing) = (flood, guessing);
    }

    /// A packet of a class from one machine to another; `fresh` when it was a first contact. How many are in the window now.
    pub(super) fn sent(&mut self, key: u64, fresh: bool, tick: u32) -> u32 {
        let sent = self.sent_many(key, 1, tick);
        if fresh && let Some(talk) = self.find(key) {
            talk.fresh = talk.fresh.saturating_add(1);
        }
        sent
    }

    /// So many packets at once, as a flow tells.
    pub(super) fn sent_many(&mut self, key: u64, packets: u32, tick: u32) -> u32 {
        let window = self.flood.window_s * TICKS;
        let Some(place) = self.place(key, tick) else { return 0 };
        if place.key != key || tick.saturating_sub(place.from) >= window {
            *place = Talk { key, from: tick, ..Talk::default() };
        }
        place.sent = place.sent.saturating_add(packets);
        place.sent
    }

    /// A packet came back on a talk; `key` is that of the other direction.
    pub(super) fn answered(&mut self, key: u64) {
        self.answered_many(key, 1);
    }

    /// So many packets came back, as a flow tells.
    pub(super) fn answered_many(&mut self, key: u64, packets: u32) {
        if let Some(talk) = self.find(key) {
            talk.answered = talk.answered.saturating_add(packets);
        }
    }

    /// An opening was refused; `key` is that of the other direction.
    pub(super) fn refused(&mut self, key: u64) {
        if let Some(talk) = self.find(key) {
            talk.refused = talk.refused.saturating_add(1);
        }
    }

    /// Whether the openings of a TCP talk are a flood. `Err` when it is too early to say.
    pub(super) fn openings(&mut self, key: u64, to: IpAddr, port: u16, tick: u32) -> Result<Option<Found>, ()> {
        let Some(talk) = self.find(key).copied() else { return Ok(None) };
        let flood = &self.flood;
        // A program whose server is gone tries again and again, and is refused each time; not a hundred times a second.
        let heard =
            if talk.sent < flood.openings.saturating_mul(flood.refused_times) { talk.answered + talk.refused } else { talk.answered };
        let many = talk.sent >= flood.openings && (heard as f32) < flood.answered * talk.sent as f32;
        // Many ports of one machine are a scan of it, which has its own rule.
        if !many || talk.fresh * 2 > talk.sent {
            return Ok(None);
        }
        if tick.saturating_sub(talk.from) < TICKS {
            return Err(());
        }
        Ok(Some(found(&talk, flood.openings.into(), flood.window_s, to, port, tick)))
    }

    /// Whether the packets of another class are a flood.
    pub(super) fn packets(&mut self, key: u64, class: u64, to: IpAddr, port: u16, tick: u32) -> Option<Found> {
        let talk = *self.find(key)?;
        let flood = &self.flood;
        let least = flood.packets_per_s.saturating_mul(KEEPS_S);
        let rate = u64::from(talk.sent) * u64::from(TICKS) / u64::from(tick.saturating_sub(talk.from).max(TICKS));
        let many = talk.sent >= least && rate >= u64::from(flood.packets_per_s);
        // Nobody pings a thousand times a second, answered or not. A stream is answered by a packet now and then.
        let unheard = class == ECHO || (talk.answered as f32) < flood.packets_answered * talk.sent as f32;
        (many && unheard).then(|| found(&talk, least.into(), flood.window_s, to, port, tick))
    }

    /// A connection is opened to a port; how many there were within the window if it is one where one logs in.
    pub(super) fn login(&mut self, key: u64, port: u16, src_port: u16, tick: u32) -> u16 {
        if !self.guessing.ports.contains(&port) {
            return 0;
        }
        let make = || Login { window: Window::default(), last_port: 0 };
        let Some(login) = self.logins.entry_by(key, tick, make, |login| login.window.count.into()) else { return 0 };
        // A repeated SYN is no new connection.
        if login.last_port == src_port {
            return 0;
        }
        login.last_port = src_port;
        login.window.hit(tick, self.guessing.window_s)
    }

    /// A login port has accepted.
    pub(super) fn accepted(&mut self, key: u64, port: u16, tick: u32) {
        if self.guessing.ports.contains(&port)
            && let Some(login) = self.logins.find(key)
        {
            login.window.answer(tick);
        }
    }

    /// Whether somebody guesses passwords. Connections that nobody accepts are no guessing.
    pub(super) fn guesses(&mut self, key: u64, to: IpAddr, port: u16) -> Option<Found> {
        let (least, window_s) = (self.guessing.connections, self.guessing.window_s);
        let login = self.logins.find(key)?;
        let window = login.window;
        (window.count >= least && !window.answered_below(0.5)).then(|| Found {
            from: window.from,
            contacts: window.count.into(),
            evidence: Facts::counted(window.count.into(), window_s, least.into())
                .number("answered", window.answered.into())
                .text("sample", places(std::iter::once((to, port))))
                .number("port", port.into())
                .done(),
        })
    }

    fn find(&mut self, key: u64) -> Option<&mut Talk> {
        let at = key as usize & (TALKS - 2);
        self.talks.get_mut(at..at + 2)?.iter_mut().find(|talk| talk.key == key)
    }

    /// The place of a talk: its own, or that of two which has less to lose.
    fn place(&mut self, key: u64, tick: u32) -> Option<&mut Talk> {
        let at = key as usize & (TALKS - 2);
        let window = self.flood.window_s * TICKS;
        let worth = |talk: &Talk| {
            let stale = tick.saturating_sub(talk.from) >= window;
            if talk.key == key { (0, 0) } else { (1, if stale { 0 } else { talk.sent }) }
        };
        self.talks.get_mut(at..at + 2)?.iter_mut().min_by_key(|talk| worth(talk))
    }
}

fn found(talk: &Talk, least: u64, window_s: u32, to: IpAddr, port: u16, tick: u32) -> Found {
    let rate = f64::from(talk.sent) * f64::from(TICKS) / f64::from(tick.saturating_sub(talk.from).max(TICKS));
    let evidence = Facts::counted(talk.sent.into(), window_s, least)
        .number("answered", talk.answered.into())
        .with("rate", Fact::PerSecond((rate * 10.0).round() / 10.0))
        .text("sample", places(std::iter::once((to, port))))
        .done();
    Found { from: talk.from, contacts: talk.sent.into(), evidence }
}
