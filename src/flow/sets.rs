//! NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): sets of templates, of options and of flows, read by the templates of the same
//! exporter and domain.

use std::collections::HashMap;
use std::net::IpAddr;

use super::bytes::Bytes;
use super::clock::Clock;
use super::collector::{Heard, Limits};
use super::record::Record;
use super::sampling::Sampling;
use super::sequence::Sequence;
use super::slot::Slot;
use super::template::{Builder, Template};
use crate::model::Timestamp;

/// The lowest number of a template and of the sets that are read by it.
const FIRST_TEMPLATE: u16 = 256;

/// Which of the two it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    V9,
    Ipfix,
}

/// What one domain of one exporter has said.
#[derive(Default, Debug)]
pub(super) struct Session {
    templates: HashMap<u16, Template>,
    sampling: Sampling,
    booted_ms: Option<i64>,
    pub(super) sequence: Sequence,
    /// When it spoke last, by the collector's count.
    pub(super) used: u64,
}

/// What stands before the sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) dialect: Dialect,
    pub(super) clock: Clock,
    pub(super) sequence: u32,
    /// Source ID or Observation Domain ID.
    pub(super) domain: u32,
}

impl Header {
    /// Reads what follows the version. `None` when it is too short; the second is false when the length it tells is wrong.
    pub(super) fn read(dialect: Dialect, data: &mut Bytes<'_>, at: Timestamp) -> Option<(Self, bool)> {
        let told = data.u16()?;
        let (uptime_ms, whole) = match dialect {
            Dialect::V9 => (Some(data.u32()?), true),
            Dialect::Ipfix => {
                let body = usize::from(told).checked_sub(4)?;
                let whole = body == data.len();
                *data = Bytes::new(data.rest().get(..body).unwrap_or(data.rest()));
                (None, whole)
            }
        };
        let (seconds, sequence, domain) = (data.u32()?, data.u32()?, data.u32()?);
        let clock = Clock::new(i64::from(seconds) * 1_000, uptime_ms, at);
        Some((Self { dialect, clock, sequence, domain }, whole))
    }
}

/// What the reading of one datagram's sets needs to know.
pub(super) struct Walk<'a> {
    pub(super) header: &'a Header,
    pub(super) exporter: IpAddr,
    pub(super) limits: &'a Limits,
    /// The collector's count.
    pub(super) now: u64,
}

impl Session {
    /// Reads all sets. Returns how many records of data there were, flows and options; `None` when some could not be counted.
    pub(super) fn sets(&mut self, walk: &Walk<'_>, mut data: Bytes<'_>, heard: &mut Heard, out: &mut Vec<Record>) -> Option<u32> {
        let mut records = Some(0);
        while data.len() >= 4 {
            let (Some(id), Some(length)) = (data.u16(), data.u16()) else { break };
            let Some(set) = usize::from(length).checked_sub(4).and_then(|length| data.take(length)) else {
                heard.malformed = true;
                return None;
            };
            let set = Bytes::new(set);
            let well = match (walk.header.dialect, id) {
                (Dialect::V9, 0) | (Dialect::Ipfix, 2) => self.learn(walk, set, false),
                (Dialect::V9, 1) | (Dialect::Ipfix, 3) => self.learn(walk, set, true),
                (_, FIRST_TEMPLATE..) => {
                    let read = self.data(walk, id, set, heard, out);
                    records = records.zip(read).map(|(sum, more): (u32, u32)| sum.saturating_add(more));
                    true
                }
                // Reserved: to be ignored.
                _ => true,
            };
            heard.malformed |= !well;
        }
        records
    }

    /// Reads a set by its template. `None` when the template is not known.
    fn data(&mut self, walk: &Walk<'_>, id: u16, mut set: Bytes<'_>, heard: &mut Heard, out: &mut Vec<Record>) -> Option<u32> {
        let Some(template) = self.templates.get_mut(&id) else {
            heard.unknown_templates += 1;
            return None;
        };
        template.used = walk.now;
        let mut records = 0;
        while let Some(draft) = template.read(&mut set) {
            records += 1;
            if template.options {
                draft.note(&mut self.sampling, &mut self.booted_ms);
            } else {
                let made = draft.finish(walk.exporter, &walk.header.clock, self.booted_ms, &self.sampling, out);
                heard.other += u32::from(made == 0);
            }
        }
        Some(records)
    }

    /// Takes the templates of a set. Whether all were whole and within the limits.
    fn learn(&mut self, walk: &Walk<'_>, mut set: Bytes<'_>, options: bool) -> bool {
        let mut well = true;
        while set.len() >= 4 {
            let (Some(id), Some(count)) = (set.u16(), set.u16()) else { break };
            // Zeros that fill up to the next word.
            if id == 0 {
                break;
            }
            if walk.header.dialect == Dialect::Ipfix && count == 0 {
                self.withdraw(id, options);
                continue;
            }
            let read = match (walk.header.dialect, options) {
                (_, false) => fields(&mut set, walk, 0, usize::from(count)),
                // RFC 3954, 6.1: the lengths of both parts in octets, a field takes four.
                (Dialect::V9, true) => set.u16().and_then(|octets| fields(&mut set, walk, usize::from(count) / 4, usize::from(octets) / 4)),
                // RFC 7011, 3.4.2.2: the fields of the scope are among those counted, and are elements like others.
                (Dialect::Ipfix, true) => set.u16().and_then(|_| fields(&mut set, walk, 0, usize::from(count))),
            };
            let Some(builder) = read else { return false };
            let template = builder.and_then(|builder| builder.build(options, walk.now)).filter(|_| id >= FIRST_TEMPLATE);
            match template {
                Some(template) => self.keep(id, template, walk.limits.templates),
                None => well = false,
            }
        }
        well
    }

    /// One that has the same number is replaced; of too many, the one that was used longest ago goes.
    fn keep(&mut self, id: u16, template: Template, most: usize) {
        if self.templates.len() >= most
            && !self.templates.contains_key(&id)
            && let Some(oldest) = self.templates.iter().min_by_key(|(id, template)| (template.used, **id)).map(|(id, _)| *id)
        {
            self.templates.remove(&oldest);
        }
        self.templates.insert(id, template);
    }

    /// RFC 7011, 8.1: one, or all of a kind by the number of their set.
    fn withdraw(&mut self, id: u16, options: bool) {
        if id < FIRST_TEMPLATE {
            self.templates.retain(|_, template| template.options != options);
        } else {
            self.templates.remove(&id);
        }
    }

    #[cfg(test)]
    pub(super) fn templates(&self) -> usize {
        self.templates.len()
    }
}

/// Reads the fields of a template: those of a v9 scope, which are not elements, then the others. The outer `None`: it ends in
/// the middle. The inner: it has more fields than are taken.
fn fields(set: &mut Bytes<'_>, walk: &Walk<'_>, scope: usize, count: usize) -> Option<Option<Builder>> {
    let mut builder = Builder::default();
    for index in 0..scope + count {
        let (element, length) = (set.u16()?, set.u16()?);
        let enterprise = match walk.header.dialect {
            Dialect::Ipfix if element & 0x8000 != 0 => set.u32()?,
            _ => 0,
        };
        let element = if walk.header.dialect == Dialect::Ipfix { element & 0x7fff } else { element };
        // A length of 65535 means "in the record" in IPFIX only; in v9 no record could be so long.
        let slot = if index < scope { Slot::Skip } else { Slot::of(enterprise, element, length) };
        builder.field(slot, length);
    }
    Some((scope + count <= walk.limits.fields).then_some(builder))
}
