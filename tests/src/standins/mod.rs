//! Stand-ins for providers: each is as strict as the provider's own documentation, and tells what a real one would.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a stand-in that cannot be made fails the test it is in; JSON is indexed"
)]

pub mod adyen;
pub mod apple;
pub mod aws_messaging;
pub mod rbm;
pub mod stripe;
pub mod whatsapp;
