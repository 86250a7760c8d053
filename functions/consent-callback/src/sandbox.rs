//! The sandbox phone as an API, so that a script can be the customer. Test mode only.

use bytes::Bytes;
use domain::brand::Mode;
use domain::caller::{self, Requester};
use domain::consent::ApprovalMethod;
use domain::outcome::DenialReason;
use domain::ports::{SandboxPage, SandboxVisit};
use domain::problem::{Code, FieldError, Problem};
use domain::request::Request;
use domain::sandbox::{self, PhoneMessage, SandboxStyle, Tap};
use domain::values::id::PromptId;
use domain::values::phone::Phone;
use domain::{storage, texts};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, Given, Means};
use crate::callbacks::VerifiedWebhook;
use crate::{ConsentCallback, SandboxAccess};

const TAP: &str = "a tap is {\"action\": \"approve\" | \"deny\" | \"not_me\", \"session_code\", \"card\"} or {\"postback\"}";

/// What a tap says: what it means, or what the button brings back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TapBody {
    action: Option<Tap>,
    session_code: Option<String>,
    card: Option<String>,
    postback: Option<String>,
}

impl ConsentCallback {
    /// `GET /sandbox/phones/{phone}/messages`: the phone's messages, newest first.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn phone_messages(
        &self,
        headers: &HeaderMap,
        phone: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.sandbox_user(headers).await?;
        let phone = read_phone(phone)?;
        let page = self.store.list(&sandbox::newest(&phone)).await?;
        let mut messages = Vec::with_capacity(page.items.len());
        for item in &page.items {
            let Ok(message) = sandbox::read(item) else { continue };
            if visible(&message, requester.as_ref()) {
                messages.push(self.shown(message).await?);
            }
        }
        Ok(ok(&json!({ "messages": messages })))
    }

    /// `POST /sandbox/phones/{phone}/messages/{id}/tap`: taps, and says where the request stands then.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn tap(
        &self,
        headers: &HeaderMap,
        place: (&str, &str),
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.sandbox_user(headers).await?;
        let absent = || Problem::new(Code::NotFound, "there is no such message on this phone");
        let phone = read_phone(place.0)?;
        let id: PromptId = place.1.parse().map_err(|_not_an_id| absent())?;
        let tap: TapBody = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        let item = self.store.read(&sandbox::key(&phone, id)).await?.ok_or_else(absent)?;
        let message = sandbox::read(&item).map_err(|_damaged| absent())?;
        if !visible(&message, requester.as_ref()) {
            return Err(absent());
        }
        let answer = match tap {
            TapBody { action: None, session_code: None, card: None, postback: Some(postback) } => {
                return self.brought_back(&phone, &message, &postback).await;
            }
            TapBody { action: Some(action), postback: None, session_code, card } => match action {
                Tap::Approve => {
                    let means = card.map_or(Means::Tap, Means::TestCard);
                    Answer::Approve { session_code, means }
                }
                Tap::Deny => Answer::Deny(DenialReason::Customer),
                Tap::NotMe => Answer::Deny(DenialReason::NotMe),
                Tap::Open => return Err(Problem::new(Code::InvalidRequest, TAP)),
            },
            TapBody { .. } => return Err(Problem::new(Code::InvalidRequest, TAP)),
        };
        let given =
            Given { request: message.request, prompt: id, method: ApprovalMethod::SandboxTap };
        let loaded = self.answer(given, &answer).await.map_err(Problem::from)?;
        Ok(tapped(&loaded.request))
    }

    /// A tap as a channel like this brings it back: recorded the same way, and acknowledged whatever becomes of it.
    async fn brought_back(
        &self,
        phone: &Phone,
        message: &PhoneMessage,
        postback: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let brand = self.secrets.brand(&message.brand).await?;
        let heard =
            VerifiedWebhook { brand: &brand, mode: message.mode, channel: &message.channel };
        self.tapped(heard, postback, &phone.clone().into()).await?;
        let loaded = storage::load(self.store.as_ref(), message.request).await?;
        let gone = || Problem::new(Code::NotFound, "the message's request is gone");
        let request = loaded.ok_or_else(gone)?.request;
        Ok(tapped(&request))
    }

    /// `GET` and `POST /sandbox/checkout/{id}`: the page of the sandbox's own processor, where its customers pay.
    ///
    /// A browser has no key to show. The id is derived from a request's, which only those know who have the brand's key, and
    /// the customer who was sent here.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn checkout(
        &self,
        id: &str,
        form: Option<&[u8]>,
    ) -> Result<Response<Bytes>, Problem> {
        let absent = || Problem::new(Code::NotFound, "there is no such page");
        match self.sandbox {
            SandboxAccess::Off => return Err(absent()),
            SandboxAccess::Key | SandboxAccess::Open => {}
        }
        let pages = self.sandbox_pages.as_ref().ok_or_else(absent)?;
        let page = pages.sandbox_page(&SandboxVisit { id, form }).await?;
        let (body, status, headers) = match page.ok_or_else(absent)? {
            SandboxPage::Html { html, policy } => {
                let kind = "text/html; charset=utf-8".to_owned();
                let headers = vec![(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, policy)];
                (html, StatusCode::OK, headers)
            }
            SandboxPage::Redirect(url) => {
                (String::new(), StatusCode::SEE_OTHER, vec![(LOCATION, url)])
            }
        };
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() = status;
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(|_unfit| absent())?;
            answer.headers_mut().insert(name, value);
        }
        Ok(answer)
    }

    /// Who uses the phone: nobody in particular where it is open to all.
    async fn sandbox_user(&self, headers: &HeaderMap) -> Result<Option<Requester>, Problem> {
        match self.sandbox {
            SandboxAccess::Off => {
                Err(Problem::new(Code::NotFound, "there is no sandbox phone here"))
            }
            SandboxAccess::Open => Ok(None),
            SandboxAccess::Key => {
                let requester = caller::authenticate(self.secrets.as_ref(), headers).await?;
                match requester.mode {
                    Mode::Test => Ok(Some(requester)),
                    Mode::Live => {
                        Err(Problem::new(Code::Unauthenticated, "the sandbox takes test keys only"))
                    }
                }
            }
        }
    }

    /// The message with the code's three choices, while its request waits for one.
    async fn shown(&self, message: PhoneMessage) -> Result<Value, Problem> {
        let loaded = storage::load(self.store.as_ref(), message.request).await?;
        let open = loaded.filter(|loaded| loaded.request.is_open_to_answers());
        let codes = open.and_then(|loaded| loaded.request.session_code).map(|code| code.choices);
        let segments = (message.style == SandboxStyle::Sms).then(|| texts::segments(&message.text));
        Ok(json!({
            "id": message.id,
            "request": message.request,
            "channel": message.channel,
            "from": message.from,
            "title": message.title,
            "text": message.text,
            "link": message.link,
            "actions": message.actions,
            "style": message.style,
            "segments": segments,
            "codes": codes,
            "at": message.at,
            "retracted": message.retracted,
        }))
    }
}

fn visible(message: &PhoneMessage, requester: Option<&Requester>) -> bool {
    requester.is_none_or(|requester| requester.brand.name == message.brand)
}

fn read_phone(text: &str) -> Result<Phone, Problem> {
    text.parse().map_err(|error: domain::values::phone::InvalidPhone| {
        let fault =
            FieldError { pointer: "phone".to_owned(), code: "value", detail: error.to_string() };
        Problem::fields(vec![fault])
    })
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = match error.classify() {
        serde_json::error::Category::Data => TAP,
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => "the body is not JSON",
    };
    Problem::new(Code::InvalidRequest, detail)
}

fn tapped(request: &Request) -> Response<Bytes> {
    ok(&json!({ "request": request.id, "state": request.state_name() }))
}

fn ok(body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
