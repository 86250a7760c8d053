//! The consent page's link: a `GET` shows where the request stands, a `POST` from that page answers.

use bytes::Bytes;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::consent::ApprovalMethod;
use domain::effects;
use domain::journal::DeliveryStatus;
use domain::keys;
use domain::outcome::DenialReason;
use domain::ports::{PromptRef, StoreError};
use domain::problem::{Code, Problem};
use domain::storage::{self, LinkTarget, VersionedRequest};
use domain::values::id::PromptId;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::answer::{Answer, Given, Means, Unanswered};
use crate::page::Offer;
use crate::view::{Found, Look};
use crate::{ConsentCallback, hosted_page, page, view};

/// Programs that fetch a link to show a preview of it say so in their names.
const PREVIEWERS: [&str; 12] = [
    "bot",
    "crawler",
    "spider",
    "preview",
    "facebookexternalhit",
    "whatsapp",
    "slack",
    "telegram",
    "discord",
    "skype",
    "google-messages",
    "applebot",
];

impl ConsentCallback {
    /// `GET /c/{token}`: the page. Nothing is consented to; that the page was opened is noted, unless a program looked.
    ///
    /// # Errors
    /// A [`Problem`] when something outside did not answer.
    pub async fn open_page(
        &self,
        token: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Bytes>, Problem> {
        let Some((target, loaded)) = self.follow(token).await? else { return unknown(token) };
        if is_preview(headers) {
            return self.page(StatusCode::OK, &loaded, &target, Visit::of(token)).await;
        }
        let loaded = self.opened(loaded, target.prompt).await?;
        let visit = Visit { going: query == GOING, done: query == DONE, ..Visit::of(token) };
        if hosted_page::of(&loaded.request, target.prompt).is_some() && !visit.going {
            self.is_back(&loaded.request).await;
        }
        self.page(StatusCode::OK, &loaded, &target, visit).await
    }

    /// `HEAD /c/{token}`: as the page, and nobody opened it.
    ///
    /// # Errors
    /// A [`Problem`] when something outside did not answer.
    pub async fn show_page(&self, token: &str) -> Result<Response<Bytes>, Problem> {
        let Some((target, loaded)) = self.follow(token).await? else { return unknown(token) };
        self.page(StatusCode::OK, &loaded, &target, Visit::of(token)).await
    }

    /// `POST /c/{token}`: the answer, then back to the page that shows what became of it.
    ///
    /// # Errors
    /// A [`Problem`] when something outside did not answer.
    pub async fn answer_page(
        &self,
        token: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let Some((target, loaded)) = self.follow(token).await? else { return unknown(token) };
        let brand = self.secrets.brand(&target.brand).await?;
        let form = Form::read(body);
        let nonce = keys::page_nonce(&brand.link_key, target.prompt, &loaded.request.ask_hash);
        let drawn_here = form.text("nonce").is_some_and(|given| keys::same(given, &nonce));
        let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let Some(posted) = form.posted().filter(|_| drawn_here && !elsewhere) else {
            return self.page(StatusCode::BAD_REQUEST, &loaded, &target, Visit::of(token)).await;
        };
        let answer = match posted {
            Posted::Answer(answer) => answer,
            Posted::Back => {
                self.abandon(&target).await?;
                return Ok(see_other(token, ""));
            }
            Posted::AppleSession => return self.apple_session(&loaded.request, &brand).await,
            Posted::Observed(wallets) => {
                let prompt = PromptRef { request: target.request, prompt: target.prompt };
                self.observe(prompt, &wallets).await?;
                return Ok(empty(StatusCode::NO_CONTENT));
            }
        };
        let given =
            Given { request: target.request, prompt: target.prompt, method: ApprovalMethod::Page };
        let answered = self.answer(given, &answer).await;
        if form.text("wallet").is_some() {
            return told_wallet(answered);
        }
        match answered {
            Ok(loaded) if loaded.request.approval().is_some() => Ok(see_other(token, GOING)),
            Ok(_) | Err(Unanswered::Refused(_)) => Ok(see_other(token, "")),
            // What can be given has changed since the page was drawn, or nothing can be given any more.
            Err(Unanswered::CodeMissing | Unanswered::Unable) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                self.page(status, &loaded, &target, Visit::of(token)).await
            }
            Err(Unanswered::Absent) => unknown(token),
            Err(unanswered @ Unanswered::Trouble(_)) => Err(unanswered.into()),
        }
    }

    async fn follow(&self, token: &str) -> Result<Option<(LinkTarget, VersionedRequest)>, Problem> {
        let plain = token.len() == 22
            && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plain {
            return Ok(None);
        }
        let Some(target) = storage::follow_link(self.store.as_ref(), token).await? else {
            return Ok(None);
        };
        let loaded = storage::load(self.store.as_ref(), target.request).await?;
        Ok(loaded.map(|loaded| (target, loaded)))
    }

