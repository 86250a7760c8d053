//! Actions of customers on a processor's page, and on the way there and back.

use std::sync::Arc;

use bytes::Bytes;
use domain::keys;
use domain::postback::{Action, Postback};
use domain::redirect_url::RedirectUrl;
use domain::request::{PromptRecord, Request};
use domain::seal;
use domain::seal_binding::Binding;
use domain::values::id::{PromptId, RequestId};
use domain::values::prompt_ref::PromptRef;
use http::{HeaderMap, HeaderValue, Method};
use ports::MessagePath;
use serde_json::json;

use super::brand::BASE;
use super::customer::{CustomerReply, browser_headers, nonce};
use super::given_reply::GivenReply;
use super::scenario::{Choice, POOR, ProcessorFake, SECURE};
use super::story_runner::VISA;
use super::webhooks::CallbackCall;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::providers::adyen::ShopperAction;
use crate::providers::stripe::HostedAction;
use crate::rng::Weights;

/// A processor's page in a customer's browser, which stays open for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tab {
    pub(super) request: RequestId,
    pub(super) prompt: PromptId,
    pub(super) url: String,
}

/// What the name of a cookie of ours begins with.
const COOKIE: &str = "__Host-assent";
/// How many pages are remembered.
const TABS_MAX: usize = 24;

/// What a customer does who may be on a processor's page.
const ON_HOSTED_PAGE: &[Choice] = &[
    (4, "opens the page to go on", |world| world.opens_some_page("go=1")),
    (1, "opens the page as one who is done", |world| world.opens_some_page("done=1")),
    (1, "opens the page", |world| world.opens_some_page("")),
    (1, "wants another payment option", Simulation::leaves_hosted_page),
    (1, "answers in the bank's app", Simulation::answers_their_bank),
    (5, "acts on the processor's page", Simulation::acts_at_some_tab),
];

/// An action of a customer on a processor's page.
const ACTIONS: &Weights<HostedAction> = &[
    (4, HostedAction::Pays(VISA)),
    (1, HostedAction::Pays(POOR)),
    (1, HostedAction::Pays(SECURE)),
    (2, HostedAction::Refuses),
];

impl Simulation {
    /// The token of the page of a prompt, as a message brings it or the requester shows it.
    pub(super) fn token(&self, prompt: PromptId) -> String {
        let brand = self.keeper.now();
        let environment = self.shared.lock();
        let mut requests = environment.oracle.requests.values().map(|seen| &seen.request);
        let asked = requests.find(|request| request.prompt(prompt).is_some());
        match asked {
            Some(request) => request.link_token(&brand, prompt),
            None => keys::link_token(&brand.link_key, prompt),
        }
    }

    /// Returns the headers of the customer's browser: the cookie of the approval, unless another browser opens the page.
    fn browser(&self, request: RequestId, prompt: PromptId) -> HeaderMap {
        let mut headers = browser_headers();
        let other = self.plan.requests > 1 && self.roll(6) == 0;
        let token = keys::browser_token(&self.keeper.now().link_key, request, prompt);
        let cookie = format!("{COOKIE}-{request}={token}");
        if let Some(value) = HeaderValue::from_str(&cookie).ok().filter(|_| !other) {
            headers.insert(http::header::COOKIE, value);
        }
        headers
    }

    /// The customer's browser opens our page.
    pub(super) fn opens(&mut self, request: RequestId, prompt: PromptId, query: &'static str) {
        let token = self.token(prompt);
        let headers = self.browser(request, prompt);
        let machine = Arc::clone(&self.machine);
        self.trace(|| format!("opens the page of {prompt} with {query:?}"));
        let running: WorkFuture = Box::pin(async move {
            let callback = &machine.consent_callback;
            WorkResult::Answered(callback.page().open(&token, query, &headers).await)
        });
        self.employ(Work::Page(request, prompt), running);
    }

    /// The page was shown. If it redirects, the customer follows.
    pub(super) fn page_shown(&mut self, request: RequestId, prompt: PromptId, page: &[u8]) {
        let text = String::from_utf8_lossy(page);
        let Some((_, rest)) = text.split_once("class=\"hosted-page\" href=\"") else { return };
        let Some((url, _)) = rest.split_once('"') else { return };
        let url = url.replace("&#38;", "&").replace("&amp;", "&");
        self.goes_to(Tab { request, prompt, url });
    }

    fn goes_to(&mut self, tab: Tab) {
        self.trace(|| format!("goes on: {tab:?}"));
        self.tabs.retain(|known| *known != tab);
        if self.tabs.len() >= TABS_MAX {
            self.tabs.remove(0);
        }
        self.tabs.push(tab);
    }

    /// The customer's browser follows an open redirect, as the page leads it, and the customer acts at some tab.
    pub(super) fn is_redirected_and_acts(&mut self) {
        self.follows_redirects();
        self.acts_at_some_tab();
    }

