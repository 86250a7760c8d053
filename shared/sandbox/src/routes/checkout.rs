//! The hosted page of the sandbox processor over HTTP, where its customers pay.

use bytes::Bytes;
use domain::problem::{Code, Problem};
use http::{Response, StatusCode};

use crate::page_response::respond;
use crate::{Sandbox, SandboxVisit};

/// Serves a visit. `form` is the posted form, `None` for a `GET`.
///
/// A browser has no key to show. The id is derived from the request's id, which only the brand and the redirected
/// customer know.
///
/// # Errors
/// A [`Problem`]; [`Code::NotFound`] when there is no such page.
pub(super) async fn serve(
    sandbox: &Sandbox,
    id: &str,
    form: Option<&[u8]>,
) -> Result<Response<Bytes>, Problem> {
    let absent = || Problem::new(Code::NotFound, "no sandbox page has this URL");
    let page = sandbox.page(&SandboxVisit { id, form }).await?;
    respond(page.ok_or_else(absent)?, StatusCode::OK)
}
