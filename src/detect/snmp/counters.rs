//! Rules over the counters of a port, reading by reading. In and out are the switch's: in is what the machine sends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Condition, PORT_ANOMALY, PORT_HOG, PORT_STORM, evidence};
use crate::detect::baseline::Usual;
use crate::model::{Fact, PortId, Severity, Subject, Timestamp};

/// A scanner: so many packets a second come in ...
const MANY_PPS: f64 = 200.0;
/// ... more than so many times as many as go out ...
const ONE_SIDED: f64 = 10.0;
/// ... of less than so many octets on average ...
const SMALL_OCTETS: f64 = 120.0;
/// ... in so many readings in a row.
const IN_A_ROW: u8 = 2;
/// Broadcasts a second of an access port that are worth a look, and those that are a storm.
const BROADCASTS: (f64, f64) = (100.0, 1_000.0);
/// Who takes the line: so long ...
const HOG_FOR: Duration = Duration::from_secs(300);
/// ... at least so many bits per second, and where the usual is not known so many ...
const HOG_BPS: (f64, f64) = (5e6, 2e7);
/// ... so many times the upper end of what is usual ...
const HOG_TIMES: f64 = 3.0;
/// ... and this share of the way out, percent; where the usual is not known this one.
const HOG_SHARE: (f64, f64) = (30.0, 50.0);

/// A port at one moment.
#[derive(Clone, Debug)]
pub struct PortReading {
    /// Its number in the catalogue.
    pub id: PortId,
    /// Device and port.
    pub port: (Arc<str>, Arc<str>),
    /// When the counters were read.
    pub at: Timestamp,
    /// The time between two readings.
    pub interval: Duration,
    /// Whether it is an access port: no uplink, and does not lead to another bridge.
    pub is_access: bool,
    /// Bits per second in and out.
    pub bps: (Option<f64>, Option<f64>),
    /// Packets of all kinds per second in and out.
    pub pps: (Option<f64>, Option<f64>),
    /// Broadcasts per second in.
    pub broadcasts: Option<f64>,
    /// What is usual at this hour, in and out.
    pub usual: (Option<Usual>, Option<Usual>),
    /// Bits per second of the device's uplinks together, in and out; `None` when no uplink is known.
    pub uplink_bps: Option<(f64, f64)>,
    /// Whether the office works at this hour.
    pub is_work: bool,
    /// Machines behind the port, for people who look for them.
    pub macs: String,
}

#[derive(Clone, Copy, Debug)]
struct Track {
    seen: Timestamp,
    scanning: u8,
    storming: u8,
    hogging: [Option<Timestamp>; 2],
}

/// What is remembered of all ports between two readings.
#[derive(Debug, Default)]
pub struct Counters {
    ports: HashMap<PortId, Track>,
}

impl Counters {
    /// Whether this reading has been judged already.
    pub fn knows(&self, port: PortId, at: Timestamp) -> bool {
        self.ports.get(&port).is_some_and(|track| track.seen >= at)
    }

    /// Judges a reading; a second look at one tells nothing.
    pub fn look(&mut self, reading: &PortReading) -> Vec<Condition> {
        if self.knows(reading.id, reading.at) {
            return Vec::new();
        }
        let fresh = Track { seen: reading.at, scanning: 0, storming: 0, hogging: [None; 2] };
        let track = self.ports.entry(reading.id).or_insert(fresh);
        track.seen = reading.at;
        // Two readings and a half, so that one late poll ends nothing.
        let quiet = (reading.interval * 5 / 2).max(Duration::from_secs(180));
        let mut found = Vec::new();
        let mut tell = |rule, severity, evidence| {
            let subject = Subject::Port(Arc::clone(&reading.port.0), Arc::clone(&reading.port.1));
            found.push(Condition { rule, subject, severity, evidence, quiet });
        };
        track.scans(reading, &mut tell);
        track.storms(reading, &mut tell);
        track.hogs(reading, &mut tell);
        found
    }

    /// Ports that are not there any more are forgotten.
    pub fn keep_only(&mut self, wanted: &dyn Fn(PortId) -> bool) {
        self.ports.retain(|id, _| wanted(*id));
    }
}

