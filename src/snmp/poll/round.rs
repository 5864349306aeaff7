//! One turn of the schedule with one device, as a [`Job`]: identity when it is due or in doubt, then the counters of all
//! due ports. Rows of two epochs of a device (a restart, a renumbering) never come together in one round.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::{self, Signs};
use super::inventory::{Failure, InventoryReader, Reading};
use super::memory::Memory;
use super::mib;
use super::packing::Packing;
use super::plan::{Cell, Chunk, Plan};
use super::rows::{Rows, Taken};
use crate::model::observe::{InterfaceRow, Inventory, PollRound};
use crate::model::{DeviceId, Gap, Timestamp};
use crate::snmp::job::{Answer, Ask, AskError, End, Job, Request, Step};
use crate::snmp::message::{encode_names, status};

/// Identity reads in one round: the first doubt, a second doubt, and the one that settles it.
const MOST_READS: u8 = 3;

/// What a round is to do.
#[derive(Clone)]
pub struct Turn {
    /// Whose round.
    pub device: DeviceId,
    /// When it was due.
    pub due: Timestamp,
    /// When it is handed to the transport.
    pub started: Timestamp,
    /// Bit set of the port classes that are due.
    pub classes: u32,
    /// How long an identity read is good for; 15 min is usual.
    pub identity_every: Duration,
    /// Which class a port belongs to.
    pub class_of: Arc<dyn Fn(&InterfaceRow) -> u8 + Send + Sync>,
}

/// A finished round and what to remember for the next one.
#[derive(Debug)]
pub struct Outcome {
    /// For the rooms above.
    pub round: PollRound,
    /// For the next turn.
    pub memory: Box<Memory>,
}

/// The job.
pub struct PollJob {
    turn: Turn,
    memory: Box<Memory>,
    done: Box<dyn FnOnce(Outcome) + Send>,
    phase: Phase,
    queue: VecDeque<Piece>,
    current: Option<Piece>,
    rows: Rows,
    /// Per port of the plan: whether its row may be given out.
    kept: Option<Vec<bool>>,
    given_up: Vec<Cell>,
    /// The device has shown in this turn that it takes less than was thought.
    shrunk: bool,
    reads: u8,
    settle: bool,
    uptime: Option<u32>,
    first_uptime: Option<u32>,
    engine_time: Option<u32>,
    finished: Option<Timestamp>,
    inventory: Option<Arc<Inventory>>,
    plan: Option<Arc<Plan>>,
    failure: Option<(Gap, String)>,
}

enum Phase {
    Start,
    /// Asks sysUpTime alone: is the device there?
    Probe,
    Identity(Box<InventoryReader>, Then),
    Counters,
    Over,
}

/// What follows an identity read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Counters,
    /// The rows are in; they are given out if they are still the same ports.
    Over,
}

/// A request of the plan on its way.
struct Piece {
    chunk: Chunk,
    /// Asked again by name, because the first answer did not bring these cells.
    again: bool,
    /// It is a part of what the device would not answer: what was known before that.
    before: Option<Packing>,
}

impl PollJob {
    /// A job for one turn; `done` gets the outcome and must not block.
    pub fn new(turn: Turn, memory: Box<Memory>, done: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self {
            uptime: memory.uptime,
            turn,
            memory,
            done: Box::new(done),
            phase: Phase::Start,
            queue: VecDeque::new(),
            current: None,
            rows: Rows::default(),
            kept: None,
            given_up: Vec::new(),
            shrunk: false,
            reads: 0,
            settle: false,
            first_uptime: None,
            engine_time: None,
            finished: None,
            inventory: None,
            plan: None,
            failure: None,
        }
    }

    fn start(&mut self) {
        if !self.memory.answering {
            self.phase = Phase::Probe;
        } else if self.memory.plan.is_none() {
            self.read_identity(Then::Counters);
        } else {
            self.begin_counters();
        }
    }

    /// Reads the identity, or goes on where the last turn had to leave off.
    fn read_identity(&mut self, then: Then) {
        self.reads += 1;
        let reader = self.memory.unfinished.take().unwrap_or_else(|| Box::new(InventoryReader::new(self.memory.packing)));
        self.phase = Phase::Identity(reader, then);
    }

