//! Adyen's standard webhooks: verifies the signature of every item, then finds the attempt or refund that it reports.
//!
//! Eight values of an item are signed, and only those are used. They are joined by unescaped colons, so one text could be
//! split in several ways. Here only the merchant reference may have a colon, which leaves one way. A merchant reference of
//! ours has none. The signature follows Adyen's
//! API libraries (<https://github.com/Adyen>, read 2026-11-23) and their test vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::brand::Mode;
use domain::keys;
use domain::processor_result::{
    ChargeReport, DisputeReport, DisputeStatus, Reference, ReportedResult,
};
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use ports::{
    CallbackError, CallbackReply, ChargeSelector, IgnoredPart, ProcessorEvent, UnverifiedCallback,
    VerifiedWebhook, WebhookResponse,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::adyen::reference::{MerchantReference, is_psp};
use crate::adyen::reported::ReportedPayment;
use crate::adyen::settings::AdyenAccount;
use crate::adyen::wire::Amount;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    live: Text,
    notification_items: Vec<NotificationEnvelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationEnvelope {
    notification_request_item: NotificationItem,
}

/// The signed values and their signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotificationItem {
    #[serde(default)]
    psp_reference: Text,
    #[serde(default)]
    original_reference: Text,
    #[serde(default)]
    merchant_account_code: Text,
    #[serde(default)]
    merchant_reference: Text,
    #[serde(default, deserialize_with = "or_default")]
    amount: NotificationAmount,
    #[serde(default)]
    event_code: Text,
    #[serde(default)]
    success: Text,
    #[serde(default, deserialize_with = "or_default")]
    additional_data: UnsignedFields,
}

/// Reads null as the default.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Default, Deserialize)]
struct NotificationAmount {
    #[serde(default)]
    value: Text,
    #[serde(default)]
    currency: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnsignedFields {
    #[serde(default)]
    hmac_signature: Text,
}

/// A text. Numbers and booleans are read as their text, and everything else as the empty text.
#[derive(Default, Deserialize)]
#[serde(from = "Value")]
struct Text(String);

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Self(text),
            Value::Bool(truth) => Self(truth.to_string()),
            Value::Number(number) => Self(number.to_string()),
            // No signed value is an array or an object.
            Value::Null | Value::Array(_) | Value::Object(_) => Self::default(),
        }
    }
}

/// Verifies a webhook, then reads it. One item without a valid signature refuses the whole webhook.
///
/// A signed item that is not for this account is acknowledged and has no effect. Adyen repeats what is refused, and holds
/// back every later webhook of that address.
pub(in crate::adyen) fn receive(
    account: &AdyenAccount,
    callback: &UnverifiedCallback,
) -> Result<VerifiedWebhook, CallbackError> {
    if callback.method != Method::POST {
        return Err(CallbackError::Malformed);
    }
    if is_signed_as_a_whole(&account.hmac_keys, callback) {
        return Ok(accepted(Vec::new(), vec![IgnoredPart::OtherFormat]));
    }
    // An unreadable body has no signature, so its sender is not proven.
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
    let (mut events, mut ignored) = (Vec::new(), Vec::new());
    for NotificationEnvelope { notification_request_item: item } in &webhook.notification_items {
        if !item.is_signed(&account.hmac_keys) {
            return Err(CallbackError::Forged);
        }
        match () {
            () if !item.is_unambiguous() => ignored.push(IgnoredPart::Ambiguous),
            () if !of_this_mode => ignored.push(IgnoredPart::OtherMode),
            () if !account.accepts(&item.merchant_account_code.0) => {
                ignored.push(IgnoredPart::OtherAccount);
            }
            () => match item.event(callback.now) {
                Ok(event) => events.push(event),
                Err(reason) => ignored.push(reason),
            },
        }
    }
    Ok(accepted(events, ignored))
}

/// Adyen wants a 2xx within ten seconds (<https://github.com/Adyen/adyen-openapi>, Webhooks v1, read 2026-11-23).
fn accepted(events: Vec<ProcessorEvent>, ignored: Vec<IgnoredPart>) -> VerifiedWebhook {
    let reply = CallbackReply { status: 202, content_type: "text/plain", body: String::new() };
    VerifiedWebhook { events, reply: WebhookResponse::Plain(reply), ignored }
}

