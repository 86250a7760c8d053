//! Money: an integer in the currency's minor unit, and the currency's ISO 4217 code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use super::json_text::parse_from_json;

/// Active ISO 4217 codes with no minor unit.
const EXPONENT_0: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// Active ISO 4217 codes whose minor unit is a thousandth.
const EXPONENT_3: &str = "BHD IQD JOD KWD LYD OMR TND";
/// Active ISO 4217 codes whose minor unit is a ten-thousandth.
const EXPONENT_4: &str = "CLF UYW";
/// Active ISO 4217 codes whose minor unit is a hundredth.
const EXPONENT_2: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN \
    BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK \
    MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR \
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS \
    VED VES WST XCD XCG YER ZAR ZMW ZWG";

/// An active ISO 4217 currency, by its alphabetic code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u32,
}

/// A text that is not the upper-case code of an active currency.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is an active ISO 4217 code in capitals, such as EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// Returns the code, such as `EUR`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// Returns the decimal places of the minor unit: 2 for `EUR`, 0 for `JPY`, 3 for `KWD`.
    #[must_use]
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_wrong_length| InvalidCurrency)?;
        let among = |list: &str| list.split_whitespace().any(|known| known == text);
        let exponent = match () {
            () if among(EXPONENT_2) => 2,
            () if among(EXPONENT_0) => 0,
            () if among(EXPONENT_3) => 3,
            () if among(EXPONENT_4) => 4,
            () => return Err(InvalidCurrency),
        };
        Ok(Self { code, exponent })
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

parse_from_json!(Currency);

/// A positive amount of money in minor units: 4250 with `EUR` is 42.50 euro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Money {
    amount: u64,
    currency: Currency,
}

#[derive(Deserialize)]
struct Parts {
    amount: u64,
    currency: Currency,
}

impl TryFrom<Parts> for Money {
    type Error = AmountOutOfRange;

    fn try_from(parts: Parts) -> Result<Self, AmountOutOfRange> {
        Self::new(parts.amount, parts.currency)
    }
}

/// An amount outside 1 to [`Money::AMOUNT_MAX`] minor units.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount is 1 to 999999999999999 in the currency's minor unit")]
pub struct AmountOutOfRange;

impl Money {
    /// The largest amount in minor units: fifteen digits, which every JSON reader keeps exactly. Processors say what they take.
    pub const AMOUNT_MAX: u64 = 999_999_999_999_999;

    /// Makes money of `amount` minor units.
    ///
    /// # Errors
    /// [`AmountOutOfRange`] for zero and for more than [`Money::AMOUNT_MAX`].
    pub const fn new(amount: u64, currency: Currency) -> Result<Self, AmountOutOfRange> {
        if amount == 0 || amount > Self::AMOUNT_MAX {
            return Err(AmountOutOfRange);
        }
        Ok(Self { amount, currency })
    }

    /// Returns the amount in minor units.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// Returns the currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

/// Writes the amount in major units and the code, such as `42.50 EUR`, unambiguous in any language.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent;
        let unit = 10_u64.pow(exponent);
        let (whole, part) = (self.amount / unit, self.amount % unit);
        match usize::try_from(exponent) {
            Ok(width) if width > 0 => write!(f, "{whole}.{part:0width$} {}", self.currency),
            _ => write!(f, "{whole} {}", self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(amount: u64, code: &str) -> String {
        Money::new(amount, code.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn money_display_follows_the_currency_exponent() {
        assert_eq!(shown(4250, "EUR"), "42.50 EUR");
        assert_eq!(shown(5, "USD"), "0.05 USD");
        assert_eq!(shown(4250, "JPY"), "4250 JPY");
        assert_eq!(shown(4250, "KWD"), "4.250 KWD");
        assert_eq!(shown(4250, "CLF"), "0.4250 CLF");
    }

    #[test]
    fn currency_parse_takes_active_capital_codes_only() {
        for bad in ["eur", "EURO", "XXX", "DEM", "", "E R"] {
            assert_eq!(bad.parse::<Currency>(), Err(InvalidCurrency), "{bad}");
        }
    }

    #[test]
    fn money_out_of_range_is_refused() {
        let euro: Currency = "EUR".parse().unwrap();
        assert_eq!(Money::new(0, euro), Err(AmountOutOfRange));
        assert_eq!(Money::new(Money::AMOUNT_MAX + 1, euro), Err(AmountOutOfRange));
    }
}
