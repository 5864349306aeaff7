//! Whose turn it is. Pure: time comes in as the span since an origin that the driver chose, on a clock that never steps.
//!
//! Each device has a grid of due times: its phase (a hash of its number, spread over the interval) plus whole intervals,
//! so devices do not fall into step and keep their places through reloads. Port classes with intervals of their own
//! have grids of the same phase; a turn carries all classes that are due. A device that is still being asked at its next
//! due time skips that cycle. After a stall (suspended machine) devices go on at their next place on the grid.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::model::DeviceId;

/// The shortest interval.
pub const SHORTEST: Duration = Duration::from_secs(10);
/// The longest interval.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Port classes a device may have, its own interval included.
pub const MOST_CLASSES: usize = 32;
/// Turns begin on multiples of this: devices that are asked together share the ticks of the transport, and between the
/// slots it sleeps. (Of 5,000 devices a minute 21 begin together.)
const SLOT: Duration = Duration::from_millis(250);
/// First polls after a start or reload are spread by this much a device.
const FIRST_SPREAD: Duration = Duration::from_millis(5);

/// A device's intervals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Which device.
    pub device: DeviceId,
    /// Interval of each class; the first is the device's own. Kept within [`SHORTEST`] and [`LONGEST`].
    pub intervals: Vec<Duration>,
}

/// One turn of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Whose.
    pub device: DeviceId,
    /// When it was due.
    pub due: Duration,
    /// When it must be over: 0.8 of the shortest interval that is due, after now.
    pub deadline: Duration,
    /// Bit set of the classes that are due.
    pub classes: u32,
}

/// What was not polled when it was due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Missed {
    /// Cycles skipped because the device was still being asked.
    pub late: u64,
    /// Cycles skipped because nobody came to take them (the machine slept, or was overloaded).
    pub stalled: u64,
}

/// The schedule of all devices.
#[derive(Debug, Default)]
pub struct Schedule {
    devices: HashMap<DeviceId, Entry>,
    queue: BinaryHeap<Reverse<(Duration, DeviceId)>>,
    missed: Missed,
}

#[derive(Clone, Debug)]
struct Entry {
    intervals: Vec<Duration>,
    phase: u64,
    /// Due time of each class.
    due: Vec<Duration>,
    in_flight: bool,
}

impl Schedule {
    /// An empty schedule.
    pub fn new() -> Self {
        Self::default()
    }

    /// Start and reload: these are the devices from now on. Those that stay keep their places, and a poll of theirs that
    /// is running goes on; new ones are polled once soon and then on their grid.
    pub fn replace(&mut self, timings: &[Timing], now: Duration) {
        let spread = FIRST_SPREAD * u32::try_from(timings.len()).unwrap_or(u32::MAX);
        let mut before = std::mem::take(&mut self.devices);
        for timing in timings {
            let intervals = accepted(&timing.intervals);
            let entry = match before.remove(&timing.device) {
                Some(entry) if entry.intervals == intervals => entry,
                Some(entry) => Entry { in_flight: entry.in_flight, ..Entry::on_grid(timing.device, intervals, now) },
                None => Entry::new(timing.device, intervals, now, spread),
            };
            self.devices.insert(timing.device, entry);
        }
        self.queue = self.devices.iter().map(|(&device, entry)| Reverse((entry.next_due(), device))).collect();
    }

    /// When to call [`Self::take_due`] next; `None` when there is no device.
    pub fn next_due(&self) -> Option<Duration> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }

    /// The next turn that is due at `now`; call until `None`.
    pub fn take_due(&mut self, now: Duration) -> Option<Turn> {
        while let Some(&Reverse((due, device))) = self.queue.peek() {
            if due > now {
                return None;
            }
            self.queue.pop();
            // A place in the queue that a reload or `poll_now` made void.
            let Some(entry) = self.devices.get_mut(&device).filter(|entry| entry.next_due() == due) else { continue };
            let turn = entry.take(device, due, now, &mut self.missed);
            self.queue.push(Reverse((entry.next_due(), device)));
            if turn.is_some() {
                return turn;
            }
        }
        None
    }

    /// The device's turn is over. Nothing happens when it was removed meanwhile.
    pub fn finished(&mut self, device: DeviceId) {
        if let Some(entry) = self.devices.get_mut(&device) {
            entry.in_flight = false;
        }
    }

    /// An extra turn now, of all classes; the grid stays. `None` when the device is unknown or being asked.
    pub fn poll_now(&mut self, device: DeviceId, now: Duration) -> Option<Turn> {
        let entry = self.devices.get_mut(&device).filter(|entry| !entry.in_flight)?;
        entry.in_flight = true;
        Some(Turn { device, due: now, deadline: now + deadline_after(entry.own()), classes: all(entry.intervals.len()) })
    }

    /// The interval that a device's turns come at, the shortest of its classes.
    pub fn interval(&self, device: DeviceId) -> Option<Duration> {
        self.devices.get(&device)?.intervals.iter().min().copied()
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Cycles skipped since the start.
    pub const fn missed(&self) -> Missed {
        self.missed
    }
}

