//! Apple Pay within the conversation: the merchant session, the request that carries it, and the token that comes back.

use bytes::Bytes;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::Key32;
use domain::keys;
use domain::ports::{
    Callback, CallbackError, CallbackReply, ClientIdentity, HttpError, Prompt, PromptRef, Received,
    SendError, UnverifiedCallback,
};
use domain::values::money::Money;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::callback::one_of_query;
use super::compressed;
use super::wire::{self, Content};
use crate::answers::{Answered, Reaction};
use crate::message_limits::{APPLE, cut};
use crate::settings::{BaseUrl, InvalidSetting, identifier};

/// Every code Apple's gateway is known to refuse a merchant session with: the certificate, the merchant identifier or the
/// domain is not what was registered.
pub(super) const SESSION_FAULTS: &[(u16, Reaction)] = &[
    (400, Reaction::Person("apple_pay")),
    (401, Reaction::Person("apple_pay")),
    (403, Reaction::Person("apple_pay")),
    (417, Reaction::Person("apple_pay")),
    (429, Reaction::Again),
];

/// What the brand keeps for Apple Pay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// `merchant.…`, without a team's prefix.
    merchant_identifier: String,
    /// The bare host that is registered for the merchant.
    domain_name: String,
    /// Where the merchant is: ISO 3166, two letters.
    country: String,
    /// `visa`, `masterCard`, `amex`, …
    networks: Vec<String>,
    /// `supports3DS`, `supportsDebit`, …
    #[serde(default = "three_d_secure")]
    capabilities: Vec<String>,
    /// The merchant identity certificate, as PEM.
    certificate: SecretString,
    /// Its key, as PEM.
    key: SecretString,
    /// Where merchant sessions come from: China has its own, and so has a stand-in.
    #[serde(default)]
    gateway_url: Option<BaseUrl>,
}

fn three_d_secure() -> Vec<String> {
    vec!["supports3DS".to_owned()]
}

/// Apple Pay, ready for use.
pub(super) struct ApplePay {
    settings: Settings,
    gateway: BaseUrl,
    link_key: Key32,
}

impl ApplePay {
    pub(super) fn new(mut settings: Settings, link_key: &Key32) -> Result<Self, InvalidSetting> {
        identifier("merchant_identifier", &settings.merchant_identifier, ".-_")?;
        identifier("domain_name", &settings.domain_name, ".-")?;
        if settings.country.len() != 2 || !settings.country.bytes().all(|b| b.is_ascii_uppercase())
        {
            return Err(InvalidSetting { field: "country" });
        }
        for (field, words) in
            [("networks", &settings.networks), ("capabilities", &settings.capabilities)]
        {
            if words.is_empty() {
                return Err(InvalidSetting { field });
            }
            words.iter().try_for_each(|word| identifier(field, word, ""))?;
        }
        let gateway = match settings.gateway_url.take() {
            Some(url) => url,
            None => BaseUrl::try_from("https://apple-pay-gateway.apple.com".to_owned())?,
        };
        Ok(Self { settings, gateway, link_key: link_key.clone() })
    }

    /// The call for a merchant session, made as the merchant. A session is good for one payment and some five minutes [M].
    pub(super) fn session_call(&self, prompt: &Prompt) -> Result<Request<Bytes>, SendError> {
        let body = json!({
            "merchantIdentifier": self.settings.merchant_identifier,
            "domainName": self.settings.domain_name,
            "displayName": cut(&prompt.payee, 64),
            "initiative": "messaging",
            "initiativeContext": gateway_url(&self.link_key, prompt),
        });
        let identity = ClientIdentity {
            certificate_pem: self.settings.certificate.clone(),
            key_pem: self.settings.key.clone(),
        };
        Request::builder()
            .method(Method::POST)
            .uri(self.gateway.join("/paymentservices/paymentSession"))
            .header(CONTENT_TYPE, "application/json")
            .extension(identity)
            .body(Bytes::from(body.to_string()))
            .map_err(wire::unbuilt)
    }

    /// The session in an answer, to be passed on as it is.
    ///
    /// Apple's gateway for messages takes any object for a session and shows nothing for a wrong one, so that it is of this
    /// merchant is looked at here: it names the merchant by the hash of its identifier.
    pub(super) fn session(&self, status: StatusCode, body: &[u8]) -> Result<Value, SendError> {
        if status != StatusCode::OK {
            return Err(refused(status));
        }
        let session: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
        let merchant = &self.settings.merchant_identifier;
        let ours = |session: &Map<String, Value>| {
            let named = session.get("merchantIdentifier").and_then(Value::as_str);
            named.is_some_and(|named| {
                named == merchant || named.eq_ignore_ascii_case(&merchant_hash(merchant))
            })
        };
        match session.filter(ours) {
            Some(session) => Ok(Value::Object(session)),
            None => Err(SendError::Person { reason: "apple_pay" }),
        }
    }

