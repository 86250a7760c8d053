//! Apple Pay within the conversation: the merchant session, the payment request, and the token that comes back.
//!
//! Source: Apple's tutorial sample code of 2025.

use bytes::Bytes;
use domain::authorization::{Credential, CredentialKind};
use domain::brand::Key32;
use domain::digest::{digest_hex, to_hex};
use domain::keys;
use domain::values::money::Money;
use domain::values::prompt_ref::PromptRef;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use ports::{
    Callback, CallbackError, CallbackReply, ClientIdentity, HttpError, Prompt, ReceivedWebhook,
    SendError, UnverifiedCallback,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::compressed;
use super::query;
use super::wire::{self, Content};
use crate::answers::{ProviderAnswer, Reaction};
use crate::message_limits::{APPLE, cut};
use crate::settings::{BaseUrl, InvalidSetting, identifier};

/// Each known status of a refused merchant session. The certificate, the merchant identifier or the domain differs from
/// the registered one.
pub(super) const SESSION_ERRORS: &[(u16, Reaction)] = &[
    (400, Reaction::Misconfigured("apple_pay")),
    (401, Reaction::Misconfigured("apple_pay")),
    (403, Reaction::Misconfigured("apple_pay")),
    (417, Reaction::Misconfigured("apple_pay")),
    (429, Reaction::Again),
];

/// The settings of Apple Pay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// `merchant.…`, without a team's prefix.
    merchant_identifier: String,
    /// The host that is registered for the merchant.
    domain_name: String,
    /// The merchant's country: ISO 3166, two letters.
    country: String,
    /// `visa`, `masterCard`, `amex`, …
    networks: Vec<String>,
    /// `supports3DS`, `supportsDebit`, …
    #[serde(default = "three_d_secure")]
    capabilities: Vec<String>,
    /// The merchant identity certificate, as PEM.
    certificate: SecretString,
    /// The certificate's key, as PEM.
    key: SecretString,
    /// The gateway of merchant sessions: China has another, and so has a stand-in.
    #[serde(default)]
    gateway_url: Option<BaseUrl>,
}

fn three_d_secure() -> Vec<String> {
    vec!["supports3DS".to_owned()]
}