/// Returns whether the header `hmacsignature` proves the raw body, as in Adyen's webhooks of other products.
///
/// UNVERIFIED: the header's name. Subscribe to a recurring token webhook in the test environment and read its headers.
fn is_signed_as_a_whole(keys: &[Zeroizing<Vec<u8>>], callback: &UnverifiedCallback) -> bool {
    let given = callback.headers.get("hmacsignature").and_then(|value| value.to_str().ok());
    given.is_some_and(|given| is_mac_of(keys, &callback.body, given))
}

/// Returns whether one of the keys signed a text. There are two while a key is rotated.
fn is_mac_of(keys: &[Zeroizing<Vec<u8>>], text: &[u8], given: &str) -> bool {
    let macs = keys.iter().filter_map(|key| signature(key, text));
    macs.fold(false, |found, mac| keys::same(&mac, given) | found)
}

impl NotificationItem {
    /// Returns the signed text.
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

    /// Returns whether one of the keys signed the item.
    fn is_signed(&self, keys: &[Zeroizing<Vec<u8>>]) -> bool {
        let given = self.additional_data.hmac_signature.0.as_str();
        is_mac_of(keys, self.signing_string().as_bytes(), given)
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

    /// Returns the event for a request of ours.
    ///
    /// # Errors
    /// The reason why the item has no effect.
    fn event(&self, now: Timestamp) -> Result<ProcessorEvent, IgnoredPart> {
        let named = MerchantReference::read(&self.merchant_reference.0);
        let named = named.ok_or(IgnoredPart::OtherObject)?;
        let worked = match self.success.0.as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(IgnoredPart::OtherFormat),
        };
        self.event_of(named, worked, now).ok_or(IgnoredPart::OtherType)
    }

    fn event_of(
        &self,
        named: MerchantReference,
        worked: bool,
        now: Timestamp,
    ) -> Option<ProcessorEvent> {
        match (named, self.event_code.0.as_str()) {
            (MerchantReference::Attempt { request, attempt_no }, "AUTHORISATION") => {
                let reported = self.authorisation(worked, now)?;
                Some(ProcessorEvent::AttemptReported { request, attempt_no, reported })
            }
            // The merchant reference may be the cancellation's or the payment's. Both name the attempt. UNVERIFIED: which
            // one Adyen sends. Cancel a payment in the test environment and read the webhook.
            (
                MerchantReference::Attempt { request, attempt_no }
                | MerchantReference::End { request, attempt_no },
                "CANCELLATION" | "TECHNICAL_CANCEL" | "CANCEL_OR_REFUND",
            ) => {
                let code = match self.event_code.0.as_str() {
                    _ if worked => ReportedResult::CANCELLED,
                    "CANCEL_OR_REFUND" => ReportedResult::REVERSAL_FAILED,
                    _ => ReportedResult::CANCEL_FAILED,
                };
                let reported = self.failed(code);
                Some(ProcessorEvent::AttemptReported { request, attempt_no, reported })
            }
            // Adyen refunded a captured payment, and that refund failed later. UNVERIFIED: the merchant reference is the
            // reversal's. Refund a payment of the test environment whose card makes refunds fail, and read the webhook.
            (
                MerchantReference::End { request, attempt_no },
                "REFUND_FAILED" | "REFUNDED_REVERSED",
            ) if worked => {
                let reported = self.failed(ReportedResult::REVERSED);
                Some(ProcessorEvent::AttemptReported { request, attempt_no, reported })
            }
            (MerchantReference::Refund { request, seq }, "REFUND") => {
                let reported =
                    if worked { self.refunded() } else { self.failed("refund_declined") };
                Some(ProcessorEvent::RefundReported { request, seq, reported })
            }
            // `success` of these two events means that the refund failed.
            (MerchantReference::Refund { request, seq }, "REFUND_FAILED" | "REFUNDED_REVERSED")
                if worked =>
            {
                let reported = self.failed(ReportedResult::REVERSED);
                Some(ProcessorEvent::RefundReported { request, seq, reported })
            }
            (MerchantReference::Attempt { request, attempt_no }, code) => {
                let report = self.charge_report(code, worked)?;
                let charge = ChargeSelector::Attempt { request, attempt_no };
                Some(ProcessorEvent::ChargeReported { charge, report })
            }
            (MerchantReference::End { .. } | MerchantReference::Refund { .. }, _) => None,
        }
    }

