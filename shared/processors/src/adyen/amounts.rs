//! Amounts as Adyen counts them, which for some currencies is not how ISO 4217 does [M: Adyen's table of currency codes].

use domain::values::money::{Currency, Money};

/// Adyen counts whole units.
const WHOLE: &str = "CVE DJF GNF IDR JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
/// Without a minor unit in ISO 4217, and counted in hundredths by Adyen.
const HUNDREDTHS: &str = "CLP ISK";
/// Adyen counts thousandths.
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// How Adyen counts a currency; `None` where nobody wrote it down: a guess would charge a hundred times too much.
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

/// The amount as Adyen counts it; `None` where it cannot be said exactly.
pub(super) fn to_adyen(money: Money) -> Option<u64> {
    let exponent = exponent(money.currency())?;
    rescaled(money.amount(), money.currency().exponent(), exponent)
}

/// The amount in ISO minor units of what Adyen reports, and the currency.
pub(super) fn from_adyen(value: u64, code: &str) -> Option<(u64, Currency)> {
    let currency: Currency = code.parse().ok()?;
    Some((rescaled(value, exponent(currency)?, currency.exponent())?, currency))
}

fn rescaled(amount: u64, from: u32, to: u32) -> Option<u64> {
    if to >= from {
        return amount.checked_mul(10_u64.checked_pow(to - from)?);
    }
    let unit = 10_u64.checked_pow(from - to)?;
    amount.is_multiple_of(unit).then_some(amount / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_currency_goes_there_and_back_and_no_class_is_guessed() {
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