/// Checked settings of Apple Pay.
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

    /// Writes the call for a merchant session, with the merchant's certificate.
    ///
    /// UNVERIFIED: a session serves one payment and lasts about five minutes. Before going live, open a sheet with an
    /// older session.
    ///
    /// # Errors
    ///
    /// [`SendError::Misconfigured`] for settings that form no call.
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

    /// Returns the session of an answer, which the message carries unchanged.
    ///
    /// Apple's message gateway takes any object as a session, and the phone shows nothing for a wrong one. So this checks
    /// that the session is this merchant's: it names the merchant by the hash of its identifier.
    ///
    /// # Errors
    ///
    /// [`SendError`] by the status, and for the session of another merchant.
    pub(super) fn session(&self, status: StatusCode, body: &[u8]) -> Result<Value, SendError> {
        if status != StatusCode::OK {
            return Err(session_error(status));
        }
        let session: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
        let merchant = &self.settings.merchant_identifier;
        let is_ours = |session: &Map<String, Value>| {
            let named = session.get("merchantIdentifier").and_then(Value::as_str);
            named.is_some_and(|named| {
                named == merchant || named.eq_ignore_ascii_case(&merchant_hash(merchant))
            })
        };
        match session.filter(is_ours) {
            Some(session) => Ok(Value::Object(session)),
            None => Err(SendError::Misconfigured { reason: "apple_pay" }),
        }
    }

    /// Writes the prompt as a payment request. It asks for the payment alone, and its total cannot change in the sheet.
    pub(super) fn content(
        &self,
        bid: &str,
        prompt: &Prompt,
        money: Money,
        session: &Value,
    ) -> Content {
        let display = money.to_string();
        let amount = display.split(' ').next().unwrap_or_default();
        let line = json!({ "label": cut(&prompt.payee, 64), "amount": amount, "type": "final" });
        Content::interactive(json!({
            "bid": bid,
            "receivedMessage": wire::received(prompt),
            "replyMessage": { "title": cut(&prompt.payee, APPLE.title_max), "subtitle": display, "style": "icon" },
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

/// Returns the SHA-256 of a merchant identifier, in hexadecimal.
pub(super) fn merchant_hash(merchant_identifier: &str) -> String {
    digest_hex(merchant_identifier.as_bytes())
}

/// Converts the error of a session call. The customer has received nothing yet.
pub(super) fn no_session(error: HttpError) -> SendError {
    match error {
        HttpError::Forbidden => SendError::Misconfigured { reason: "apple_pay" },
        HttpError::NotSent(_) | HttpError::Lost(_) => SendError::Again(error.into()),
    }
}

fn session_error(status: StatusCode) -> SendError {
    match SESSION_ERRORS.iter().find(|(code, _)| *code == status.as_u16()) {
        Some((_, reaction)) => reaction.to_send(status),
        None if status.is_server_error() => SendError::Again(ProviderAnswer { status }.into()),
        None => SendError::Misconfigured { reason: "apple_pay" },
    }
}

/// The parameter of the gateway URL that names the prompt and proves that the URL is ours.
const PARAMETER: &str = "pay";

/// Returns the URL that receives this prompt's token. The session and the message must have the same text.
fn gateway_url(key: &Key32, prompt: &Prompt) -> String {
    let proof = proof(key, prompt.reference);
    format!("{}?{PARAMETER}={}.{proof}", prompt.callback, prompt.reference)
}

/// Returns the MAC in the gateway URL. The device's call is not signed, so the MAC proves that we asked this customer.
fn proof(key: &Key32, reference: PromptRef) -> String {
    let purpose = format!("apple_pay {}", reference.prompt);
    let mac = keys::derived(key, &purpose, reference.request, 0);
    to_hex(mac.split_at(16).0)
}

/// Reads a payment from the gateway URL; `None` for any other URL.
///
/// # Errors
///
/// [`CallbackError::Forged`] for a URL that is not ours, [`CallbackError::Malformed`] for a body without a token.
pub(super) fn receive(
    key: &Key32,
    callback: &UnverifiedCallback,
) -> Option<Result<ReceivedWebhook, CallbackError>> {
    let given = match query::parameter(&callback.url, PARAMETER) {
        Ok(given) => given?,
        Err(error) => return Some(Err(error)),
    };
    let reference = given.rsplit_once('.').and_then(|(reference, given)| {
        let reference: PromptRef = reference.parse().ok()?;
        keys::same(given, &proof(key, reference)).then_some(reference)
    });
    Some(reference.ok_or(CallbackError::Forged).and_then(|reference| payment(reference, callback)))
}

/// The body of a payment. Contacts are not requested and not read.
///
/// UNVERIFIED: the fields are second hand and from memory. Before going live, pay once in Apple's sandbox and compare the
/// body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GatewayCall {
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

fn payment(
    reference: PromptRef,
    callback: &UnverifiedCallback,
) -> Result<ReceivedWebhook, CallbackError> {
    if callback.method != Method::POST {
        return Err(CallbackError::Malformed);
    }
    let body = compressed::plain(&callback.body)?;
    let Ok(call) = serde_json::from_slice::<GatewayCall>(&body) else {
        return Err(CallbackError::Malformed);
    };
    let uuid = reference.prompt.to_uuid();
    // The URL proves the prompt, so a body about another prompt is forged.
    if call.request_identifier.is_some_and(|named| !named.eq_ignore_ascii_case(&uuid)) {
        return Err(CallbackError::Forged);
    }
    let PaymentToken { payment_data, payment_method, transaction_identifier } =
        call.payment.payment_token;
    let token = json!({
        "paymentData": payment_data, "paymentMethod": payment_method,
        "transactionIdentifier": transaction_identifier,
    });
    let secret = SecretString::from(token.to_string());
    let credential = Credential::new(CredentialKind::ApplePay, secret);
    Ok(ReceivedWebhook {
        callbacks: vec![Callback::Paid { about: reference.into(), credential }],
        reply: status("STATUS_SUCCESS"),
        // UNVERIFIED: the sheet then shows that nothing was paid. Before going live, refuse a payment in Apple's sandbox.
        refusal: Some(status("STATUS_FAILURE")),
    })
}

fn status(word: &str) -> CallbackReply {
    let body = json!({ "status": word }).to_string();
    CallbackReply { status: 200, content_type: "application/json", body }
}
