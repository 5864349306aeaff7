//! The core alone: tables for its rules, and random operations against a reference model.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::offline::Offline;
use crate::model::{Timestamp, clock};
use crate::snmp::ber::Writer;
use crate::snmp::job::{Answer, Ask, AskError, Credentials, End, Job, Patience, Request, Secret, Step, SubmitError, Target};
use crate::snmp::message::{Message, PduKind, PduParts, Version, encode_names, encode_varbinds};
use crate::snmp::oid::Oid;
use crate::snmp::set::Warrant;
use crate::snmp::value::Value;

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, PartialEq, Debug)]
enum Event {
    Answered(u32),
    Failed(AskError),
    Finished(End),
}

type Log = Arc<Mutex<Vec<(u32, Event)>>>;

/// Asks its questions one after the other; question `n` of job `j` names the object `1.3.j.n`, so that an answer tells
/// which question it belongs to.
struct Script {
    number: u32,
    asked: u32,
    questions: u32,
    ask: Ask,
    log: Log,
}

impl Script {
    fn note(&self, event: Event) {
        self.log.lock().unwrap().push((self.number, event));
    }
}

fn question(job: u32, question: u32) -> Oid {
    Oid::new(&[1, 3, job, question]).unwrap()
}

impl Job for Script {
    fn next(&mut self, _now: Instant) -> Step {
        if self.asked == self.questions {
            return Step::Finished;
        }
        self.asked += 1;
        Step::Send(Request { ask: self.ask, varbinds: encode_names([question(self.number, self.asked)].iter()).into() })
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        // A bit flipped in the list's own header may leave nothing to read.
        if let Some(Ok((name, _))) = answer.varbinds.clone().next() {
            assert_eq!(name.to_owned(), question(self.number, self.asked), "an answer to another question was accepted");
        }
        self.note(Event::Answered(self.asked));
    }

    fn failed(&mut self, error: &AskError) {
        self.note(Event::Failed(error.clone()));
    }

    fn finish(self: Box<Self>, end: End) {
        self.note(Event::Finished(end));
    }
}

/// A request as it left, with what a right answer to it has to carry.
#[derive(Clone, PartialEq, Debug)]
struct Sent {
    to: SocketAddr,
    version: Version,
    kind: PduKind,
    id: i32,
    community: Vec<u8>,
    varbinds: Vec<u8>,
}

impl Sent {
    fn answer(&self) -> Vec<u8> {
        self.written(self.version, &self.community, PduKind::Response, self.id)
    }

    fn written(&self, version: Version, community: &[u8], kind: PduKind, request_id: i32) -> Vec<u8> {
        let mut writer = Writer::default();
        let parts = PduParts { kind, request_id, error_status: 0, error_index: 0, varbinds: &self.varbinds };
        Message::encode(version, community, &parts, &mut writer);
        writer.as_slice().to_vec()
    }
}

struct Bench {
    engine: Offline,
    now: Instant,
    log: Log,
    jobs: u32,
}

impl Bench {
    fn new(window: usize) -> Self {
        Self { engine: Offline::new(0x1234_5678, window), now: clock::monotonic(), log: Log::default(), jobs: 0 }
    }

    fn submit(&mut self, peer: SocketAddr, version: Version, ask: Ask, questions: u32) -> Result<u32, SubmitError> {
        let number = self.jobs + 1;
        let credentials = Credentials::Community { version, community: Secret::new(&b"public"[..]) };
        let target = Arc::new(Target { name: "sw".into(), address: peer, credentials, patience: Patience::default() });
        let job = Box::new(Script { number, asked: 0, questions, ask, log: Arc::clone(&self.log) });
        self.engine.submit(&target, job, self.now + 60_000 * MS, self.now)?;
        self.jobs = number;
        Ok(number)
    }

    fn tick(&mut self, span: Duration) -> Vec<Sent> {
        self.now += span;
        let sent = self.engine.tick(self.now).into_iter().map(|(to, octets)| {
            let message = Message::decode(&octets).unwrap();
            let varbinds = message.pdu.varbinds.octets().to_vec();
            let community = message.community.to_vec();
            Sent { to, version: message.version, kind: message.pdu.kind, id: message.pdu.request_id, community, varbinds }
        });
        sent.collect()
    }

