//! What is asked of a device and when.
//!
//! * [`mib`], [`columns`], [`meaning`]: names, columns, and what values mean in whatever type they come.
//! * [`walk`], [`scalars`], [`table`]: reading what is not known beforehand, without trusting the agent.
//! * [`inventory`]: the identity read; [`plan`], [`packing`], [`rows`], [`round`]: the steady poll of the counters.
//! * [`schedule`] (pure) says whose turn it is; [`driver`] carries turns to the transport and rounds to the rooms above.
//!
//! The walk of one datum: the schedule gives a turn; [`round::PollJob`] asks the requests of the device's [`plan::Plan`];
//! cells fill [`rows::Rows`]; the driver sends the `PollRound` up and keeps the [`memory::Memory`] for the next turn.

pub mod answer;
pub mod columns;
pub mod driver;
pub mod inventory;
pub mod meaning;
pub mod memory;
pub mod mib;
pub mod packing;
pub mod plan;
pub mod round;
pub mod rows;
pub mod scalars;
pub mod schedule;
pub mod stats;
pub mod table;
pub mod walk;
