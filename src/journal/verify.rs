//! Walking the chain: is every event as it was written, and do the anchors stand?
//!
//! Streaming: one event in memory at a time. What is read is taken as octets, because a hand-edited file may hold anything.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::Value;

use super::chain;
use super::event::Stamp;
use super::row::{self, Malformed, Read};
use super::store::{DESTROYED, GENESIS};

/// An end of the chain that was carried outside: number and hash of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor(pub Stamp);

/// A line that is no anchor.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no anchor; an anchor is the number of an event, a space, and its hash in 64 hexadecimal digits")]
pub struct AnchorError(pub String);

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(line: &str) -> Result<Self, AnchorError> {
        let read = || {
            let (seq, hash) = line.trim().split_once(' ')?;
            let seq: i64 = seq.parse().ok().filter(|seq| *seq > 0)?;
            Some(Self(Stamp { seq, hash: chain::unhex(hash.trim())? }))
        };
        read().ok_or_else(|| AnchorError(line.trim().to_owned()))
    }
}

impl Anchor {
    /// The anchors of a text: one a line; empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// The first line that is none.
    pub fn all(text: &str) -> Result<Vec<Self>, AnchorError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::parse).collect()
    }
}

/// What is wrong with an event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is not there, though later ones are.
    Missing,
    /// A value in it has another type than it was written with.
    Malformed,
    /// It does not follow from the event before.
    Unlinked,
    /// Its header is not what was hashed.
    Altered,
    /// Its payload is not what was digested.
    PayloadAltered,
    /// Its payload is gone, and no destruction is recorded.
    PayloadMissing,
    /// An anchor names another hash.
    NotAsAnchored,
    /// An anchor names it, but the chain ends before.
    CutOff,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is missing, though later events are there",
            Self::Malformed => "it holds a value of a wrong type",
            Self::Unlinked => "it does not follow from the event before it: one was removed, inserted, moved or changed",
            Self::Altered => "its header was changed",
            Self::PayloadAltered => "its payload was changed",
            Self::PayloadMissing => "its payload is gone and no destruction of it is recorded",
            Self::NotAsAnchored => "an anchor names another hash for it: the chain was written anew",
            Self::CutOff => "an anchor names it, but the chain ends before it: the end was cut off",
        })
    }
}

/// What a walk found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Events that were read and are good, up to the first bad one.
    pub events: i64,
    /// Payloads that were destroyed lawfully.
    pub destroyed: i64,
    /// Anchors that were found to stand.
    pub anchors: usize,
    /// The end of the chain; of the good part, when something is bad.
    pub head: Stamp,
    /// The first bad event.
    pub first_bad: Option<(i64, Fault)>,
}

/// Why the journal could not be walked to its end.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// SQLite failed.
    #[error("the journal cannot be read: {0}; `netroom journal` needs the whole file, restore it from a backup if it is damaged")]
    Sqlite(#[from] rusqlite::Error),
}

/// Walks the whole chain and checks it against `anchors`. Stops at the first bad event.
///
/// # Errors
/// When the database cannot be read.
pub fn verify(file: &Connection, anchors: &[Anchor]) -> Result<Report, VerifyError> {
    let mut walk = Walk::new(anchors);
    let mut query = file.prepare(row::QUERY)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(bad) = walk.step(row) {
            return Ok(walk.report(Some(bad)));
        }
    }
    let bad = walk.end();
    Ok(walk.report(bad))
}

/// How far the walk is.
struct Walk {
    last: Stamp,
    anchors: Vec<Anchor>,
    standing: usize,
    /// Events without a payload whose destruction has not been read yet.
    unexplained: BTreeSet<i64>,
    destroyed: i64,
    scratch: Vec<u8>,
}

impl Walk {
    fn new(anchors: &[Anchor]) -> Self {
        let mut anchors = anchors.to_vec();
        anchors.sort_unstable_by_key(|anchor| std::cmp::Reverse(anchor.0.seq));
        Self { last: GENESIS, anchors, standing: 0, unexplained: BTreeSet::new(), destroyed: 0, scratch: Vec::with_capacity(1024) }
    }

    fn step(&mut self, row: &Row<'_>) -> Result<(), (i64, Fault)> {
        let expected = self.last.seq + 1;
        let seq = row::number(row).map_err(|Malformed| (expected, Fault::Malformed))?;
        if seq != expected {
            // Numbers ascend without a gap from 1; a number below that can only have been put in before the first.
            return Err(if seq > expected { (expected, Fault::Missing) } else { (seq, Fault::Unlinked) });
        }
        let read = Read::of(row, seq).map_err(|Malformed| (seq, Fault::Malformed))?;
        if read.prev_hash != self.last.hash {
            return Err((seq, Fault::Unlinked));
        }
        let hash = read.header.hash(read.prev_hash, &mut self.scratch);
        if read.hash != hash {
            return Err((seq, Fault::Altered));
        }
        match read.payload {
            Some((salt, json)) if chain::digest(salt, json) != read.header.payload_digest => return Err((seq, Fault::PayloadAltered)),
            Some((_, json)) if read.header.action == DESTROYED => self.explain(json),
            Some(_) => {}
            None => {
                self.unexplained.insert(seq);
            }
        }
        while self.anchors.last().is_some_and(|anchor| anchor.0.seq == seq) {
            if self.anchors.pop().is_some_and(|anchor| anchor.0.hash != hash) {
                return Err((seq, Fault::NotAsAnchored));
            }
            self.standing += 1;
        }
        self.last = Stamp { seq, hash };
        Ok(())
    }

    /// A recorded destruction explains why earlier payloads are not there.
    fn explain(&mut self, json: &[u8]) {
        let value: Value = serde_json::from_slice(json).unwrap_or_default();
        for seq in value.get("events").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64) {
            self.destroyed += i64::from(self.unexplained.remove(&seq));
        }
    }

    fn end(&self) -> Option<(i64, Fault)> {
        if let Some(seq) = self.unexplained.first() {
            return Some((*seq, Fault::PayloadMissing));
        }
        // The anchors that are left lie beyond the end; the chain is bad from the first event that is not there.
        (!self.anchors.is_empty()).then_some((self.last.seq + 1, Fault::CutOff))
    }

    fn report(&self, first_bad: Option<(i64, Fault)>) -> Report {
        Report { events: self.last.seq, destroyed: self.destroyed, anchors: self.standing, head: self.last, first_bad }
    }
}
