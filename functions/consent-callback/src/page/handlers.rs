//! Serves the page: opens it, submits its form, and renders the response.

use std::time::Duration;

use bytes::Bytes;
use domain::brand::Brand;
use domain::consent::ApprovalMethod;
use domain::journal::DeliveryStatus;
use domain::keys;
use domain::problem::{Code, Problem};
use domain::request::{CodeCheck, Request};
use domain::values::id::PromptId;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use records::caller;
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, commit, update_async};

use super::form::{self, Form, Submission};
use super::html::{self, BrandParts, Offer, PageBranding, Stage};
use super::link::{self, REDIRECT_QUERY, View, Visit, see_other};
use super::view::{self, PageParts, PageVisit};
use super::{ConsentPage, hosted_page};
use crate::approvals::{PromptedRequest, ReplyError};
use crate::browser::Cookies;
use crate::browser::reports::{REPORTING_ENDPOINTS, REPORTING_GROUP};

/// The pauses between looks at a request whose customer waits: 1.5 seconds in all.
const HOLD: [Duration; 6] = [
    Duration::from_millis(60),
    Duration::from_millis(90),
    Duration::from_millis(150),
    Duration::from_millis(250),
    Duration::from_millis(400),
    Duration::from_millis(550),
];

impl ConsentPage {
    /// Serves `GET /c/{token}`. It approves nothing, and records that the page was opened unless a program fetched it.
    ///
    /// # Errors
    /// A [`Problem`] when a port failed.
    pub async fn open(
        &self,
        token: &str,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Bytes>, Problem> {
        let Some(target) = self.follow(token).await? else {
            return unknown(token, link::accepts(headers));
        };
        if query.starts_with(link::LOGO) {
            return Ok(logo(&target.brand));
        }
        let visit = Visit::with_query(token, query).by(headers);
        if let Some(seen) = visit.seen {
            return self.wait_for_change(target, visit.view, seen).await;
        }
        if link::is_preview(headers) {
            let (request, brand) = (&target.loaded.request, target.brand.as_ref());
            if request.prompt(target.prompt).is_none() {
                return unknown(token, link::accepts(headers));
            }
            let branding = PageBranding::new(brand, &visit.action());
            let preview = view::preview(request, brand, &branding, &self.public_base);
            return page(StatusCode::OK, preview, &[], branding.parts());
        }
        let target = Box::pin(self.record_opened(target)).await?;
        let target = match visit.view {
            View::Done => Box::pin(self.record_arrival(target, headers)).await?,
            View::Plain | View::Going | View::NotMe => target,
        };
        let redirect = hosted_page::redirect_of(&target.loaded.request, target.prompt);
        if redirect.is_some() && visit.view != View::Going {
            self.queue_status_look_up(&target.loaded.request).await;
        }
        let target = match visit.view {
            View::Going | View::Done => {
                let is_waiting = |target: &PromptedRequest| {
                    self.stage_name(target, visit.view) == Stage::Working.name()
                };
                Box::pin(self.held(target, is_waiting)).await?
            }
            View::Plain | View::NotMe => target,
        };
        self.respond(StatusCode::OK, &target, visit).await
    }

    /// Answers the script of a waiting page: 204 while the page is right, and 200 once another one is.
    async fn wait_for_change(
        &self,
        target: PromptedRequest,
        view: View,
        seen: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let is_right = |target: &PromptedRequest| self.stage_name(target, view) == seen;
        let target = Box::pin(self.held(target, is_right)).await?;
        let status = if is_right(&target) { StatusCode::NO_CONTENT } else { StatusCode::OK };
        Ok(link::empty(status))
    }

    /// Returns the name of the stage that the customer would see now; empty where the prompt is gone.
    fn stage_name(&self, target: &PromptedRequest, view: View) -> &'static str {
        let request = &target.loaded.request;
        let Some(prompt) = request.prompt(target.prompt) else { return "" };
        let now = self.ports.clock.now();
        let parts = hosted_parts(target);
        let view = shown(view, request, prompt.id, now);
        let visit = PageVisit { action: "", again: "", view, now, accepts: "" };
        view::stage(request, prompt, visit, &parts).name()
    }

    /// Holds the answer to a customer while the page waits, and at most for a moment.
    async fn held(
        &self,
        mut target: PromptedRequest,
        is_waiting: impl Fn(&PromptedRequest) -> bool,
    ) -> Result<PromptedRequest, Problem> {
        for pause in HOLD {
            if !is_waiting(&target) {
                break;
            }
            self.ports.clock.wait(pause).await;
            let loaded = self.approvals.load(target.loaded.request.id, target.prompt).await?;
            let Some(loaded) = loaded else { break };
            target.loaded = loaded.loaded;
        }
        Ok(target)
    }

