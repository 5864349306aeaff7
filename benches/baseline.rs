//! How well the baselines find what is not as usual: 160 simulated ports over five weeks of five-minute values with noise of
//! heavy tails, growth and two public holidays; in the fifth week labelled anomalies are laid over them. Told: the share
//! found, the delay, and the false episodes a port and week. The figures are of chance with a seed, not of time.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use netroom::detect::baseline::{Baseline, Calendar, Group, Learner, Measure, Shift, Told, Values, Watch, Way, values};
use netroom::model::Timestamp;

/// A Monday, midnight in Shanghai.
const MONDAY: i64 = 1_795_363_200;
const STEP: i64 = 300;
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// The holidays: a Wednesday of the second week and the Thursday of the fifth.
const HOLIDAYS: [i64; 2] = [9, 31];

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Student's t with three degrees of freedom: heavy tails.
    fn heavy(&mut self) -> f64 {
        let spread = (0..3).map(|_| self.normal().powi(2)).sum::<f64>() / 3.0;
        self.normal() / spread.sqrt()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Office,
    Server,
    Uplink,
    Dorm,
    Idle,
}

/// The usual level of a port, bits per second, and its mean packet in octets.
fn level(kind: Kind, at: i64) -> (f64, f64) {
    let (day, hour) = ((at - MONDAY).div_euclid(DAY), (at - MONDAY).rem_euclid(DAY) as f64 / 3600.0);
    let works = day.rem_euclid(7) < 5 && !HOLIDAYS.contains(&day);
    // From 0 to 1 over a day that begins at `from` and ends at `to`, with soft edges.
    let bump = |from: f64, to: f64| ((hour - from).clamp(0.0, 1.0) * (to - hour).clamp(0.0, 1.0)).sqrt();
    let office = if works { bump(7.5, 18.5) } else { 0.05 * bump(9.0, 17.0) };
    match kind {
        Kind::Office => (2e5 + 3e7 * office, 700.0),
        Kind::Server if (2.0..3.0).contains(&hour) => (4e8, 1200.0),
        Kind::Server => (5e6 + 4e7 * office, 800.0),
        Kind::Uplink => (5e7 + 6e8 * office + 2e8 * bump(18.0, 23.5), 750.0),
        Kind::Dorm => (1e6 + 6e7 * bump(18.0, 24.0) + 1e7 * bump(7.0, 18.0), 900.0),
        Kind::Idle => (3e3, 200.0),
    }
}

/// What is done to a port: from, to, how.
struct Anomaly {
    from: i64,
    to: i64,
    change: Change,
    /// By [`CHANGES`].
    kind: usize,
}

const CHANGES: [&str; 5] = ["hog", "slow hog", "day at night", "breakdown", "worm"];

#[derive(Clone, Copy)]
enum Change {
    /// So many times the usual.
    Times(f64),
    /// The level of the day, at night.
    Daytime,
    /// So many small packets a second more.
    Worm(f64),
}

struct Port {
    kind: Kind,
    samples: Vec<Values>,
    anomalies: Vec<Anomaly>,
}

fn anomaly(kind: Kind, chance: &mut Chance) -> Anomaly {
    let day = MONDAY + 4 * WEEK + (chance.unit() * 7.0) as i64 * DAY;
    let hour = |chance: &mut Chance, low, high| (chance.between(low, high) * 3600.0) as i64 / STEP * STEP;
    let long = |chance: &mut Chance| (chance.between(0.5, 3.0) * 3600.0) as i64 / STEP * STEP;
    let kind = match (chance.unit() * 5.0) as usize {
        3 if kind == Kind::Idle => 4,
        other => other.min(4),
    };
    let (from, change) = match kind {
        0 => (hour(chance, 0.0, 21.0), Change::Times(chance.between(5.0, 30.0))),
        1 => (hour(chance, 8.0, 20.0), Change::Times(chance.between(2.5, 4.0))),
        2 => (hour(chance, 3.5, 4.5), Change::Daytime),
        3 => (hour(chance, 9.0, 15.0), Change::Times(0.005)),
        _ => (hour(chance, 0.0, 21.0), Change::Worm(chance.between(300.0, 3000.0))),
    };
    Anomaly { from: day + from, to: day + from + long(chance), change, kind }
}

fn port(index: usize, chance: &mut Chance) -> Port {
    let kind = [Kind::Office, Kind::Office, Kind::Server, Kind::Uplink, Kind::Dorm, Kind::Dorm, Kind::Office, Kind::Idle][index % 8];
    let anomalies: Vec<Anomaly> = (index.is_multiple_of(2)).then(|| anomaly(kind, chance)).into_iter().collect();
    let (scale, growth, share) = (chance.normal().mul_add(0.8, 0.0).exp(), chance.between(0.0, 0.1), chance.between(0.2, 0.9));
    let (mut drift, mut samples) = (0.0, Vec::new());
    for at in (MONDAY..MONDAY + 5 * WEEK).step_by(STEP as usize) {
        drift = 0.85 * drift + 0.1 * chance.heavy();
        let weeks = (at - MONDAY) as f64 / WEEK as f64;
        let (mut bps, packet) = level(kind, at);
        let mut extra = 0.0;
        for anomaly in anomalies.iter().filter(|anomaly| (anomaly.from..anomaly.to).contains(&at)) {
            match anomaly.change {
                Change::Times(times) => bps *= times,
                Change::Daytime => {
                    bps = bps.max(level(kind, at.div_euclid(DAY) * DAY + 11 * 3600).0.max(level(kind, MONDAY + 11 * 3600).0));
                }
                Change::Worm(pps) => extra = pps,
            }
        }
        let octets = bps * scale * (1.0 + growth).powf(weeks) * drift.exp() / 8.0;
        let (inbound, outbound) = (octets * share + extra * 80.0, octets * (1.0 - share));
        let rates = [inbound, outbound, inbound / packet + extra * (1.0 - 80.0 / packet), outbound / packet, inbound / packet / 100.0];
        samples.push(values(rates.map(Some)));
    }
    Port { kind, samples, anomalies }
}