    fn begin_counters(&mut self) {
        let chunks = self.memory.chunks(self.turn.classes);
        self.plan.clone_from(&self.memory.plan);
        self.rows = self.plan.as_ref().map(|plan| Rows::new(plan)).unwrap_or_default();
        self.kept = None;
        self.given_up.clear();
        self.queue = chunks.iter().map(|chunk| Piece::new(chunk.clone())).collect();
        self.current = None;
        self.phase = Phase::Counters;
    }

    /// The device is not what the plan says: what came in so far is dropped and its identity read anew.
    fn doubt(&mut self, why: &str) {
        self.memory.unfinished = None;
        self.rows = Rows::default();
        self.queue.clear();
        self.current = None;
        if self.reads >= MOST_READS {
            self.fail(Gap::Reset, format!("{why}, again and again while it was polled"));
            return;
        }
        // Interfaces that come and go all the time: the next rows are settled by a last identity read instead.
        self.settle = self.reads >= 1;
        self.read_identity(Then::Counters);
    }

    fn fail(&mut self, gap: Gap, detail: String) {
        self.failure = Some((gap, detail));
        self.phase = Phase::Over;
    }

    fn fail_to_ask(&mut self, error: &AskError) {
        self.fail(gap_of(error), error.to_string());
    }

    fn identity_read(&mut self, reader: InventoryReader, then: Then, now: Instant) {
        match reader.into_reading() {
            Ok(reading) => self.take_reading(reading, then, now),
            // Rows that came in whole are good without a later identity read, unless it was to settle them.
            Err(_) if then == Then::Over && !self.settle => self.phase = Phase::Over,
            Err(failure) => {
                self.rows = Rows::default();
                match failure {
                    Failure::Ask(error) => self.fail_to_ask(&error),
                    Failure::Cut(cut) => self.fail(Gap::Malformed, cut.to_string()),
                    Failure::Restarts { .. } => self.fail(Gap::Reset, failure.to_string()),
                }
            }
        }
    }

    fn take_reading(&mut self, reading: Reading, then: Then, now: Instant) {
        let plan = Plan::new(&reading, |row| (self.turn.class_of)(row));
        self.uptime = reading.epoch.uptime.or(self.uptime);
        self.first_uptime = self.first_uptime.or(reading.epoch.uptime);
        self.engine_time = reading.epoch.engine_time;
        self.memory.packing = reading.packing;
        self.memory.packing.forgive();
        self.memory.identity_due = now.checked_add(self.good_for());
        self.memory.identity_reads = self.memory.identity_reads.wrapping_add(1);
        self.inventory = Some(Arc::new(reading.inventory));
        if then == Then::Over {
            let same = |port: &super::plan::PlannedPort| {
                plan.ports().iter().any(|other| other.if_index == port.if_index && other.identity == port.identity)
            };
            let kept = self.plan.as_ref().map(|old| old.ports().iter().map(same).collect());
            self.kept = kept;
            self.memory.replace_plan(plan);
            self.phase = Phase::Over;
        } else {
            self.memory.replace_plan(plan);
            self.begin_counters();
        }
    }

    /// How long the identity is good for: the usual span, spread by a tenth so that devices do not fall into step.
    fn good_for(&self) -> Duration {
        let mut hasher = DefaultHasher::new();
        (self.turn.device, self.memory.identity_reads).hash(&mut hasher);
        let thousandths = (hasher.finish() % 200) as u32;
        self.turn.identity_every * (900 + thousandths) / 1000
    }

    fn counters_done(&mut self, now: Instant) {
        let due = self.memory.identity_due.is_none_or(|due| due <= now);
        if self.settle || (due && self.reads == 0) {
            self.read_identity(Then::Over);
        } else {
            self.phase = Phase::Over;
        }
    }

    fn take_counters(&mut self, answer: &Answer<'_>) {
        let Some(piece) = self.current.take() else { return };
        match answer.error_status {
            status::NO_ERROR => self.take_cells(&piece, answer),
            status::NO_SUCH_NAME => self.no_such_name(&piece, answer.error_index),
            _ => self.refused(&piece),
        }
    }

