//! The configuration: TOML files, checked as a whole, turned into plain typed [`Settings`] once.
//!
//! [`settings`] is what the rest of the program sees; [`problem`] is how everything that is wrong is told.

pub mod glob;
pub mod problem;
pub mod secret;
pub mod settings;
pub mod span;

pub use glob::Glob;
pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use settings::Settings;
