//! The pages for a browser that returns from an identity provider and is not sent to the consent page.

use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::problem::Problem;
use domain::request::Request;
use http::{Response, StatusCode};
use texts::PageTexts;

use super::handlers::page;
use super::html::{self, PageView, ReturnForm, Stage};
use super::view;

/// Returns the page that asks for the session code, and sends the return once more with it.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn ask_code(
    request: &Request,
    brand: &Brand,
    action: &str,
    fields: &[(String, String)],
) -> Result<Response<Bytes>, Problem> {
    let form = ReturnForm { action, fields, confirms: None };
    respond(StatusCode::OK, request, brand, Stage::OtherBrowser(Some(form)))
}

/// Returns the page of another browser, where no session code can be asked for.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn other_browser(request: &Request, brand: &Brand) -> Result<Response<Bytes>, Problem> {
    respond(StatusCode::FORBIDDEN, request, brand, Stage::OtherBrowser(None))
}

/// Returns the page after a wrong session code.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn wrong_code(request: &Request, brand: &Brand) -> Result<Response<Bytes>, Problem> {
    respond(StatusCode::OK, request, brand, Stage::WrongCode)
}

/// Returns the page of another browser in which the provider ended the attempt.
///
/// # Errors
/// A [`Problem`] when the page cannot be rendered.
pub(crate) fn return_ended(request: &Request, brand: &Brand) -> Result<Response<Bytes>, Problem> {
    respond(StatusCode::OK, request, brand, Stage::ReturnEnded)
}

/// Returns the page of a return that cannot be used, with the status of its problem.
///
/// # Errors
/// The problem itself, when the page cannot be rendered.
pub(crate) fn return_failed(brand: &Brand, problem: &Problem) -> Result<Response<Bytes>, Problem> {
    let (code, status, ..) = problem.code.facts();
    tracing::info!(problem.code = code, http.status = status, "customer's return refused");
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let texts = texts::page(&brand.language, &brand.language);
    let view = view::blank(texts, brand.display_name.as_str(), Stage::ReturnFailed);
    page(status, html::render(&view), &[])
}

fn respond(
    status: StatusCode,
    request: &Request,
    brand: &Brand,
    stage: Stage<'_>,
) -> Result<Response<Bytes>, Problem> {
    let language = request.customer.language.as_ref().unwrap_or(&brand.language);
    let texts: &'static PageTexts = texts::page(language, &brand.language);
    let test_mode = request.mode == Mode::Test;
    let view = PageView { test_mode, ..view::blank(texts, &request.payee, stage) };
    page(status, html::render(&view), &[])
}
