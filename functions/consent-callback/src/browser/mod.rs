//! The customer's browser: the cookie that names it, and what it reports.
//!
//! The cookie names the browser in which the customer approved (RFC 9700, section 2.1.1).
//!
//! The approving `POST` sets it. A return in a browser without it needs the session code, before anything is kept.

pub(crate) mod reports;

use bytes::Bytes;
use domain::brand::Brand;
use domain::keys;
use domain::request::{Request, ReturnBrowser};
use domain::values::id::PromptId;
use http::Response;
use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

/// How long a browser keeps the cookie, in seconds: longer than a request is open.
const MAX_AGE: u32 = 7_200;

/// The cookies of this installation.
#[derive(Clone, Copy)]
pub(crate) struct Cookies {
    /// Whether the public address is reached over TLS. A machine of one's own may have none.
    secure: bool,
}

impl Cookies {
    /// Decides on the cookies of an installation by its public address.
    pub(crate) fn of(public_base: &str) -> Self {
        Self { secure: public_base.starts_with("https://") }
    }

    /// Adds the cookie to the response of the `POST` that approved.
    pub(crate) fn set(
        self,
        mut response: Response<Bytes>,
        brand: &Brand,
        request: &Request,
        prompt: PromptId,
    ) -> Response<Bytes> {
        let (name, value) =
            (self.name(request), keys::browser_token(&brand.link_key, request.id, prompt));
        // A provider that posts a form comes from another site, so that only `None` brings the cookie back.
        let kind = if self.secure { "SameSite=None; Secure" } else { "SameSite=Lax" };
        let cookie = format!("{name}={value}; Path=/; Max-Age={MAX_AGE}; HttpOnly; {kind}");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// Returns whether the browser is the one that approved this prompt.
    pub(crate) fn browser(
        self,
        headers: &HeaderMap,
        brand: &Brand,
        request: &Request,
        prompt: PromptId,
    ) -> ReturnBrowser {
        let (name, value) =
            (self.name(request), keys::browser_token(&brand.link_key, request.id, prompt));
        let sent = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let mut pairs =
            sent.flat_map(|header| header.split(';')).filter_map(|pair| pair.split_once('='));
        let same =
            pairs.any(|(given, text)| given.trim() == name && keys::same(text.trim(), &value));
        if same { ReturnBrowser::Same } else { ReturnBrowser::Other }
    }

    /// Returns the cookie's name. One browser may hold those of several requests.
    ///
    /// The prefix lets no other host or path set it. Browsers take the prefix over TLS only.
    fn name(self, request: &Request) -> String {
        let prefix = if self.secure { "__Host-assent" } else { "assent" };
        format!("{prefix}-{}", request.id)
    }
}