    fn take_cells(&mut self, piece: &Piece, answer: &Answer<'_>) {
        let Some(plan) = self.plan.clone() else { return };
        let signs = Signs::of(answer);
        if let Some(why) = self.changed(&plan, &signs) {
            self.doubt(why);
            return;
        }
        let uptime = signs.uptime.unwrap_or_else(|| answer::ticks_of(answer.received));
        self.uptime = signs.uptime.or(self.uptime);
        self.first_uptime = self.first_uptime.or(signs.uptime);
        self.engine_time = signs.engine_time.or(self.engine_time);
        let rows = &mut self.rows;
        let mut vanished = Vec::new();
        let missing = answer::match_cells(&plan, &piece.chunk, answer, &mut |cell, value| {
            if rows.take(cell, &value, uptime, answer.received) == Taken::Vanished {
                vanished.push(cell);
            }
        });
        self.follow_up(&plan, piece, answer, &missing, &vanished);
        if !vanished.is_empty() {
            self.vanished(&vanished);
        }
    }

    /// Whether the device is in another epoch than the plan: in words for the log.
    fn changed(&self, plan: &Plan, signs: &Signs) -> Option<&'static str> {
        let restarted = matches!((self.uptime, signs.uptime), (Some(before), Some(now)) if super::meaning::restarted(before, now));
        let differs = |now: Option<u32>, then: Option<u32>| now.is_some() && now != then;
        let epoch = plan.epoch();
        if restarted {
            Some("the device restarted")
        } else if self.settle {
            None
        } else if differs(signs.table_last_change, epoch.table_last_change) {
            Some("ifTableLastChange moved")
        } else if differs(signs.if_number, epoch.if_number) {
            Some("ifNumber changed")
        } else {
            None
        }
    }

    /// What to do about cells that an answer should have brought and did not.
    fn follow_up(&mut self, plan: &Plan, piece: &Piece, answer: &Answer<'_>, missing: &[Cell], vanished: &[Cell]) {
        let asked = piece.chunk.len();
        if missing.is_empty() {
            if vanished.is_empty() {
                self.memory.packing.clean(piece.chunk.names(), piece.chunk.varbinds());
            }
            return;
        }
        let came = asked - missing.len();
        if came == 0 && piece.chunk.bulk_rows().is_none() {
            self.refused(piece);
            return;
        }
        if let Some((rest, given)) = answer::cut_short(plan, &piece.chunk, answer, missing) {
            self.memory.packing.cut_short(piece.chunk.in_front() + given);
            self.queue.push_front(Piece::new(rest));
        } else if piece.again {
            // Asked twice by name, and others of the same request were answered: these are absent.
        } else {
            if piece.chunk.bulk_rows().is_some() {
                self.memory.packing.bulk_misbehaved();
            }
            let again = Piece { again: true, ..Piece::new(plan.explicit(missing)) };
            self.put_in_front(&again, plan);
        }
    }

    /// Cells that the identity read found are gone: ports were renumbered or pulled out, unless it was read just now.
    fn vanished(&mut self, cells: &[Cell]) {
        if self.reads == 0 {
            self.doubt("a row vanished");
        } else {
            self.given_up.extend_from_slice(cells);
        }
    }

    /// The v1 way to say that a row is not there.
    fn no_such_name(&mut self, piece: &Piece, error_index: i64) {
        let mut cells = piece.chunk.cells();
        let in_front = piece.chunk.in_front();
        let place =
            usize::try_from(error_index).ok().and_then(|index| index.checked_sub(1 + in_front)).filter(|&place| place < cells.len());
        match place {
            Some(place) if piece.chunk.bulk_rows().is_none() => {
                let gone = cells.remove(place);
                if let Some(plan) = self.plan.as_ref().filter(|_| !cells.is_empty()) {
                    let chunk = plan.explicit(&cells);
                    self.queue.push_front(Piece { chunk, ..*piece });
                }
                self.vanished(&[gone]);
            }
            _ => self.refused(piece),
        }
    }

    /// The device does not answer this question with what it asks for, because it is too large or because of a cell in it.
    fn refused(&mut self, piece: &Piece) {
        self.ask_smaller(piece, |packing, names, varbinds| match piece.chunk.bulk_rows() {
            Some(rows) => packing.bulk_refused(names, varbinds, rows),
            None => packing.refused(names),
        });
    }

    /// Smaller questions take the place of one that was too large. A single cell that cannot be answered is absent, and
    /// it was that cell, not the size.
    fn ask_smaller(&mut self, piece: &Piece, learn: impl FnOnce(&mut Packing, usize, usize)) {
        let Some(plan) = self.plan.clone() else { return };
        let before = piece.before.unwrap_or(self.memory.packing);
        if piece.chunk.len() > 1 {
            learn(&mut self.memory.packing, piece.chunk.names(), piece.chunk.varbinds());
            self.shrunk = true;
            self.put_in_front(&Piece { chunk: piece.chunk.clone(), again: piece.again, before: Some(before) }, &plan);
            return;
        }
        self.memory.packing = before;
        if self.reads > 0 {
            self.given_up.extend(piece.chunk.cells());
        }
    }

    /// Puts a question in front of those that wait, in pieces of the size that the device takes.
    fn put_in_front(&mut self, piece: &Piece, plan: &Plan) {
        for chunk in plan.packed_anew(&piece.chunk, self.memory.packing).into_iter().rev() {
            self.queue.push_front(Piece { chunk, again: piece.again, before: piece.before });
        }
    }

    /// The next question; what was packed before the device showed that it takes less is packed anew.
    fn next_piece(&mut self) -> Option<Piece> {
        let piece = self.queue.pop_front()?;
        if !self.shrunk || self.memory.packing.takes(piece.chunk.names(), piece.chunk.varbinds()) {
            return Some(piece);
        }
        let plan = self.plan.clone()?;
        self.put_in_front(&piece, &plan);
        self.queue.pop_front()
    }

    /// The probe was answered: the device is there, so it was the question, or one lost datagram.
    fn probed(&mut self, answer: &Answer<'_>) {
        let signs = Signs::of(answer);
        let restarted = matches!((self.uptime, signs.uptime), (Some(before), Some(now)) if super::meaning::restarted(before, now));
        self.first_uptime = self.first_uptime.or(signs.uptime);
        self.uptime = signs.uptime.or(self.uptime);
        self.phase = Phase::Counters;
        match self.current.take() {
            // After a silence it may have restarted for longer than it had been up before, or another device may stand there.
            None => {
                self.memory.answering = true;
                self.memory.unfinished = None;
                self.read_identity(Then::Counters);
            }
            Some(_) if restarted => self.doubt("the device restarted"),
            Some(piece) => self.ask_smaller(&piece, Packing::unanswered),
        }
    }

    fn probe() -> Request {
        Request { ask: Ask::Get, varbinds: Arc::from(encode_names([mib::SYS_UP_TIME.child(&[0])].iter())) }
    }
}

