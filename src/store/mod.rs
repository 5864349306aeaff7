//! The store: the only place that opens SQLite.
//!
//! [`sqlite`] opens one file with the settings that keep data safe; rooms with files of their own (series) use it directly.

pub mod error;
pub mod sqlite;

pub use error::StoreError;
