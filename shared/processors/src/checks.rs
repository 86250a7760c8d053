//! The settings that several adapters share, and the checks on them.

use domain::brand::Mode;
use domain::values::address;
use domain::values::money::Currency;
use serde::Deserialize;

/// The handling of a card that asks for 3-D Secure: the setting `three_d_secure`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ThreeDSecure {
    /// The customer authenticates on the bank's page and returns.
    #[default]
    Redirect,
    /// The card is refused; the customer may try another.
    Refuse,
}

/// The default of a setting that is on unless the brand turns it off.
pub(crate) const fn enabled() -> bool {
    true
}

/// Returns whether a text is an address that this mode allows, and has no query.
pub(crate) fn is_address(text: &str, mode: Mode) -> bool {
    address::is_allowed(text, mode) && !text.contains('?')
}

/// Returns whether a text is 1 to `length_max` ASCII letters, digits and characters of `extra`.
pub(crate) fn is_word(text: &str, length_max: usize, extra: &str) -> bool {
    (1..=length_max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.as_bytes().contains(&byte))
}

/// Returns whether a text has the form of a country code: ISO 3166-1 alpha-2, in capitals.
pub(crate) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Returns whether a text is an API key that begins with `prefix`, such as `sk_test_`.
pub(crate) fn is_api_key(key: &str, prefix: &str) -> bool {
    key.len() > prefix.len()
        && key.starts_with(prefix)
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns the step between amounts in ISO minor units, where a processor counts `exponent` decimals in steps of `step`.
pub(crate) fn iso_step(currency: Currency, exponent: u32, step: u64) -> u64 {
    let iso = currency.exponent();
    let factor = |decimals| 10_u64.checked_pow(decimals).unwrap_or(u64::MAX);
    if iso >= exponent {
        step.saturating_mul(factor(iso - exponent))
    } else {
        (step / factor(exponent - iso)).max(1)
    }
}

/// Converts an amount from one number of decimals to another; `None` where that would round or overflow.
pub(crate) fn rescale(amount: u64, from: u32, to: u32) -> Option<u64> {
    if to >= from {
        return amount.checked_mul(10_u64.checked_pow(to - from)?);
    }
    let unit = 10_u64.checked_pow(from - to)?;
    amount.is_multiple_of(unit).then_some(amount / unit)
}
