//! Start-up, settings, wiring, and the loop over events on AWS Lambda.
#![doc = include_str!("../README.md")]

mod clock;
mod metrics;
mod sdk_http;
mod serve;
mod settings;
mod signer;
mod start;
mod wiring;

pub use lambda_runtime::Error;
pub use serve::{serve_http, serve_http_and_invocations, serve_http_and_topics, serve_queue};
pub use settings::MissingSettings;
pub use wiring::{Wiring, wire};
