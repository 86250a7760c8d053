//! What Google signs: an id, an end, and a card.

use domain::values::time::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use super::Numbers;
use super::wire::{malformed, millis};
use crate::token::Parts;
use crate::{NetworkToken, Number, Refused};

/// What every message has.
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outer {
    /// Milliseconds since 1970, as text.
    message_expiration: String,
    message_id: String,
}

/// Reads what every message has.
pub(super) fn read_envelope(text: &[u8]) -> Result<Envelope, Refused> {
    let outer: Outer = serde_json::from_slice(text).map_err(malformed)?;
    let expires_at = millis(&outer.message_expiration).ok_or(Refused::Malformed)?;
    if outer.message_id.is_empty() {
        return Err(Refused::Malformed);
    }
    Ok(Envelope { id: outer.message_id, expires_at })
}

/// A message with a card.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    /// `CARD`, or in old messages of `ECv1` `TOKENIZED_CARD`.
    payment_method: String,
    payment_method_details: Details,
    gateway_merchant_id: Option<String>,
}

/// Both generations' words: the older ones are `dpan`, `3dsCryptogram` and `3dsEciIndicator`. They are members of their own
/// and no aliases, as a message has one or the other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    pan: Option<SecretString>,
    dpan: Option<SecretString>,
    expiration_month: u8,
    expiration_year: u16,
    /// `PAN_ONLY` or `CRYPTOGRAM_3DS`; in old messages `3DS`, or nothing for a real card number.
    auth_method: Option<String>,
    cryptogram: Option<SecretString>,
    eci_indicator: Option<SecretString>,
    #[serde(rename = "3dsCryptogram")]
    old_cryptogram: Option<SecretString>,
    #[serde(rename = "3dsEciIndicator")]
    old_eci_indicator: Option<SecretString>,
}

/// Reads a message with a card.
pub(super) fn read_card(text: &[u8]) -> Result<Card, Refused> {
    serde_json::from_slice(text).map_err(malformed)
}

impl Card {
    /// Whether the page asked with this `gatewayMerchantId`, where one is expected.
    pub(super) fn is_of(&self, gateway_merchant: Option<&str>) -> bool {
        gateway_merchant.is_none() || self.gateway_merchant_id.as_deref() == gateway_merchant
    }

    /// The card, when its number is of a kind that is taken.
    pub(super) fn into_token(self, numbers: Numbers) -> Result<NetworkToken, Refused> {
        let details = self.payment_method_details;
        let kind = match (self.payment_method.as_str(), details.auth_method.as_deref()) {
            ("CARD", Some("CRYPTOGRAM_3DS")) | ("TOKENIZED_CARD", Some("3DS")) => Number::Device,
            ("CARD", Some("PAN_ONLY") | None) => Number::Card,
            (_, _) => return Err(Refused::Unsupported),
        };
        if (kind, numbers) == (Number::Card, Numbers::Device) {
            return Err(Refused::CardNumber);
        }
        let ((Some(number), None) | (None, Some(number))) = (details.pan, details.dpan) else {
            return Err(Refused::Malformed);
        };
        NetworkToken::new(Parts {
            kind,
            number,
            year: details.expiration_year,
            month: details.expiration_month,
            cryptogram: details.cryptogram.or(details.old_cryptogram),
            eci: details.eci_indicator.or(details.old_eci_indicator),
        })
    }
}
