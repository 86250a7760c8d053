//! Why a wallet token is not opened, told by what to do about it.

/// Why a wallet token is not opened. None of these quotes what was read, and none is mended by the same call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not written as the wallet writes its tokens. Whoever sent it must send another; when the wallet itself did, a
    /// person must look.
    #[error("this is not a wallet token")]
    Malformed,
    /// It is of a kind that is not opened here, such as Apple's `RSA_v1`: a processor that decrypts it itself is needed.
    #[error("wallet tokens of this kind are not opened here")]
    Unsupported,
    /// It was made for a key that is not among those given: a person must look at the keys and who they are registered for.
    #[error("the wallet token was made for another key")]
    UnknownKey,
    /// None of Google's root keys is in force: fetch them anew, then call again.
    #[error("none of the wallet's root keys is in force")]
    RootKeys,
    /// The wallet did not sign this, or not for this recipient: never use it, and raise an alarm. With root keys of Google's
    /// that were not just fetched, fetch them and call once more before.
    #[error("the wallet did not sign this token")]
    Forged,
    /// It is genuine and too old, or from a time to come: ask the customer again, and watch the clock.
    #[error("the wallet token is out of its time")]
    Expired,
    /// It is genuine, and the customer gave it for something else than what it is used for: never use it, end the request,
    /// and raise an alarm.
    #[error("the wallet token was given for something else")]
    OtherAsk,
    /// It is genuine and carries the real card number, which the caller does not take: ask the customer for a card that is
    /// in their phone.
    #[error("the wallet token carries a card number")]
    CardNumber,
}
