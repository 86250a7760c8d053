//! A customer's return from an identity provider: the browser is compared before a code counts.

use domain::message::Step;
use domain::problem::Problem;
use domain::request::{CancelRedirect, CodeCheck, RedirectState, Request, ReturnBrowser};
use domain::values::id::{PromptId, RequestId};
use http::{HeaderMap, Method};
use ports::{ProcessorEvent, UnverifiedCallback};
use records::storage;

use super::ProcessorWebhooks;
use super::context::ProcessorContext;
use super::events::AttemptRef;

/// The parameters of a return that its form sends again, with the session code.
const CARRIED: [&str; 3] = ["state", "iss", "code"];

/// The page for the browser of a customer who returns.
pub(crate) enum ReturnPage {
    /// The consent page with this link token. A browser that gave the session code is remembered.
    Consent {
        token: String,
        /// The request and its approved prompt, where the browser is to be remembered.
        remember: Option<(Box<Request>, PromptId)>,
    },
    /// Another browser: the customer types the session code, and the form sends these fields again.
    AskCode { request: Box<Request>, fields: Vec<(String, String)> },
    /// Another browser, and the request has no session code.
    OtherBrowser(Box<Request>),
    /// The session code was wrong, which ends the request.
    WrongCode(Box<Request>),
    /// Another browser, and the provider ended the attempt.
    Ended(Box<Request>),
    /// Nothing waits for this return.
    Unknown,
}

/// The target of a browser's return: the request and the prompt that was approved.
struct Target {
    request: Box<Request>,
    prompt: PromptId,
    browser: ReturnBrowser,
}

impl ProcessorWebhooks {
    /// Takes a customer's return.
    pub(super) async fn on_return(
        &self,
        context: ProcessorContext<'_>,
        callback: &UnverifiedCallback,
        id: RequestId,
        events: Vec<ProcessorEvent>,
    ) -> Result<ReturnPage, Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        let own = loaded.filter(|loaded| context.is_owner(&loaded.request));
        let Some(request) = own.map(|loaded| Box::new(loaded.request)) else {
            return Ok(ReturnPage::Unknown);
        };
        let approved = request.approval().map(|(consent, _)| consent.prompt);
        let prompt = approved.or_else(|| request.prompts.last().map(|prompt| prompt.id));
        let Some(prompt) = prompt else { return Ok(ReturnPage::Unknown) };
        let browser = self.cookies.browser(&callback.headers, context.brand, &request, prompt);
        let mut target = Target { request, prompt, browser };
        for event in events {
            match event {
                ProcessorEvent::Returned { request, attempt_no, grant } => {
                    let attempt = AttemptRef { request, attempt_no };
                    if !target.browser.counts() {
                        match self.confirm_browser(context, callback, &target, attempt).await? {
                            Some(page) => return Ok(page),
                            None => target.browser = ReturnBrowser::Confirmed,
                        }
                    }
                    self.on_returned(context, attempt, grant, target.browser).await?;
                }
                event @ (ProcessorEvent::StatusChanged(_)
                | ProcessorEvent::AttemptReported { .. }
                | ProcessorEvent::ChargeReported { .. }
                | ProcessorEvent::RefundReported { .. }) => self.record(context, event).await?,
            }
        }
        let Target { request, prompt, browser } = target;
        let token = request.link_token(context.brand, prompt);
        Ok(match browser {
            ReturnBrowser::Same => ReturnPage::Consent { token, remember: None },
            ReturnBrowser::Confirmed => {
                ReturnPage::Consent { token, remember: Some((request, prompt)) }
            }
            // The link is the customer's, who may be another person.
            ReturnBrowser::Other => ReturnPage::Ended(request),
        })
    }

    /// Asks another browser for the session code. `None` once it is right.
    async fn confirm_browser(
        &self,
        context: ProcessorContext<'_>,
        callback: &UnverifiedCallback,
        target: &Target,
        attempt: AttemptRef,
    ) -> Result<Option<ReturnPage>, Problem> {
        let request = &target.request;
        if !is_awaited(request, attempt.attempt_no) {
            return Ok(Some(ReturnPage::Unknown));
        }
        let fields = fields(callback);
        let given = fields.iter().find(|(name, _)| name == "session_code");
        // A site that guesses for the customer has no session code. A form of another site is not read as ours.
        let given = given.filter(|_| !is_cross_site(&callback.headers));
        let typed = given.map(|(_, code)| code.trim());
        Ok(match request.check_code(typed) {
            CodeCheck::Matched => None,
            CodeCheck::NotAsked => Some(ReturnPage::OtherBrowser(request.clone())),
            CodeCheck::Missing => {
                let is_carried = |(name, _): &(String, String)| CARRIED.contains(&name.as_str());
                let fields = fields.into_iter().filter(is_carried).collect();
                Some(ReturnPage::AskCode { request: request.clone(), fields })
            }
            CodeCheck::Wrong => {
                let command =
                    |request: &Request, now| request.abandon(CancelRedirect::WrongCode, now);
                self.apply(context, request.id, Step::Fetch, command).await?;
                Some(ReturnPage::WrongCode(request.clone()))
            }
        })
    }
}

/// Returns whether an attempt waits for its customer.
fn is_awaited(request: &Request, attempt_no: u32) -> bool {
    let attempt = request.open_attempt().filter(|attempt| attempt.attempt_no == attempt_no);
    let redirect = attempt.and_then(|attempt| attempt.redirect.as_ref());
    redirect.is_some_and(|redirect| redirect.state == RedirectState::OnHostedPage)
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Returns the parameters of a return: of its query, or of the form that was posted.
fn fields(callback: &UnverifiedCallback) -> Vec<(String, String)> {
    let query = callback.url.split_once('?').map_or("", |(_, query)| query);
    let text = if callback.method == Method::POST { &callback.body } else { query.as_bytes() };
    form_urlencoded::parse(text).into_owned().collect()
}
