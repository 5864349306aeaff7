//! Reading a handful of scalars from agents that may lack some or cannot answer many at once.

use std::sync::Arc;

use crate::snmp::job::{Answer, Ask, Request};
use crate::snmp::message::{encode_names, status};
use crate::snmp::oid::{Oid, OidRef};
use crate::snmp::value::Value;

/// How many are asked at once of a device that did not answer when all were asked.
const FEW: usize = 4;

/// Asks scalars by GET until each is answered or known to be missing.
#[derive(Clone, Debug)]
pub struct Scalars {
    left: Vec<Oid>,
    at_once: usize,
    silent: bool,
}

impl Scalars {
    /// Over the one instance of each of `objects`.
    pub fn new<'a>(objects: impl IntoIterator<Item = &'a Oid>) -> Self {
        let left: Vec<Oid> = objects.into_iter().map(|object| object.child(&[0])).collect();
        Self { at_once: left.len(), left, silent: false }
    }

    /// The next question; `None` when all is said.
    pub fn request(&self) -> Option<Request> {
        let asked = self.left.get(..self.at_once.min(self.left.len())).filter(|asked| !asked.is_empty())?;
        Some(Request { ask: Ask::Get, varbinds: Arc::from(encode_names(asked.iter())) })
    }

    /// Takes an answer and gives what is there to `sink`. When it says that too many names were asked: how many.
    pub fn answered(&mut self, answer: &Answer<'_>, sink: &mut dyn FnMut(OidRef<'_>, Value<'_>)) -> Option<usize> {
        let asked = self.at_once.min(self.left.len());
        let pointed = usize::try_from(answer.error_index).ok().and_then(|index| index.checked_sub(1)).filter(|&index| index < asked);
        match (answer.error_status, pointed) {
            (status::NO_ERROR, _) => {
                answer.varbinds.map_while(Result::ok).for_each(|(name, value)| sink(name, value));
                self.left.drain(..asked);
                // One alone is answered after all were not: some together are worth a try.
                if self.silent && asked == 1 {
                    self.at_once = FEW;
                    return Some(2 * FEW);
                }
            }
            (status::NO_SUCH_NAME, Some(index)) => drop(self.left.remove(index)),
            _ if asked <= 1 => drop(self.left.drain(..asked)),
            _ => {
                self.at_once = asked / 2;
                return Some(asked);
            }
        }
        None
    }

    /// Takes the failure of the last question; false when there is no other way to ask.
    pub fn failed(&mut self) -> bool {
        let another = !self.silent && self.at_once > 1;
        self.silent = true;
        self.at_once = 1;
        another
    }
}
