//! What the pages know of hosts and services: the table of now, and the store of their past.

use std::sync::Arc;

use super::source::{HistoryError, HistorySource};
use crate::graph::smoke::{COLUMNS, SmokeChart};
use crate::graph::{Span, Theme};
use crate::i18n::Lang;
use crate::model::PortId;
use crate::ping::live::Board;
use crate::series::history::HistoryQuery;

use super::time::Clock;

/// Pings at a person's wish under way at one time; whoever comes then is asked to wait.
const PINGS: usize = 4;

/// Reachability as the pages ask it.
#[derive(Clone)]
pub struct Reachability {
    /// Everybody as they are now.
    pub(crate) board: Arc<Board>,
    /// What was.
    pub(crate) history: Arc<dyn HistorySource>,
    /// Bounds the pings at a person's wish.
    pub(crate) pings: Arc<tokio::sync::Semaphore>,
}

impl Reachability {
    /// Over a table and a store of series of hosts.
    pub fn new(board: Arc<Board>, history: Arc<dyn HistorySource>) -> Self {
        Self { board, history, pings: Arc::new(tokio::sync::Semaphore::new(PINGS)) }
    }
}

/// A smoke graph to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The number of the host or service.
    pub(crate) id: u32,
    /// The heading.
    pub(crate) title: String,
    /// Below it.
    pub(crate) subtitle: String,
    /// Which window.
    pub(crate) span: Span,
    /// The words.
    pub(crate) lang: Lang,
    /// The colours.
    pub(crate) theme: Theme,
}

impl Wanted {
    /// Reads the store and lays the picture out (blocks on the disk).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn chart(&self, history: &dyn HistorySource, clock: &Clock) -> Result<SmokeChart, HistoryError> {
        let window = self.span.window(clock.now, clock.zone());
        let answer = history.history(&HistoryQuery {
            port: PortId(self.id),
            metrics: COLUMNS.map(|column| column.metric()).to_vec(),
            from: window.from,
            to: window.to,
            step_s: window.step_s,
            origin_s: window.origin_s,
        })?;
        let mut chart = SmokeChart::new(self.span, &answer, clock.zone().clone());
        chart.title.clone_from(&self.title);
        chart.subtitle.clone_from(&self.subtitle);
        (chart.lang, chart.theme) = (self.lang, self.theme);
        Ok(chart)
    }
}