    /// Opens the pages that requests redirect to now.
    pub(super) fn follows_redirects(&mut self) {
        let brand = self.keeper.now();
        let tabs: Vec<Tab> = {
            let environment = self.shared.lock();
            let requests = environment.oracle.requests.values().map(|seen| &seen.request);
            let redirected = requests.filter_map(|request| {
                let attempt = request.open_attempt()?;
                let redirect = attempt.redirect.as_ref()?;
                let prompt = request.prompts.last()?.id;
                let binding = Binding::attempt(request, attempt.attempt_no);
                let opened = seal::open(&brand, &binding, &redirect.sealed).ok();
                let RedirectUrl(url) = opened?;
                Some(Tab { request: request.id, prompt, url })
            });
            redirected.filter(|tab| !self.tabs.contains(tab)).collect()
        };
        for tab in tabs {
            self.goes_to(tab);
        }
    }

    /// A customer who may be on a processor's page acts.
    pub(super) fn is_on_hosted_page(&mut self) {
        self.choose(ON_HOSTED_PAGE);
    }

    pub(super) fn opens_some_page(&mut self, query: &'static str) {
        let redirected = {
            let environment = &mut *self.shared.lock();
            let all = environment.oracle.requests.values().map(|seen| &seen.request);
            let open: Vec<(RequestId, PromptId)> = all.filter_map(redirected).collect();
            // A customer who is expected on the processor's page comes first.
            let is_chosen = environment.rng.happens(600);
            environment.rng.pick(&open).copied().filter(|_| is_chosen)
        };
        let any = || self.some_prompt().map(|(request, prompt)| (request.id, prompt.id));
        if let Some((request, prompt)) = redirected.or_else(any) {
            self.opens(request, prompt, query);
        }
    }

    fn acts_at_some_tab(&mut self) {
        let tab = {
            let environment = &mut *self.shared.lock();
            // Most often the newest.
            let newest = self.tabs.last().filter(|_| environment.rng.happens(600));
            newest.or_else(|| environment.rng.pick(&self.tabs)).cloned()
        };
        let action = self.weighted(ACTIONS);
        if let Some(tab) = tab {
            self.acts_at(&tab, action);
        }
    }

    /// The customer does something on a processor's page.
    pub(super) fn acts_at(&mut self, tab: &Tab, action: HostedAction) {
        let now = self.now();
        self.trace(|| format!("{action:?} at {}", tab.url));
        if let Some(id) = tab.url.strip_prefix("https://stripe.test/") {
            let id = id.rsplit('/').next().unwrap_or_default().to_owned();
            let done = self.shared.lock().at_stripe(now, |stripe| stripe.visited(&id, action, now));
            if self.roll(3) > 0 {
                let query = if done { "done=1" } else { "back=1" };
                self.opens(tab.request, tab.prompt, query);
            }
        } else if let Some(path) = tab.url.strip_prefix(BASE) {
            self.acts_in_the_sandbox(path, action);
        } else if self.plan.scenario.processor == ProcessorFake::Adyen {
            self.acts_at_adyen(tab.request, action);
        } else {
            let back = {
                let provider = &mut self.shared.lock().provider;
                match action {
                    HostedAction::Pays(_) => provider.signs_in(&tab.url),
                    HostedAction::Refuses => provider.denies(&tab.url),
                }
            };
            if let Some(back) = back {
                self.comes_back(&back);
            }
        }
    }

    /// The customer acts at Adyen on the page of the newest attempt.
    fn acts_at_adyen(&mut self, request: RequestId, action: HostedAction) {
        let visitor = match action {
            HostedAction::Pays(_) => ShopperAction::Pays,
            HostedAction::Refuses => ShopperAction::Fails,
        };
        let back = {
            let (now, environment) = (self.now(), &mut *self.shared.lock());
            let attempts =
                environment.oracle.requests.get(&request).map(|seen| seen.request.attempts.len());
            environment.adyen.visited(&format!("{request}.{}", attempts.unwrap_or(0)), visitor, now)
        };
        if let Some(path) = back.as_deref().and_then(|url| url.strip_prefix(BASE)) {
            self.comes_back(path);
        }
    }

    /// A bank asks in its own app, to which no redirect leads.
    fn answers_their_bank(&mut self) {
        let now = self.now();
        let action =
            if self.roll(4) > 0 { HostedAction::Pays(VISA) } else { HostedAction::Refuses };
        let environment = &mut *self.shared.lock();
        let asked = environment.stripe.at_banks();
        let Some(id) = environment.rng.pick(&asked).cloned() else { return };
        environment.trace(|| format!("{action:?} in the bank's app: {id}"));
        environment.at_stripe(now, |stripe| stripe.visited(&id, action, now));
    }