    fn deliver(&mut self, from: SocketAddr, octets: &[u8]) {
        self.engine.receive(from, octets, self.now, Timestamp::from_millis(7));
    }

    fn events(&self, job: u32) -> Vec<Event> {
        self.log.lock().unwrap().iter().filter(|(number, _)| *number == job).map(|(_, event)| event.clone()).collect()
    }
}

fn peer(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 161))
}

#[test]
fn questions_are_asked_one_after_the_other() {
    let mut bench = Bench::new(8);
    let job = bench.submit(peer(1), Version::V2c, Ask::Get, 3).unwrap();
    for _ in 0..3 {
        let sent = bench.tick(MS);
        assert_eq!(sent.len(), 1);
        assert_eq!(bench.tick(MS), [], "one request in flight");
        bench.deliver(peer(1), &sent[0].answer());
    }
    assert_eq!(bench.events(job), [Event::Answered(1), Event::Answered(2), Event::Answered(3), Event::Finished(End::Complete)]);
    assert!(bench.engine.core.is_idle());
    assert!(!bench.engine.core.is_asking());
}

#[test]
fn an_unanswered_request_is_repeated_with_doubled_timeouts_and_given_up() {
    let mut bench = Bench::new(8);
    let job = bench.submit(peer(1), Version::V2c, Ask::Get, 1).unwrap();
    let start = bench.now;
    let mut sends = Vec::new();
    for _ in 0..5_000 {
        sends.extend(bench.tick(MS).into_iter().map(|sent| (sent.id, (bench.now - start).as_millis())));
    }
    let id = sends[0].0;
    assert_eq!(sends, [(id, 1), (id, 501), (id, 1_501)]);
    let waited = 3_500 * MS;
    let timeout = AskError::Timeout { peer: peer(1), tries: 3, waited };
    assert_eq!(bench.events(job), [Event::Failed(timeout), Event::Finished(End::Complete)]);
    assert_eq!((bench.engine.core.stats.sent, bench.engine.core.stats.retries, bench.engine.core.stats.timeouts), (3, 2, 1));
}

#[test]
fn what_changes_a_device_is_sent_once_and_waited_for_as_long_as_can_be() {
    let mut bench = Bench::new(8);
    let ask = Warrant::issue("sw".into(), Vec::new(), Timestamp::from_millis(0)).request().ask;
    let job = bench.submit(peer(1), Version::V2c, ask, 1).unwrap();
    let sent = bench.tick(MS);
    assert_eq!(sent.iter().map(|sent| sent.kind).collect::<Vec<_>>(), [PduKind::Set]);
    assert_eq!((0..4_990).map(|_| bench.tick(MS).len()).sum::<usize>(), 0, "it may have been done");
    assert_eq!(bench.events(job), [], "switches may take seconds to change themselves");
    bench.tick(20 * MS);
    assert!(matches!(bench.events(job)[..], [Event::Failed(AskError::Timeout { tries: 1, .. }), Event::Finished(End::Complete)]));
    bench.deliver(peer(1), &sent[0].answer());
    assert_eq!(bench.engine.core.stats.accepted, 0, "too late");
}

#[test]
fn a_duplicate_is_not_the_answer_to_the_next_question() {
    let mut bench = Bench::new(8);
    let job = bench.submit(peer(1), Version::V2c, Ask::Get, 2).unwrap();
    let first = bench.tick(MS)[0].answer();
    bench.deliver(peer(1), &first);
    bench.deliver(peer(1), &first);
    let second = bench.tick(MS)[0].answer();
    bench.deliver(peer(1), &first);
    assert_eq!(bench.events(job), [Event::Answered(1)]);
    bench.deliver(peer(1), &second);
    bench.deliver(peer(1), &second);
    assert_eq!(bench.events(job)[1..], [Event::Answered(2), Event::Finished(End::Complete)]);
    assert_eq!((bench.engine.core.stats.accepted, bench.engine.core.stats.stale), (2, 3));
}

