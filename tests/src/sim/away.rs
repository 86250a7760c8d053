//! The customers' acts beyond a tap, and the processors' webhooks about them.
//!
//! Customers go on to a processor's page, act there or not, come back, and want another way.

use std::sync::Arc;

use bytes::Bytes;
use domain::keys;
use domain::postback::{Action, Postback};
use domain::request::{PromptRecord, Request};
use domain::values::id::{PromptId, RequestId};
use domain::values::prompt_ref::PromptRef;
use http::{HeaderMap, HeaderValue, Method};
use ports::MessagePath;
use serde_json::json;

use super::acts::{Wish, nonce};
use super::brand::{BASE, other_webhook_secret};
use super::checkout::Away;
use super::work::{End, Running, Work};
use super::world::World;
use crate::standins::stripe;

/// A page of a processor's in some customer's browser. It stays open for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tab {
    pub(super) request: RequestId,
    pub(super) prompt: PromptId,
    pub(super) url: String,
}

/// What the name of a cookie of ours begins with.
const COOKIE: &str = "__Host-assent";
/// The most pages that are remembered.
const TABS_MAX: usize = 24;
/// The most calls of a processor that are remembered before they are made.
const HOOKS_MAX: usize = 24;

impl World {
    /// The token of the page of a prompt, as a message brings it.
    pub(super) fn token(&self, prompt: PromptId) -> String {
        keys::link_token(&self.keeper.now().link_key, prompt)
    }

    /// Returns the headers of the customer's browser: the cookie of the approval, unless another browser opens the page.
    fn browser(&self, request: RequestId, prompt: PromptId) -> HeaderMap {
        let mut headers = HeaderMap::new();
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
        self.say(|| format!("opens the page of {prompt} with {query:?}"));
        let running: Running = Box::pin(async move {
            let callback = &machine.consent_callback;
            End::Answered(callback.page().open(&token, query, &headers).await)
        });
        self.employ(Work::Page(request, prompt), running);
    }

    /// The page was shown: if it leads on, the customer goes there.
    pub(super) fn shown(&mut self, request: RequestId, prompt: PromptId, page: &[u8]) {
        let text = String::from_utf8_lossy(page);
        let Some((_, rest)) = text.split_once("class=\"hosted-page\" href=\"") else { return };
        let Some((url, _)) = rest.split_once('"') else { return };
        let url = url.replace("&#38;", "&").replace("&amp;", "&");
        let tab = Tab { request, prompt, url };
        self.say(|| format!("goes on: {tab:?}"));
        self.tabs.retain(|known| *known != tab);
        if self.tabs.len() >= TABS_MAX {
            self.tabs.remove(0);
        }
        self.tabs.push(tab);
    }

    /// Lets a customer who may be on a processor's page act there.
    pub(super) fn is_away(&mut self) {
        let Some((request, prompt)) = self.some_prompt() else { return };
        match self.roll(10) {
            0..3 => self.opens(request.id, prompt.id, "go=1"),
            3 => self.opens(request.id, prompt.id, "done=1"),
            4 => self.opens(request.id, prompt.id, ""),
            5 => self.turns_back(request.id, prompt.id),
            6 => self.answers_their_bank(),
            _ => {
                let tab = {
                    let outside = &mut *self.shared.lock();
                    // Most often the newest.
                    let newest = self.tabs.last().filter(|_| outside.rng.happens(600));
                    newest.or_else(|| outside.rng.pick(&self.tabs)).cloned()
                };
                let action = match self.roll(8) {
                    0..4 => Away::ButtonAction("pm_card_visa"),
                    4 => Away::ButtonAction("pm_card_visa_chargeDeclinedInsufficientFunds"),
                    5 => Away::ButtonAction("pm_card_authenticationRequired"),
                    _ => Away::Refuses,
                };
                if let Some(tab) = tab {
                    self.acts_away(&tab, action);
                }
            }
        }
    }

    /// The customer does something on a processor's page.
    pub(super) fn acts_away(&mut self, tab: &Tab, action: Away) {
        let now = self.now();
        self.say(|| format!("{action:?} at {}", tab.url));
        if let Some(id) = tab.url.strip_prefix("https://stripe.test/") {
            let id = id.rsplit('/').next().unwrap_or_default().to_owned();
            let done = self.shared.lock().at_stripe(now, |stripe| stripe.visited(&id, action, now));
            if self.roll(3) > 0 {
                let query = if done { "done=1" } else { "back=1" };
                self.opens(tab.request, tab.prompt, query);
            }
        } else if let Some(path) = tab.url.strip_prefix(BASE) {
            self.acts_in_the_sandbox(path, action);
        } else {
            let back = {
                let provider = &mut self.shared.lock().provider;
                match action {
                    Away::ButtonAction(_) => provider.signs_in(&tab.url),
                    Away::Refuses => provider.denies(&tab.url),
                }
            };
            if let Some(back) = back {
                self.comes_back(&back);
            }
        }
    }

    /// A bank asks in an app of its own, which needs no redirect.
    fn answers_their_bank(&self) {
        let now = self.now();
        let action =
            if self.roll(4) > 0 { Away::ButtonAction("pm_card_visa") } else { Away::Refuses };
        let outside = &mut *self.shared.lock();
        let asked = outside.stripe.at_banks();
        let Some(id) = outside.rng.pick(&asked).cloned() else { return };
        outside.say(|| format!("{action:?} in the bank's app: {id}"));
        outside.at_stripe(now, |stripe| stripe.visited(&id, action, now));
    }

