//! The sandbox phone as an API, so that a script can act as the customer. Test mode only.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bytes::Bytes;
use domain::brand::Mode;
use domain::consent::SessionCode;
use domain::media_type;
use domain::outcome::DenialReason;
use domain::problem::{Code, FieldError, Problem};
use domain::request::{PromptRecord, Request};
use domain::values::id::PromptId;
use domain::values::name::BrandName;
use domain::values::phone::Phone;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response};
use ports::{MessagePath, Ports, SandboxEvent, SandboxMessage, SandboxReplies, SandboxReply};
use records::authentication;
use records::authentication::Requester;
use records::storage;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::phone::{self, PhoneMessage, SandboxStyle, Tap};
use crate::routes::reports::{self, PlayedReport};

/// The most pages of messages that an open phone reads. One machine has few brands, and keeps messages for a day.
const PAGES_MAX: usize = 20;

const TAP: &str = "a tap is {\"action\": \"approve\" | \"deny\" | \"not_me\", \"session_code\", \"card\"}, {\"postback\"}, {\"text\"} or {\"report\"}";

/// The body of a tap: an action, the postback of the tapped button, a text, or a report to play.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TapBody {
    action: Option<Tap>,
    session_code: Option<String>,
    card: Option<String>,
    postback: Option<String>,
    text: Option<String>,
    report: Option<PlayedReport>,
}

/// The sandbox phone.
pub(super) struct PhoneApi {
    ports: Ports,
    /// Whether a caller must show a test key.
    needs_key: bool,
}

impl PhoneApi {
    pub(super) const fn new(ports: Ports, needs_key: bool) -> Self {
        Self { ports, needs_key }
    }

    /// Serves the phone's messages, newest first.
    pub(super) async fn messages(
        &self,
        headers: &HeaderMap,
        phone: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.authenticate(headers).await?;
        let phone = read_phone(phone)?;
        let mut messages = Vec::new();
        for message in self.visible(&phone, requester.as_ref()).await? {
            messages.push(self.message_json(message).await?);
        }
        Ok(ok(&json!({ "messages": messages })))
    }

    /// Taps, and returns the request's state afterwards.
    pub(super) async fn tap(
        &self,
        headers: &HeaderMap,
        path: MessagePath<'_>,
        body: &[u8],
        replies: &dyn SandboxReplies,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.authenticate(headers).await?;
        media_type::require_json(headers, body)?;
        let absent = || Problem::new(Code::NotFound, "no message on this phone has this id");
        let phone = read_phone(path.phone)?;
        let id: PromptId = path.id.parse().map_err(|_not_an_id| absent())?;
        let tap: TapBody = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        let messages = self.visible(&phone, requester.as_ref()).await?;
        let message = messages.into_iter().find(|message| message.id == id).ok_or_else(absent)?;
        let reply = match tap {
            TapBody { action: None, session_code: None, card: None, postback, text, report } => {
                let event = match (postback, text, report) {
                    (Some(postback), None, None) => SandboxEvent::Tapped(postback),
                    (None, Some(text), None) => SandboxEvent::Wrote(text),
                    (None, None, Some(report)) => self.reported(&message, report).await?,
                    (Some(_) | None, ..) => return Err(wrong_tap()),
                };
                let message = SandboxMessage {
                    brand: &message.brand,
                    channel: &message.channel,
                    prompt: message.prompt(),
                    phone: &phone,
                };
                return Ok(state_response(&replies.record_event(message, event).await?));
            }
            TapBody {
                action: Some(action),
                postback: None,
                text: None,
                report: None,
                session_code,
                card,
            } => match action {
                Tap::Approve => SandboxReply::Approve { session_code, card },
                Tap::Deny => SandboxReply::Deny(DenialReason::Customer),
                Tap::NotMe => SandboxReply::Deny(DenialReason::NotMe),
                Tap::Open => return Err(wrong_tap()),
            },
            TapBody { .. } => return Err(wrong_tap()),
        };
        Ok(state_response(&replies.record(message.prompt(), reply).await?))
    }

    /// Returns the event that plays a report about the request of a message.
    async fn reported(
        &self,
        message: &PhoneMessage,
        report: PlayedReport,
    ) -> Result<SandboxEvent, Problem> {
        let brand = self.ports.secrets.brand(&message.brand).await?;
        let loaded = storage::load(self.ports.store.as_ref(), message.request).await?;
        let gone = || Problem::new(Code::NotFound, "the message's request was deleted");
        reports::event(&brand, &loaded.ok_or_else(gone)?.request, report)
    }

