//! What goes wrong between a device and its poller: on the wire ([`Spoiler`]) and inside the device ([`Looping`],
//! [`Endless`]). Everything is drawn from a seed, so a failing test fails again.

use std::time::Duration;

use super::{Datum, Mib, Missing};
use crate::demo::chance::Chance;
use crate::model::Timestamp;
use crate::snmp::ber::Writer;
use crate::snmp::message::{Message, PduParts, encode_varbinds};
use crate::snmp::oid::Oid;
use crate::snmp::value::Value;

/// Faults of the wire, as probabilities from 0 to 1 for each request. The kinds of wrong answer exclude each other and
/// come instead of the right one; their numbers are falsified, so that a poller that believes one is caught.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Faults {
    /// Where the chances come from.
    pub seed: u64,
    /// Request or answer is lost; 1 is a dead device.
    pub loss: f64,
    /// The answer comes twice, or three times, or four.
    pub duplicate: f64,
    /// Each answer takes at least and at most this long.
    pub delay: (Duration, Duration),
    /// The answer takes [`Self::late_by`] longer than that: beyond the poller's timeout.
    pub late: f64,
    /// See [`Self::late`].
    pub late_by: Duration,
    /// The answer has another request-id.
    pub wrong_id: f64,
    /// The answer comes from another address.
    pub wrong_source: f64,
    /// The answer has another community.
    pub wrong_community: f64,
    /// Random octets come instead of the answer.
    pub garbage: f64,
    /// The answer ends somewhere inside.
    pub truncated: f64,
}

/// Which socket an answer leaves by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The one that was asked.
    Own,
    /// One with another address.
    Other,
}

/// A datagram on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// How long after the request it is sent.
    pub after: Duration,
    /// What is sent.
    pub octets: Vec<u8>,
    /// From where.
    pub source: Source,
}

/// Applies [`Faults`] to one answer after the other.
#[derive(Clone, Debug)]
pub struct Spoiler {
    faults: Faults,
    chance: Chance,
}

impl Spoiler {
    /// Begins with the seed of the faults.
    pub const fn new(faults: Faults) -> Self {
        let chance = Chance::new(faults.seed);
        Self { faults, chance }
    }

    /// What is really sent for an answer, and when.
    pub fn deliver(&mut self, answer: Vec<u8>) -> Vec<Delivery> {
        if self.chance.happens(self.faults.loss) {
            return Vec::new();
        }
        let (least, most) = self.faults.delay;
        let mut after = least + most.saturating_sub(least).mul_f64(self.chance.share());
        if self.chance.happens(self.faults.late) {
            after += self.faults.late_by;
        }
        let copies = if self.chance.happens(self.faults.duplicate) { 2 + self.chance.below(3) } else { 1 };
        let (octets, source) = self.spoil(answer);
        let spread = |copy: u64| after + Duration::from_micros(300) * u32::try_from(copy).unwrap_or(0);
        (0..copies).map(|copy| Delivery { after: spread(copy), octets: octets.clone(), source }).collect()
    }

    fn spoil(&mut self, answer: Vec<u8>) -> (Vec<u8>, Source) {
        let Faults { wrong_id, wrong_source, wrong_community, garbage, truncated, .. } = self.faults;
        let drawn = self.chance.share();
        let mut bar = 0.0;
        let mut hit = |probability: f64| {
            bar += probability;
            drawn < bar
        };
        if hit(wrong_id) {
            (falsify(&answer, 1, b""), Source::Own)
        } else if hit(wrong_source) {
            (falsify(&answer, 0, b""), Source::Other)
        } else if hit(wrong_community) {
            (falsify(&answer, 0, b"-not"), Source::Own)
        } else if hit(garbage) {
            let length = 1 + self.chance.below(200);
            ((0..length).map(|_| self.chance.below(256) as u8).collect(), Source::Own)
        } else if hit(truncated) {
            let length = usize::try_from(self.chance.below(answer.len() as u64)).unwrap_or(0);
            (answer.get(..length).unwrap_or_default().to_vec(), Source::Own)
        } else {
            (answer, Source::Own)
        }
    }
}

