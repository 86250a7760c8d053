//! The consent page's link: the token that it carries, and what its query keeps between two views of the page.

use bytes::Bytes;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::problem::Problem;
use domain::values::prompt_ref::PromptRef;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use records::storage;
use records::storage::LinkTarget;

use super::ConsentPage;
use super::form::Form;
use crate::approvals::PromptedRequest;

/// Programs that fetch a link for its preview or for a scan name themselves in their user agent.
const PREVIEWERS: [&str; 27] = [
    "applebot",
    "barracuda",
    "bingbot",
    "bingpreview",
    "crawler",
    "curl/",
    "discord",
    "facebookexternalhit",
    "go-http-client",
    "google-messages",
    "googlebot",
    "headlesschrome",
    "java/",
    "line-poker",
    "linespider",
    "okhttp",
    "preview",
    "proofpoint",
    "python",
    "safelinks",
    "skype",
    "slack",
    "spider",
    "telegram",
    "twitterbot",
    "viber",
    "whatsapp",
];
/// The query of a customer who approved a moment ago. The page sends them to the hosted page by itself.
pub(super) const REDIRECT_QUERY: &str = "go=1";
/// The query of a customer who is done on the hosted page.
pub(super) const DONE: &str = "done=1";
/// The query of a customer who says that they are another person.
const NOT_ME: &str = "not_me=1";
/// The query with which a waiting page asks whether its stage is still right.
const SEEN: &str = "seen=";
/// The query of the brand's logo.
pub(super) const LOGO: &str = "logo=";
/// The length of a link's token.
const TOKEN_LENGTH: usize = 22;

/// The reason for a view of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The customer opened the link.
    Plain,
    /// The customer approved a moment ago, and is sent to the hosted page at once.
    Going,
    /// The customer says that they are done on the hosted page.
    Done,
    /// The customer says that they are another person.
    NotMe,
}

impl View {
    /// The query that keeps this view when the page reloads itself.
    const fn query(self) -> &'static str {
        match self {
            Self::Going => REDIRECT_QUERY,
            Self::Done => DONE,
            Self::Plain | Self::NotMe => "",
        }
    }
}

/// One visit of a page.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    /// The link's token.
    pub(super) token: &'a str,
    /// The reason for the view.
    pub(super) view: View,
    /// The stage that a waiting page shows, where its script asks whether it is still right.
    pub(super) seen: Option<&'a str>,
    /// The languages that the browser accepts, as its header says; empty without one.
    pub(super) accepts: &'a str,
}

impl<'a> Visit<'a> {
    /// Returns the view of a page without a query.
    pub(super) const fn of(token: &'a str) -> Self {
        Self { token, view: View::Plain, seen: None, accepts: "" }
    }

    /// Returns the view of a page with the query of its address.
    pub(super) fn with_query(token: &'a str, query: &'a str) -> Self {
        let (first, last) = query.rsplit_once('&').unwrap_or((query, query));
        let view = match first {
            REDIRECT_QUERY => View::Going,
            DONE => View::Done,
            NOT_ME => View::NotMe,
            _ => View::Plain,
        };
        Self { token, view, seen: last.strip_prefix(SEEN), accepts: "" }
    }

    /// Returns the visit with the languages that its browser accepts.
    pub(super) fn by(self, headers: &'a HeaderMap) -> Self {
        Self { accepts: accepts(headers), ..self }
    }

    /// Returns the page's path.
    pub(super) fn action(&self) -> String {
        path(self.token, "")
    }

    /// Returns the page's path with the query that keeps this view.
    pub(super) fn again(&self) -> String {
        path(self.token, self.view.query())
    }
}

/// Returns the languages that a browser accepts, as its header says; empty without one.
pub(crate) fn accepts(headers: &HeaderMap) -> &str {
    let given = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    given.unwrap_or_default()
}

impl ConsentPage {
    /// Loads the request and the brand of a link; `None` when the link is unknown.
    pub(super) async fn follow(&self, token: &str) -> Result<Option<PromptedRequest>, Problem> {
        if token.len() != TOKEN_LENGTH || !is_plain(token) {
            return Ok(None);
        }
        let target = storage::follow_link(self.ports.store.as_ref(), token).await?;
        let Some(LinkTarget { request, prompt, .. }) = target else { return Ok(None) };
        let target = self.approvals.load(request, prompt).await?;
        // A writer of the table can let a token of their own lead to any prompt. They cannot make that prompt's token.
        Ok(target.filter(|target| {
            guards::is_disabled(Guard::LinkOfPrompt)
                || keys::same(&target.loaded.request.link_token(&target.brand, prompt), token)
        }))
    }
}

impl ConsentPage {
    /// Loads the request and the brand of a form posted to a link; `None` when the link is unknown.
    ///
    /// The page wrote its prompt into the form. The link itself is read only where that is missing or false.
    pub(super) async fn follow_form(
        &self,
        token: &str,
        form: &Form,
    ) -> Result<Option<PromptedRequest>, Problem> {
        if let Some(PromptRef { request, prompt }) = form.prompt_ref() {
            let target = self.approvals.load(request, prompt).await?;
            // The token is made from the prompt and its channel's kind, and the prompt must be of this request.
            let is_of_link = |target: &PromptedRequest| {
                let request = &target.loaded.request;
                request.prompt(prompt).is_some()
                    && keys::same(&request.link_token(&target.brand, prompt), token)
            };
            if let Some(target) = target.filter(is_of_link) {
                return Ok(Some(target));
            }
        }
        self.follow(token).await
    }
}

/// Returns whether a text has the characters of a token only.
pub(super) fn is_plain(token: &str) -> bool {
    token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Returns whether a program fetched the page. Messengers, carriers and scanners fetch every link that they carry.
///
/// A browser that navigates says so in `Sec-Fetch-Mode`; older ones begin their user agent with `Mozilla/`
/// (<https://www.w3.org/TR/fetch-metadata/>, read 2026-11-26). A phone's own name may contain "bot", as CUBOT's does.
pub(super) fn is_preview(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    };
    let fetched_ahead = ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|name| {
        ["prefetch", "preview", "prerender"].iter().any(|word| text(name).contains(word))
    });
    let agent = text("user-agent");
    let navigates = match text("sec-fetch-mode").as_str() {
        "" => agent.starts_with("mozilla/"),
        mode => mode == "navigate",
    };
    fetched_ahead || !navigates || PREVIEWERS.iter().any(|word| agent.contains(word))
}

/// Returns a redirect to a page.
pub(crate) fn see_other(token: &str, query: &str) -> Response<Bytes> {
    let mut answer = empty(StatusCode::SEE_OTHER);
    if let Ok(location) = HeaderValue::from_str(&path(token, query)) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// Returns a response without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

fn path(token: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/c/{token}{mark}{query}")
}
