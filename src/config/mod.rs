//! The configuration: TOML files, checked as a whole, turned into plain typed [`Settings`] once.
//!
//! Layers, from the lowest: built-in defaults, the main file, `conf.d/*.toml` beside it by name, environment, flags. Single
//! values of a higher layer count; lists (devices) are joined. The walk of one file: [`Origin::load`] reads it, `schema`
//! checks keys and types against the JSON Schema that is generated from `raw`, `resolve` and `devices` give it its meaning.
//! Every [`Problem`] is collected with its place, its code and what to do; if one is an error, nothing is changed at all.

pub mod access;
pub mod block;
pub mod calendar;
pub mod capture;
pub mod classes;
mod credentials;
pub mod detect;
mod devices;
pub mod exempt;
pub mod files;
pub mod flow;
pub mod glob;
mod hosts;
pub mod notify;
pub mod people;
pub mod problem;
mod raw;
pub mod reach;
mod resolve;
pub mod rules;
mod schema;
pub mod secret;
mod secrets;
pub mod settings;
pub mod site;
mod source;
pub mod span;
pub mod suggest;
pub mod traps;
pub mod week;
pub mod zones;

use std::path::PathBuf;

pub use files::{Origin, Overrides};
pub use glob::Glob;
pub use problem::{Problem, Problems};
pub use schema::json_schema;
pub use secret::Secret;
pub use settings::Settings;

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the program runs by.
    pub settings: Settings,
    /// What somebody should look at all the same.
    pub warnings: Problems,
    /// The files that were read, in their order.
    pub files: Vec<PathBuf>,
}

#[cfg(test)]
mod tests;