/// The answer with all numbers changed, another request-id and a longer community.
fn falsify(answer: &[u8], id_step: i32, suffix: &[u8]) -> Vec<u8> {
    let Ok(message) = Message::decode(answer) else { return Vec::new() };
    let wrong = |value| match value {
        Value::Counter32(number) => Value::Counter32(!number),
        Value::Gauge32(number) => Value::Gauge32(!number),
        Value::TimeTicks(number) => Value::TimeTicks(!number),
        Value::Counter64(number) => Value::Counter64(!number),
        other => other,
    };
    let rows: Vec<_> = message.pdu.varbinds.filter_map(Result::ok).map(|(name, value)| (name, wrong(value))).collect();
    let varbinds = encode_varbinds(rows.into_iter());
    let parts = PduParts {
        kind: message.pdu.kind,
        request_id: message.pdu.request_id.wrapping_add(id_step),
        error_status: message.pdu.error_status,
        error_index: message.pdu.error_index,
        varbinds: &varbinds,
    };
    let mut writer = Writer::with_capacity(answer.len() + 64);
    Message::encode(message.version, &[message.community, suffix].concat(), &parts, &mut writer);
    writer.as_slice().to_vec()
}

/// A device whose walk never leaves a subtree: behind its last row comes its first row again.
#[derive(Clone, Debug)]
pub struct Looping<M> {
    /// The device.
    pub inner: M,
    /// The subtree.
    pub subtree: Oid,
}

impl<M: Mib> Mib for Looping<M> {
    fn get(&self, name: &Oid, now: Timestamp) -> Result<Datum, Missing> {
        self.inner.get(name, now)
    }

    fn next(&self, name: &Oid, now: Timestamp) -> Option<(Oid, Datum)> {
        let inside = |name: &Oid| name.octets().starts_with(self.subtree.octets());
        let next = self.inner.next(name, now);
        if inside(name) && !next.as_ref().is_some_and(|(next, _)| inside(next)) {
            return self.inner.next(&self.subtree, now);
        }
        next
    }

    fn answers(&self, now: Timestamp) -> bool {
        self.inner.answers(now)
    }
}

/// A device with a column that never ends: some four thousand million rows of `row_octets` each.
#[derive(Clone, Debug)]
pub struct Endless<M> {
    /// The device.
    pub inner: M,
    /// The column.
    pub column: Oid,
    /// The length of each value.
    pub row_octets: usize,
}

impl<M: Mib> Mib for Endless<M> {
    fn get(&self, name: &Oid, now: Timestamp) -> Result<Datum, Missing> {
        self.inner.get(name, now)
    }

    fn next(&self, name: &Oid, now: Timestamp) -> Option<(Oid, Datum)> {
        if let Some(mut below) = name.as_ref().below(&self.column)
            && let Some(row) = below.next().unwrap_or(0).checked_add(1)
        {
            return Some((self.column.child(&[row]), Datum::octets(vec![b'x'; self.row_octets])));
        }
        let next = self.inner.next(name, now);
        // A name in front of the column leads into it.
        if *name < self.column && next.as_ref().is_none_or(|(next, _)| *next >= self.column) {
            return Some((self.column.child(&[1]), Datum::octets(vec![b'x'; self.row_octets])));
        }
        next
    }

