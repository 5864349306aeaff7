//! The office's time: which days are worked and in which hours, working time between two moments, when
//! something is due, and on which days a duty comes round. Pure: days and zone come from the configuration, moments from the caller.
//!
//! The walk of one deadline: a report comes on Friday at 17:00 and is to be answered within four working hours ([`Term`]) →
//! [`Office::due`] walks from day to day, asks [`Days`] whether the day is worked and the season for its hours, and counts
//! until four hours are full: Monday at 11:00, or after the holiday.

mod days;
mod office;
mod recurrence;
mod shipped;
mod term;

pub use days::{Days, Special};
pub use office::Office;
pub use recurrence::{Occurrence, Recurrence, RuleError};
pub use shipped::years;
pub use term::{Term, TermError};
