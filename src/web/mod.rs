//! The web room: pages for people, an API for programs, and the live stream that moves the numbers.
//!
//! A request's walk: [`serve()`] accepts it within its limits, `route` names its handler, `visitor` reads language and
//! theme, a handler in `pages` or `api` asks the live table and the store, a pure `view` turns that into words and
//! figures, and a template writes it out. Everything a browser needs is embedded (`assets`); nothing is fetched from
//! elsewhere, and the content security policy says so.

mod api;
mod app;
mod assets;
mod change;
mod csv;
mod failure;
mod figure;
mod filter;
mod guard;
mod html;
mod live;
mod openapi;
mod page;
mod pages;
mod route;
mod serve;
mod source;
mod spark;
mod survey;
mod time;
mod visitor;
mod words;

pub use app::App;
pub use change::{Change, What};
pub use route::router;
pub use serve::{ServeError, serve};
pub use source::{HistoryError, HistorySource, Keeping};
