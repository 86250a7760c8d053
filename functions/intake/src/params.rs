//! The bodies of the API's calls, read and validated.

use std::convert::Infallible;
use std::time::Duration;

use domain::api_key::ClientScope;
use domain::ask::{Ask, CLAIMS, Customer, Metadata, Session, SessionKind};
use domain::brand::{Mode, Policy};
use domain::problem::Problem;
use domain::request::LIFETIME_MAX;
use domain::values::email::Email;
use domain::values::language::Language;
use domain::values::money::Money;
use domain::values::name::{ChannelName, ProcessorName};
use domain::values::numbering::number_facts;
use domain::values::phone::{InvalidPhone, Phone};
use domain::values::text::{DisplayText, contact_detail};
use domain::values::time::Timestamp;
use records::authentication::Requester;

use crate::fields::{Bounds, Fields};

/// The seconds until a silent route is given up. Less would send everything twice; more would end the conversation.
/// The most seconds that `max_age` takes: a year.
const MAX_AGE_MAX: u64 = 31_536_000;
/// The most entries of `acr`.
const ACR_MAX: usize = 8;
/// The seconds that a client token counts.
const TOKEN_LIFETIME: Bounds = Bounds { min: 60, max: 86_400 };
const TOKEN_LIFETIME_DEFAULT: u64 = 3_600;
/// The longest host of an origin.
const HOST_MAX: usize = 202;
const FALLBACK: Bounds = Bounds { min: 5, max: 300 };

/// The body of `POST /v1/requests`.
pub(crate) struct CreateRequestParams {
    pub(crate) customer: Customer,
    pub(crate) session: Session,
    pub(crate) ask: Ask,
    pub(crate) processor: Option<ProcessorName>,
    pub(crate) channels: Option<Vec<ChannelName>>,
    pub(crate) expires_in: Option<Duration>,
    pub(crate) fallback_seconds: Option<u32>,
    pub(crate) allow_duplicate: bool,
    pub(crate) metadata: Metadata,
}

/// The body of `POST /v1/capabilities`.
pub(crate) struct CapabilityParams {
    pub(crate) customer: Customer,
    pub(crate) ask: Ask,
    pub(crate) processor: Option<ProcessorName>,
}

fn finished<T>(fields: Fields, params: Option<T>) -> Result<T, Problem> {
    let faults = fields.faults();
    fields.end();
    let faults = faults.take();
    match params {
        Some(params) if faults.is_empty() => Ok(params),
        _ => Err(Problem::fields(faults)),
    }
}

/// Reads the body of `POST /v1/requests`.
pub(crate) fn request(body: &[u8], requester: &Requester) -> Result<CreateRequestParams, Problem> {
    let (mode, policy) = (requester.mode, &requester.brand.policy);
    let mut fields = Fields::of_body(body, false).map_err(Problem::fields)?;
    let customer = fields.object("customer", true).and_then(|fields| customer(fields, policy));
    let session = fields.object("session", true).and_then(session);
    let ask = fields.object("ask", true).and_then(|fields| ask(fields, policy));
    let processor = fields.parse("processor", false);
    let channels = fields.list("channels", false, 8, str::parse);
    let expires_in = expires_in(&mut fields, false, mode);
    let fallback = fields.number("fallback_seconds", false, FALLBACK);
    let allow_duplicate = fields.flag("allow_duplicate");
    let metadata = fields.object("metadata", false).map(metadata).unwrap_or_default();
    let params =
        customer.zip(session).zip(ask).map(|((customer, session), ask)| CreateRequestParams {
            customer,
            session,
            ask,
            processor,
            channels,
            expires_in,
            allow_duplicate,
            fallback_seconds: fallback.and_then(|seconds| u32::try_from(seconds).ok()),
            metadata,
        });
    finished(fields, params)
}

/// Reads the body of `POST /v1/capabilities`.
pub(crate) fn capabilities(
    body: &[u8],
    requester: &Requester,
) -> Result<CapabilityParams, Problem> {
    let policy = &requester.brand.policy;
    let mut fields = Fields::of_body(body, false).map_err(Problem::fields)?;
    let customer = fields.object("customer", true).and_then(|fields| customer(fields, policy));
    let ask = fields.object("ask", true).and_then(|fields| ask(fields, policy));
    let processor = fields.parse("processor", false);
    let params =
        customer.zip(ask).map(|(customer, ask)| CapabilityParams { customer, ask, processor });
    finished(fields, params)
}

/// Reads the body of a call that takes no fields. It may be empty.
pub(crate) fn nothing(body: &[u8]) -> Result<(), Problem> {
    let fields = Fields::of_body(body, true).map_err(Problem::fields)?;
    finished(fields, Some(()))
}

/// Reads the body of `POST /v1/requests/{id}/resend`.
pub(crate) fn resend(body: &[u8]) -> Result<Option<ChannelName>, Problem> {
    let mut fields = Fields::of_body(body, true).map_err(Problem::fields)?;
    let channel = fields.parse("channel", false);
    finished(fields, Some(channel))
}

