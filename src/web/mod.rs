//! The web room: pages for people, an API for programs, and the live stream that moves the numbers.
//!
//! A request's walk: [`serve()`] accepts it within its limits, `visitor` reads language and theme, `access` finds out
//! who asks, `route` names the handler and the permission that it takes, a handler in `pages` or `api` asks the live table and the store, a pure `view` turns that into words and
//! figures, and a template writes it out. Everything a browser needs is embedded (`assets`); nothing is fetched from
//! elsewhere, and the content security policy says so.

mod access;
mod api;
mod app;
mod assets;
mod block_api;
mod capture_api;
mod change;
mod csv;
mod detect_api;
mod failure;
mod figure;
mod filter;
mod guard;
mod html;
mod incident_api;
mod live;
mod openapi;
mod page;
mod pages;
mod reach;
mod reach_api;
mod route;
mod serve;
mod source;
mod spark;
mod survey;
mod time;
mod tls;
mod visitor;
mod words;

pub use access::{AccessRules, Peer, protect};
pub use app::App;
pub use change::{Change, What};
pub use reach::Reachability;
pub use route::{addresses, router};
pub use serve::{ServeError, serve, serve_tls};
pub use source::{HistoryError, HistorySource, Keeping};
pub use tls::{Tls, TlsError};