#[test]
fn only_the_right_source_id_version_and_community_is_an_answer() {
    let mut bench = Bench::new(8);
    let job = bench.submit(peer(1), Version::V2c, Ask::Get, 1).unwrap();
    let sent = bench.tick(MS).remove(0);
    for (from, octets) in [
        (peer(2), sent.answer()),
        (SocketAddr::new(peer(1).ip(), 162), sent.answer()),
        (peer(1), sent.written(Version::V1, b"public", PduKind::Response, sent.id)),
        (peer(1), sent.written(Version::V2c, b"private", PduKind::Response, sent.id)),
        (peer(1), sent.written(Version::V2c, b"public", PduKind::Response, sent.id ^ 0x4000_0000)),
        (peer(1), sent.written(Version::V2c, b"public", PduKind::Response, -1)),
        (peer(1), sent.written(Version::V2c, b"public", PduKind::Get, sent.id)),
        (peer(1), vec![0x30, 0x03, 0x02, 0x01]),
    ] {
        bench.deliver(from, &octets);
    }
    assert_eq!(bench.events(job), []);
    assert_eq!((bench.engine.core.stats.foreign, bench.engine.core.stats.malformed), (6, 2));
    bench.deliver(peer(1), &sent.answer());
    assert_eq!(bench.events(job), [Event::Answered(1), Event::Finished(End::Complete)]);
}

