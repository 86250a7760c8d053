//! What Adyen tells by calling us: the signature of every item, then which attempt or refund it is about.
//!
//! Eight values of an item are signed, and only those are used. They are joined by colons that nothing escapes, so that
//! the same text can be read in more than one way: of all eight only the merchant reference may have a colon here, which
//! leaves one way, and a reference of ours has none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::brand::Mode;
use domain::keys;
use domain::ports::{
    CallbackError, CallbackReply, ProcessorEvent, Reference, ReportedResult, UnverifiedCallback,
    VerifiedWebhook, WebhookResponse,
};
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::adyen::reference::{Named, Paid, is_psp};
use crate::adyen::settings::Account;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    live: Text,
    notification_items: Vec<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    notification_request_item: Item,
}

/// The values that are signed, and their signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(default)]
    psp_reference: Text,
    #[serde(default)]
    original_reference: Text,
    #[serde(default)]
    merchant_account_code: Text,
    #[serde(default)]
    merchant_reference: Text,
    #[serde(default)]
    amount: ItemAmount,
    #[serde(default)]
    event_code: Text,
    #[serde(default)]
    success: Text,
    #[serde(default)]
    additional_data: Unsigned,
}

#[derive(Default, Deserialize)]
struct ItemAmount {
    #[serde(default)]
    value: Text,
    #[serde(default)]
    currency: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unsigned {
    #[serde(default)]
    hmac_signature: Text,
}

/// A text, or what Adyen writes in its place: numbers and truths, as their text; nothing, as the empty one.
#[derive(Default, Deserialize)]
#[serde(try_from = "Value")]
struct Text(String);

impl TryFrom<Value> for Text {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::String(text) => Ok(Self(text)),
            Value::Bool(truth) => Ok(Self(truth.to_string())),
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::Array(_) | Value::Object(_) => Err("not a text"),
        }
    }
}

/// Verifies a call, then reads it. One bad item refuses the whole call.
pub(in crate::adyen) fn receive(
    account: &Account,
    callback: &UnverifiedCallback,
) -> Result<VerifiedWebhook, CallbackError> {
    if callback.method != Method::POST {
        return Err(CallbackError::Malformed);
    }
    // What cannot be read has no signature that could be looked at: nobody has proven anything.
    let Ok(webhook) = serde_json::from_slice::<Webhook>(&callback.body) else {
        return Err(CallbackError::Forged);
    };
    if webhook.notification_items.is_empty() {
        return Err(CallbackError::Forged);
    }
    let of_this_mode = match account.mode {
        Mode::Test => webhook.live.0 == "false",
        Mode::Live => webhook.live.0 == "true",
    };
    let mut events = Vec::new();
    for Envelope { notification_request_item: item } in &webhook.notification_items {
        let ours = account.accepts(&item.merchant_account_code.0);
        if !item.is_signed(&account.hmac_keys) || !of_this_mode || !ours {
            return Err(CallbackError::Forged);
        }
        if !item.is_unambiguous() {
            return Err(CallbackError::Malformed);
        }
        events.extend(item.events(callback.now));
    }
    // Adyen wants to hear that it was taken, within ten seconds, and nothing else.
    let reply = CallbackReply { status: 202, content_type: "text/plain", body: String::new() };
    Ok(VerifiedWebhook { events, reply: WebhookResponse::Plain(reply) })
}

impl Item {
    /// What is signed.
    fn signing_string(&self) -> String {
        let texts = [
            &self.psp_reference,
            &self.original_reference,
            &self.merchant_account_code,
            &self.merchant_reference,
            &self.amount.value,
            &self.amount.currency,
            &self.event_code,
            &self.success,
        ];
        texts.map(|text| text.0.as_str()).join(":")
    }

    /// Whether one of the keys signed it. While a key is rotated there are two.
    fn is_signed(&self, keys: &[Zeroizing<Vec<u8>>]) -> bool {
        let text = self.signing_string();
        let given = self.additional_data.hmac_signature.0.as_str();
        keys.iter()
            .filter_map(|key| signature(key, text.as_bytes()))
            .fold(false, |found, mac| keys::same(&mac, given) | found)
    }

    fn is_unambiguous(&self) -> bool {
        let texts = [
            &self.psp_reference,
            &self.original_reference,
            &self.merchant_account_code,
            &self.amount.value,
            &self.amount.currency,
            &self.event_code,
            &self.success,
        ];
        texts.iter().all(|text| !text.0.contains(':'))
    }

    /// What it says of a request of ours, if anything. Everything else at this account is acknowledged.
    fn events(&self, now: Timestamp) -> Option<ProcessorEvent> {
        let named = Named::read(&self.merchant_reference.0)?;
        let worked = match self.success.0.as_str() {
            "true" => true,
            "false" => false,
            _ => return None,
        };
        match (named, self.event_code.0.as_str()) {
            (Named::Attempt { request, attempt_no }, "AUTHORISATION") => {
                let reported = self.authorisation(worked, now)?;
                Some(ProcessorEvent::AttemptReported { request, attempt_no, reported })
            }
            // The reference is the cancellation's own or the payment's: both name the attempt [M].
            (
                Named::Attempt { request, attempt_no } | Named::End { request, attempt_no },
                "CANCELLATION" | "TECHNICAL_CANCEL" | "CANCEL_OR_REFUND",
            ) => Some(if worked {
                let reported = self.failed(ReportedResult::CANCELLED);
                ProcessorEvent::AttemptReported { request, attempt_no, reported }
            } else {
                ProcessorEvent::StatusChanged(request)
            }),
            (Named::Refund { request, seq }, "REFUND") => {
                let reported =
                    if worked { self.given_back() } else { self.failed("refund_declined") };
                Some(ProcessorEvent::RefundReported { request, seq, reported })
            }
            // Its success says that the refund has failed.
            (Named::Refund { request, seq }, "REFUND_FAILED" | "REFUNDED_REVERSED") if worked => {
                let reported = self.failed("refund_failed");
                Some(ProcessorEvent::RefundReported { request, seq, reported })
            }
            (Named::Attempt { request, .. }, "REFUND" | "REFUND_FAILED") => {
                Some(ProcessorEvent::StatusChanged(request))
            }
            (Named::Attempt { .. } | Named::End { .. } | Named::Refund { .. }, _) => None,
        }
    }

    fn authorisation(&self, worked: bool, now: Timestamp) -> Option<ReportedResult> {
        if !worked {
            return Some(self.failed("card_declined"));
        }
        let paid = Paid {
            psp: self.psp_reference.0.clone(),
            value: self.amount.value.0.parse().ok()?,
            currency: self.amount.currency.0.clone(),
            at: now,
        };
        let reported = ReportedResult { success: true, reference: paid.to_reference(), code: None };
        // What cannot be kept is not taken for something else.
        (Paid::of(&reported) == Some(paid)).then_some(reported)
    }

    fn given_back(&self) -> ReportedResult {
        ReportedResult { success: true, reference: self.reference(), code: None }
    }

    fn failed(&self, code: &str) -> ReportedResult {
        ReportedResult { success: false, reference: self.reference(), code: Some(code.to_owned()) }
    }

    fn reference(&self) -> Reference {
        let psp = &self.psp_reference.0;
        Reference(if is_psp(psp) { psp.clone() } else { String::new() })
    }
}

/// Base64 of HMAC-SHA256.
fn signature(key: &[u8], text: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
