//! The agents' desk and the widget: static files. They call the API as every other caller does.

use std::str::FromStr;

use bytes::Bytes;
use domain::problem::{Code, Problem};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};

use crate::Intake;
use crate::documents::{entity_tag, has_copy};

/// The widget: one file without dependencies, which pages of other origins load too.
pub const WIDGET: &str = include_str!("../desk/widget.js");

const CSS: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
/// The files of the desk, with their content types.
pub const DESK_FILES: [(&str, &str, &str); 13] = [
    ("desk.css", CSS, include_str!("../desk/desk.css")),
    ("desk.js", JS, include_str!("../desk/desk.js")),
    ("calls.js", JS, include_str!("../desk/calls.js")),
    ("entry.js", JS, include_str!("../desk/entry.js")),
    ("events.js", JS, include_str!("../desk/events.js")),
    ("form.js", JS, include_str!("../desk/form.js")),
    ("preview.js", JS, include_str!("../desk/preview.js")),
    ("health.js", JS, include_str!("../desk/health.js")),
    ("list.js", JS, include_str!("../desk/list.js")),
    ("pane.js", JS, include_str!("../desk/pane.js")),
    ("plots.js", JS, include_str!("../desk/plots.js")),
    ("statistics.js", JS, include_str!("../desk/statistics.js")),
    ("icon.svg", "image/svg+xml", include_str!("../pages/icon.svg")),
];
/// The page of the desk. Its script shows the view that the address names.
pub const DESK_PAGE: &str = include_str!("../desk/desk.html");
/// The place in the page that says where the key comes from.
const ACCESS: &str = "data-access=\"key\"";
const GIVEN: &str = "data-access=\"given\"";
/// Nothing from elsewhere runs or is shown, and no page embeds the desk. The frame is the sandbox phone of one machine.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
    frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// The access to the agents' desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskAccess {
    /// There is no desk.
    Off,
    /// An agent signs in with a key, which stays in the browser's tab.
    Key,
    /// The machine gives its page the key, as one machine on a developer's desk does.
    Given,
}

impl FromStr for DeskAccess {
    type Err = InvalidDeskAccess;

    fn from_str(text: &str) -> Result<Self, InvalidDeskAccess> {
        match text {
            "off" => Ok(Self::Off),
            "key" => Ok(Self::Key),
            _ => Err(InvalidDeskAccess),
        }
    }
}

/// The setting of the desk's access is unknown.
#[derive(Debug, thiserror::Error)]
#[error("`DESK` must be `off` or `key`")]
pub struct InvalidDeskAccess;

impl Intake {
    /// `GET /widget.js`: the custom element `<assent-request>`. Pages of every origin may load it.
    #[must_use]
    pub fn widget(&self, headers: &HeaderMap) -> Response<Bytes> {
        let mut answer = file(headers, JS, WIDGET);
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let policy = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(policy, HeaderValue::from_static("cross-origin"));
        answer
    }

    /// `GET /desk` and the addresses of its views: the page.
    ///
    /// # Errors
    /// A [`Problem`] where the desk is off.
    pub fn desk(&self) -> Result<Response<Bytes>, Problem> {
        let text = match self.desk {
            DeskAccess::Off => return Err(nowhere()),
            DeskAccess::Key => DESK_PAGE.to_owned(),
            DeskAccess::Given => DESK_PAGE.replacen(ACCESS, GIVEN, 1),
        };
        let mut answer = served(HTML, text.into());
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    /// `GET /desk/{name}`: a file of the desk, or the page for a name of a view.
    ///
    /// # Errors
    /// A [`Problem`] where the desk is off, and for a file that does not exist.
    pub fn desk_file(&self, headers: &HeaderMap, name: &str) -> Result<Response<Bytes>, Problem> {
        if self.desk == DeskAccess::Off {
            return Err(nowhere());
        }
        if !name.contains('.') {
            return self.desk();
        }
        let known = DESK_FILES.iter().find(|(known, ..)| *known == name);
        let (_, content_type, text) = known.ok_or_else(nowhere)?;
        Ok(file(headers, content_type, text))
    }
}

fn nowhere() -> Problem {
    Problem::new(Code::NotFound, "no resource has this path")
}

/// A file that a browser asks for again each time, and gets only where it has changed.
fn file(headers: &HeaderMap, content_type: &'static str, text: &'static str) -> Response<Bytes> {
    let tag = entity_tag(text);
    let mut answer = if has_copy(headers, &tag) {
        let mut answer = served(content_type, Bytes::new());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer
    } else {
        served(content_type, Bytes::from_static(text.as_bytes()))
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

fn served(content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    let referrer = HeaderName::from_static("referrer-policy");
    headers.insert(referrer, HeaderValue::from_static("no-referrer"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_says_once_where_the_key_comes_from() {
        assert_eq!(DESK_PAGE.matches(ACCESS).count(), 1);
    }

    #[test]
    fn setting_is_off_or_key_alone() {
        assert_eq!("off".parse::<DeskAccess>().unwrap(), DeskAccess::Off);
        assert_eq!("key".parse::<DeskAccess>().unwrap(), DeskAccess::Key);
        for wrong in ["", "on", "given", "Key"] {
            assert!(wrong.parse::<DeskAccess>().is_err(), "{wrong}");
        }
    }
}