type Tell<'t> = dyn FnMut(&'static str, Severity, crate::model::Evidence) + 't;

impl Track {
    fn scans(&mut self, reading: &PortReading, tell: &mut Tell<'_>) {
        let (Some(pps_in), Some(pps_out), Some(bps_in)) = (reading.pps.0, reading.pps.1, reading.bps.0) else { return };
        let octets = bps_in / 8.0 / pps_in.max(1.0);
        let is_scan = reading.is_access && pps_in > MANY_PPS && pps_in > pps_out * ONE_SIDED && octets < SMALL_OCTETS;
        self.scanning = if is_scan { self.scanning.saturating_add(1) } else { 0 };
        if self.scanning >= IN_A_ROW {
            tell(
                PORT_ANOMALY,
                Severity::Major,
                evidence([
                    ("rate", Fact::PerSecond(pps_in)),
                    ("answered", Fact::PerSecond(pps_out)),
                    ("size", Fact::Count(octets.round() as u64)),
                    ("sample", Fact::Text(reading.macs.clone())),
                ]),
            );
        }
    }

    fn storms(&mut self, reading: &PortReading, tell: &mut Tell<'_>) {
        let Some(broadcasts) = reading.broadcasts else { return };
        let is_many = reading.is_access && broadcasts > BROADCASTS.0;
        self.storming = if is_many { self.storming.saturating_add(1) } else { 0 };
        let is_storm = is_many && broadcasts > BROADCASTS.1;
        if is_storm || self.storming >= IN_A_ROW {
            let (severity, threshold) = if is_storm { (Severity::Major, BROADCASTS.1) } else { (Severity::Minor, BROADCASTS.0) };
            let facts = [
                ("rate", Fact::PerSecond(broadcasts)),
                ("threshold", Fact::PerSecond(threshold)),
                ("sample", Fact::Text(reading.macs.clone())),
            ];
            tell(PORT_STORM, severity, evidence(facts));
        }
    }

