//! The reasons why a processor cannot take an amount.

use std::fmt;

/// The reason why a processor cannot take an amount of a currency. Numbers are in the currency's minor unit by ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedAmount {
    /// The processor does not take the currency, or counts it in a way that is not known.
    Currency,
    /// The processor takes multiples of this number only.
    Step(u64),
    /// The processor takes no less than this number.
    Below(u64),
    /// The processor takes no more than this number.
    Above(u64),
}

impl UnsupportedAmount {
    /// Returns a stable code of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Currency => "currency",
            Self::Step(_) => "step",
            Self::Below(_) => "minimum",
            Self::Above(_) => "maximum",
        }
    }
}

impl fmt::Display for UnsupportedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Currency => f.write_str("it does not take the currency"),
            Self::Step(step) => write!(f, "it takes multiples of {step} of the minor unit"),
            Self::Below(minimum) => write!(f, "it takes {minimum} of the minor unit or more"),
            Self::Above(maximum) => write!(f, "it takes {maximum} of the minor unit or less"),
        }
    }
}
