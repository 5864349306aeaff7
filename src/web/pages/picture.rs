//! Graphs as files: PNG for mail and documents, SVG for other pages. The same drawing as in the page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::graph::{Kind, PortChart, Span, Theme, png};
use crate::i18n::Lang;
use crate::model::{PortId, PortMetric};
use crate::ports::live::{DeviceLive, PortLive};
use crate::series::history::HistoryQuery;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::source::{HistoryError, HistorySource};
use crate::web::time::Clock;
use crate::web::visitor::Visitor;

/// Pixels of a PNG for each pixel of the drawing.
const SCALE: f32 = 2.0;

/// 5-minute averages, which the 95th percentile is made of, are not kept for longer windows such as a year.
const BILLED_MOST: Duration = Duration::from_secs(40 * 86_400);

/// A picture to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    port: PortId,
    title: String,
    subtitle: String,
    speed_bps: Option<u64>,
    kind: Kind,
    span: Span,
    lang: Lang,
    theme: Theme,
}

impl Wanted {
    pub(crate) fn new(device: &DeviceLive, port: &PortLive, kind: Kind, span: Span, lang: Lang, theme: Theme) -> Self {
        Self {
            port: port.identity.id,
            title: format!("{} {}", device.label.name, port.identity.name),
            subtitle: port.identity.alias.as_str().to_owned(),
            speed_bps: port.identity.speed_bps,
            kind,
            span,
            lang,
            theme,
        }
    }

    /// Reads the store and lays the picture out (blocks on the disk).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn chart(&self, history: &dyn HistorySource, clock: &Clock) -> Result<PortChart, HistoryError> {
        let window = self.span.window(clock.now, clock.zone());
        let query = HistoryQuery {
            port: self.port,
            metrics: self.kind.metrics(),
            from: window.from,
            to: window.to,
            step_s: window.step_s,
            origin_s: window.origin_s,
        };
        let answer = history.history(&query)?;
        let mut chart = PortChart::new(self.kind, self.span, &answer, self.speed_bps, clock.zone().clone());
        chart.title.clone_from(&self.title);
        chart.subtitle.clone_from(&self.subtitle);
        chart.lang = self.lang;
        chart.theme = self.theme;
        let usual = history.usual(self.port, answer.t0, answer.step_s, chart.inbound.average.len());
        chart.usual = usual.and_then(|usual| usual.of(self.kind, self.speed_bps));
        if let Some(factor) = self.kind.factor(self.speed_bps)
            && matches!(self.kind, Kind::Traffic | Kind::Utilisation)
            && window.to.since(window.from) <= BILLED_MOST
        {
            let percentile = |metric| history.percentile(self.port, metric, window.from, window.to, 95.0);
            chart.inbound.p95 = percentile(PortMetric::InOctets)?.map(|value| value * factor);
            chart.outbound.p95 = percentile(PortMetric::OutOctets)?.map(|value| value * factor);
        }
        Ok(chart)
    }
}

/// The address of a picture.
pub(crate) fn url(port: PortId, kind: Kind, span: Span, form: &str, lang: Lang) -> String {
    format!("/graph/{}/{}/{}.{form}?lang={lang}", port.0, kind.word(), span.word())
}

/// The address of the numbers behind a picture.
pub(crate) fn csv_url(port: PortId, kind: Kind, chart: &PortChart) -> String {
    format!(
        "/api/v1/ports/{}/history.csv?kind={}&from={}&to={}&step={}",
        port.0,
        kind.word(),
        chart.from.secs(),
        chart.to.secs(),
        chart.step_s
    )
}

/// The query string of a picture.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    theme: Option<String>,
    /// The moment that it ends with, seconds since 1970; now when not given.
    at: Option<i64>,
}

/// `GET /graph/{id}/{kind}/{file}`: `day.svg`, `year.png` ...
pub(crate) async fn file(
    State(app): State<Arc<App>>,
    Path((id, kind, file)): Path<(u32, String, String)>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let kind = Kind::from_word(&kind).ok_or(Failure::NoPage)?;
    let (span, form) = file.split_once('.').ok_or(Failure::NoPage)?;
    let span = Span::STANDARD.into_iter().find(|candidate| candidate.word() == span).ok_or(Failure::NoPage)?;
    let (device, index) = app.port(PortId(id)).ok_or(Failure::NoPortNumber(id))?;
    let port = device.ports.get(index).ok_or(Failure::NoPortNumber(id))?;
    let theme = match (asked.theme.as_deref(), form) {
        (Some("dark"), _) => Theme::Dark,
        (Some("auto"), "svg") => Theme::Auto,
        _ => Theme::Light,
    };
    let wanted = Wanted::new(&device, port, kind, span, visitor.lang, theme);
    let clock = app.clock().at(asked.at);
    let name = format!("{}-{}-{}", wanted.title, kind.word(), clock.stamp(clock.now));
    let svg = app.ask(move |history| Ok(wanted.chart(history, &clock)?.svg())).await?;
    let kept = (CACHE_CONTROL, "private, max-age=60");
    match form {
        "svg" => Ok(([(CONTENT_TYPE, "image/svg+xml"), kept], svg).into_response()),
        "png" => {
            let drawn = tokio::task::spawn_blocking(move || png::render(&svg, SCALE)).await;
            let image = drawn.map_err(|error| Failure::Picture(error.to_string()))?.map_err(|error| Failure::Picture(error.to_string()))?;
            Ok(([(CONTENT_TYPE, "image/png"), kept], [(CONTENT_DISPOSITION, inline_name(&name, "png"))], image).into_response())
        }
        _ => Err(Failure::NoPage),
    }
}

/// `Content-Disposition` with a plain ASCII name and the true one (RFC 6266).
pub(crate) fn inline_name(name: &str, ending: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' }).collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("inline; filename=\"{plain}.{ending}\"; filename*=UTF-8''{encoded}.{ending}")
}
