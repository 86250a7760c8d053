//! The answer that an error of Stripe leads to.

use ports::{Created, Rejection};

use crate::object_state::ObjectState;

/// An answer that an error can lead to. It has no variant for success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StripeFailure {
    /// As in [`ObjectState`]; so are the variants below.
    SoftDeclined(&'static str),
    HardDeclined(&'static str),
    RequiresAction,
    Invalid(&'static str),
    Blocked(Rejection),
    Again,
    Processing,
    Unknown,
    FailedForGood,
}

impl From<StripeFailure> for Created {
    fn from(failure: StripeFailure) -> Self {
        match failure {
            StripeFailure::SoftDeclined(code) => Self::SoftDeclined { code },
            StripeFailure::HardDeclined(code) => Self::HardDeclined { code },
            // Nothing was begun that the customer could finish.
            StripeFailure::RequiresAction => Self::SoftDeclined { code: "authentication_required" },
            StripeFailure::Invalid(code) => Self::Invalid { code },
            StripeFailure::Blocked(by) => Self::Blocked { by },
            // Nothing moves before it is confirmed.
            StripeFailure::Again
            | StripeFailure::Processing
            | StripeFailure::Unknown
            | StripeFailure::FailedForGood => Self::Again,
        }
    }
}

impl From<StripeFailure> for ObjectState {
    fn from(failure: StripeFailure) -> Self {
        match failure {
            StripeFailure::SoftDeclined(code) => Self::SoftDeclined { code },
            StripeFailure::HardDeclined(code) => Self::HardDeclined { code },
            StripeFailure::RequiresAction => Self::RequiresAction { redirect: None },
            StripeFailure::Invalid(code) => Self::Invalid { code },
            StripeFailure::Blocked(by) => Self::Blocked { by },
            StripeFailure::Again => Self::Again,
            StripeFailure::Processing => Self::Processing,
            StripeFailure::Unknown => Self::Unknown,
            StripeFailure::FailedForGood => Self::FailedForGood,
        }
    }
}
