//! The engine: packets and flows in, detections out. Pure: its time is that of the packets, its hashes come from the seed it is
//! given, and the same packets give the same detections. Bounded: every table has its size from the start.
//!
//! The walk of a packet: the clock moves on, what fell due is judged, [`Sight`] learns from it, the rules on contacts look at
//! it, the judges of `lan` look at it, and whatever was said becomes cases, which are told through [`Engine::take`].

mod cases;
mod clock;
mod contact;
mod evidence;
mod flow;
mod frames;
mod host;
mod judge;
mod level;
mod outage;
mod pairs;
mod pending;
mod ports;
mod reading;
mod sample;
mod talks;
mod verticals;
mod window;

use crate::capture::packet::{Nanos, Packet};
use crate::flow::record::Record;

use self::cases::Cases;
use self::clock::Clock;
use self::contact::{Contacts, Now, Scene};
use self::frames::Frames;
use super::class::{self, Lists, Office, Traffic};
use super::lan::{self, Lan};
use super::quick::Mixer;
use super::settings::Settings;
use super::sight::Sight;
use super::zone::Border;
use super::{Detection, Kind, Site};

/// The detectors over one stream of packets.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    sight: Sight,
    clock: Clock,
    cases: Cases,
    frames: Frames,
    lan: Lan,
    traffic: Traffic,
    contacts: Contacts,
    /// The stamp of the last packet.
    at: Nanos,
    /// How far time has gone on behind it by itself, in milliseconds.
    passed_ms: u64,
    /// When what is due was last looked for, in ticks.
    tick: u32,
    border: Border,
    /// When the slow work of each second was last done, in engine seconds.
    second: u32,
    /// What rules said of the packet in hand.
    said: Vec<Detection>,
    /// Kinds that are not told.
    off: Vec<Kind>,
}

impl Engine {
    /// An engine for a site. The seed places entries in tables: random for live traffic, fixed for files.
    pub fn new(settings: Settings, site: Site, seed: u64) -> Self {
        let cases = Cases::new(settings.levels, settings.sizes.cases);
        let frames = Frames::new(settings.spoof, settings.storm, Mixer::new(seed));
        let (lan, traffic) = (Lan::new(&settings.lan, seed), Traffic::new(settings.hog, seed));
        let contacts = Contacts::new(&settings, Mixer::new(seed));
        Self {
            sight: Sight::new(site, seed),
            clock: Clock::default(),
            cases,
            frames,
            lan,
            traffic,
            contacts,
            at: Nanos(0),
            passed_ms: 0,
            tick: 0,
            border: Border::default(),
            second: 0,
            said: Vec::new(),
            off: Vec::new(),
            settings,
        }
    }

    /// Looks at one packet. Stamps may repeat, step back or jump.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        let ms = self.clock.advance(packet.at);
        (self.at, self.passed_ms) = (packet.at, 0);
        self.pulse();
        self.sight.learn(packet, self.second);
        if let Some(speaker) = self.frames.packet(packet, self.second, &self.sight, &mut self.said) {
            self.sight.learn_speaker(speaker);
        }
        let now = lan::Now { ms, at: packet.at };
        if !self.frames.forges(packet.src_mac, self.second) {
            let mut scene = Scene { now: self.now(), sight: &self.sight, out: &mut self.said };
            self.contacts.packet(packet, &mut scene);
            self.traffic.packet(packet, now, &self.sight, &mut self.said);
        }
        self.lan.packet(packet, now, &self.sight, &mut self.said);
        self.border.packet(packet, &self.sight, &mut self.said);
        self.hear();
    }

    /// Takes a flow in: who turned to whom, and whether it was answered. Sampled flows tell of bursts and floods only.
    pub fn flow(&mut self, record: &Record) {
        let at = Nanos::from(record.last);
        let ms = self.clock.advance(at);
        self.at = at;
        self.pulse();
        let mut scene = Scene { now: self.now(), sight: &self.sight, out: &mut self.said };
        self.contacts.flow(record, &mut scene);
        self.traffic.flow(record, lan::Now { ms, at }, &self.sight);
        self.border.flow(record, &self.sight, &mut self.said);
        self.hear();
    }

    /// Moves time on when nothing passes, so that what is due is judged. `now` is the wire's time.
    pub fn tick(&mut self, now: Nanos) {
        let ms = self.clock.advance(now);
        self.at = now;
        self.pulse();
        self.traffic.tick(lan::Now { ms, at: now }, &self.sight, &mut self.said);
        self.hear();
    }

    /// The end of a file: everything that is still awaited is judged as if its time had come.
    pub fn finish(&mut self) {
        let contact = self.settings.contact;
        let longest = contact.tcp_ms.max(contact.udp_ms).max(contact.icmp_ms).max(contact.arp_ms).max(2000);
        // Answers have a second, then the waits end; nothing else happens in between.
        for ms in [1100, u64::from(longest) + 1000] {
            self.clock.pass(ms);
            self.passed_ms += ms;
            self.pulse();
            self.hear();
        }
        self.cases.finish();
    }

    /// What was found since it was last asked.
    pub fn take(&mut self) -> Vec<Detection> {
        self.cases.take()
    }

    /// Takes new facts of the site; what was learnt and counted stays.
    pub fn set_site(&mut self, site: Site) {
        self.sight.set_site(site);
    }

    /// Takes other parameters; what was counted stays. How much is remembered, and for how long, is as it was at the start.
    pub fn set_settings(&mut self, settings: Settings) {
        if settings == self.settings {
            return;
        }
        self.contacts.set_settings(&settings);
        self.frames.set_settings(settings.spoof, settings.storm);
        self.lan.set_settings(&settings.lan);
        self.traffic.set_settings(settings.hog);
        self.settings = settings;
    }

    /// Nothing is told of these kinds from now on.
    pub fn set_off(&mut self, off: &[Kind]) {
        self.off = off.to_vec();
    }

    /// Takes other lists of classes of traffic.
    pub fn set_lists(&mut self, lists: std::sync::Arc<Lists>) {
        self.traffic.set_lists(lists);
    }

    /// Takes other working hours; without any, what holds in working hours holds always.
    pub fn set_office(&mut self, office: Option<Office>) {
        self.traffic.set_office(office);
    }

    /// Who has how much of which class of traffic.
    pub fn traffic(&mut self) -> class::Report {
        self.traffic.report()
    }

    /// What is known of the site, with what was learnt.
    pub const fn sight(&self) -> &Sight {
        &self.sight
    }

    /// The parameters in force.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Judgements and awaited contacts that were not kept because too many came at once.
    pub const fn shed(&self) -> u64 {
        self.cases.shed() + self.contacts.given_up()
    }

    fn now(&self) -> Now {
        let at = Nanos(self.at.0.saturating_add(self.passed_ms.saturating_mul(1_000_000)));
        Now { at, last: self.at, tick: self.clock.tick(), second: self.clock.second() }
    }

    /// The work of each sixteenth of a second, and of each second.
    fn pulse(&mut self) {
        let (tick, second) = (self.clock.tick(), self.clock.second());
        if tick != self.tick {
            self.tick = tick;
            let mut scene = Scene { now: self.now(), sight: &self.sight, out: &mut self.said };
            self.contacts.due(&mut scene);
        }
        if second != self.second {
            self.second = second;
            self.cases.pulse(second);
        }
    }

    /// What was said of a packet becomes cases.
    fn hear(&mut self) {
        let off = &self.off;
        for detection in self.said.drain(..).filter(|detection| !off.contains(&detection.kind)) {
            self.cases.note(detection, self.second, &self.sight);
        }
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