struct Score {
    /// Of each kind of anomaly: how many, and how many were found.
    kinds: [(usize, usize); CHANGES.len()],
    labelled: usize,
    delays: Vec<f64>,
    false_episodes: usize,
    port_weeks: usize,
}

/// Four weeks are learnt, the fifth is judged, all ports side by side because of the group guard.
fn judge(ports: &[Port], calendar: &Calendar) -> Score {
    let steps = (WEEK / STEP) as usize;
    let time = |step: usize| Timestamp::from_secs(MONDAY + step as i64 * STEP);
    let learnt: Vec<Option<Baseline>> = ports
        .iter()
        .map(|port| {
            let mut learner = Learner::default();
            port.samples
                .iter()
                .enumerate()
                .take(4 * steps)
                .for_each(|(step, values)| learner.take(time(step), calendar.slot(time(step)), values));
            learner.finish()
        })
        .collect();
    let (mut watches, mut group) = (vec![Watch::default(); ports.len()], Group::default());
    // The steps at which a port was told, with nothing of it told just before.
    let mut episodes: Vec<Vec<usize>> = vec![Vec::new(); ports.len()];
    for step in 4 * steps..5 * steps {
        let slot = calendar.slot(time(step));
        let mut raised = Vec::new();
        for (place, (port, watch)) in ports.iter().zip(&mut watches).enumerate() {
            let (Some(Some(baseline)), Some(values)) = (learnt.get(place), port.samples.get(step)) else { continue };
            let was_raised = watch.raised().next().is_some();
            watch.judge(baseline, slot, values, group.is_guarding(), |_: Measure, told| {
                if matches!(told, Told::Raised { .. }) && !was_raised && raised.last() != Some(&place) {
                    raised.push(place);
                }
            });
        }
        let leaning = |way| watches.iter().filter(|watch| watch.leaning() == Some(way)).count();
        if matches!(group.look(leaning(Way::Up), leaning(Way::Down), ports.len()), Some(Shift::Began { .. })) {
            continue;
        }
        raised.into_iter().for_each(|place| episodes.get_mut(place).into_iter().for_each(|told| told.push(step)));
    }
    let mut score = Score { kinds: Default::default(), labelled: 0, delays: Vec::new(), false_episodes: 0, port_weeks: ports.len() };
    for (port, told) in ports.iter().zip(episodes) {
        score.labelled += port.anomalies.len();
        let span = |anomaly: &Anomaly| ((anomaly.from - MONDAY) / STEP) as usize..((anomaly.to - MONDAY) / STEP) as usize + 3;
        for anomaly in &port.anomalies {
            // The third value that is off is complete at the end of its five minutes.
            let first = told.iter().find(|step| span(anomaly).contains(step));
            if let Some((all, found)) = score.kinds.get_mut(anomaly.kind) {
                *all += 1;
                *found += usize::from(first.is_some());
            }
            score.delays.extend(first.map(|step| (step + 1 - span(anomaly).start) as f64 * STEP as f64 / 60.0));
        }
        score.false_episodes += told.iter().filter(|step| !port.anomalies.iter().any(|anomaly| span(anomaly).contains(step))).count();
    }
    score
}

fn main() {
    // Without `--bench` this is a smoke run of the tests: one seed, a few ports.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let start = jiff::civil::Date::new(2026, 11, 23).unwrap_or_default();
    let holidays = HOLIDAYS.map(|day| start.saturating_add(jiff::Span::new().days(day)));
    let calendar = Calendar::new(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)), holidays, []);
    for seed in 1..=if measured { 4 } else { 1 } {
        let mut chance = Chance(seed);
        let ports: Vec<Port> = (0..if measured { 160 } else { 16 }).map(|index| port(index, &mut chance)).collect();
        let mut score = judge(&ports, &calendar);
        score.delays.sort_by(f64::total_cmp);
        let delay = score.delays.get(score.delays.len() / 2).copied().unwrap_or(f64::NAN);
        println!(
            "seed {seed}: {} ports ({} idle), {} anomalies: {:.0} % found, median delay {delay:.0} min, {:.3} false episodes a port and week",
            ports.len(),
            ports.iter().filter(|port| port.kind == Kind::Idle).count(),
            score.labelled,
            score.delays.len() as f64 * 100.0 / score.labelled.max(1) as f64,
            score.false_episodes as f64 / score.port_weeks as f64,
        );
        let kinds = CHANGES.iter().zip(score.kinds).map(|(name, (all, found))| format!("{name} {found} of {all}"));
        println!("    {}", kinds.collect::<Vec<_>>().join(", "));
    }
}