    fn acts_in_the_sandbox(&mut self, path: &str, action: Away) {
        let Some(id) = path.rsplit('/').next().map(str::to_owned) else { return };
        let form = match action {
            Away::ButtonAction(card) => format!("card={card}&is_me=yes"),
            Away::Refuses => "is_me=no".to_owned(),
        };
        let machine = Arc::clone(&self.machine);
        let running: Running = Box::pin(async move {
            End::Answered(
                machine.consent_callback.sandbox_calls().checkout(&id, Some(form.as_bytes())).await,
            )
        });
        self.employ(Work::Other("checkout"), running);
    }

    /// The customer's browser comes back from a provider, with what it brings in its address.
    pub(super) fn comes_back(&mut self, path: &str) {
        self.say(|| format!("comes back to {path}"));
        self.returns.push(path.to_owned());
        let astray = self.plan.requests > 1 && self.roll(5) == 0;
        let to = if astray { "other" } else { "shop" };
        // Another brand's address is no place to bring it to.
        let path = path.replacen("/callbacks/shop/", &format!("/callbacks/{to}/"), 1);
        let work = if to == "shop" { Work::Other("return") } else { Work::Unheard };
        let headers = self.returning(&path).unwrap_or_default();
        self.calls_back_with((Method::GET, path, to), headers, Bytes::new(), work);
    }

    /// Returns the headers of a browser that comes back to the request that its address names.
    fn returning(&self, path: &str) -> Option<HeaderMap> {
        let (_, state) = path.split_once("state=")?;
        let request: RequestId = state.split('.').next()?.parse().ok()?;
        let prompt = {
            let outside = self.shared.lock();
            let seen = outside.oracle.seen.get(&request)?;
            seen.request.approval().map(|(consent, _)| consent.prompt)
        };
        Some(self.browser(request, prompt?))
    }

    /// A browser that came back is reloaded.
    pub(super) fn comes_back_again(&mut self) {
        let path = self.shared.lock().rng.pick(&self.returns).cloned();
        if let Some(path) = path {
            self.comes_back(&path);
        }
    }

    /// The customer wants another way.
    pub(super) fn turns_back(&mut self, request: RequestId, prompt: PromptId) {
        let token = self.token(prompt);
        let machine = Arc::clone(&self.machine);
        self.say(|| format!("wants another way for {request}"));
        let running: Running = Box::pin(async move {
            let consent_page = machine.consent_callback.page();
            let page = match consent_page.open(&token, "", &HeaderMap::new()).await {
                Ok(page) => page,
                Err(problem) => return End::Answered(Err(problem)),
            };
            let Some(nonce) = nonce(&page) else { return End::Answered(Ok(page)) };
            let body = format!("action=back&nonce={nonce}");
            End::Answered(consent_page.submit(&token, &HeaderMap::new(), body.as_bytes()).await)
        });
        self.employ(Work::Other("back"), running);
    }

    /// A tap on a button of a message, as its channel reports it. Its postback is ours or made up.
    pub(super) fn postback(
        &self,
        request: &Request,
        prompt: &PromptRecord,
        (wish, code): (Wish, Option<&str>),
        forged: bool,
    ) -> Option<Running> {
        let place = request.session_code.as_ref().and_then(|session| {
            session.choices.iter().position(|choice| Some(choice.as_str()) == code)
        });
        let action = match (wish, place.and_then(|place| u8::try_from(place).ok())) {
            (Wish::Yes | Wish::WrongCode, Some(place)) => Action::Pick(place),
            (Wish::Yes | Wish::WrongCode | Wish::NoCode, _) => Action::Approve,
            (Wish::No, _) => Action::Deny,
            (Wish::NotMe, _) => Action::NotMe,
            (Wish::Hosted, _) => Action::Open,
            (Wish::MoreTime, _) => return None,
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
            End::Answered(
                callback.sandbox_calls().tap(&HeaderMap::new(), path, body.as_bytes()).await,
            )
        }))
    }

    /// Delivers a processor's webhook on time, late or once more, or one of a foreign account.
    pub(super) fn hears(&mut self) {
        let body = {
            let outside = &mut *self.shared.lock();
            let forget = outside.hooks.len().saturating_sub(HOOKS_MAX);
            outside.hooks.drain(..forget);
            let place = outside.rng.place(outside.hooks.len());
            let Some(body) = outside.hooks.get(place).map(ToString::to_string) else { return };
            let again = outside.rng.happens(400);
            if !again {
                outside.hooks.swap_remove(place);
            }
            body
        };
        let other = self.plan.requests > 1 && self.roll(4) == 0;
        let secret = if other { other_webhook_secret() } else { self.credentials.webhook_secret() };
        let signature = stripe::signature(&secret, self.now(), body.as_bytes());
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&signature) {
            headers.insert("stripe-signature", value);
        }
        let brand = if other { "other" } else { "shop" };
        self.say(|| format!("{brand}'s processor tells {body}"));
        let work = if other { Work::Unheard } else { Work::Other("webhook") };
        let path = format!("/callbacks/{brand}/stripe");
        self.calls_back_with((Method::POST, path, brand), headers, Bytes::from(body), work);
    }

    pub(super) fn calls_back_with(
        &mut self,
        (method, path, brand): (Method, String, &'static str),
        headers: HeaderMap,
        body: Bytes,
        work: Work,
    ) {
        let request = http::Request::builder().method(method).uri(&path).body(());
        let Ok(request) = request else { return };
        let (mut parts, ()) = request.into_parts();
        parts.headers = headers;
        let name = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let machine = Arc::clone(&self.machine);
        let running: Running = Box::pin(async move {
            End::Answered(machine.consent_callback.receive(brand, &name, &parts, body).await)
        });
        self.employ(work, running);
    }
}