/// The body of a refund. Without an amount, all that is left is refunded.
pub(crate) struct RefundParams {
    pub(crate) amount: Option<u64>,
    pub(crate) reason: Option<DisplayText<140>>,
}

/// Reads the body of `POST /v1/requests/{id}/refund`.
pub(crate) fn refund(body: &[u8]) -> Result<RefundParams, Problem> {
    let mut fields = Fields::of_body(body, true).map_err(Problem::fields)?;
    let amount = fields.number("amount", false, Bounds { min: 1, max: Money::AMOUNT_MAX });
    let reason = fields.read("reason", false, DisplayText::new);
    finished(fields, Some(RefundParams { amount, reason }))
}

/// The body of `POST /v1/client_tokens`.
pub(crate) struct ClientTokenParams {
    pub(crate) scope: ClientScope,
    pub(crate) origin: String,
    pub(crate) lifetime: Duration,
}

/// Reads the body of `POST /v1/client_tokens`.
pub(crate) fn client_token(body: &[u8]) -> Result<ClientTokenParams, Problem> {
    let mut fields = Fields::of_body(body, false).map_err(Problem::fields)?;
    let has_scope = fields.names().iter().any(|name| name == "request" || name == "session");
    let request = fields.parse("request", false).map(ClientScope::Request);
    let session = fields.read("session", false, token).map(ClientScope::Session);
    let origin = fields.read("origin", true, origin);
    let lifetime = fields.number("expires_in", false, TOKEN_LIFETIME);
    let scope = match (request, session) {
        (Some(scope), None) | (None, Some(scope)) => Some(scope),
        (Some(_), Some(_)) => {
            fields.fault("session", "value", "send `request` or `session`, not both");
            None
        }
        (None, None) => {
            if !has_scope {
                fields.fault("request", "missing", "send `request` or `session`");
            }
            None
        }
    };
    let lifetime = Duration::from_secs(lifetime.unwrap_or(TOKEN_LIFETIME_DEFAULT));
    let params =
        scope.zip(origin).map(|(scope, origin)| ClientTokenParams { scope, origin, lifetime });
    finished(fields, params)
}

/// Reads an origin as browsers send it (RFC 6454, section 6.2): scheme, host, and any port but the default. That one is
/// left out.
fn origin(text: &str) -> Result<String, &'static str> {
    const RULE: &str = "an origin is `https://` and a host in lower case, without a path; `http://` only on localhost";
    let (scheme, place) = text.split_once("://").ok_or(RULE)?;
    let (host, port) =
        place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_host = (1..=HOST_MAX).contains(&host.len())
        && host.bytes().all(|byte| is_plain(byte) || byte == b'.' || byte == b'-')
        && host.bytes().next().is_some_and(is_plain)
        && host.bytes().last().is_some_and(is_plain);
    let is_local = matches!(host, "localhost" | "127.0.0.1");
    let default = match scheme {
        "https" if is_host => "443",
        "http" if is_local => "80",
        _ => return Err(RULE),
    };
    match port {
        None => Ok(text.to_owned()),
        Some(port) if port == default => Ok(format!("{scheme}://{host}")),
        // A port that is written another way would never equal the browser's.
        Some(port) => match port.parse::<u16>() {
            Ok(number) if number > 0 && number.to_string() == port => Ok(text.to_owned()),
            Ok(_) | Err(_) => Err(RULE),
        },
    }
}

/// Reads the body of `POST /v1/events/redeliver`: the time, and the cursor of the call before.
pub(crate) fn redelivery(body: &[u8]) -> Result<(Timestamp, Option<String>), Problem> {
    let mut fields = Fields::of_body(body, false).map_err(Problem::fields)?;
    let since = fields.parse("since", true);
    let cursor = fields.text("cursor", false);
    finished(fields, since.map(|since| (since, cursor)))
}

/// Reads the body of `POST /v1/requests/{id}/extend`.
pub(crate) fn extend(body: &[u8], mode: Mode) -> Result<Duration, Problem> {
    let mut fields = Fields::of_body(body, false).map_err(Problem::fields)?;
    let duration = expires_in(&mut fields, true, mode);
    finished(fields, duration)
}

/// Takes the lifetime: at least a minute for real customers, a second in test mode.
fn expires_in(fields: &mut Fields, required: bool, mode: Mode) -> Option<Duration> {
    let min = match mode {
        Mode::Test => 1,
        Mode::Live => 60,
    };
    let bounds = Bounds { min, max: LIFETIME_MAX.as_secs() };
    fields.number("expires_in", required, bounds).map(Duration::from_secs)
}

fn customer(mut fields: Fields, policy: &Policy) -> Option<Customer> {
    let phone = fields.read("phone", true, subscriber);
    let email = fields.parse::<Email>("email", false);
    let name = fields.read("name", false, |text| words(text, policy));
    let language = fields.parse::<Language>("language", false);
    fields.end();
    Some(Customer { phone: phone?, email, name, language })
}

