//! When the office works, for rules that hold in working hours only.

use crate::capture::packet::Nanos;
use crate::detect::baseline::calendar::{Calendar, SLOTS};

/// The working hours, by the office's own calendar.
#[derive(Clone, Debug)]
pub struct Office {
    calendar: Calendar,
    hours: [bool; SLOTS],
}

impl Office {
    /// Working hours by the hour of the week, from Monday's first; what day a date counts as is the calendar's.
    pub const fn new(calendar: Calendar, hours: [bool; SLOTS]) -> Self {
        Self { calendar, hours }
    }

    /// Whether the office works at a moment.
    pub fn works(&self, at: Nanos) -> bool {
        self.hours.get(self.calendar.slot(at.timestamp())).copied().unwrap_or(false)
    }
}
