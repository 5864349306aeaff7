//! The engine: packets and flows in, detections out. Pure: its time is that of the packets, its hashes come from the seed it is
//! given, and the same packets give the same detections. Bounded: every table has its size from the start.
//!
//! The walk of a packet: the clock moves on, what fell due is judged, [`Sight`] learns from it, the rules on contacts look at
//! it, the judges of `lan` look at it, and whatever was said becomes cases, which are told through [`Engine::take`].

mod cases;
mod clock;
mod evidence;
mod frames;
mod level;

use crate::capture::packet::{Nanos, Packet};

use self::cases::Cases;
use self::clock::Clock;
use self::frames::Frames;
use super::lan::{Lan, Now};
use super::quick::Mixer;
use super::settings::Settings;
use super::sight::Sight;
use super::{Detection, Site};

/// The detectors over one stream of packets.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    sight: Sight,
    clock: Clock,
    cases: Cases,
    frames: Frames,
    lan: Lan,
    /// When the slow work of each second was last done, in engine seconds.
    second: u32,
    /// What rules said of the packet in hand.
    said: Vec<Detection>,
}

impl Engine {
    /// An engine for a site. The seed places entries in tables: random for live traffic, fixed for files.
    pub fn new(settings: Settings, site: Site, seed: u64) -> Self {
        let cases = Cases::new(settings.levels, settings.sizes.cases);
        let frames = Frames::new(settings.spoof, settings.storm, Mixer::new(seed));
        let lan = Lan::new(&settings.lan, seed);
        Self { sight: Sight::new(site, seed), clock: Clock::default(), cases, frames, lan, second: 0, said: Vec::new(), settings }
    }

    /// Looks at one packet. Stamps may repeat, step back or jump.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        let ms = self.clock.advance(packet.at);
        self.pulse();
        self.sight.learn(packet, self.second);
        self.frames.packet(packet, self.second, &self.sight, &mut self.said);
        let now = Now { ms, at: packet.at };
        self.lan.packet(packet, now, &self.sight, &mut self.said);
        self.hear();
    }

    /// Moves time on when nothing passes, so that what is due is judged. `now` is the wire's time.
    pub fn tick(&mut self, now: Nanos) {
        self.clock.advance(now);
        self.pulse();
        self.hear();
    }

    /// The end of a file: everything that is still awaited is judged as if its time had come.
    pub fn finish(&mut self) {
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

    /// What is known of the site, with what was learnt.
    pub const fn sight(&self) -> &Sight {
        &self.sight
    }

    /// The parameters in force.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Judgements that were not kept because too many came at once.
    pub const fn shed(&self) -> u64 {
        self.cases.shed()
    }

    /// The work of each second.
    fn pulse(&mut self) {
        let second = self.clock.second();
        if second != self.second {
            self.second = second;
            self.cases.pulse(second);
        }
    }

    /// What was said of a packet becomes cases.
    fn hear(&mut self) {
        for detection in self.said.drain(..) {
            self.cases.note(detection, self.second, &self.sight);
        }
    }
}