    /// Serves `HEAD /c/{token}`: the same page, without a record that it was opened.
    ///
    /// # Errors
    /// A [`Problem`] when a port failed.
    pub async fn show(&self, token: &str, headers: &HeaderMap) -> Result<Response<Bytes>, Problem> {
        let Some(target) = self.follow(token).await? else {
            return unknown(token, link::accepts(headers));
        };
        self.respond(StatusCode::OK, &target, Visit::of(token).by(headers)).await
    }

    /// Serves `POST /c/{token}`: records the reply, then redirects to the page that shows the result.
    ///
    /// # Errors
    /// A [`Problem`] when a port failed, or when a wallet's approval was not recorded.
    pub async fn submit(
        &self,
        token: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let form = Form::read(body);
        let Some(mut target) = self.follow_form(token, &form).await? else {
            return unknown(token, link::accepts(headers));
        };
        target.visitor = Some(caller::visitor(headers));
        let (brand, request) = (&target.brand, &target.loaded.request);
        let nonce = keys::page_nonce(&brand.link_key, target.prompt, &request.ask_hash);
        let drawn_here = form.nonce().is_some_and(|given| keys::same(given, &nonce));
        let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let Some(submission) = form.submission().filter(|_| drawn_here && !elsewhere) else {
            return self
                .respond(StatusCode::BAD_REQUEST, &target, Visit::of(token).by(headers))
                .await;
        };
        let reply = match submission {
            Submission::Reply(reply) => reply,
            Submission::Stay => return Ok(see_other(token, "")),
            Submission::Back => {
                Box::pin(self.abandon_hosted_page(target)).await?;
                return Ok(see_other(token, ""));
            }
            Submission::Return(code) => {
                return Box::pin(self.confirm_return(target, token, &code)).await;
            }
            Submission::AppleSession => return self.apple_session(request, brand).await,
            Submission::Wallets(wallets) => {
                let prompt = PromptRef { request: request.id, prompt: target.prompt };
                self.record_wallets(prompt, &wallets).await?;
                return Ok(link::empty(StatusCode::NO_CONTENT));
            }
        };
        let recorded = self.approvals.record_loaded(&target, ApprovalMethod::Page, &reply);
        let recorded = Box::pin(recorded).await;
        let left = recorded
            .as_ref()
            .ok()
            .filter(|loaded| loaded.request.approval().is_some() && is_approver(&target, &form));
        let remember = |response| match left {
            Some(_) => self.cookies().set(response, brand, request, target.prompt),
            None => response,
        };
        if form.text("wallet").is_some() {
            return wallet_response(&recorded).map(remember).or_else(|()| failed(recorded));
        }
        if let Ok(loaded) = &recorded
            && loaded.request.approval().is_some()
        {
            return Ok(remember(see_other(token, REDIRECT_QUERY)));
        }
        match recorded {
            Ok(_) | Err(ReplyError::Refused(_)) => Ok(see_other(token, "")),
            // The payment options changed after the page was drawn, or none is left.
            Err(ReplyError::SessionCodeMissing | ReplyError::PayloadNotSupported) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                self.respond(status, &target, Visit::of(token).by(headers)).await
            }
            Err(ReplyError::NoSuchPrompt) => unknown(token, link::accepts(headers)),
            Err(ReplyError::Failed(problem)) => Err(problem),
        }
    }

    /// Returns the cookies of this installation.
    pub(super) fn cookies(&self) -> Cookies {
        Cookies::of(&self.public_base)
    }

    /// Records that the page was opened.
    async fn record_opened(&self, target: PromptedRequest) -> Result<PromptedRequest, Problem> {
        let PromptedRequest { loaded, brand, prompt, visitor } = target;
        let decide = |loaded: VersionedRequest, now| {
            let opened = DeliveryStatus::Opened;
            let change = loaded.request.record_delivery_status(prompt, opened, None, now);
            let decision =
                if change.is_nothing() { Decision::Stop(loaded) } else { commit(change).into() };
            std::future::ready(Ok::<_, Problem>(decision))
        };
        let fallback = loaded.clone();
        let loaded = match update_async(&self.ports, loaded, decide).await? {
            Updated::Stored(loaded) | Updated::Stopped(loaded) => loaded,
            Updated::Absent => fallback,
        };
        Ok(PromptedRequest { loaded, brand, prompt, visitor })
    }

    /// Renders the page.
    async fn respond(
        &self,
        status: StatusCode,
        target: &PromptedRequest,
        visit: Visit<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let (request, brand) = (&target.loaded.request, target.brand.as_ref());
        let Some(prompt) = request.prompt(target.prompt) else {
            return unknown(visit.token, visit.accepts);
        };
        let now = self.ports.clock.now();
        let (action, again) = (visit.action(), visit.again());
        let mut parts = hosted_parts(target);
        if prompt.in_force() && request.answerable(now).is_ok() {
            parts.offers = self.offers(request, brand, prompt.id).await?;
        }
        let view = shown(visit.view, request, prompt.id, now);
        let visit = PageVisit { action: &action, again: &again, view, now, accepts: visit.accepts };
        let branding = PageBranding::new(brand, &action);
        let known = view::Known { request, prompt, brand, branding: &branding };
        page(status, view::render(known, visit, &parts), &parts.offers, branding.parts())
    }
}

