//! What Apple encrypts: the device account number, its cryptogram, and what the customer saw on the sheet.

use domain::values::money::Money;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::token::Parts;
use crate::{NetworkToken, Number, Refused};

/// The decrypted text. Members that no check and no processor needs are left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload {
    application_primary_account_number: SecretString,
    /// `YYMMDD`.
    application_expiration_date: SecretString,
    /// The number of ISO 4217, such as `840`.
    currency_code: String,
    /// In the currency's minor unit.
    transaction_amount: u64,
    payment_data_type: String,
    payment_data: PaymentData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentData {
    /// Only with `3DSecure`: `EMV` has a chip's data in its place.
    online_payment_cryptogram: Option<SecretString>,
    eci_indicator: Option<SecretString>,
}

/// Reads the decrypted text.
pub(super) fn read(plain: &[u8]) -> Result<Payload, Refused> {
    serde_json::from_slice(plain).map_err(|_not_quoted| Refused::Malformed)
}

impl Payload {
    /// Whether the customer saw exactly this amount on the sheet.
    pub(super) fn is_for(&self, money: Money) -> bool {
        let number = iso_currency::Currency::from_code(money.currency().code());
        let number = number.map(|currency| currency.numeric());
        number.is_some()
            && self.currency_code.parse().ok() == number
            && self.transaction_amount == money.amount()
    }

    /// The card.
    pub(super) fn into_token(self) -> Result<NetworkToken, Refused> {
        if self.payment_data_type != "3DSecure" {
            return Err(Refused::Unsupported);
        }
        let (year, month) =
            expiry(self.application_expiration_date.expose_secret()).ok_or(Refused::Malformed)?;
        NetworkToken::new(Parts {
            kind: Number::Device,
            number: self.application_primary_account_number,
            year,
            month,
            cryptogram: self.payment_data.online_payment_cryptogram,
            eci: self.payment_data.eci_indicator,
        })
    }
}

/// The year and month of `YYMMDD`.
fn expiry(text: &str) -> Option<(u16, u8)> {
    let sound = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month) = (text.get(..2)?, text.get(2..4)?);
    sound.then_some((2000 + year.parse::<u16>().ok()?, month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_that_is_asked_for_has_a_number_of_its_own() {
        let letters = || b'A'..=b'Z';
        let codes =
            letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        let currencies: Vec<domain::values::money::Currency> =
            codes.filter_map(|code| std::str::from_utf8(&code).unwrap().parse().ok()).collect();
        assert!(currencies.len() > 160);
        let mut numbers: Vec<u16> = currencies
            .iter()
            .map(|currency| iso_currency::Currency::from_code(currency.code()).unwrap().numeric())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), currencies.len());
    }

    #[test]
    fn an_expiry_is_six_digits() {
        assert_eq!(expiry("240930"), Some((2024, 9)));
        for bad in ["", "2409", "2409300", "24+930", "+40930", "24093\u{e9}", "\u{e9}4093"] {
            assert_eq!(expiry(bad), None, "{bad}");
        }
    }
}
