//! The ports room: what the counters mean. Identity through renumbering, rates from the agent's own uptime, resets and
//! wraps told apart, and the live table that pages, metrics and alarms read.
//!
//! A poll walks: [`tracker`] finds the device → its roster matches the rows to known ports ([`identity`]) → its time line
//! places the poll ([`timeline`], [`clocks`]) → each port's reading is judged ([`rates`], [`speed`]) → a new snapshot for the
//! [`live`] table, a sample for the series, and what the
//! catalogue ([`store`]) must learn. [`driver`] performs it.
pub mod clocks;
mod device;
pub mod driver;
pub mod identity;
pub mod live;
pub mod query;
pub mod rates;
mod roster;
pub mod speed;
pub mod store;
pub mod timeline;
pub mod tracker;
