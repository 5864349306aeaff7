//! 两步验证: setting up the second factor with a QR code, and the codes on paper.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use fast_qr::{ECL, QRBuilder};
use serde::Deserialize;

use super::mine::{failed, identity};
use super::{accounts, refusal};
use crate::accounts::totp::TotpSecret;
use crate::web::access::Caller;
use crate::web::app::App;
use crate::web::failure::Failure;
use crate::web::html::Html;
use crate::web::page::{Page, render_as};
use crate::web::visitor::Visitor;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "factor.html")]
struct FactorPage {
    page: Page,
    picture: Html,
    secret: String,
    /// The codes on paper, shown once, when the factor is in force.
    codes: Vec<String>,
    problem: String,
}

fn answer(
    app: &App,
    visitor: Visitor,
    shown: Option<(&TotpSecret, &str)>,
    codes: Vec<String>,
    problem: String,
) -> Result<Response, Failure> {
    let (picture, secret) = match shown {
        Some((secret, login)) => (picture(&secret.uri(login))?, in_fours(&secret.base32())),
        None => (Html::default(), String::new()),
    };
    let mut page = Page::new(visitor, app.clock(), "account", String::new());
    page.title = page.t("access-factor");
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(render_as(status, &FactorPage { page, picture, secret, codes, problem }))
}

/// Letters as people read them off.
fn in_fours(letters: &str) -> String {
    let letters: Vec<char> = letters.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A QR code as one path of squares, with the quiet zone of 4 modules (ISO/IEC 18004 section 6.3.8).
fn picture(text: &str) -> Result<Html, Failure> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|error| Failure::Picture(format!("{error:?}")))?;
    let mut path = String::new();
    for y in 0..code.size {
        let dark = code[y].iter().enumerate().filter(|(_, module)| module.value());
        for (x, _) in dark {
            let _ = write!(path, "M{} {}h1v1h-1z", x + 4, y + 4);
        }
    }
    let side = code.size + 8;
    Ok(Html(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"QR\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    )))
}

/// The form that begins and the one that takes the factor off ask for the password again.
#[derive(Deserialize)]
pub(crate) struct Confirmed {
    present: String,
}

/// `POST /account/factor`: shows a new secret.
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<Confirmed>,
) -> Result<Response, Failure> {
    let (accounts, identity) = (accounts(&app)?, identity(&caller)?);
    if let Err(error) = accounts.confirm_password(&identity, caller.source, filled.present, app.clock().now).await {
        let problem = refusal(Words(visitor.lang), &error)?;
        return answer(&app, visitor, None, Vec::new(), problem);
    }
    let secret = accounts.begin_factor(&identity).await.map_err(failed)?;
    answer(&app, visitor, Some((&secret, &identity.login)), Vec::new(), String::new())
}

/// The form that shows the first code.
#[derive(Deserialize)]
pub(crate) struct Code {
    code: String,
}

/// `POST /account/factor/confirm`: puts it in force and shows the codes on paper.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<Code>,
) -> Result<Response, Failure> {
    let (accounts, identity) = (accounts(&app)?, identity(&caller)?);
    match accounts.confirm_factor(&identity, &filled.code, app.clock().now).await {
        Ok(codes) => answer(&app, visitor, None, codes, String::new()),
        Err(error) => {
            let problem = refusal(Words(visitor.lang), &error)?;
            let pending = accounts.pending_factor(&identity).await.map_err(failed)?;
            answer(&app, visitor, pending.as_ref().map(|secret| (secret, &*identity.login)), Vec::new(), problem)
        }
    }
}

/// `POST /account/factor/remove`.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    visitor: Visitor,
    Form(filled): Form<Confirmed>,
) -> Result<Response, Failure> {
    let (accounts, identity, now) = (accounts(&app)?, identity(&caller)?, app.clock().now);
    let removed = match accounts.confirm_password(&identity, caller.source, filled.present, now).await {
        Ok(()) => accounts.remove_factor(&identity, now).await,
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => Ok(Redirect::to("/account").into_response()),
        Err(error) => {
            let problem = refusal(Words(visitor.lang), &error)?;
            answer(&app, visitor, None, Vec::new(), problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_its_quiet_zone() {
        let svg = picture("otpauth://totp/netroom:li?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=netroom").unwrap().0;
        // The finder pattern's corner stands at 4,4; nothing is left of it or above.
        assert!(svg.contains("M4 4h1v1h-1z") && !svg.contains("M3 "), "{svg}");
        assert_eq!(in_fours("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
