//! A page of the sandbox as an HTTP response.

use bytes::Bytes;
use domain::problem::{Code, Problem};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};

use crate::SandboxPage;

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