/// Returns the brand's logo. It was checked when the settings were read, and its own policy lets it do nothing.
fn logo(brand: &Brand) -> Response<Bytes> {
    let Some(logo) = &brand.branding.logo else { return link::empty(StatusCode::NOT_FOUND) };
    let mut answer = Response::new(Bytes::copy_from_slice(logo.bytes()));
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, logo.format().media_type()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        // The address changes with the picture.
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Returns the parts of a page about the hosted page.
fn hosted_parts(target: &PromptedRequest) -> PageParts {
    let (request, brand) = (&target.loaded.request, target.brand.as_ref());
    let redirect = hosted_page::redirect_of(request, target.prompt);
    let hosted_page = redirect.and_then(|redirect| hosted_page::url(request, brand, redirect));
    let return_form =
        request.session_code.is_some().then(|| form::nonce_field(brand, request, target.prompt));
    PageParts { hosted_page, return_form, card: view::card(request), offers: Vec::new() }
}

/// Returns the view to show. Who comes back later is not sent to the hosted page by itself.
fn shown(view: View, request: &Request, prompt: PromptId, now: Timestamp) -> View {
    let redirect = hosted_page::redirect_of(request, prompt);
    let is_fresh = redirect.is_some_and(|redirect| hosted_page::is_fresh(redirect, now));
    if view == View::Going && !is_fresh { View::Plain } else { view }
}

/// Returns the page of an unknown link. A text that is no token is not written into the page.
pub(crate) fn unknown(token: &str, accepts: &str) -> Result<Response<Bytes>, Problem> {
    let action = if link::is_plain(token) { format!("/c/{token}") } else { "/c/".to_owned() };
    page(StatusCode::NOT_FOUND, view::unknown(&action, accepts), &[], BrandParts::default())
}

/// Returns the response that holds a rendered page.
pub(super) fn page(
    status: StatusCode,
    rendered: Result<String, askama::Error>,
    offers: &[Offer],
    brand: BrandParts<'_>,
) -> Result<Response<Bytes>, Problem> {
    let policy = HeaderValue::from_str(&html::content_security_policy(offers, brand));
    let (Ok(text), Ok(policy)) = (rendered, policy) else {
        return Err(Problem::new(Code::Internal, "failed to render the page"));
    };
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(REPORTING_ENDPOINTS, HeaderValue::from_static(REPORTING_GROUP));
    Ok(answer)
}

/// Returns whether this `POST` approved, or proves that it comes from the customer who did: it has the session code.
fn is_approver(target: &PromptedRequest, form: &Form) -> bool {
    let request = &target.loaded.request;
    let proven = request.check_code(form.text("session_code")) == CodeCheck::Matched;
    request.approval().is_none() || proven
}

/// Returns the response to the page's script, which keeps the wallet's sheet open until the approval is recorded.
fn wallet_response(recorded: &Result<VersionedRequest, ReplyError>) -> Result<Response<Bytes>, ()> {
    let approved = recorded.as_ref().is_ok_and(|loaded| loaded.request.approval().is_some());
    if approved { Ok(link::empty(StatusCode::NO_CONTENT)) } else { Err(()) }
}

/// Returns the problem of a wallet's approval that was not recorded.
fn failed(recorded: Result<VersionedRequest, ReplyError>) -> Result<Response<Bytes>, Problem> {
    match recorded {
        Ok(_) => Err(Problem::new(Code::ConflictState, "the approval was not recorded")),
        Err(error) => Err(error.into()),
    }
}
