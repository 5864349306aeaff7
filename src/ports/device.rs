//! One device: what a poll of it means for its ports, its health and its samples. Pure.

use std::sync::Arc;

use super::clocks::{Clocks, Moment, Span};
use super::live::{Counters, DeviceHealth, DeviceLabel, DeviceLive, DeviceState, PortLive, PortState, Rates};
use super::rates::{Before, Verdict, judge};
use super::roster::{Roster, Shared, Slot};
use super::speed;
use super::store::PortRecord;
use super::timeline::{Place, TimeLine};
use crate::model::observe::{CounterRow, PollRound};
use crate::model::sample::{DeviceSample, PortSample};
use crate::model::{Gap, METRICS, PortIdentity, PortMetric, Timestamp};

/// What a poll means.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The device now.
    pub live: Arc<DeviceLive>,
    /// What is to be stored; `None` when the time is taken by earlier samples, because our clock was set back.
    pub sample: Option<DeviceSample>,
    /// New and changed ports, to be written to the catalogue before the sample is stored.
    pub records: Vec<PortRecord>,
}

/// One device's state.
#[derive(Debug)]
pub(super) struct Device {
    live: Arc<DeviceLive>,
    roster: Roster,
    line: TimeLine,
}

/// A poll placed on our clocks.
struct Turn<'a> {
    round: &'a PollRound,
    now: Moment,
    origin: std::time::Instant,
    /// Of the first row that arrived.
    clocks: Clocks,
    place: Place,
}

impl Device {
    /// A device that has not been polled since the start.
    pub(super) fn new(label: Arc<DeviceLabel>, records: Vec<PortRecord>, shared: &mut Shared) -> Self {
        let roster = Roster::new(records, shared);
        let ports = roster.slots.iter().map(|slot| PortLive::unknown(&slot.identity, Gap::First)).collect();
        let health = DeviceHealth {
            state: DeviceState::Unknown,
            gap: None,
            detail: None,
            since: None,
            last_poll: None,
            last_answer: None,
            rtt_us: None,
            poll_ms: None,
            booted: None,
        };
        Self { live: Arc::new(DeviceLive { label, system: None, health, ports }), roster, line: TimeLine::default() }
    }

    pub(super) fn live(&self) -> Arc<DeviceLive> {
        Arc::clone(&self.live)
    }

    /// What the catalogue knows of its ports, when it is no longer configured.
    pub(super) fn into_records(self) -> Vec<PortRecord> {
        self.roster.into_records(self.live.label.id)
    }

    /// Takes over what the configuration says now.
    pub(super) fn set_label(&mut self, label: Arc<DeviceLabel>) {
        self.live = Arc::new(DeviceLive { label, ..(*self.live).clone() });
    }

    /// Takes a poll.
    pub(super) fn observe(&mut self, round: &PollRound, now: Moment, origin: std::time::Instant, shared: &mut Shared) -> Observed {
        let mut system = self.live.system.clone();
        let mut before: Vec<Option<usize>> = (0..self.roster.slots.len()).map(Some).collect();
        let mut records = Vec::new();
        if let Some(inventory) = &round.inventory {
            (before, records) = self.roster.read(self.live.label.id, inventory, now.wall, shared);
            system = Some(Arc::new(inventory.system.clone()));
        }
        let turn = self.turn(round, now, origin);
        let mut sample = DeviceSample {
            device: self.live.label.id,
            time: turn.place.time,
            interval_s: self.live.label.interval_s,
            gap: if turn.is_silent() { Some(round.gap.unwrap_or(Gap::Timeout)) } else { None },
            rows: Vec::new(),
        };
        let ports = self.ports(&turn, &before, &mut sample.rows);
        let health = self.health(&turn);
        self.live = Arc::new(DeviceLive { label: Arc::clone(&self.live.label), system, health, ports });
        Observed { live: self.live(), sample: (!turn.place.taken).then_some(sample), records }
    }