    /// Returns what happened to a charge after its request had ended.
    ///
    /// <https://docs.adyen.com/risk-management/disputes-api/dispute-notifications>, read 2026-11-26: all events of a dispute
    /// have its id. The status in `additionalData` is not signed, so only the event's code is believed.
    fn charge_report(&self, code: &str, worked: bool) -> Option<ChargeReport> {
        let dispute = |status, stage| {
            let (amount, currency) = self.amount()?.iso()?;
            let reference = self.reference();
            Some(ChargeReport::Dispute(DisputeReport {
                reference,
                status,
                stage,
                amount,
                currency,
            }))
        };
        let refund = |success| {
            let (amount, _) = self.amount()?.iso()?;
            Some(ChargeReport::Refund { reference: self.reference(), amount, success })
        };
        match (code, worked) {
            ("CAPTURE_FAILED", true) | ("CAPTURE", false) => Some(ChargeReport::CaptureFailed),
            // A refund that the Customer Area made has the payment's merchant reference.
            ("REFUND", success) => refund(success),
            // `success` of these two events means that the refund failed.
            ("REFUND_FAILED" | "REFUNDED_REVERSED", true) => refund(false),
            ("REQUEST_FOR_INFORMATION" | "NOTIFICATION_OF_CHARGEBACK", _) => {
                dispute(DisputeStatus::Opened, 1)
            }
            ("CHARGEBACK", _) => dispute(DisputeStatus::ChargedBack, 2),
            ("CHARGEBACK_REVERSED", _) => dispute(DisputeStatus::Won, 3),
            ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", _) => dispute(DisputeStatus::Won, 4),
            ("SECOND_CHARGEBACK", _) => dispute(DisputeStatus::Lost, 5),
            ("PREARBITRATION_WON", _) => dispute(DisputeStatus::Won, 6),
            ("PREARBITRATION_LOST", _) => dispute(DisputeStatus::Lost, 6),
            _ => None,
        }
    }

    fn amount(&self) -> Option<Amount> {
        let value = self.amount.value.0.parse().ok()?;
        Some(Amount { value, currency: self.amount.currency.0.clone() })
    }

    fn authorisation(&self, worked: bool, now: Timestamp) -> Option<ReportedResult> {
        if !worked {
            return Some(self.failed("card_declined"));
        }
        let paid = ReportedPayment {
            psp: self.psp_reference.0.clone(),
            value: self.amount.value.0.parse().ok()?,
            currency: self.amount.currency.0.clone(),
            at: now,
        };
        let (reference, code, original) = (paid.to_reference(), None, None);
        let reported = ReportedResult { success: true, reference, code, original };
        // A payment whose text cannot be read back is not reported.
        (ReportedPayment::of(&reported) == Some(paid)).then_some(reported)
    }

    fn refunded(&self) -> ReportedResult {
        ReportedResult { success: true, reference: self.reference(), code: None, original: None }
    }

    fn failed(&self, code: &str) -> ReportedResult {
        ReportedResult {
            success: false,
            reference: self.reference(),
            code: Some(code.to_owned()),
            original: self.original(),
        }
    }

    /// Returns Adyen's id of the payment that a cancellation or refund is of.
    fn original(&self) -> Option<Reference> {
        let original = &self.original_reference.0;
        is_psp(original).then(|| Reference(original.clone()))
    }

    fn reference(&self) -> Reference {
        let psp = &self.psp_reference.0;
        Reference(if is_psp(psp) { psp.clone() } else { String::new() })
    }
}

/// Returns the HMAC-SHA256 of a text, in base64.
fn signature(key: &[u8], text: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
