//! Amounts in Stripe's minor units, which for some currencies differ from those of ISO 4217.
//!
//! <https://docs.stripe.com/currencies>, read in part 2026-11-26. UNVERIFIED: compare the whole page with the lists below
//! before the first live charge in a currency that they name.

use domain::values::money::{Currency, Money};

use crate::checks::rescale;

/// The currencies that Stripe counts in whole units.
const WHOLE: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
/// The currencies without a minor unit that Stripe still counts in hundredths, which must be `00`.
const HUNDREDTHS_OF_WHOLE: &str = "ISK UGX";
/// The currencies counted in thousandths. The last digit must be 0, since card networks carry two decimals.
const THOUSANDTHS: &str = "BHD JOD KWD OMR TND";

/// How Stripe counts one currency.
struct MinorUnit {
    /// The decimals of an amount.
    exponent: u32,
    /// Every amount must be a multiple of it.
    step: u64,
}

/// Returns how Stripe counts a currency; `None` for an unlisted one.
///
/// A guess could charge a hundred times too much.
fn minor_unit(currency: Currency) -> Option<MinorUnit> {
    let unit = |exponent, step| Some(MinorUnit { exponent, step });
    let among = |list: &str| list.split_whitespace().any(|code| code == currency.code());
    match currency.exponent() {
        _ if among(WHOLE) => unit(0, 1),
        _ if among(HUNDREDTHS_OF_WHOLE) => unit(2, 100),
        _ if among(THOUSANDTHS) => unit(3, 10),
        2 => unit(2, 1),
        _ => None,
    }
}

/// An amount as Stripe counts it.
#[derive(Clone, Copy)]
pub(crate) struct StripeAmount {
    /// The amount in Stripe's minor units.
    pub(crate) minor_units: u64,
    pub(crate) currency: Currency,
}

impl StripeAmount {
    /// Converts money to Stripe's minor units; `None` where that would round.
    pub(crate) fn of(money: Money) -> Option<Self> {
        Some(Self { minor_units: to_stripe(money)?, currency: money.currency() })
    }
}

/// Converts an amount to Stripe's minor units; `None` where that would round.
pub(crate) fn to_stripe(money: Money) -> Option<u64> {
    let MinorUnit { exponent, step } = minor_unit(money.currency())?;
    let amount = rescale(money.amount(), money.currency().exponent(), exponent)?;
    amount.is_multiple_of(step).then_some(amount)
}

/// Converts an amount that Stripe reports to ISO minor units, and returns its currency too.
pub(crate) fn from_stripe(amount: u64, code: &str) -> Option<(u64, Currency)> {
    let currency: Currency = code.to_ascii_uppercase().parse().ok()?;
    let unit = minor_unit(currency)?;
    Some((rescale(amount, unit.exponent, currency.exponent())?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: u64, code: &str) -> Money {
        Money::new(amount, code.parse().unwrap()).unwrap()
    }

    #[test]
    fn amounts_of_every_class_of_currency_convert_both_ways() {
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
    fn amounts_that_would_round_are_refused() {
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
