//! Amounts as Stripe counts them, which for some currencies is not how ISO 4217 does.

use domain::values::money::{Currency, Money};

/// Stripe counts whole units.
const WHOLE: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
/// Without a minor unit now, and still counted in hundredths that must be `00`.
const HUNDREDTHS_OF_WHOLE: &str = "ISK UGX";
/// Counted in thousandths of which the last digit must be 0, as card networks carry two decimals.
const THOUSANDTHS: &str = "BHD JOD KWD OMR TND";

/// How Stripe counts a currency: its exponent, and what every amount must be a multiple of. `None` where it does not
/// take the currency, or where nobody wrote down how it counts: a guess would charge a hundred times too much.
fn counting(currency: Currency) -> Option<(u32, u64)> {
    let among = |list: &str| list.split_whitespace().any(|code| code == currency.code());
    match currency.exponent() {
        _ if among(WHOLE) => Some((0, 1)),
        _ if among(HUNDREDTHS_OF_WHOLE) => Some((2, 100)),
        _ if among(THOUSANDTHS) => Some((3, 10)),
        2 => Some((2, 1)),
        _ => None,
    }
}

/// The amount as Stripe counts it; `None` where it cannot be said exactly.
pub(crate) fn to_stripe(money: Money) -> Option<u64> {
    let (exponent, step) = counting(money.currency())?;
    let amount = rescaled(money.amount(), money.currency().exponent(), exponent)?;
    amount.is_multiple_of(step).then_some(amount)
}

/// The amount in ISO minor units of what Stripe reports, and the currency's code in capitals.
pub(crate) fn from_stripe(amount: u64, code: &str) -> Option<(u64, Currency)> {
    let currency: Currency = code.to_ascii_uppercase().parse().ok()?;
    let (exponent, _) = counting(currency)?;
    Some((rescaled(amount, exponent, currency.exponent())?, currency))
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

    fn money(amount: u64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap()).unwrap()
    }

    #[test]
    fn every_class_of_currency_goes_there_and_back() {
        for (iso, code, stripe) in [
            (4250, "EUR", 4250),
            (4250, "HUF", 4250),
            (4250, "TWD", 4250),
            (4250, "IDR", 4250),
            (500, "JPY", 500),
            (500, "CLP", 500),
            (500, "ISK", 50_000),
            (99_999_999, "UGX", 9_999_999_900),
            (500, "MGA", 5),
            (5_120, "KWD", 5_120),
        ] {
            assert_eq!(to_stripe(money(iso, code)), Some(stripe), "{iso} {code}");
            let (back, currency) = from_stripe(stripe, &code.to_lowercase()).unwrap();
            assert_eq!((back, currency.code()), (iso, code));
        }
    }

    #[test]
    fn what_stripe_cannot_say_exactly_is_refused_and_never_rounded() {
        for (amount, code) in
            [(5_124, "KWD"), (501, "MGA"), (100, "IQD"), (100, "LYD"), (100, "CLF"), (100, "UYI")]
        {
            assert_eq!(to_stripe(money(amount, code)), None, "{amount} {code}");
        }
        assert_eq!(from_stripe(550, "isk"), None);
        assert_eq!(from_stripe(u64::MAX, "mga"), None);
        assert_eq!(from_stripe(100, "€"), None);
    }
}
