//! Blocks on the page of a machine: its cases, and the form that proposes one.

use askama::Template;

use super::{Row, ask};
use crate::web::app::App;
use crate::web::html::Html;
use crate::web::page::Page;

/// Cases named there.
const NAMED: u32 = 5;

#[derive(Template)]
#[template(path = "machine_block.html")]
struct Part<'a> {
    page: &'a Page,
    machine: &'a str,
    rows: Vec<Row>,
}

/// The section; empty for readers who may not know of blocks.
pub(crate) async fn part(app: &App, page: &Page, machine: &str) -> Html {
    if !page.may("read_blocks") || app.blocks().is_none() {
        return Html::default();
    }
    let of = machine.to_owned();
    let cases = match ask(app, move |counter| counter.of_machine(&of, NAMED)).await {
        Ok(cases) => cases,
        Err(error) => {
            tracing::warn!(%error, "the blocks of {machine} cannot be read: {error}");
            return Html::default();
        }
    };
    let rows = cases.iter().map(|case| Row::new(page.words, &page.clock, case)).collect();
    Html(Part { page, machine, rows }.render().unwrap_or_default())
}