#[test]
fn what_came_instead_of_an_answer_is_told() {
    type Reply = fn(&Sent) -> Vec<u8>;
    let cases: [(Reply, &str); 3] = [
        (|_| b"HTTP/1.1 400 Bad Request".to_vec(), "does not begin as an SNMP message does"),
        (|sent| sent.written(Version::V2c, b"other", PduKind::Response, sent.id), "another version or community"),
        (|sent| sent.written(Version::V2c, b"public", PduKind::Response, sent.id.wrapping_sub(1 << 30)), "never asked"),
    ];
    for (octets, reason) in cases {
        let mut bench = Bench::new(8);
        let job = bench.submit(peer(1), Version::V2c, Ask::Get, 1).unwrap();
        for _ in 0..500 {
            for sent in bench.tick(10 * MS) {
                bench.deliver(peer(1), &octets(&sent));
            }
        }
        let Event::Failed(AskError::Malformed { why, .. }) = &bench.events(job)[0] else { panic!("{:?}", bench.events(job)) };
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
fn a_closed_port_ends_the_question_at_once_and_a_lost_route_after_all_tries() {
    let mut bench = Bench::new(8);
    let refused = bench.submit(peer(1), Version::V2c, Ask::Get, 1).unwrap();
    let lost = bench.submit(peer(2), Version::V2c, Ask::Get, 1).unwrap();
    bench.tick(MS);
    bench.engine.core.unreachable(peer(1), "closed", true, bench.now);
    bench.engine.core.unreachable(peer(2), "no route", false, bench.now);
    bench.engine.core.unreachable(peer(3), "nobody asked", true, bench.now);
    assert_eq!(bench.events(refused)[0], Event::Failed(AskError::Unreachable { peer: peer(1), why: "closed".into() }));
    assert_eq!(bench.events(lost), []);
    let again: usize = (0..500).map(|_| bench.tick(10 * MS).len()).sum();
    assert_eq!(again, 2, "the route may come back");
    assert_eq!(bench.events(lost)[0], Event::Failed(AskError::Unreachable { peer: peer(2), why: "no route".into() }));
}

#[test]
fn version_1_is_asked_without_getbulk() {
    let ask = Ask::GetBulk { non_repeaters: 1, max_repetitions: 20 };
    let mut bench = Bench::new(8);
    bench.submit(peer(1), Version::V1, ask, 1).unwrap();
    bench.submit(peer(2), Version::V2c, ask, 1).unwrap();
    let sent = bench.tick(MS);
    assert_eq!((sent[0].version, sent[0].kind), (Version::V1, PduKind::GetNext));
    assert_eq!((sent[1].version, sent[1].kind), (Version::V2c, PduKind::GetBulk));
}

#[test]
fn a_device_is_asked_by_one_job_at_a_time_and_never_past_the_deadline() {
    let mut bench = Bench::new(8);
    let job = bench.submit(peer(1), Version::V2c, Ask::Get, 1_000_000).unwrap();
    assert_eq!(bench.submit(peer(1), Version::V2c, Ask::Get, 1), Err(SubmitError::Busy));
    for _ in 0..6_001 {
        for sent in bench.tick(10 * MS) {
            bench.deliver(peer(1), &sent.answer());
        }
    }
    assert_eq!(bench.events(job).last(), Some(&Event::Finished(End::Deadline)));
    assert!(bench.submit(peer(1), Version::V2c, Ask::Get, 1).is_ok());
}

#[test]
fn dead_devices_do_not_starve_the_living() {
    let mut bench = Bench::new(4);
    for number in 1..=200 {
        bench.submit(peer(number), Version::V2c, Ask::Get, 1).unwrap();
    }
    let living = bench.submit(peer(201), Version::V2c, Ask::Get, 20).unwrap();
    let start = bench.now;
    while bench.events(living).last() != Some(&Event::Finished(End::Complete)) {
        for sent in bench.tick(5 * MS) {
            if sent.to == peer(201) {
                bench.deliver(peer(201), &sent.answer());
            }
        }
        assert!(bench.now - start < 10_000 * MS, "starved");
    }
    let most: usize = (0..20).map(|_| bench.tick(5 * MS).len()).sum();
    assert!(most <= 12, "{most} packets in 100 ms with 4 at once for 50 ms");
}

#[test]
fn cancelling_ends_every_job_once() {
    let mut bench = Bench::new(1);
    for number in 1..=9 {
        bench.submit(peer(number), Version::V2c, Ask::Get, 1).unwrap();
    }
    bench.tick(MS);
    bench.engine.core.cancel();
    for job in 1..=9 {
        assert_eq!(bench.events(job), [Event::Finished(End::Cancelled)]);
    }
    assert!(bench.engine.core.is_idle());
    assert_eq!(bench.engine.core.stats.running, 0);
}

/// What happens to the network, at random.
#[derive(Clone, Debug)]
enum Op {
    Submit(u8, u32),
    Advance(u16),
    /// The reply to the n-th request that left so far arrives (again), changed or not.
    Deliver(prop::sample::Index, Twist),
    Icmp(u8, bool),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Twist {
    Right,
    Source(u8),
    Port,
    Id(i32),
    Version,
    Community,
    Kind,
    Cut(u8),
    Flip(u16),
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        6 => Just(Twist::Right),
        1 => (1..6_u8).prop_map(Twist::Source),
        1 => Just(Twist::Port),
        1 => any::<i32>().prop_map(Twist::Id),
        1 => Just(Twist::Version),
        1 => Just(Twist::Community),
        1 => Just(Twist::Kind),
        1 => any::<u8>().prop_map(Twist::Cut),
        1 => any::<u16>().prop_map(Twist::Flip),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (1..6_u8, 1..5_u32).prop_map(|(peer, questions)| Op::Submit(peer, questions)),
        3 => (1..1_200_u16).prop_map(Op::Advance),
        6 => (any::<prop::sample::Index>(), twist()).prop_map(|(index, twist)| Op::Deliver(index, twist)),
        1 => (1..6_u8, any::<bool>()).prop_map(|(peer, refused)| Op::Icmp(peer, refused)),
    ]
}

/// The reference: which request of each device is open, as seen from outside only (what left, and what jobs heard).
#[derive(Default)]
struct Reference {
    open: HashMap<SocketAddr, Sent>,
}

impl Reference {
    fn fits(&self, from: SocketAddr, octets: &[u8]) -> bool {
        Message::decode(octets).is_ok_and(|message| {
            self.open.get(&from).is_some_and(|sent| {
                message.pdu.kind == PduKind::Response
                    && message.pdu.request_id == sent.id
                    && message.version == sent.version
                    && message.community == sent.community
            })
        })
    }
}

fn twisted(sent: &Sent, twist: Twist) -> (SocketAddr, Vec<u8>) {
    let mut from = sent.to;
    let mut octets = sent.answer();
    match twist {
        Twist::Right => {}
        Twist::Source(number) => from = peer(number),
        Twist::Port => from.set_port(10_161),
        Twist::Id(id) => octets = sent.written(sent.version, &sent.community, PduKind::Response, id),
        Twist::Version => octets = sent.written(Version::V1, &sent.community, PduKind::Response, sent.id),
        Twist::Community => octets = sent.written(sent.version, b"else", PduKind::Response, sent.id),
        Twist::Kind => octets = sent.written(sent.version, &sent.community, PduKind::Report, sent.id),
        Twist::Cut(at) => octets.truncate(usize::from(at) % octets.len()),
        // Before the varbinds only: what is inside them is the job's to judge.
        Twist::Flip(at) => {
            let end = octets.len() - sent.varbinds.len();
            octets[usize::from(at) / 8 % end] ^= 1 << (at % 8);
        }
    }
    (from, octets)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn acceptance_agrees_with_the_reference(ops in prop::collection::vec(op(), 1..80), window in 1..6_usize) {
        let mut bench = Bench::new(window);
        let mut reference = Reference::default();
        let mut past: Vec<Sent> = Vec::new();
        let mut jobs: HashMap<u32, SocketAddr> = HashMap::new();
        let mut heard = 0;
        for op in ops {
            let mut expected = None;
            let before = bench.engine.core.stats.accepted;
            match op {
                Op::Submit(number, questions) => {
                    if let Ok(job) = bench.submit(peer(number), Version::V2c, Ask::Get, questions) {
                        jobs.insert(job, peer(number));
                    }
                }
                Op::Advance(span) => bench.now += u32::from(span) * MS,
                Op::Icmp(number, refused) => bench.engine.core.unreachable(peer(number), "icmp", refused, bench.now),
                Op::Deliver(index, twist) if !past.is_empty() => {
                    let sent = index.get(&past);
                    let (from, octets) = twisted(sent, twist);
                    let fits = reference.fits(from, &octets);
                    // Damage that turns an old answer's id into the open one is a forgery nobody can tell.
                    let forged = fits && Message::decode(&octets).is_ok_and(|message| message.pdu.request_id != sent.id);
                    if !forged {
                        expected = Some(fits);
                        bench.deliver(from, &octets);
                    }
                }
                Op::Deliver(..) => {}
            }
            if let Some(expected) = expected {
                prop_assert_eq!(bench.engine.core.stats.accepted - before, u64::from(expected));
            }
            let sent = bench.tick(Duration::ZERO);
            // A question that was answered or given up is closed; what left afterwards is open.
            let log = bench.log.lock().unwrap().clone();
            for (job, _) in &log[heard..] {
                reference.open.remove(&jobs[job]);
            }
            heard = log.len();
            for one in sent {
                reference.open.insert(one.to, one.clone());
                past.push(one);
            }
        }
        bench.engine.core.cancel();
        for job in jobs.keys() {
            let ends = bench.events(*job).iter().filter(|event| matches!(event, Event::Finished(_))).count();
            prop_assert_eq!(ends, 1, "each job ends once");
        }
        prop_assert!(!bench.engine.core.is_asking());
        prop_assert_eq!(bench.engine.core.out(), 0);
    }

    #[test]
    fn all_questions_end_in_a_lossy_network(seed in any::<u64>(), loss in 0..40_u64, twice in 0..20_u64) {
        let mut bench = Bench::new(16);
        let jobs: Vec<u32> = (1..=20).map(|number| bench.submit(peer(number), Version::V2c, Ask::Get, 6).unwrap()).collect();
        let mut dice = seed | 1;
        let mut roll = move || { dice ^= dice << 13; dice ^= dice >> 7; dice ^= dice << 17; dice % 100 };
        let mut late: Vec<(Instant, SocketAddr, Vec<u8>)> = Vec::new();
        for _ in 0..20_000 {
            for sent in bench.tick(5 * MS) {
                for _ in 0..1 + u64::from(roll() < twice) {
                    if roll() >= loss {
                        let delay = u32::try_from(roll() * roll() / 5).unwrap();
                        late.push((bench.now + delay * MS, sent.to, sent.answer()));
                    }
                }
            }
            let now = bench.now;
            let (due, later): (Vec<_>, Vec<_>) = late.into_iter().partition(|(at, ..)| *at <= now);
            late = later;
            due.iter().for_each(|(_, from, octets)| bench.deliver(*from, octets));
            if bench.engine.core.is_idle() {
                break;
            }
        }
        for job in jobs {
            let events = bench.events(job);
            prop_assert_eq!(events.len(), 7, "six questions and one end");
        }
    }
}

#[test]
fn the_encoded_list_of_a_request_is_sent_unchanged() {
    let list = encode_varbinds([(question(1, 1).as_ref(), Value::Null)].into_iter());
    let mut bench = Bench::new(1);
    bench.submit(peer(1), Version::V2c, Ask::Get, 1).unwrap();
    assert_eq!(bench.tick(MS)[0].varbinds, list);
}