    fn answers(&self, now: Timestamp) -> bool {
        self.inner.answers(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::agent::Table;
    use crate::snmp::message::{PduKind, Version};

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn answer() -> Vec<u8> {
        let name: Oid = "1.3.6.1.2.1.1.3.0".parse().unwrap();
        let varbinds = encode_varbinds([(name.as_ref(), Value::Counter32(7))].into_iter());
        let parts = PduParts { kind: PduKind::Response, request_id: 5, error_status: 0, error_index: 0, varbinds: &varbinds };
        let mut writer = Writer::default();
        Message::encode(Version::V2c, b"public", &parts, &mut writer);
        writer.as_slice().to_vec()
    }

    #[test]
    fn without_faults_an_answer_goes_out_as_it_is() {
        let whole = Delivery { after: Duration::ZERO, octets: answer(), source: Source::Own };
        assert_eq!(Spoiler::new(Faults::default()).deliver(answer()), [whole]);
    }

    #[test]
    fn faults_come_as_often_as_asked_and_the_same_each_time() {
        let faults = Faults { seed: 3, loss: 0.1, duplicate: 0.2, late: 0.05, late_by: Duration::from_secs(2), ..Faults::default() };
        let run = || {
            let mut spoiler = Spoiler::new(faults.clone());
            (0..10_000).map(|_| spoiler.deliver(answer())).collect::<Vec<_>>()
        };
        let sent = run();
        let share = |test: &dyn Fn(&Vec<Delivery>) -> bool| sent.iter().filter(|batch| test(batch)).count();
        assert!((900..1100).contains(&share(&Vec::is_empty)));
        assert!((1620..1980).contains(&share(&|batch| batch.len() > 1)), "a fifth of what is not lost");
        assert!((360..540).contains(&share(&|batch| batch.first().is_some_and(|first| first.after >= Duration::from_secs(2)))));
        assert_eq!(sent, run());
    }

    #[test]
    fn wrong_answers_are_wrong_in_one_way_and_falsified() {
        let spoiled = |faults: Faults| Spoiler::new(faults).deliver(answer()).remove(0);
        let by_id = spoiled(Faults { wrong_id: 1.0, ..Faults::default() });
        let message = Message::decode(&by_id.octets).unwrap();
        assert_eq!((message.pdu.request_id, message.community, by_id.source), (6, &b"public"[..], Source::Own));
        assert_eq!(message.pdu.varbinds.map(|item| item.unwrap().1).collect::<Vec<_>>(), [Value::Counter32(!7)]);
        let by_community = spoiled(Faults { wrong_community: 1.0, ..Faults::default() });
        assert_eq!(Message::decode(&by_community.octets).unwrap().community, b"public-not");
        assert_eq!(spoiled(Faults { wrong_source: 1.0, ..Faults::default() }).source, Source::Other);
        assert!(spoiled(Faults { truncated: 1.0, ..Faults::default() }).octets.len() < answer().len());
        assert_ne!(spoiled(Faults { garbage: 1.0, ..Faults::default() }).octets, answer());
    }

    #[test]
    fn a_looping_device_comes_back_and_an_endless_one_goes_on() {
        let rows = ["1.3.6.1.2.1.2.2.1.1.1", "1.3.6.1.2.1.2.2.1.1.2", "1.3.6.1.2.1.4.1.0"];
        let table = || rows.iter().map(|name| (name.parse().unwrap(), Datum::Integer(1))).collect::<Table>();
        let column: Oid = "1.3.6.1.2.1.2.2.1.1".parse().unwrap();
        let step = |mib: &dyn Mib, name: &str| mib.next(&name.parse().unwrap(), NOW).map(|(name, _)| name.to_string());
        let looping = Looping { inner: table(), subtree: column };
        assert_eq!(step(&looping, rows[1]).as_deref(), Some(rows[0]));
        assert_eq!(step(&looping, rows[2]), None);
        let endless = Endless { inner: table(), column: "1.3.6.1.2.1.2.2.1.2".parse().unwrap(), row_octets: 1000 };
        assert_eq!(step(&endless, rows[1]).as_deref(), Some("1.3.6.1.2.1.2.2.1.2.1"));
        assert_eq!(step(&endless, "1.3.6.1.2.1.2.2.1.2").as_deref(), Some("1.3.6.1.2.1.2.2.1.2.1"));
        assert_eq!(step(&endless, "1.3.6.1.2.1.2.2.1.2.77").as_deref(), Some("1.3.6.1.2.1.2.2.1.2.78"));
        assert_eq!(step(&endless, "1.3.6.1.2.1.2.2.1.3").as_deref(), Some(rows[2]));
    }
}