    fn acts_in_the_sandbox(&mut self, path: &str, action: HostedAction) {
        let Some(id) = path.rsplit('/').next().map(str::to_owned) else { return };
        let form = match action {
            HostedAction::Pays(card) => format!("card={card}&is_me=yes"),
            HostedAction::Refuses => "card=pm_card_chargeDeclined&is_me=no".to_owned(),
        };
        {
            let (now, environment) = (self.now(), &mut *self.shared.lock());
            if let Some(sandbox) = environment.sandbox.clone() {
                environment.count("a customer is on the sandbox's page");
                return environment.at_sandbox(&sandbox, now, |stripe| stripe.visited(&id, &form));
            }
        }
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(
                machine.consent_callback.sandbox_calls().checkout(&id, Some(form.as_bytes())).await,
            )
        });
        self.employ(Work::Other("checkout"), running);
    }

    /// The customer's browser comes back from a provider, with what it brings in its address.
    pub(super) fn comes_back(&mut self, path: &str) {
        self.trace(|| format!("comes back to {path}"));
        self.returns.push(path.to_owned());
        let astray = self.plan.requests > 1 && self.roll(5) == 0;
        let to = if astray { "other" } else { "shop" };
        // Another brand's address is no place to bring it to.
        let path = path.replacen("/callbacks/shop/", &format!("/callbacks/{to}/"), 1);
        let work = if to == "shop" { Work::Other("return") } else { Work::Unauthenticated };
        let headers = self.returning(&path).unwrap_or_default();
        let call =
            CallbackCall { method: Method::GET, path, brand: to, headers, body: Bytes::new() };
        self.posts_callback_with(call, work);
    }

    /// Returns the headers of a browser that comes back to the request that its address names.
    fn returning(&self, path: &str) -> Option<HeaderMap> {
        let (_, state) = path.split_once("state=")?;
        let request: RequestId = state.split('.').next()?.parse().ok()?;
        let prompt = {
            let environment = self.shared.lock();
            let seen = environment.oracle.requests.get(&request)?;
            seen.request.approval().map(|(consent, _)| consent.prompt)
        };
        Some(self.browser(request, prompt?))
    }

    /// A browser that came back is reloaded.
    pub(super) fn repeats_return(&mut self) {
        let path = self.shared.lock().rng.pick(&self.returns).cloned();
        if let Some(path) = path {
            self.comes_back(&path);
        }
    }

    fn leaves_hosted_page(&mut self) {
        if let Some((request, prompt)) = self.some_prompt() {
            self.chooses_other_option(request.id, prompt.id);
        }
    }

    /// The customer wants another payment option.
    pub(super) fn chooses_other_option(&mut self, request: RequestId, prompt: PromptId) {
        let token = self.token(prompt);
        let machine = Arc::clone(&self.machine);
        self.trace(|| format!("wants another way for {request}"));
        let running: WorkFuture = Box::pin(async move {
            let consent_page = machine.consent_callback.page();
            let page = match consent_page.open(&token, "", &browser_headers()).await {
                Ok(page) => page,
                Err(problem) => return WorkResult::Answered(Err(problem)),
            };
            let Some(nonce) = nonce(&page) else { return WorkResult::Answered(Ok(page)) };
            let body = format!("action=back&nonce={nonce}");
            WorkResult::Answered(
                consent_page.submit(&token, &HeaderMap::new(), body.as_bytes()).await,
            )
        });
        self.employ(Work::Other("back"), running);
    }

    /// Makes the call of a channel for a tapped button. Its postback is ours or forged.
    pub(super) fn postback(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        given: &GivenReply<'_>,
        forged: bool,
    ) -> Option<WorkFuture> {
        let place = request.session_code.as_ref().and_then(|session| {
            session.choices.iter().position(|choice| Some(choice) == given.code.as_ref())
        });
        let action = match (given.reply, place.and_then(|place| u8::try_from(place).ok())) {
            (CustomerReply::Yes | CustomerReply::WrongCode, Some(place)) => Action::Pick(place),
            (CustomerReply::Yes | CustomerReply::WrongCode | CustomerReply::NoCode, _) => {
                Action::Approve
            }
            (CustomerReply::No, _) => Action::Deny,
            (CustomerReply::NotMe, _) => Action::NotMe,
            (CustomerReply::Hosted, _) => Action::Open,
            (CustomerReply::MoreTime, _) => return None,
        };
        let key = if forged {
            domain::brand::Key32::new([9; 32])
        } else {
            self.keeper.now().link_key.clone()
        };
        let reference = PromptRef { request: request.id, prompt: prompt.id };
        let postback = Postback { reference, action }.write(&key);
        let body = json!({ "postback": postback }).to_string();
        let machine = Arc::clone(&self.machine);
        let (phone, id) = (request.customer.phone.as_str().to_owned(), prompt.id.to_string());
        Some(Box::pin(async move {
            let path = MessagePath { phone: &phone, id: &id };
            let callback = &machine.consent_callback;
            WorkResult::Answered(
                callback.sandbox_calls().tap(&HeaderMap::new(), path, body.as_bytes()).await,
            )
        }))
    }
}

/// Returns the prompt of a request whose customer is to go on to the processor's page.
fn redirected(request: &Request) -> Option<(RequestId, PromptId)> {
    request.open_attempt()?.redirect.as_ref()?;
    let (consent, _) = request.approval()?;
    Some((request.id, consent.prompt))
}
