//! The graph room: MRTG-like pictures of a port, drawn once and shown the same in pages, mail and print.
//!
//! The walk of one picture: [`Span`] says the window and the step, the store answers with a
//! [`History`](crate::series::history::History), [`PortChart`] writes it as SVG, [`png`] turns that SVG into an image for
//! mail with an embedded font, [`feed`] gives the same numbers to the script in the page. Everything here is pure.

pub mod axis;
mod band;
pub mod chart;
pub mod contacts;
pub mod fan;
pub mod feed;
pub mod kind;
mod legend;
pub mod png;
pub mod smoke;
pub mod span;
pub mod spark;
mod svg;
pub mod theme;
pub mod usual;

pub use chart::{PortChart, Trace};
pub use kind::Kind;
pub use smoke::SmokeChart;
pub use span::{Span, Window};
pub use theme::Theme;
pub use usual::Usual;

#[cfg(test)]
mod tests;
