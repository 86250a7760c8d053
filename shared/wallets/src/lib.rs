//! Wallet tokens decrypted by us, for processors that want network tokens in plain text. No function links this crate.
//!
//! **Touches** nothing: tokens, keys, Google's root keys and the time are arguments.
//! **Never** fetches, stores, logs or remembers. What it hands out is wiped from memory when dropped, and shows nothing in
//! `Debug`; an error quotes nothing of what was read.
//!
//! # Linking this crate brings PCI DSS scope
//!
//! As it ships, Assent relays tokens it has no key for. Whoever opens one holds **account data**, and so does everything
//! around: the function, its logs, its role, the keys, the people who can deploy it. Confirm with an assessor:
//!
//! | what is opened | what is then held | what it usually takes |
//! | --- | --- | --- |
//! | Apple Pay `EC_v1` | a device account number and its cryptogram | a service provider's assessment (SAQ D-SP, or a ROC) |
//! | Google Pay, with a cryptogram | the same | the same, and Google's own attestation and approval |
//! | Google Pay, `PAN_ONLY` | **the real card number** | the same; refused here unless [`google_pay::Numbers::Any`] asks for it |
//!
//! Put it into a Lambda function of its own, with its own role and keys, and no logging of what passes through. Neither the
//! opened token nor the wallet's text belongs in a log, a queue or a store.
//!
//! # What the caller owes
//!
//! - **Once only.** A genuine token can be handed in twice, and nothing in it tells. [`Unclaimed`] gives the card only to
//!   [`Unclaimed::claimed`], which is to be called after a conditional write of [`Unclaimed::id`].
//! - **Google's amount.** A Google token says nothing of what it pays for: see [`google_pay`].
//! - **Revocation.** Nobody asks Apple whether a certificate was revoked (OCSP), as nothing here reaches the network.
//! - **Memory.** Wiping is as good as it gets: what `serde_json` unescapes and what HKDF extracts passes through buffers of
//!   theirs that are freed and not wiped.

mod agreement;
pub mod apple_pay;
pub mod google_pay;
mod refused;
mod token;

pub use agreement::InvalidKey;
pub use refused::Refused;
pub use token::{NetworkToken, Number, Unclaimed};

/// The longest text that is looked at, in bytes. Tokens have 2,000 to 6,000.
pub const TEXT_MAX: usize = 64 * 1024;
