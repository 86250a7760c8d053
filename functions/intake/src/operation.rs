//! The operations of the API, and the right that each needs.

use domain::api_key::{KeyLimit, Right, Visibility};
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, Problem};
use records::authentication::Requester;

/// An operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateRequest,
    PreviewRequest,
    ListRequests,
    ReadRequest,
    ReadRecord,
    CancelRequest,
    ExtendRequest,
    ResendRequest,
    RefundRequest,
    ReadCapabilities,
    CreateClientToken,
    ReadCustomer,
    EraseCustomer,
    ReadPaymentMethod,
    EndPaymentMethod,
    ListEvents,
    ReadEvent,
    RedeliverEvent,
    RedeliverEvents,
    TestWebhook,
    ReadStatistics,
    ReadHealth,
    ReadBrand,
}

impl Operation {
    /// Returns the right that a key needs.
    const fn right(self) -> Right {
        match self {
            Self::CreateRequest
            | Self::PreviewRequest
            | Self::CancelRequest
            | Self::ExtendRequest
            | Self::ResendRequest
            | Self::CreateClientToken
            | Self::RedeliverEvent
            | Self::RedeliverEvents
            | Self::TestWebhook => Right::Request,
            Self::ListRequests
            | Self::ReadRequest
            | Self::ReadRecord
            | Self::ReadCustomer
            | Self::ReadPaymentMethod
            | Self::ListEvents
            | Self::ReadEvent
            | Self::ReadHealth
            | Self::ReadBrand => Right::Read,
            Self::EraseCustomer | Self::EndPaymentMethod => Right::Erase,
            Self::RefundRequest => Right::Refund,
            Self::ReadCapabilities => Right::Capability,
            Self::ReadStatistics => Right::Statistics,
        }
    }

    /// Returns whether a client token of the request or its session may do it.
    const fn is_for_clients(self) -> bool {
        match self {
            Self::ListRequests
            | Self::ReadRequest
            | Self::CancelRequest
            | Self::ExtendRequest
            | Self::ResendRequest => true,
            Self::CreateRequest
            | Self::PreviewRequest
            | Self::ReadRecord
            | Self::RefundRequest
            | Self::ReadCapabilities
            | Self::CreateClientToken
            | Self::ReadCustomer
            | Self::EraseCustomer
            | Self::ReadPaymentMethod
            | Self::EndPaymentMethod
            | Self::ListEvents
            | Self::ReadEvent
            | Self::RedeliverEvent
            | Self::RedeliverEvents
            | Self::TestWebhook
            | Self::ReadStatistics
            | Self::ReadHealth
            | Self::ReadBrand => false,
        }
    }

    /// Returns whether it is about what comes from all sessions: what is kept of a customer, statistics and health.
    const fn is_about_all_sessions(self) -> bool {
        match self {
            Self::ReadCustomer
            | Self::EraseCustomer
            | Self::ReadPaymentMethod
            | Self::EndPaymentMethod
            | Self::ReadStatistics
            | Self::ReadHealth => true,
            Self::CreateRequest
            | Self::PreviewRequest
            | Self::ListRequests
            | Self::ReadRequest
            | Self::ReadRecord
            | Self::CancelRequest
            | Self::ExtendRequest
            | Self::ResendRequest
            | Self::RefundRequest
            | Self::ReadCapabilities
            | Self::CreateClientToken
            | Self::ListEvents
            | Self::ReadEvent
            | Self::RedeliverEvent
            | Self::RedeliverEvents
            | Self::TestWebhook
            | Self::ReadBrand => false,
        }
    }

    /// Refuses a caller whose key lacks the right, and a client token where only keys are allowed.
    ///
    /// # Errors
    /// A [`Problem`] that names the right.
    pub(crate) fn require(self, requester: &Requester) -> Result<(), Problem> {
        let is_disabled = guards::is_disabled(Guard::ClientTokenScope);
        if requester.client.is_some() && !self.is_for_clients() && !is_disabled {
            let detail = "a client token reads, cancels, extends and resends; use a key";
            return Err(not_allowed(detail.to_owned(), "client_token"));
        }
        if self.is_about_all_sessions() && requester.key.sessions == Visibility::Own {
            let detail = "the key sees its own sessions only; use one that sees all";
            return Err(not_allowed(detail.to_owned(), "sessions"));
        }
        let right = self.right();
        if requester.key.has(right) {
            return Ok(());
        }
        let detail = format!("the key lacks the right `{}`", right.as_str());
        Err(not_allowed(detail, "may"))
    }
}

/// The problem of a call that the key's settings do not allow.
pub(crate) fn not_allowed(detail: String, limit: &'static str) -> Problem {
    Problem { limit: Some(limit), ..Problem::new(Code::NotAllowedForKey, detail) }
}

/// The problem of an ask that exceeds a limit of the key.
pub(crate) fn exceeded(limit: KeyLimit) -> Problem {
    let name = limit.as_str();
    match limit {
        KeyLimit::Asks | KeyLimit::Channels => {
            not_allowed(format!("the key's `{name}` do not allow this"), name)
        }
        KeyLimit::AmountMax | KeyLimit::AmountPerDay | KeyLimit::AsksPerHour => {
            let detail = format!("the key's `{name}` is reached");
            Problem { limit: Some(name), ..Problem::new(Code::CeilingReached, detail) }
        }
    }
}