    /// A sample was not stored: what it said of earlier samples is owed to the next.
    pub(super) fn not_stored(&mut self, sample: &DeviceSample) {
        let mut slots = self.roster.slots.iter_mut();
        for row in sample.rows.iter().filter(|row| row.values.iter().any(Option::is_some)) {
            if let Some(slot) = slots.find(|slot| slot.identity.id == row.port) {
                slot.owed = row.mark.or(slot.owed);
            }
        }
    }

    fn turn<'a>(&mut self, round: &'a PollRound, now: Moment, origin: std::time::Instant) -> Turn<'a> {
        let first = round.rows.iter().min_by_key(|row| row.received).map(|row| (row.uptime_ticks, row.received));
        let answer = first.or_else(|| round.uptime_ticks.map(|ticks| (ticks, round.finished)));
        let (clocks, place) = match answer {
            Some((ticks, received)) => {
                let clocks = Clocks::at(ticks, received, now, origin);
                (clocks, self.line.place(clocks, received, round.engine_time))
            }
            None => {
                let clocks = Clocks::at(0, round.finished, now, origin);
                (clocks, self.line.place_silence(clocks.steady, round.finished))
            }
        };
        Turn { round, now, origin, clocks, place }
    }

    /// All ports after this poll, and the rows of its sample. `before` tells where each slot stood in the live table.
    fn ports(&mut self, turn: &Turn<'_>, before: &[Option<usize>], samples: &mut Vec<PortSample>) -> Arc<[PortLive]> {
        let mut rows: Vec<Option<&CounterRow>> = vec![None; self.roster.slots.len()];
        for row in &turn.round.rows {
            if let Some(place) = self.roster.slot_of(row.if_index).and_then(|slot| rows.get_mut(slot)) {
                *place = Some(row);
            }
        }
        // After a restart a row may stand for another port than before. The poller then reads the identity again; until that
        // has come, nothing is taken.
        let over_restart =
            |(slot, row): (&Slot, &Option<&CounterRow>)| row.zip(slot.memory).is_some_and(|(row, memory)| turn.fell(&memory.clocks, row));
        if turn.round.inventory.is_none() && self.roster.slots.iter().zip(&rows).any(over_restart) {
            self.roster.outdated = true;
        }
        let outdated = self.roster.outdated;
        let old = Arc::clone(&self.live);
        samples.reserve(if turn.is_silent() { 0 } else { rows.len() });
        let slots = self.roster.slots.iter_mut().zip(rows).zip(before.iter().map(|place| place.and_then(|place| old.ports.get(place))));
        slots
            .map(|((slot, row), old)| {
                let (live, sample) = slot.observe(turn, row, old, outdated);
                samples.extend(sample);
                live
            })
            .collect()
    }

    fn health(&self, turn: &Turn<'_>) -> DeviceHealth {
        let (old, round) = (&self.live.health, turn.round);
        let state = match round.gap {
            None => DeviceState::Up,
            Some(_) if turn.is_silent() => DeviceState::Down,
            Some(_) => DeviceState::Degraded,
        };
        let booted = match (turn.is_silent(), old.booted) {
            (true, booted) => booted,
            (false, Some(booted)) if !turn.place.restarted => Some(booted),
            (false, _) => Some(turn.booted()),
        };
        DeviceHealth {
            state,
            gap: round.gap,
            detail: round.detail.clone(),
            since: if state == old.state { old.since } else { Some(round.finished) },
            last_poll: Some(round.finished),
            last_answer: if turn.is_silent() { old.last_answer } else { Some(round.finished) },
            rtt_us: round.rtt_us.or(old.rtt_us),
            poll_ms: u32::try_from(round.finished.since(round.started).as_millis()).ok(),
            booted,
        }
    }
}

