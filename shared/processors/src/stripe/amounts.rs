//! Amounts in Stripe's minor units, which for some currencies differ from those of ISO 4217.
//!
//! <https://docs.stripe.com/currencies>, read in part 2026-11-26. UNVERIFIED: compare the whole page with the lists below
//! before the first live charge in a currency that they name.

use domain::values::money::{Currency, Money};
use ports::UnsupportedAmount;

use crate::checks::{iso_step, rescale};

/// The currencies that Stripe counts in whole units.
const WHOLE: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
/// The currencies without a minor unit that Stripe still counts in hundredths, which must be `00`.
const HUNDREDTHS_OF_WHOLE: &str = "ISK UGX";
/// The currencies counted in thousandths. The last digit must be 0, since card networks carry two decimals.
const THOUSANDTHS: &str = "BHD JOD KWD OMR TND";

/// The largest amount in Stripe's minor units: eight digits.
const AMOUNT_MAX: u64 = 99_999_999;
/// The largest amount of rupiah: twelve digits.
const AMOUNT_MAX_IDR: u64 = 999_999_999_999;

/// The least that Stripe charges, in its minor units.
///
/// <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>, read in part 2026-11-26. UNVERIFIED: compare the
/// numbers with that page. Stripe applies them in the currency of the payout, so that it may refuse a little more than this.
const MINIMUMS: &[(&str, u64)] = &[
    ("AED", 200),
    ("AUD", 50),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1000),
    ("USD", 50),
];

/// Stripe's minor unit of one currency.
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

/// Judges an amount by Stripe's own rules. A stand-in has no minimum.
pub(crate) fn check(money: Money, has_minimum: bool) -> Result<(), UnsupportedAmount> {
    let currency = money.currency();
    let unit = minor_unit(currency).ok_or(UnsupportedAmount::Currency)?;
    let iso = |amount| rescale(amount, unit.exponent, currency.exponent()).unwrap_or(amount);
    let Some(amount) = to_stripe(money) else {
        return Err(UnsupportedAmount::Step(iso_step(currency, unit.exponent, unit.step)));
    };
    let maximum = if currency.code() == "IDR" { AMOUNT_MAX_IDR } else { AMOUNT_MAX };
    if amount > maximum {
        // The largest multiple of the step, so that the number can be asked for.
        return Err(UnsupportedAmount::Above(iso(maximum - maximum % unit.step)));
    }
    let minimum = MINIMUMS.iter().find(|(code, _)| *code == currency.code());
    match minimum {
        Some((_, least)) if has_minimum && amount < *least => {
            Err(UnsupportedAmount::Below(iso(*least)))
        }
        Some(_) | None => Ok(()),
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
    fn amounts_are_judged_by_digits_step_and_minimum() {
        use UnsupportedAmount::{Above, Below, Currency as Unknown, Step};
        for (amount, code, judged) in [
            (99_999_999, "EUR", Ok(())),
            (100_000_000, "EUR", Err(Above(99_999_999))),
            (150_000_000, "IDR", Ok(())),
            (999_999_999_999, "IDR", Ok(())),
            (1_000_000_000_000, "IDR", Err(Above(999_999_999_999))),
            (999_999, "UGX", Ok(())),
            (1_000_000, "UGX", Err(Above(999_999))),
            (1_000_000, "ISK", Err(Above(999_999))),
            (9_999_999_900, "MGA", Ok(())),
            (10_000_000_000, "MGA", Err(Above(9_999_999_900))),
            (501, "MGA", Err(Step(100))),
            (1_001, "KWD", Err(Step(10))),
            (99_999_990, "BHD", Ok(())),
            (100_000_000, "OMR", Err(Above(99_999_990))),
            (5, "BHD", Err(Step(10))),
            (100, "CLF", Err(Unknown)),
            (1000, "LYD", Err(Unknown)),
            (1, "USD", Err(Below(50))),
            (49, "EUR", Err(Below(50))),
            (29, "GBP", Err(Below(30))),
            (30, "GBP", Ok(())),
            (49, "JPY", Err(Below(50))),
            (17_499, "HUF", Err(Below(17_500))),
            (4_255, "TWD", Ok(())),
            (1, "ARS", Ok(())),
        ] {
            assert_eq!(check(money(amount, code), true), judged, "{amount} {code}");
        }
        assert_eq!(check(money(1, "USD"), false), Ok(()));
    }

    #[test]
    fn every_bound_that_is_told_can_be_asked_for() {
        let codes = ["EUR", "IDR", "UGX", "ISK", "MGA", "OMR", "JPY", "GBP", "HUF"];
        for (amount, code) in
            codes.into_iter().flat_map(|code| [(1, code), (Money::AMOUNT_MAX, code)])
        {
            if let Err(UnsupportedAmount::Above(bound) | UnsupportedAmount::Below(bound)) =
                check(money(amount, code), true)
            {
                assert_eq!(check(money(bound, code), true), Ok(()), "{bound} {code}");
            }
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
