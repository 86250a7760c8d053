//! Amounts in Adyen's minor units, which for some currencies differ from those of ISO 4217.
//!
//! Read in part 2026-11-26: <https://docs.adyen.com/development-resources/currency-codes>. UNVERIFIED: compare the whole
//! table with the lists below before the first live charge in a currency that they name.

use domain::values::money::{Currency, Money};
use ports::UnsupportedAmount;

use crate::checks::{iso_step, rescale};

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

/// Judges an amount. Adyen names no minimum and no maximum; the payment method and the acquirer may have their own.
///
/// <https://docs.adyen.com/development-resources/currency-codes>, read in part 2026-11-26.
pub(super) fn check(money: Money) -> Result<(), UnsupportedAmount> {
    let currency = money.currency();
    let exponent = exponent(currency).ok_or(UnsupportedAmount::Currency)?;
    match to_adyen(money) {
        Some(_) => Ok(()),
        None => Err(UnsupportedAmount::Step(iso_step(currency, exponent, 1))),
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
        assert_eq!(check(money(4250, "IDR")), Err(UnsupportedAmount::Step(100)));
        assert_eq!(check(money(150_000_000, "IDR")), Ok(()));
        assert_eq!(check(money(400_000_000, "COP")), Ok(()));
        assert_eq!(check(money(425, "CVE")), Err(UnsupportedAmount::Step(100)));
        assert_eq!(check(money(4250, "BIF")), Err(UnsupportedAmount::Currency));
        assert_eq!(check(money(Money::AMOUNT_MAX, "CLP")), Ok(()));
        assert_eq!(from_adyen(4201, "CLP"), None);
        assert_eq!(from_adyen(1, "eur"), None);
    }
}
