//! The hosted page of the sandbox processor over HTTP, where its customers pay.

use bytes::Bytes;
use domain::problem::{Code, Problem};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};

use crate::{Sandbox, SandboxPage, SandboxVisit};

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

/// Returns a page with this status, or the redirect in its place.
///
/// # Errors
/// A [`Problem`] for an address or a policy that fits no header.
pub(crate) fn respond(page: SandboxPage, status: StatusCode) -> Result<Response<Bytes>, Problem> {
    let (body, status, headers) = match page {
        SandboxPage::Html { html, policy } => {
            let kind = "text/html; charset=utf-8".to_owned();
            let headers = vec![(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, policy)];
            (html, status, headers)
        }
        SandboxPage::Redirect(url) => (String::new(), StatusCode::SEE_OTHER, vec![(LOCATION, url)]),
    };
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    for (name, value) in headers {
        let unfit = || Problem::new(Code::NotFound, "no sandbox page has this URL");
        let value = HeaderValue::from_str(&value).map_err(|_unfit| unfit())?;
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}
