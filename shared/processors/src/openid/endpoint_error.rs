//! The ways in which a call of a provider fails.

use ports::{Confirmed, Rejection};

/// The reason why an endpoint gave no result.
#[derive(Clone, Copy, Debug)]
pub(super) enum EndpointError {
    /// As in [`Confirmed`], and so on.
    SoftDeclined(&'static str),
    Invalid(&'static str),
    Blocked(Rejection),
    Again,
    Unknown,
}

impl From<EndpointError> for Confirmed {
    fn from(fault: EndpointError) -> Self {
        match fault {
            EndpointError::SoftDeclined(code) => Self::SoftDeclined { code },
            EndpointError::Invalid(code) => Self::Invalid { code },
            EndpointError::Blocked(by) => Self::Blocked { by },
            EndpointError::Again => Self::Again,
            EndpointError::Unknown => Self::Unknown,
        }
    }
}
