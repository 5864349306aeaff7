//! Captures on the page of a machine: those of it, and the form that asks for one.

use askama::Template;

use super::{Row, ask};
use crate::capture::recording::{Approval, Recording};
use crate::web::app::App;
use crate::web::html::Html;
use crate::web::page::Page;

/// Captures named there.
const NAMED: usize = 5;

#[derive(Template)]
#[template(path = "machine_capture.html")]
struct Part<'a> {
    page: &'a Page,
    machine: &'a str,
    rows: Vec<Row>,
    has_more: bool,
    can_ask: bool,
    needs_second: bool,
}

/// The section; empty for readers who may not know of captures.
pub(crate) async fn part(app: &App, page: &Page, machine: &str) -> Html {
    if !page.may("read_captures") || app.recordings().is_none() {
        return Html::default();
    }
    let of = machine.to_owned();
    let read = ask(app, move |desk| Ok((desk.list(Some(&of), None, None)?, desk.rules()))).await;
    let (recordings, rules): (Vec<Recording>, _) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the captures of {machine} cannot be read: {error}");
            return Html::default();
        }
        Err(_) => return Html::default(),
    };
    let part = Part {
        page,
        machine,
        rows: recordings.iter().take(NAMED).map(|recording| Row::new(page.words, &page.clock, recording)).collect(),
        has_more: recordings.len() > NAMED,
        can_ask: !rules.interfaces.is_empty(),
        needs_second: rules.approval == Approval::Two,
    };
    Html(part.render().unwrap_or_default())
}
