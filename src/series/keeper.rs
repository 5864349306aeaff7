//! The maintenance of the files: the daemon calls [`Keeper::tick`] every minute or so on a thread that may block.
//! Each step can be interrupted anywhere and is taken up again at the next tick, also after days of standstill.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::model::Timestamp;

use super::Shared;
use super::compact::compact;
use super::error::SeriesError;
use super::layout::{DAY_MS, Day, HOUR_MS};
use super::retention;
use super::seal::seal;
use super::space::{Room, Space};
use super::stats::StoreState;
use super::verify::check_sealed;
use super::writer::{Message, Writer};

/// How long after the full hour it is moved: late polls are in by then.
const GRACE_MS: i64 = 120_000;
/// How long after midnight a day is sealed: the first hour after it has been moved by then.
const SEAL_AFTER_MS: i64 = HOUR_MS + 15 * 60_000;
/// Days sealed in one turn at most: after an import or a long pause there may be hundreds, and a stop must not wait for all.
const SEALS_A_TICK: u32 = 8;
/// A clock that jumps further than this may be wrong: nothing is dropped by age until it has stood a day.
const JUMP_MS: i64 = 2 * DAY_MS;

/// The maintenance of the files.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    writer: Writer,
    thread: Option<JoinHandle<()>>,
    scratch: Vec<u64>,
    /// The last tick, and until when the clock is not believed.
    last_ms: Option<i64>,
    doubt_until_ms: i64,
    /// The last day whose file was looked at, and when.
    checked: Option<(Day, i64)>,
}

impl Keeper {
    pub(super) const fn new(shared: Arc<Shared>, writer: Writer, thread: JoinHandle<()>) -> Self {
        Self { shared, writer, thread: Some(thread), scratch: Vec::new(), last_ms: None, doubt_until_ms: i64::MIN, checked: None }
    }

    /// Does what is due at `now`. The first error is returned and kept in the statistics; the other steps are still done.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), SeriesError> {
        let now_ms = now.millis();
        let steps = [self.compact(now_ms), self.seal(now_ms), self.retain(now_ms), self.space(), self.sample(now_ms)];
        let outcome = steps.into_iter().fold(Ok(()), Result::and);
        let told = outcome.as_ref().err().map(ToString::to_string);
        if let Some(reason) = &told {
            tracing::warn!("series: maintenance is not complete, it goes on at the next turn: {reason}");
        }
        let bytes = retention::measure(&self.shared);
        self.shared.counters.slow(|slow| (slow.keeping, slow.bytes) = (told, bytes));
        outcome
    }

    /// Writes everything, ends the writer's thread and closes the files.
    pub fn close(mut self) -> Result<(), SeriesError> {
        let flushed = self.writer.flush();
        self.writer.send(Message::Stop)?;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            return Err(SeriesError::Stopped);
        }
        flushed
    }

    fn compact(&mut self, now_ms: i64) -> Result<(), SeriesError> {
        let before = (now_ms - GRACE_MS).div_euclid(HOUR_MS) * HOUR_MS;
        let unreadable = compact(&self.shared, before, &mut self.scratch)?;
        if unreadable > 0 {
            tracing::warn!(polls = unreadable, "series: {unreadable} polls of the tail could not be read and are lost");
        }
        self.writer.send(Message::Forget(before))
    }

    fn seal(&mut self, now_ms: i64) -> Result<(), SeriesError> {
        let mut left = SEALS_A_TICK;
        for (day, files) in self.shared.days.all() {
            let in_tail = self.shared.tail.earliest_ms().is_some_and(|earliest| earliest < day.end_ms());
            if left > 0 && files.open && !in_tail && day.end_ms() + SEAL_AFTER_MS <= now_ms && seal(&self.shared, day, &mut self.scratch)? {
                left -= 1;
                self.shared.counters.slow(|slow| slow.sealed_days += 1);
                tracing::info!(%day, "series: {day} sealed");
            }
        }
        Ok(())
    }

    fn retain(&mut self, now_ms: i64) -> Result<(), SeriesError> {
        let earlier = self.last_ms.or_else(|| self.shared.tail.newest_ms()).unwrap_or(now_ms);
        if now_ms - earlier > JUMP_MS {
            self.doubt_until_ms = now_ms + DAY_MS;
            tracing::warn!("series: the clock has jumped ahead by more than two days; nothing is dropped by age for a day");
        }
        self.last_ms = Some(now_ms);
        let aged = if now_ms >= self.doubt_until_ms { retention::by_age(&self.shared, now_ms)? } else { 0 };
        let dropped = aged + retention::by_bytes(&self.shared)?;
        self.shared.counters.slow(|slow| slow.dropped_files += dropped);
        Ok(())
    }

    /// Keeps the reserve; when space runs out, the oldest raw day goes, one a tick.
    fn space(&self) -> Result<(), SeriesError> {
        let room = Space::room(&self.shared.layout)?;
        let full = self.shared.counters.slow(|slow| slow.writing) == StoreState::Full;
        let low = retention::is_low(&self.shared, room);
        if low || full {
            let dropped = retention::drop_oldest_day(&self.shared)?;
            self.shared.counters.slow(|slow| slow.dropped_files += u64::from(dropped));
        }
        let told = low.then(|| low_space(room));
        if let Some(reason) = told.as_ref().filter(|_| self.shared.counters.slow(|slow| slow.low_space.is_none())) {
            tracing::warn!(free_bytes = room.free, "series: {reason}");
        }
        self.shared.counters.slow(|slow| (slow.low_space, slow.free_bytes) = (told, Some(room.free)));
        if full { Ok(()) } else { self.shared.space.keep_reserve(&self.shared.layout) }
    }

    /// Looks at one sealed day an hour, one after the other; a damaged one is moved aside, so that it cannot spoil answers.
    fn sample(&mut self, now_ms: i64) -> Result<(), SeriesError> {
        if self.checked.is_some_and(|(_, at)| (0..HOUR_MS).contains(&(now_ms - at))) {
            return Ok(());
        }
        let sealed: Vec<Day> = self.shared.days.all().into_iter().filter(|(_, files)| files.sealed).map(|(day, _)| day).collect();
        let after = self.checked.map_or(Day(i64::MIN), |(day, _)| day);
        let Some(&day) = sealed.iter().find(|&&day| day > after).or_else(|| sealed.first()) else { return Ok(()) };
        self.checked = Some((day, now_ms));
        let outcome = check_sealed(&self.shared.layout, day);
        self.shared.counters.slow(|slow| slow.last_checked = Some(format!("{day}.db: {}", outcome.as_ref().err().map_or("ok", |why| why))));
        match outcome {
            Ok(()) => Ok(()),
            Err(why) => self.set_aside(day, &why),
        }
    }

    fn set_aside(&self, day: Day, why: &str) -> Result<(), SeriesError> {
        let (from, damaged) = (self.shared.layout.sealed_day(day), self.shared.layout.damaged());
        let to = damaged.join(format!("{day}.db"));
        std::fs::create_dir_all(&damaged).and_then(|()| std::fs::rename(&from, &to)).map_err(SeriesError::io(&to))?;
        self.shared.days.change(day, |files| files.sealed = false);
        self.shared.pool.forget(&from);
        self.shared.counters.slow(|slow| slow.damaged_files += 1);
        tracing::error!(%day, "series: raw samples of {day} are damaged ({why}); moved to {}, averages stay", to.display());
        Ok(())
    }
}

fn low_space(room: Room) -> String {
    let (free, total) = (room.free >> 20, room.total >> 20);
    format!("{free} MiB of {total} MiB are free; the oldest raw days are dropped early; free space or shorten the retention")
}
