//! Amounts in Adyen's minor units, which for some currencies differ from those of ISO 4217.
//!
//! Read in part 2026-11-26: <https://docs.adyen.com/development-resources/currency-codes>. UNVERIFIED: compare the whole
//! table with the lists below before the first live charge in a currency that they name.

use domain::values::money::{Currency, Money};

use crate::checks::rescale;

/// The currencies that Adyen counts in whole units.
const WHOLE: &str = "CVE DJF GNF IDR JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
/// The currencies that Adyen counts in hundredths, though ISO 4217 gives them no minor unit.
const HUNDREDTHS: &str = "CLP ISK";
/// The currencies that Adyen counts in thousandths.
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// Returns the decimals of a currency at Adyen; `None` for an unlisted one.
///
/// A guess could charge a hundred times too much.
fn exponent(currency: Currency) -> Option<u32> {
    let among = |list: &str| list.split_whitespace().any(|code| code == currency.code());
    match currency.exponent() {
        _ if among(WHOLE) => Some(0),
        _ if among(HUNDREDTHS) => Some(2),
        _ if among(THOUSANDTHS) => Some(3),
        2 => Some(2),
        _ => None,
    }
}

/// Converts an amount to Adyen's minor units; `None` where that would round.
pub(super) fn to_adyen(money: Money) -> Option<u64> {
    let exponent = exponent(money.currency())?;
    rescale(money.amount(), money.currency().exponent(), exponent)
}

/// Converts an amount that Adyen reports to ISO minor units, and returns its currency too.
pub(super) fn from_adyen(value: u64, code: &str) -> Option<(u64, Currency)> {
    let currency: Currency = code.parse().ok()?;
    Some((rescale(value, exponent(currency)?, currency.exponent())?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_listed_currencies_convert_and_others_are_refused() {
        let money = |amount, code: &str| Money::new(amount, code.parse().unwrap()).unwrap();
        for (iso, code, adyen) in [
            (4250, "EUR", Some(4250)),
            (4250, "JPY", Some(4250)),
            (4250, "CLP", Some(425_000)),
            (4250, "ISK", Some(425_000)),
            (4200, "IDR", Some(42)),
            (4250, "IDR", None),
            (4250, "KWD", Some(4250)),
            (4250, "BIF", None),
            (4250, "UYW", None),
        ] {
            assert_eq!(to_adyen(money(iso, code)), adyen, "{code}");
            if let Some(value) = adyen {
                assert_eq!(from_adyen(value, code), Some((iso, code.parse().unwrap())), "{code}");
            }
        }
        assert_eq!(from_adyen(4201, "CLP"), None);
        assert_eq!(from_adyen(1, "eur"), None);
    }
}