impl Job for PollJob {
    fn next(&mut self, now: Instant) -> Step {
        loop {
            match &mut self.phase {
                Phase::Start => self.start(),
                Phase::Probe => return Step::Send(Self::probe()),
                Phase::Identity(reader, then) => {
                    let then = *then;
                    if let Some(request) = reader.request() {
                        return Step::Send(request);
                    }
                    if let Phase::Identity(reader, _) = std::mem::replace(&mut self.phase, Phase::Over) {
                        self.identity_read(*reader, then, now);
                    }
                }
                Phase::Counters => {
                    if self.current.is_none() {
                        self.current = self.next_piece();
                    }
                    match &self.current {
                        Some(piece) => return Step::Send(piece.chunk.request.clone()),
                        None => self.counters_done(now),
                    }
                }
                Phase::Over => return Step::Finished,
            }
        }
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        self.memory.heard(answer.rtt);
        self.finished = Some(answer.received);
        match &mut self.phase {
            Phase::Probe => self.probed(answer),
            Phase::Identity(reader, _) => reader.answered(answer),
            Phase::Counters => self.take_counters(answer),
            Phase::Start | Phase::Over => {}
        }
    }

    fn failed(&mut self, error: &AskError) {
        match (&mut self.phase, error) {
            (Phase::Identity(reader, _), _) => reader.failed(error),
            (Phase::Counters, AskError::Timeout { .. } | AskError::Malformed { .. }) => {
                self.phase = Phase::Probe;
            }
            _ => self.fail_to_ask(error),
        }
    }

