//! The wallet tokens that Stripe takes.

use domain::brand::Mode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ids::is_id;

/// An Apple Pay token. Its payment data stays encrypted for Stripe.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApplePayToken<'a> {
    #[serde(borrow)]
    payment_data: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) payment_method: AppleCard,
    pub(super) transaction_identifier: String,
}

/// The card as the wallet displays it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AppleCard {
    pub(super) display_name: Option<String>,
    pub(super) network: Option<String>,
}

impl<'a> ApplePayToken<'a> {
    /// Reads the token's JSON text.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Returns the encrypted part byte for byte; empty for a token of Apple's simulator.
    pub(super) fn payment_data(&self) -> &str {
        self.payment_data.map_or("", RawValue::get)
    }
}

/// The token of Google's test gateway `example`, without a card behind it.
pub(super) const GOOGLE_EXAMPLE: &str = "examplePaymentMethodToken";

/// The reason why a Google Pay token cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GooglePayError {
    /// The text is not a Stripe token in JSON.
    Malformed,
    /// The token is of the other mode.
    OtherMode,
}

#[derive(Deserialize)]
struct GatewayToken {
    id: String,
    object: String,
    livemode: bool,
}

/// Returns the id of the Stripe token that a Google Pay token holds.
///
/// UNVERIFIED: the token's full shape. Pay with Google Pay in Stripe's test mode before going live.
pub(super) fn google_pay(text: &str, mode: Mode) -> Result<String, GooglePayError> {
    let Ok(token) = serde_json::from_str::<GatewayToken>(text) else {
        return Err(GooglePayError::Malformed);
    };
    if token.object != "token" || !is_id(&token.id, "tok_") {
        return Err(GooglePayError::Malformed);
    }
    match (mode, token.livemode) {
        (Mode::Test, false) | (Mode::Live, true) => Ok(token.id),
        (Mode::Test, true) | (Mode::Live, false) => Err(GooglePayError::OtherMode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_pay_token_of_another_mode_or_form_is_refused() {
        let token = r#"{"id":"tok_1A","object":"token","livemode":false,"card":{}}"#;
        assert_eq!(google_pay(token, Mode::Test), Ok("tok_1A".to_owned()));
        assert_eq!(google_pay(token, Mode::Live), Err(GooglePayError::OtherMode));
        for bad in [
            "",
            "tok_1A",
            r#"{"signature":"…","protocolVersion":"ECv2"}"#,
            r#"{"id":"tok_1A","object":"source","livemode":false}"#,
            r#"{"id":"tok_1/../x","object":"token","livemode":false}"#,
            r#"{"id":"tok_1A","object":"token"}"#,
        ] {
            assert_eq!(google_pay(bad, Mode::Test), Err(GooglePayError::Malformed), "{bad}");
        }
    }

    #[test]
    fn apple_pay_data_is_passed_on_byte_for_byte() {
        let data = r#"{ "version":"EC_v1", "data":"b+/=", "a":{"z":1,"b":2} }"#;
        let text = format!(
            r#"{{"paymentMethod":{{"displayName":"Visa 1234","type":"debit"}},"paymentData":{data},"transactionIdentifier":"f7"}}"#
        );
        let token = ApplePayToken::read(&text).unwrap();
        assert_eq!(token.payment_data(), data);
        assert_eq!(token.payment_method.display_name.as_deref(), Some("Visa 1234"));
        assert!(ApplePayToken::read("{}").is_none());
    }
}
