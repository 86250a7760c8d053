//! Fakes of providers: each is as strict as the provider's own documentation, and reports what the provider reports.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a fake that cannot be made fails the test it is in; JSON is indexed"
)]

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

pub mod adyen;
pub mod apple;
pub mod aws_messaging;
pub mod endpoint;
pub mod event_bus;
pub mod openid;
pub mod rbm;
pub mod ses;
pub mod stripe;
pub mod twilio;
pub mod whatsapp;

/// A status and a body.
pub(crate) type Answer = (u16, Value);

/// A word within each secret of a customer or a processor: addresses of pages, codes, tokens and claims.
pub(crate) const SECRET: &str = "sesame";
/// The same for the sandbox: its pages and its test cards.
const SANDBOX_SECRETS: [&str; 2] = ["/sandbox/checkout/", "pm_card_"];

/// The words to search for. What the simulation writes is searched after each commit.
static SECRETS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| {
    let [pages, cards] = SANDBOX_SECRETS;
    [SECRET, pages, cards].map(Finder::new)
});

/// Returns whether a text shows a secret (C6).
pub(crate) fn shows_a_secret(text: &str) -> bool {
    SECRETS.iter().any(|secret| secret.find(text.as_bytes()).is_some())
}