    /// The prompt as a request for a payment. What may be left out is: nothing is asked of the customer but the payment, and
    /// nothing changes while the sheet is open.
    pub(super) fn content(
        &self,
        bid: &str,
        prompt: &Prompt,
        money: Money,
        session: &Value,
    ) -> Content {
        let shown = money.to_string();
        let amount = shown.split(' ').next().unwrap_or_default();
        let line = json!({ "label": cut(&prompt.payee, 64), "amount": amount, "type": "final" });
        Content::interactive(json!({
            "bid": bid,
            "receivedMessage": wire::received(prompt),
            "replyMessage": { "title": cut(&prompt.payee, APPLE.title_max), "subtitle": shown, "style": "icon" },
            "data": {
                "version": "1.0",
                "requestIdentifier": prompt.reference.prompt.to_uuid(),
                "payment": {
                    "paymentRequest": {
                        "countryCode": self.settings.country,
                        "currencyCode": money.currency().code(),
                        "lineItems": [line],
                        "total": line,
                        "applePay": {
                            "merchantIdentifier": self.settings.merchant_identifier,
                            "supportedNetworks": self.settings.networks,
                            "merchantCapabilities": self.settings.capabilities,
                        },
                    },
                    "merchantSession": session,
                    "endpoints": {
                        "paymentGatewayUrl": gateway_url(&self.link_key, prompt),
                        "fallbackUrl": prompt.link,
                    },
                },
            },
        }))
    }
}

/// SHA-256 of a merchant identifier, in hexadecimal.
pub(super) fn merchant_hash(merchant_identifier: &str) -> String {
    keys::digest_hex(merchant_identifier.as_bytes())
}

/// A session that did not come: nothing has reached the customer yet.
pub(super) fn without_session(error: HttpError) -> SendError {
    match error {
        HttpError::Forbidden => SendError::Person { reason: "apple_pay" },
        HttpError::NotSent(_) | HttpError::Lost(_) => SendError::Again(error.into()),
    }
}

fn refused(status: StatusCode) -> SendError {
    match SESSION_FAULTS.iter().find(|(code, _)| *code == status.as_u16()) {
        Some((_, reaction)) => reaction.to_send(status),
        None if status.is_server_error() => SendError::Again(Answered { status }.into()),
        None => SendError::Person { reason: "apple_pay" },
    }
}

/// The field of the gateway's address that names the prompt and proves that the address is ours.
const FIELD: &str = "pay";

/// Where the token of this prompt comes to. Apple wants the same text, byte for byte, in the session and in the message.
fn gateway_url(key: &Key32, prompt: &Prompt) -> String {
    let proof = proof(key, prompt.reference);
    format!("{}?{FIELD}={}.{proof}", prompt.callback, prompt.reference)
}

/// Nothing signs what comes to the gateway, so its address carries the proof that we asked this customer.
fn proof(key: &Key32, reference: PromptRef) -> String {
    let purpose = format!("apple_pay {}", reference.prompt);
    let mac = keys::derived(key, &purpose, reference.request, 0);
    hex::encode(mac.split_at(16).0)
}

/// Reads a payment that came to the gateway; `None` where the address is none of a gateway.
pub(super) fn receive(
    key: &Key32,
    callback: &UnverifiedCallback,
) -> Option<Result<Received, CallbackError>> {
    let given = match one_of_query(&callback.url, FIELD) {
        Ok(given) => given?,
        Err(error) => return Some(Err(error)),
    };
    let reference = given.rsplit_once('.').and_then(|(reference, given)| {
        let reference: PromptRef = reference.parse().ok()?;
        keys::same(given, &proof(key, reference)).then_some(reference)
    });
    Some(reference.ok_or(CallbackError::Forged).and_then(|reference| paid(reference, callback)))
}

/// What the gateway is sent [S, details M]. Contacts are not asked for, and not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    request_identifier: Option<String>,
    payment: Payment,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    payment_token: PaymentToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentToken {
    payment_data: Map<String, Value>,
    payment_method: Map<String, Value>,
    transaction_identifier: String,
}

fn paid(reference: PromptRef, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
    if callback.method != Method::POST {
        return Err(CallbackError::Malformed);
    }
    let body = compressed::plain(&callback.body)?;
    let Ok(sent) = serde_json::from_slice::<Sent>(&body) else {
        return Err(CallbackError::Malformed);
    };
    let uuid = reference.prompt.to_uuid();
    // The address proves the prompt; a body that is about another one was put together by somebody else.
    if sent.request_identifier.is_some_and(|named| !named.eq_ignore_ascii_case(&uuid)) {
        return Err(CallbackError::Forged);
    }
    let PaymentToken { payment_data, payment_method, transaction_identifier } =
        sent.payment.payment_token;
    let token = json!({
        "paymentData": payment_data, "paymentMethod": payment_method,
        "transactionIdentifier": transaction_identifier,
    });
    let secret = SecretString::from(token.to_string());
    let authorization = Authorization { kind: AuthorizationKind::ApplePay, secret };
    Ok(Received {
        callbacks: vec![Callback::Paid { about: reference.into(), authorization }],
        reply: status("STATUS_SUCCESS"),
        // The sheet tells the customer that nothing was paid [M].
        refusal: Some(status("STATUS_FAILURE")),
    })
}

fn status(word: &str) -> CallbackReply {
    let body = json!({ "status": word }).to_string();
    CallbackReply { status: 200, content_type: "application/json", body }
}