    /// Returns the messages that the caller may see, newest first.
    ///
    /// Those are their own brand's, or every brand's on an open phone.
    async fn visible(
        &self,
        phone: &Phone,
        requester: Option<&Requester>,
    ) -> Result<Vec<PhoneMessage>, Problem> {
        let mut range = match requester {
            Some(requester) => phone::newest(phone, &requester.brand.name),
            None => phone::all(phone),
        };
        let mut messages: Vec<PhoneMessage> = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.ports.store.list(&range).await?;
            range.after = page.items.last().map(|item| item.key.sk.clone());
            messages.extend(page.items.iter().filter_map(|item| phone::read(item).ok()));
            // A brand's newest messages fill one page.
            if !page.more || requester.is_some() {
                break;
            }
        }
        // A message beside a prompt may arrive in the same millisecond, and follows it.
        messages
            .sort_by_key(|message| Reverse((message.at, message.answers.is_some(), message.id)));
        let mut shown: BTreeMap<BrandName, usize> = BTreeMap::new();
        messages.retain(|message| {
            let count = shown.entry(message.brand.clone()).or_default();
            *count = count.saturating_add(1);
            *count <= phone::SHOWN_MAX
        });
        Ok(messages)
    }

    /// Authenticates the caller by a test key; `None` where the phone is open to everyone.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Option<Requester>, Problem> {
        if !self.needs_key {
            return Ok(None);
        }
        let (secrets, now) = (self.ports.secrets.as_ref(), self.ports.clock.now());
        let requester = authentication::authenticate(secrets, headers, now).await?;
        match requester.mode {
            Mode::Test => Ok(Some(requester)),
            Mode::Live => {
                Err(Problem::new(Code::Unauthenticated, "the sandbox phone accepts test keys only"))
            }
        }
    }

    /// Returns the message as JSON, with the three session codes to pick from while its request waits for a reply.
    async fn message_json(&self, message: PhoneMessage) -> Result<Value, Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), message.request).await?;
        let spent = loaded.as_ref().is_some_and(|loaded| is_spent(&message, &loaded.request));
        let language = loaded.as_ref().and_then(|loaded| loaded.request.language.clone());
        let open = loaded.filter(|loaded| loaded.request.is_open_to_answers());
        let codes = open.and_then(|loaded| loaded.request.session_code);
        let codes = codes.as_ref().and_then(SessionCode::picks);
        let segments = (message.style == SandboxStyle::Sms).then(|| texts::segments(&message.text));
        Ok(json!({
            "id": message.id,
            "request": message.request,
            "channel": message.channel,
            "from": message.from,
            "title": message.title,
            "text": message.text,
            "language": language,
            "link": message.link,
            "actions": message.actions,
            "style": message.style,
            "segments": segments,
            "codes": codes,
            "at": message.at,
            "retracted": message.retracted,
            "answers": message.answers,
            "spent": spent,
        }))
    }
}

/// Returns whether the message's buttons no longer count, so that they look spent.
fn is_spent(message: &PhoneMessage, request: &Request) -> bool {
    let in_force = request.prompt(message.prompt().prompt).is_some_and(PromptRecord::in_force);
    let asks_not_me = message.actions.iter().all(|action| action.action == Tap::NotMe);
    if message.answers.is_some() && asks_not_me {
        return request.thread.reported.is_some();
    }
    !request.is_open_to_answers() || !in_force
}

fn read_phone(text: &str) -> Result<Phone, Problem> {
    text.parse().map_err(|error: domain::values::phone::InvalidPhone| {
        Problem::fields(vec![FieldError::in_parameter("phone", "value", error.to_string())])
    })
}

fn malformed(error: &serde_json::Error) -> Problem {
    match error.classify() {
        serde_json::error::Category::Data => wrong_tap(),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => {
            Problem::fields(vec![FieldError::in_body("", "syntax", "the body is not JSON")])
        }
    }
}

fn wrong_tap() -> Problem {
    Problem::fields(vec![FieldError::in_body("", "value", TAP)])
}

fn state_response(request: &Request) -> Response<Bytes> {
    ok(&json!({ "request": request.id, "state": request.state_name() }))
}

fn ok(body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
