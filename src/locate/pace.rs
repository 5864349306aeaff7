//! When a device's tables are read: pure. Reading waits until the device has just been polled and ends before it is polled
//! again, so that it is never in the way: a device is asked one thing at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Timestamp;

/// A reading gets no shorter time than this: a device whose polls leave less is not read, for polls go first.
const LEAST: Duration = Duration::from_secs(2);
/// Left free before the next poll.
const MARGIN: Duration = Duration::from_millis(1_500);
/// A device that was just polled: so long ago at most.
const FRESH: Duration = Duration::from_secs(3);

/// How a device's polls stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Polled {
    /// Which device.
    pub device: Arc<str>,
    /// When its last poll ended; `None` before the first.
    pub ended: Option<Timestamp>,
    /// How long it took.
    pub took: Duration,
    /// Its shortest interval.
    pub interval: Duration,
    /// Whether it answers.
    pub answers: bool,
    /// How often its tables are read.
    pub every: Duration,
}

/// A device whose turn it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Which.
    pub device: Arc<str>,
    /// How long the reading may ask.
    pub within: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The poll that was last used.
    used: Option<Timestamp>,
    /// When the last reading that came to its end began.
    read: Option<Timestamp>,
    is_running: bool,
}

/// Who was read when.
#[derive(Debug, Default)]
pub struct Pace {
    devices: HashMap<Arc<str>, Entry>,
}

impl Pace {
    /// The devices whose turn it is, at most `room`; each must be told [`Self::finished`].
    pub fn due(&mut self, polls: &[Polled], room: usize, now: Timestamp) -> Vec<Turn> {
        let mut turns = Vec::new();
        for polled in polls.iter().filter(|polled| polled.answers) {
            if turns.len() >= room {
                break;
            }
            let Some(ended) = polled.ended else { continue };
            let entry = self.devices.entry(Arc::clone(&polled.device)).or_insert(Entry { used: None, ..Entry::default() });
            let Some(used) = entry.used else {
                // The place of the next poll is not known before the second one: after the first it may be near.
                entry.used = Some(ended);
                continue;
            };
            let is_due = entry.read.is_none_or(|read| now.since(read) >= polled.every);
            if entry.is_running || used >= ended || !is_due || now.since(ended) > FRESH {
                continue;
            }
            let until_next = polled.interval.saturating_sub(polled.took).saturating_sub(now.since(ended)).saturating_sub(MARGIN);
            if until_next < LEAST {
                continue;
            }
            (entry.used, entry.is_running) = (Some(ended), true);
            turns.push(Turn { device: Arc::clone(&polled.device), within: until_next });
        }
        turns
    }

    /// A turn is over. One that did not come to its end goes on after the next poll.
    pub fn finished(&mut self, device: &str, begun: Timestamp, is_done: bool) {
        if let Some(entry) = self.devices.get_mut(device) {
            entry.is_running = false;
            if is_done {
                entry.read = Some(begun);
            }
        }
    }

    /// Forgets devices that are not watched any more.
    pub fn keep_only(&mut self, wanted: &dyn Fn(&str) -> bool) {
        self.devices.retain(|name, entry| entry.is_running || wanted(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(ended_s: i64) -> Polled {
        let second = Duration::from_secs(1);
        Polled {
            device: "sw".into(),
            ended: Some(Timestamp::from_secs(ended_s)),
            took: second,
            interval: second * 60,
            answers: true,
            every: second * 300,
        }
    }

    #[test]
    fn a_reading_begins_after_a_poll_and_ends_before_the_next() {
        let mut pace = Pace::default();
        let at = Timestamp::from_secs;
        assert_eq!(pace.due(&[polled(100)], 9, at(100)), [], "after the first poll the second may be near");
        let turns = pace.due(&[polled(160)], 9, at(161));
        assert_eq!(turns.len(), 1);
        // Polled from 159 to 160, next at 219; 161 + within must leave the margin.
        assert!(turns[0].within > Duration::from_secs(45) && turns[0].within <= Duration::from_millis(56_500), "{turns:?}");
        assert_eq!(pace.due(&[polled(220)], 9, at(220)), [], "it is still being read");
        pace.finished("sw", at(161), true);
        assert_eq!(pace.due(&[polled(220)], 9, at(221)), [], "read already");
        assert_eq!(pace.due(&[polled(460)], 9, at(465)), [], "not right after its poll");
        assert_eq!(pace.due(&[polled(520)], 9, at(520)).len(), 1, "due again");
    }

    #[test]
    fn what_was_not_read_to_its_end_goes_on_after_the_next_poll() {
        let mut pace = Pace::default();
        let at = Timestamp::from_secs;
        pace.due(&[polled(100)], 9, at(100));
        assert_eq!(pace.due(&[polled(160)], 9, at(160)).len(), 1);
        pace.finished("sw", at(160), false);
        assert_eq!(pace.due(&[polled(160)], 9, at(161)), [], "one turn a poll");
        assert_eq!(pace.due(&[polled(220)], 9, at(220)).len(), 1);
    }

    #[test]
    fn who_does_not_answer_is_left_alone_and_room_is_kept() {
        let mut pace = Pace::default();
        let at = Timestamp::from_secs;
        let many = |ended| (0..5).map(|n| Polled { device: format!("sw-{n}").into(), ..polled(ended) }).collect::<Vec<_>>();
        pace.due(&many(100), 9, at(100));
        assert_eq!(pace.due(&many(160), 2, at(160)).len(), 2);
        assert_eq!(pace.due(&many(160), 9, at(161)).len(), 3, "the others wait for room, not for the next poll");
        let silent: Vec<_> = many(220).into_iter().map(|polled| Polled { answers: false, ..polled }).collect();
        assert_eq!(pace.due(&silent, 9, at(220)), []);
    }

    #[test]
    fn polls_go_first() {
        let mut pace = Pace::default();
        let quick = |ended, took| Polled { interval: Duration::from_secs(10), took: Duration::from_secs(took), ..polled(ended) };
        let at = Timestamp::from_secs;
        pace.due(&[quick(100, 1)], 9, at(100));
        assert_eq!(pace.due(&[quick(110, 7)], 9, at(110)), [], "1.5 s would be left");
        assert_eq!(pace.due(&[quick(120, 6)], 9, at(120)).first().map(|turn| turn.within), Some(Duration::from_millis(2_500)));
    }
}