impl Turn<'_> {
    /// Whether the device said nothing at all.
    fn is_silent(&self) -> bool {
        self.round.rows.is_empty() && self.round.uptime_ticks.is_none()
    }

    fn clocks_of(&self, row: &CounterRow) -> Clocks {
        Clocks::at(row.uptime_ticks, row.received, self.now, self.origin)
    }

    /// Whether sysUpTime fell since an earlier reading, and not because it went through its end after 497 days.
    fn fell(&self, before: &Clocks, row: &CounterRow) -> bool {
        const AN_HOUR: u32 = 360_000;
        let (earlier, now) = (before.uptime, row.uptime_ticks);
        let near_the_end = earlier > u32::MAX - AN_HOUR && now < AN_HOUR;
        now < earlier && !near_the_end && before.until(self.clocks_of(row), self.round.engine_time) == Span::Restarted
    }

    /// How much later than the sample's time a row was read, in milliseconds: by the agent's clock where it ran through.
    fn skew_ms(&self, clocks: Clocks) -> i32 {
        const SLACK: i32 = 300;
        let by_uptime = clocks.uptime.wrapping_sub(self.clocks.uptime).cast_signed();
        let by_arrival = clocks.steady.wrapping_sub(self.clocks.steady).cast_signed();
        let told = by_uptime.checked_sub(by_arrival).is_some_and(|off| off.abs() <= SLACK);
        (if told { by_uptime } else { by_arrival }).saturating_mul(10)
    }

    /// When the device started: by its engine's time when sysUpTime has gone through its end before.
    fn booted(&self) -> Timestamp {
        let uptime = u64::from(self.clocks.uptime) / 100;
        let engine = u64::from(self.round.engine_time.unwrap_or(0));
        let seconds = if engine > uptime + 60 { engine } else { uptime };
        self.place.time - std::time::Duration::from_secs(seconds)
    }
}

impl Slot {
    /// The port after a poll, and its row in the sample; no row when it was not due.
    fn observe(
        &mut self,
        turn: &Turn<'_>,
        row: Option<&CounterRow>,
        old: Option<&PortLive>,
        outdated: bool,
    ) -> (PortLive, Option<PortSample>) {
        if turn.is_silent() {
            return (self.missing(old, turn.round.gap.unwrap_or(Gap::Timeout)), None);
        }
        if !self.present {
            let gap = if outdated { Gap::Reset } else { Gap::Absent };
            return (self.missing(old, gap), Some(self.missed(gap)));
        }
        let Some(row) = row else {
            return match (turn.round.gap, old) {
                (Some(gap), _) if self.is_due(turn) => (self.missing(old, gap), Some(self.missed(gap))),
                (_, Some(old)) => (PortLive { identity: Arc::clone(&self.identity), ..old.clone() }, None),
                (_, None) => (self.missing(None, Gap::First), None),
            };
        };
        if outdated {
            self.memory = None;
            return (self.missing(None, Gap::Reset), Some(self.missed(Gap::Reset)));
        }
        self.note_state(row, old);
        if row.values.iter().all(Option::is_none) {
            self.memory = None;
            return (self.missing(None, Gap::Absent), Some(self.missed(Gap::Absent)));
        }
        let clocks = turn.clocks_of(row);
        match self.judge(row, old, clocks, turn.round.engine_time) {
            Some(verdict) => self.measured(turn, row, clocks, &verdict),
            None => (old.cloned().unwrap_or_else(|| PortLive::unknown(&self.identity, Gap::First)), None),
        }
    }

    fn judge(&mut self, row: &CounterRow, old: Option<&PortLive>, clocks: Clocks, engine_time: Option<u32>) -> Option<Verdict> {
        let before = self.memory.zip(old).map(|(memory, old)| Before { memory, counters: &old.counters, rates: &old.rates });
        let limits = if self.speed_is_fresh {
            speed::limits(self.identity.speed_bps, self.identity.if_type, self.identity.connector)
        } else {
            super::rates::Limits::default()
        };
        let replaced = std::mem::take(&mut self.replaced);
        let verdict =
            if replaced { judge(None, row, clocks, engine_time, limits) } else { judge(before, row, clocks, engine_time, limits) };
        verdict.map(|verdict| if replaced { Verdict { mark: Some(Gap::Replaced), ..verdict } } else { verdict })
    }