/// Reads a phone number that a subscriber can have.
fn subscriber(text: &str) -> Result<Phone, String> {
    let phone: Phone = text.parse().map_err(|error: InvalidPhone| error.to_string())?;
    number_facts(&phone).map_err(|error| error.to_string())?;
    Ok(phone)
}

/// Reads a text of the requester's that customers read. It leads nowhere else, unless the brand allows that.
fn words<const MAX: usize>(text: &str, policy: &Policy) -> Result<DisplayText<MAX>, String> {
    let text = DisplayText::new(text).map_err(|error| error.to_string())?;
    match contact_detail(text.as_str()) {
        Some(detail) if !policy.description_links => Err(detail.to_string()),
        Some(_) | None => Ok(text),
    }
}

fn session(mut fields: Fields) -> Option<Session> {
    let kind = fields.read("kind", true, |text| match text {
        "voice" => Ok(SessionKind::Voice),
        "ivr" => Ok(SessionKind::Ivr),
        "chat" => Ok(SessionKind::Chat),
        "in_person" => Ok(SessionKind::InPerson),
        _ => Err("a session's kind must be voice, ivr, chat or in_person"),
    });
    let id = fields.read("id", true, token);
    let agent = fields.read("agent", false, token);
    fields.end();
    Some(Session { kind: kind?, id: id?, agent })
}

/// Reads one of the requester's own ids. It is stored as it is, so it has 1 to 128 printable ASCII characters, no spaces.
pub(crate) fn token(text: &str) -> Result<String, &'static str> {
    let plain = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if plain {
        Ok(text.to_owned())
    } else {
        Err("an id is 1 to 128 printable ASCII characters without spaces")
    }
}

fn ask(mut fields: Fields, policy: &Policy) -> Option<Ask> {
    let kind = fields.text("kind", true);
    let ask = match kind.as_deref() {
        Some("payment") => payment(&mut fields, policy),
        Some("payment_method") => fields
            .read("description", true, |text| words(text, policy))
            .map(|description| Ask::PaymentMethod { description }),
        Some("identity") => {
            let claims = claims(&mut fields);
            let description = fields.read("description", true, |text| words(text, policy));
            let bounds = Bounds { min: 0, max: MAX_AGE_MAX };
            let max_age = fields.number("max_age", false, bounds);
            let max_age = max_age.and_then(|seconds| u32::try_from(seconds).ok());
            let acr = fields.list("acr", false, ACR_MAX, acr).unwrap_or_default();
            claims.zip(description).map(|(claims, description)| Ask::Identity {
                acr,
                claims,
                description,
                max_age,
            })
        }
        Some(_) => {
            fields.fault("kind", "value", "an ask's kind is payment, payment_method or identity");
            return None;
        }
        None => return None,
    };
    fields.end();
    ask
}

/// Takes the claims, each once. An unknown claim is refused, because no text names it to the customer.
fn claims(fields: &mut Fields) -> Option<Vec<DisplayText<64>>> {
    let claims = fields.list("claims", true, CLAIMS.len(), |text| {
        let known = CLAIMS.contains(&text).then(|| DisplayText::new(text).ok()).flatten();
        known.ok_or_else(|| format!("a claim is one of {}", CLAIMS.join(", ")))
    })?;
    let twice = claims
        .iter()
        .enumerate()
        .any(|(place, claim)| claims.iter().take(place).any(|one| one == claim));
    if twice {
        fields.fault("claims", "value", "a claim is named twice");
    }
    Some(claims)
}

/// Reads an authentication context class. Providers separate them by spaces.
fn acr(text: &str) -> Result<DisplayText<128>, &'static str> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic());
    let read = DisplayText::new(text).ok().filter(|_| plain);
    read.ok_or("an entry is 1 to 128 printable ASCII characters without spaces")
}

fn payment(fields: &mut Fields, policy: &Policy) -> Option<Ask> {
    let amount = fields.number("amount", true, Bounds { min: 1, max: Money::AMOUNT_MAX });
    let currency = fields.parse("currency", true);
    let description = fields.read("description", true, |text| words(text, policy));
    let card = fields.parse("payment_method", false);
    // `Money` refuses only an amount out of bounds, and the bounds were checked above.
    let money =
        amount.zip(currency).and_then(|(amount, currency)| Money::new(amount, currency).ok());
    money.zip(description).map(|(money, description)| Ask::Payment { money, description, card })
}

fn metadata(mut fields: Fields) -> Metadata {
    let names = fields.names();
    if names.len() > 20 {
        fields.fault("", "length", "metadata has at most 20 entries");
    }
    let mut metadata = Metadata::new();
    for name in names {
        if name.is_empty() || name.chars().count() > 40 {
            fields.fault(&name, "length", "a metadata name is 1 to 40 characters");
        }
        let value = fields.read(&name, false, |text| Ok::<_, Infallible>(text.to_owned()));
        match value {
            Some(value) if value.chars().count() <= 500 => {
                metadata.insert(name, value);
            }
            Some(_) => fields.fault(&name, "length", "a metadata value is at most 500 characters"),
            None => {}
        }
    }
    fields.end();
    metadata
}