    fn hogs(&mut self, reading: &PortReading, tell: &mut Tell<'_>) {
        let Some((uplink_in, uplink_out)) = reading.uplink_bps.filter(|_| reading.is_access && reading.is_work) else {
            self.hogging = [None; 2];
            return;
        };
        // What the machine sends leaves by the uplink; what it receives comes in there.
        let ways = [("in", reading.bps.0, reading.usual.0, uplink_out), ("out", reading.bps.1, reading.usual.1, uplink_in)];
        for ((way, bps, usual, uplink), since) in ways.into_iter().zip(&mut self.hogging) {
            let Some(bps) = bps else { continue };
            let share = (bps / uplink.max(1.0) * 100.0).min(100.0);
            let (least_bps, least_share) = match usual {
                Some(usual) => (HOG_BPS.0.max(usual.high * HOG_TIMES).max(usual.p98), HOG_SHARE.0),
                None => (HOG_BPS.1, HOG_SHARE.1),
            };
            if bps < least_bps || share < least_share {
                *since = None;
                continue;
            }
            let begun = *since.get_or_insert(reading.at);
            if reading.at.since(begun) < HOG_FOR {
                continue;
            }
            let mut facts = evidence([
                ("direction", Fact::Text(way.to_owned())),
                ("value", Fact::BitsPerSecond(bps)),
                ("share", Fact::Percent(share)),
                ("sample", Fact::Text(reading.macs.clone())),
            ]);
            facts.extend(usual.map(|usual| ("usual".to_owned(), Fact::BitsPerSecond(usual.high))));
            tell(PORT_HOG, Severity::Minor, facts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(second: i64) -> PortReading {
        PortReading {
            id: PortId(1),
            port: ("sw".into(), "Gi0/1".into()),
            at: Timestamp::from_secs(second),
            interval: Duration::from_secs(60),
            is_access: true,
            bps: (Some(1e5), Some(1e6)),
            pps: (Some(50.0), Some(100.0)),
            broadcasts: Some(1.0),
            usual: (None, None),
            uplink_bps: None,
            is_work: true,
            macs: "02:00:00:00:00:01".into(),
        }
    }

    /// 70 octets each.
    fn scan(pps: f64, out: f64, octets: f64) -> impl Fn(i64) -> PortReading {
        move |second| PortReading { pps: (Some(pps), Some(out)), bps: (Some(pps * octets * 8.0), Some(1e4)), ..reading(second) }
    }

    fn rules(counters: &mut Counters, reading: &PortReading) -> Vec<(&'static str, Severity)> {
        counters.look(reading).iter().map(|condition| (condition.rule, condition.severity)).collect()
    }

    #[test]
    fn many_small_one_sided_packets_in_two_readings_are_a_scanner() {
        let worm = scan(201.0, 20.0, 70.0);
        let mut counters = Counters::default();
        assert_eq!(rules(&mut counters, &worm(60)), []);
        assert_eq!(rules(&mut counters, &worm(60)), [], "the same reading twice is one");
        assert_eq!(rules(&mut counters, &worm(120)), [(PORT_ANOMALY, Severity::Major)]);
        for (why, other) in
            [("not so many", scan(200.0, 1.0, 70.0)), ("answered", scan(2_000.0, 200.0, 70.0)), ("a camera", scan(2_000.0, 1.0, 120.0))]
        {
            let mut counters = Counters::default();
            assert_eq!((rules(&mut counters, &other(60)), rules(&mut counters, &other(120))), (vec![], vec![]), "{why}");
        }
        let mut counters = Counters::default();
        for (second, next) in [(60, worm(60)), (120, reading(120)), (180, worm(180))] {
            assert_eq!(rules(&mut counters, &next), [], "{second}: not in a row");
        }
        let uplink = PortReading { is_access: false, ..worm(240) };
        assert_eq!(rules(&mut counters, &uplink), []);
    }

    #[test]
    fn broadcasts_are_told_by_how_many_they_are() {
        let with = |second, broadcasts| PortReading { broadcasts: Some(broadcasts), ..reading(second) };
        let mut counters = Counters::default();
        assert_eq!(rules(&mut counters, &with(60, 100.0)), []);
        assert_eq!(rules(&mut counters, &with(120, 101.0)), [], "once is a flicker");
        assert_eq!(rules(&mut counters, &with(180, 101.0)), [(PORT_STORM, Severity::Minor)]);
        assert_eq!(rules(&mut counters, &with(240, 1_001.0)), [(PORT_STORM, Severity::Major)]);
        let mut fresh = Counters::default();
        assert_eq!(rules(&mut fresh, &with(60, 1_001.0)), [(PORT_STORM, Severity::Major)], "a storm does not wait");
        assert_eq!(rules(&mut fresh, &PortReading { is_access: false, ..with(120, 9e9) }), [], "uplinks carry everybody's");
    }

    #[test]
    fn who_takes_the_line_at_work_is_told_and_at_night_is_not() {
        let film = |second| PortReading { bps: (Some(1e5), Some(3e7)), uplink_bps: Some((5e7, 1e7)), ..reading(second) };
        let told = |change: &dyn Fn(PortReading) -> PortReading| {
            let mut counters = Counters::default();
            (0..=6).flat_map(|minute| counters.look(&change(film(minute * 60)))).collect::<Vec<_>>()
        };
        let hogs = told(&|reading| reading);
        assert_eq!(hogs.len(), 2, "from the fifth minute on");
        assert_eq!(hogs[0].evidence.get("direction"), Some(&Fact::Text("out".into())));
        assert_eq!(hogs[0].evidence.get("share"), Some(&Fact::Percent(60.0)));
        assert!(told(&|reading| PortReading { is_work: false, ..reading }).is_empty());
        assert!(told(&|reading| PortReading { uplink_bps: None, ..reading }).is_empty());
        assert!(told(&|reading| PortReading { uplink_bps: Some((6.1e7, 1e7)), ..reading }).is_empty(), "less than half");
        assert!(told(&|reading| PortReading { is_access: false, ..reading }).is_empty());
    }
}
