//! The series room: every sample of every port for years, in files of its own.
//!
//! [`sample`] is what comes in, [`history`] what is asked for.

pub mod history;
pub use crate::model::sample;
