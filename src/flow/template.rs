//! Templates, made ready for reading: what is not wanted is stepped over in one go.

use super::bytes::Bytes;
use super::draft::Draft;
use super::slot::{Slot, VARIABLE};

/// One field, or several in a row that are not read.
#[derive(Clone, Copy, Debug)]
struct Step {
    slot: Slot,
    length: u16,
}

/// How the records of one set are laid out.
#[derive(Clone, Debug)]
pub(super) struct Template {
    steps: Box<[Step]>,
    /// The least octets that a record takes, at least one.
    least: usize,
    /// Whether records tell about the exporter rather than about flows.
    pub(super) options: bool,
    /// When it was read last, by the collector's count.
    pub(super) used: u64,
}

/// Gathers the fields of a template.
#[derive(Default, Debug)]
pub(super) struct Builder {
    steps: Vec<Step>,
    least: usize,
}

impl Builder {
    pub(super) fn field(&mut self, slot: Slot, length: u16) {
        self.least += if length == VARIABLE { 1 } else { usize::from(length) };
        if let (Slot::Skip, Some(last)) = (slot, self.steps.last_mut())
            && last.slot == Slot::Skip
            && length != VARIABLE
            && last.length != VARIABLE
            && let Some(length) = last.length.checked_add(length).filter(|length| *length != VARIABLE)
        {
            last.length = length;
            return;
        }
        self.steps.push(Step { slot, length });
    }

    /// `None` for a template whose records would take no room at all.
    pub(super) fn build(self, options: bool, used: u64) -> Option<Template> {
        (self.least > 0).then(|| Template { steps: self.steps.into(), least: self.least, options, used })
    }
}

impl Template {
    /// Reads the next record of a set. `None` at its end, which may be padding.
    #[inline]
    pub(super) fn read(&self, set: &mut Bytes<'_>) -> Option<Draft> {
        if set.len() < self.least {
            return None;
        }
        let mut draft = Draft::default();
        for step in &self.steps {
            if step.length == VARIABLE {
                // RFC 7011, 7: one octet, or 255 and two more.
                let length = match set.u8()? {
                    255 => set.u16()?,
                    short => u16::from(short),
                };
                set.take(usize::from(length))?;
            } else {
                let value = set.take(usize::from(step.length))?;
                draft.set(step.slot, value);
            }
        }
        Some(draft)
    }
}
