//! The sandbox: a phone for test mode as an API, and the hosted page of the sandbox processor.
//!
//! A tap that brings back a postback goes through `channels`, exactly as a real channel's would.

mod checkout;
mod phone;

pub use checkout::SandboxCheckout;
pub use phone::{MessagePath, SandboxPhone};

/// Who may use the sandbox phone and the sandbox processor's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxAccess {
    /// The sandbox is off.
    Off,
    /// Each holder of a test key, for the prompts of the key's brand.
    Key,
    /// Everyone, on a machine of one's own.
    Open,
}