impl Entry {
    /// First polled soon, then on its grid, but not within a quarter of the interval after the first time.
    fn new(device: DeviceId, intervals: Vec<Duration>, now: Duration, spread: Duration) -> Self {
        let mut entry = Self::on_grid(device, intervals, now);
        let first = now + within(entry.phase, spread.min(entry.own()));
        entry.due.fill(first);
        entry
    }

    fn on_grid(device: DeviceId, intervals: Vec<Duration>, now: Duration) -> Self {
        let phase = phase(device);
        let due = intervals.iter().map(|&interval| next_on_grid(phase, interval, now)).collect();
        Self { intervals, phase, due, in_flight: false }
    }

    fn own(&self) -> Duration {
        self.intervals.first().copied().unwrap_or(LONGEST)
    }

    fn next_due(&self) -> Duration {
        self.due.iter().min().copied().unwrap_or(Duration::MAX)
    }

    /// Takes what is due at `now` and moves on to the next places on the grid.
    fn take(&mut self, device: DeviceId, due: Duration, now: Duration, missed: &mut Missed) -> Option<Turn> {
        let mut classes = 0;
        let mut shortest = Duration::MAX;
        for (class, (due, &interval)) in self.due.iter_mut().zip(&self.intervals).enumerate() {
            if *due <= now {
                classes |= 1 << class;
                shortest = shortest.min(interval);
                let soon = next_on_grid(self.phase, interval, now);
                // Right after a first poll off the grid the next place may be very near.
                let near = soon.saturating_sub(now) < interval / 4 && !is_on_grid(self.phase, interval, *due);
                *due = if near { soon + interval } else { soon };
            }
        }
        if self.in_flight {
            missed.late += 1;
            return None;
        }
        let lateness = now.saturating_sub(due);
        if lateness >= shortest {
            missed.stalled += u64::try_from(lateness.as_nanos() / shortest.as_nanos().max(1)).unwrap_or(u64::MAX);
            return None;
        }
        self.in_flight = true;
        Some(Turn { device, due, deadline: now + deadline_after(shortest), classes })
    }
}

fn accepted(intervals: &[Duration]) -> Vec<Duration> {
    let mut accepted: Vec<Duration> = intervals.iter().take(MOST_CLASSES).map(|&interval| interval.clamp(SHORTEST, LONGEST)).collect();
    if accepted.is_empty() {
        accepted.push(Duration::from_secs(60));
    }
    accepted
}

fn deadline_after(interval: Duration) -> Duration {
    interval * 4 / 5
}

const fn all(classes: usize) -> u32 {
    if classes >= MOST_CLASSES { u32::MAX } else { (1 << classes) - 1 }
}

fn phase(device: DeviceId) -> u64 {
    let mut hasher = DefaultHasher::new();
    device.hash(&mut hasher);
    hasher.finish()
}

/// The place of a phase within a span.
fn within(phase: u64, span: Duration) -> Duration {
    let nanos = (span.as_nanos() * u128::from(phase)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

/// The grids of all intervals of a device start at the same phase of the longest possible interval, so that a due time
/// of a 60 s class is also one of a 10 s class.
fn offset(phase: u64, interval: Duration) -> u128 {
    let place = within(phase, LONGEST).as_nanos();
    (place - place % SLOT.as_nanos()) % interval.as_nanos().max(1)
}

fn next_on_grid(phase: u64, interval: Duration, now: Duration) -> Duration {
    let step = interval.as_nanos().max(1);
    let offset = offset(phase, interval);
    let steps = (now.as_nanos() + step - offset) / step;
    Duration::from_nanos(u64::try_from(offset + steps * step).unwrap_or(u64::MAX))
}

fn is_on_grid(phase: u64, interval: Duration, time: Duration) -> bool {
    let step = interval.as_nanos().max(1);
    time.as_nanos() % step == offset(phase, interval) % step
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
