//! The pages for a browser that returns from an identity provider and is not sent to the consent page.

use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::problem::Problem;
use domain::request::Request;
use http::{Response, StatusCode};
use texts::Locale;

use super::handlers::page;
use super::html::{self, BrandParts, PageView, ReturnForm, Stage};
use super::view;

/// The reader of a page: the brand's customer, in a browser that accepts languages.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The brand that asks.
    pub(crate) brand: &'a Brand,
    /// The languages that the browser accepts, as its header says; empty without one.
    pub(crate) accepts: &'a str,
}

/// Returns the page that asks for the session code, and sends the return once more with it.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn ask_code(
    request: &Request,
    reader: Reader<'_>,
    action: &str,
    fields: &[(String, String)],
) -> Result<Response<Bytes>, Problem> {
    let form = ReturnForm { action, fields, confirms: None };
    respond(StatusCode::OK, request, reader, Stage::OtherBrowser(Some(form)))
}

/// Returns the page of another browser, where no session code can be asked for.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn other_browser(
    request: &Request,
    reader: Reader<'_>,
) -> Result<Response<Bytes>, Problem> {
    respond(StatusCode::FORBIDDEN, request, reader, Stage::OtherBrowser(None))
}

/// Returns the page after a wrong session code.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn wrong_code(
    request: &Request,
    reader: Reader<'_>,
) -> Result<Response<Bytes>, Problem> {
    respond(StatusCode::OK, request, reader, Stage::WrongCode)
}

/// Returns the page of another browser in which the provider ended the attempt.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn return_ended(
    request: &Request,
    reader: Reader<'_>,
) -> Result<Response<Bytes>, Problem> {
    respond(StatusCode::OK, request, reader, Stage::ReturnEnded)
}

/// Returns the page of a return that cannot be used, with the status of its problem.
///
/// # Errors
/// The problem itself, when the page cannot be rendered.
pub(crate) fn return_failed(
    reader: Reader<'_>,
    problem: &Problem,
) -> Result<Response<Bytes>, Problem> {
    let (code, status, ..) = problem.code.facts();
    tracing::info!(problem.code = code, http.status = status, "customer's return refused");
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let language = texts::accepted(reader.accepts);
    let own = &reader.brand.language;
    let locale = Locale::nearest(language.as_ref().unwrap_or(own), own);
    let view = view::blank(locale, reader.brand.display_name.as_str(), Stage::ReturnFailed);
    page(status, html::render(&view), &[], BrandParts::default())
}

fn respond(
    status: StatusCode,
    request: &Request,
    reader: Reader<'_>,
    stage: Stage<'_>,
) -> Result<Response<Bytes>, Problem> {
    let locale = view::locale(request, reader.brand, reader.accepts);
    let test_mode = request.mode == Mode::Test;
    let view = PageView { test_mode, ..view::blank(locale, &request.payee, stage) };
    page(status, html::render(&view), &[], BrandParts::default())
}