    fn finish(self: Box<Self>, end: End) {
        let (outcome, done) = self.outcome(end);
        done(outcome);
    }
}

impl PollJob {
    /// What did not come in before the deadline.
    fn too_slow(&self) -> String {
        let advice = "give the device a longer interval, or look at it with netroom device test";
        match &self.phase {
            Phase::Identity(reader, _) => {
                let at = reader.column().map_or_else(String::new, |column| format!(" at {column}"));
                format!("the interface tables did not end before the deadline of the poll{at}; {advice}")
            }
            _ => {
                let whole = self.plan.as_ref().map_or(0, |plan| plan.ports().len());
                format!("{} of {whole} ports came in before the deadline of the poll; {advice}", self.rows.heard())
            }
        }
    }

    /// The turn is over while the identity is being read: what was read, and learnt on the way, is for the next turn.
    fn leave_off(&mut self) {
        if let Phase::Identity(reader, _) = std::mem::replace(&mut self.phase, Phase::Over) {
            self.memory.packing = reader.packing();
            self.memory.unfinished = Some(reader).filter(|reader| reader.is_worth_keeping());
        }
    }

    fn outcome(mut self, end: End) -> (Outcome, Box<dyn FnOnce(Outcome) + Send>) {
        let heard = self.finished.is_some();
        let failure = self.failure.take().or(match end {
            End::Complete => None,
            End::Deadline if !heard => Some((Gap::Timeout, "no answer before the deadline of the poll".to_owned())),
            End::Deadline => Some((Gap::Deadline, self.too_slow())),
            End::Cancelled => Some((Gap::DaemonDown, "netroom was stopped during the poll".to_owned())),
        });
        self.leave_off();
        // Rows that a last identity read should have settled are of no use without it.
        let unsettled = self.settle && self.kept.is_none();
        let when = self.finished.map(|finished| (self.first_uptime.unwrap_or_else(|| answer::ticks_of(finished)), finished));
        let classes = self.turn.classes;
        let plan = self.plan.take().filter(|_| !unsettled);
        let apart = self.memory.packing.names_behind(1) < 2;
        let rows = plan.map_or_else(Vec::new, |plan| {
            let due = |place: usize| plan.ports().get(place).is_some_and(|port| classes >> port.class & 1 == 1);
            let kept = |place: usize| self.kept.as_ref().is_none_or(|kept| kept.get(place).copied().unwrap_or(false));
            self.rows.finish(&plan, when, apart, |place| due(place) && kept(place))
        });
        self.memory.answering = heard || end == End::Cancelled;
        self.memory.uptime = self.uptime;
        self.memory.forget_cells(if self.kept.is_none() { &self.given_up } else { &[] });
        let round = PollRound {
            device: self.turn.device,
            due: self.turn.due,
            started: self.turn.started,
            finished: self.finished.unwrap_or(self.turn.started),
            uptime_ticks: self.first_uptime,
            engine_time: self.engine_time,
            rtt_us: self.memory.srtt_us(),
            inventory: self.inventory,
            rows,
            gap: failure.as_ref().map(|(gap, _)| *gap),
            detail: failure.map(|(_, detail)| Arc::from(detail)),
        };
        (Outcome { round, memory: self.memory }, self.done)
    }
}

impl Piece {
    const fn new(chunk: Chunk) -> Self {
        Self { chunk, again: false, before: None }
    }
}

/// The reason that a failed question leaves behind.
pub const fn gap_of(error: &AskError) -> Gap {
    match error {
        AskError::Timeout { .. } => Gap::Timeout,
        AskError::Unreachable { .. } => Gap::Unreachable,
        AskError::Refused { .. } => Gap::Refused,
        AskError::Malformed { .. } => Gap::Malformed,
    }
}
