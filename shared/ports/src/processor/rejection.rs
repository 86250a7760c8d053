//! The reasons why a processor rejects our calls, and the reach of each.

/// The reason why a processor rejects calls of ours, apart from what they ask for.
///
/// What concerns one request alone is no rejection: that is an `Invalid` or `Failed` result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The processor does not know our credentials, or revoked them.
    Credentials,
    /// The processor restricts our account.
    Account,
    /// Our own network rules refuse the processor's address.
    Address,
    /// The provider's discovery document is missing, or is another provider's.
    Discovery,
    /// Our credentials lack the permission for this kind of call. Other kinds may be permitted.
    Permission,
}

impl Rejection {
    /// Returns a stable code for journals and logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Account => "account",
            Self::Address => "address",
            Self::Discovery => "discovery",
            Self::Permission => "permission",
        }
    }

    /// Returns whether every call to the account is rejected, and not one kind of call.
    #[must_use]
    pub const fn is_of_account(self) -> bool {
        match self {
            Self::Credentials | Self::Account | Self::Address | Self::Discovery => true,
            Self::Permission => false,
        }
    }
}