    /// Notes that the page was opened. Somebody else's change in the same moment is no reason not to show the page.
    async fn opened(
        &self,
        loaded: VersionedRequest,
        prompt: PromptId,
    ) -> Result<VersionedRequest, Problem> {
        let now = self.clock.now();
        let change =
            loaded.request.record_delivery_status(prompt, DeliveryStatus::Opened, None, now);
        if change.is_nothing() {
            return Ok(loaded);
        }
        let ports = (self.store.as_ref(), self.queue.as_ref());
        match effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await {
            Ok(stored) => Ok(stored),
            Err(effects::EffectError::Store(StoreError::Conflict)) => {
                let again = storage::load(self.store.as_ref(), loaded.request.id).await?;
                Ok(again.unwrap_or(loaded))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn page(
        &self,
        status: StatusCode,
        loaded: &VersionedRequest,
        target: &LinkTarget,
        visit: Visit<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let brand = self.secrets.brand(&target.brand).await?;
        let request = &loaded.request;
        let Some(prompt) = request.prompt(target.prompt) else { return unknown(visit.token) };
        let now = self.clock.now();
        let (action, again) = (visit.path(""), visit.path(visit.kept()));
        let mut found = Found::default();
        if prompt.in_force() && request.answerable(now).is_ok() {
            found.offers = self.offers(request, &brand).await?;
        }
        let redirect = hosted_page::of(request, prompt.id);
        found.hosted_page =
            redirect.and_then(|redirect| hosted_page::url(request, &brand, redirect));
        let going =
            visit.going && redirect.is_some_and(|redirect| hosted_page::is_fresh(redirect, now));
        let look = Look { action: &action, again: &again, going, done: visit.done, now };
        html(status, view::render(request, prompt, &brand, look, &found), &found.offers)
    }
}

/// What the page's own address carries for the page itself: that the customer goes on by themselves, or is done.
const GOING: &str = "go=1";
const DONE: &str = "done=1";

/// One look at a page.
#[derive(Clone, Copy)]
struct Visit<'a> {
    token: &'a str,
    going: bool,
    done: bool,
}

impl<'a> Visit<'a> {
    const fn of(token: &'a str) -> Self {
        Self { token, going: false, done: false }
    }

    fn path(&self, query: &str) -> String {
        path(self.token, query)
    }

    const fn kept(&self) -> &'static str {
        match (self.going, self.done) {
            (true, _) => GOING,
            (false, true) => DONE,
            (false, false) => "",
        }
    }
}

fn path(token: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("/c/{token}{mark}{query}")
}

pub(crate) fn unknown(token: &str) -> Result<Response<Bytes>, Problem> {
    // A token that is no token is not written into a page.
    let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let action = if plain { format!("/c/{token}") } else { "/c/".to_owned() };
    html(StatusCode::NOT_FOUND, view::unknown(&action), &[])
}

fn html(
    status: StatusCode,
    rendered: Result<String, askama::Error>,
    offers: &[Offer],
) -> Result<Response<Bytes>, Problem> {
    let policy = HeaderValue::from_str(&page::content_security_policy(offers));
    let (Ok(text), Ok(policy)) = (rendered, policy) else {
        return Err(Problem::new(Code::Internal, "the page cannot be rendered"));
    };
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// Back to the page.
pub(crate) fn see_other(token: &str, query: &str) -> Response<Bytes> {
    let mut answer = empty(StatusCode::SEE_OTHER);
    if let Ok(location) = HeaderValue::from_str(&path(token, query)) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// The page's script keeps the wallet's sheet open until it knows whether the yes stands.
fn told_wallet(answered: Result<VersionedRequest, Unanswered>) -> Result<Response<Bytes>, Problem> {
    match answered {
        Ok(loaded) if loaded.request.approval().is_some() => Ok(empty(StatusCode::NO_CONTENT)),
        Ok(_) => Err(Problem::new(Code::ConflictState, "the yes does not stand")),
        Err(unanswered) => Err(unanswered.into()),
    }
}

/// Whether a program looked, not a person: messengers, carriers and scanners fetch every link they carry.
fn is_preview(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    };
    let fetched_ahead = ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|name| {
        ["prefetch", "preview", "prerender"].iter().any(|word| text(name).contains(word))
    });
    let agent = text("user-agent");
    fetched_ahead || PREVIEWERS.iter().any(|word| agent.contains(word))
}

/// The page's form.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn posted(&self) -> Option<Posted> {
        let approve = |means| {
            let session_code = self.text("session_code").map(str::to_owned);
            Some(Posted::Answer(Answer::Approve { session_code, means }))
        };
        match self.text("action")? {
            "approve" if self.text("wallet").is_some() => approve(Means::Wallet(self.wallet()?)),
            "approve" => {
                let card = self.text("card").map(str::to_owned);
                approve(card.map_or(Means::Tap, Means::TestCard))
            }
            "approve_hosted" => approve(Means::Hosted),
            "deny" => Some(Posted::Answer(Answer::Deny(DenialReason::Customer))),
            "not_me" => Some(Posted::Answer(Answer::Deny(DenialReason::NotMe))),
            "extend" => Some(Posted::Answer(Answer::Extend)),
            "back" => Some(Posted::Back),
            "apple_session" => Some(Posted::AppleSession),
            "observed" => {
                let named = self.text("wallets").unwrap_or_default().split(',');
                let known = named.filter(|name| WALLETS.contains(name)).map(str::to_owned);
                Some(Posted::Observed(known.collect()))
            }
            _ => None,
        }
    }

    /// What a wallet gave. What it is stays between the wallet and the processor.
    fn wallet(&self) -> Option<Authorization> {
        let kind = match self.text("wallet")? {
            "google_pay" => AuthorizationKind::GooglePay,
            "apple_pay" => AuthorizationKind::ApplePay,
            _ => return None,
        };
        let token = self.text("token").filter(|token| (1..=TOKEN_MAX).contains(&token.len()))?;
        Some(Authorization { kind, secret: token.into() })
    }
}

/// The wallets a page can see on a device.
const WALLETS: [&str; 2] = ["apple_pay", "google_pay"];
/// The largest token of a wallet that is taken; real ones have two to six thousand bytes.
const TOKEN_MAX: usize = 16 * 1024;

/// What came from the page.
enum Posted {
    /// An answer.
    Answer(Answer),
    /// Back from the processor's page: another way.
    Back,
    /// Apple Pay is about to open.
    AppleSession,
    /// The wallets that this device has.
    Observed(Vec<String>),
}
