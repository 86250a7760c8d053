//! The state of an object at a processor, and what it means for each operation.

use ports::{Confirmed, Fulfillment, RedirectUrl, Rejection, Retrieved, VoidResult};

/// The state of an object at a processor.
///
/// A processor describes its object in the same words after every call. Each operation then keeps what can come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ObjectState {
    /// The money moved, or the card is saved.
    Done(Fulfillment),
    /// The issuer declined; another card may work.
    SoftDeclined { code: &'static str },
    /// The issuer declined for good.
    HardDeclined { code: &'static str },
    /// The customer has to act, and nothing moved.
    RequiresAction { redirect: Option<RedirectUrl> },
    /// The attempt is wrong, and nothing moved.
    Invalid { code: &'static str },
    /// The processor rejected our credentials, and did nothing.
    Blocked { by: Rejection },
    /// The processor did nothing; the same call is safe.
    Again,
    /// The processor is working on it.
    Processing,
    /// The object exists and was never confirmed.
    NotConfirmed,
    /// The money may have moved.
    Unknown,
    /// The processor failed, and every repeat of the call gets the same answer. Only the object tells the result.
    FailedForGood,
    /// The object can never move money.
    Voided,
}

impl From<ObjectState> for Confirmed {
    fn from(state: ObjectState) -> Self {
        match state {
            ObjectState::Done(fetched) => Self::Done(fetched),
            ObjectState::SoftDeclined { code } => Self::SoftDeclined { code },
            ObjectState::HardDeclined { code } => Self::HardDeclined { code },
            ObjectState::RequiresAction { redirect } => Self::RequiresAction { redirect },
            ObjectState::Invalid { code } => Self::Invalid { code },
            ObjectState::Blocked { by } => Self::Blocked { by },
            // The call had no effect, so that the same call is safe.
            ObjectState::NotConfirmed | ObjectState::Again => Self::Again,
            ObjectState::Processing => Self::Processing,
            ObjectState::Unknown | ObjectState::FailedForGood => Self::Unknown,
            ObjectState::Voided => Self::Voided,
        }
    }
}

impl From<ObjectState> for Retrieved {
    fn from(state: ObjectState) -> Self {
        match state {
            ObjectState::Done(fetched) => Self::Done(fetched),
            ObjectState::SoftDeclined { code } => Self::SoftDeclined { code },
            ObjectState::HardDeclined { code } => Self::HardDeclined { code },
            ObjectState::RequiresAction { redirect } => Self::RequiresAction { redirect },
            ObjectState::Invalid { code } => Self::Invalid { code },
            ObjectState::Blocked { by } => Self::Blocked { by },
            ObjectState::Processing => Self::Processing,
            ObjectState::NotConfirmed => Self::NotConfirmed,
            // A read that was not answered says nothing about the money.
            ObjectState::Unknown | ObjectState::FailedForGood | ObjectState::Again => Self::Unknown,
            ObjectState::Voided => Self::Voided,
        }
    }
}

impl From<ObjectState> for VoidResult {
    fn from(state: ObjectState) -> Self {
        match state {
            ObjectState::Voided => Self::Voided,
            ObjectState::Done(fetched) => Self::Done(fetched),
            ObjectState::SoftDeclined { code } => Self::SoftDeclined { code },
            ObjectState::HardDeclined { code } => Self::HardDeclined { code },
            ObjectState::Invalid { code } => Self::Invalid { code },
            ObjectState::Blocked { by } => Self::Blocked { by },
            // The object is still there, so that the same call is to be made again.
            ObjectState::NotConfirmed | ObjectState::Again => Self::Again,
            ObjectState::Processing => Self::Processing,
            // The customer can still complete it.
            ObjectState::RequiresAction { .. }
            | ObjectState::FailedForGood
            | ObjectState::Unknown => Self::Unknown,
        }
    }
}
