//! The values and the rules of Assent.
#![doc = include_str!("../README.md")]

pub mod api_key;
pub mod ask;
pub mod authorization;
pub mod brand;
pub mod brand_documents;
pub mod caller;
pub mod card_name;
pub mod code_policy;
pub mod consent;
pub mod contact;
pub mod guards;
pub mod invariants;
pub mod journal;
pub mod keys;
pub mod media_type;
pub mod message;
pub mod outcome;
mod policy;
pub mod postback;
pub mod problem;
pub mod processor_result;
pub mod random;
pub mod rate_limits;
pub mod record;
pub mod redirect_url;
pub mod released_claims;
pub mod request;
pub mod saved_credential;
pub mod seal;
pub mod seal_binding;
mod seal_keys;
mod seal_public;
pub mod settings;
pub mod values;
pub mod view;
pub mod webhook;