    fn measured(&mut self, turn: &Turn<'_>, row: &CounterRow, clocks: Clocks, verdict: &Verdict) -> (PortLive, Option<PortSample>) {
        self.memory = Some(verdict.memory);
        let skew_ms = turn.skew_ms(clocks);
        let live = PortLive {
            identity: Arc::clone(&self.identity),
            state: state(row, &self.identity),
            sampled: Some(shift(turn.place.time, skew_ms)),
            counters: verdict.counters,
            rates: verdict.rates,
            gap: verdict.mark,
        };
        if turn.place.taken {
            self.owed = verdict.mark.or(self.owed);
            return (live, None);
        }
        // Between pieces of the time line the rate is known, but not from the times of the two samples.
        let bent = self.piece != turn.place.piece;
        self.piece = turn.place.piece;
        let mark = verdict.mark.or(self.owed.take()).or(bent.then_some(Gap::ClockStep));
        let mut values = [None; METRICS];
        for ((value, metric), read) in values.iter_mut().zip(PortMetric::ALL).zip(row.values) {
            *value = read.and_then(|_| verdict.counters.get(metric));
        }
        (live, Some(PortSample { port: self.identity.id, skew_ms, mark, values }))
    }

    /// Whether a port without a row should have had one: ports with a longer interval come less often.
    fn is_due(&self, turn: &Turn<'_>) -> bool {
        let Some(memory) = self.memory else { return true };
        let passed = turn.clocks.steady.wrapping_sub(memory.clocks.steady);
        u64::from(passed) * 4 >= u64::from(memory.span()) * 3
    }

    /// Keeps up with what changes between two identity reads.
    fn note_state(&mut self, row: &CounterRow, old: Option<&PortLive>) {
        const UP: u64 = 1;
        let oper = row.values.get(PortMetric::OperStatus.index()).copied().flatten();
        let came_up = oper == Some(UP) && old.and_then(|old| old.counter(PortMetric::OperStatus)).is_some_and(|before| before != UP);
        if came_up {
            // It may have agreed on another speed.
            self.speed_is_fresh = false;
        }
        if let Some(admin) = row.admin.filter(|&admin| admin != self.identity.admin) {
            self.identity = Arc::new(PortIdentity { admin, ..(*self.identity).clone() });
        }
    }

    /// The port without a reading: its counters stay as last read.
    fn missing(&self, old: Option<&PortLive>, gap: Gap) -> PortLive {
        let unknown = PortLive::unknown(&self.identity, gap);
        match old {
            Some(old) => PortLive { sampled: old.sampled, counters: old.counters, ..unknown },
            None => unknown,
        }
    }

    fn missed(&self, gap: Gap) -> PortSample {
        PortSample { port: self.identity.id, skew_ms: 0, mark: Some(gap), values: [None; METRICS] }
    }
}

impl PortLive {
    /// A port of which nothing is known, and why.
    pub fn unknown(identity: &Arc<PortIdentity>, gap: Gap) -> Self {
        Self {
            identity: Arc::clone(identity),
            state: PortState::Unknown,
            sampled: None,
            counters: Counters::default(),
            rates: Rates::default(),
            gap: Some(gap),
        }
    }
}

/// IF-MIB: ifAdminStatus down(2) is shut, whatever else; ifOperStatus unknown(4) is not known.
fn state(row: &CounterRow, identity: &PortIdentity) -> PortState {
    const SHUT: u8 = 2;
    let oper = row.values.get(PortMetric::OperStatus.index()).copied().flatten();
    match (row.admin.unwrap_or(identity.admin), oper) {
        (SHUT, _) => PortState::Shut,
        (_, Some(1)) => PortState::Up,
        (_, None | Some(0 | 4)) => PortState::Unknown,
        (_, Some(_)) => PortState::Down,
    }
}

fn shift(time: Timestamp, ms: i32) -> Timestamp {
    Timestamp::from_millis(time.millis().saturating_add(i64::from(ms)))
}
