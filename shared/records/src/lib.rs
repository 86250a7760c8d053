//! The records that Assent keeps over the ports.
#![doc = include_str!("../README.md")]

pub mod audit;
pub mod authentication;
pub mod brand_limit;
pub mod caller;
pub mod capability;
pub mod card_checks;
pub mod charges;
pub mod circuit_breaker;
pub mod claims;
pub mod contact;
pub mod customers;
pub mod device;
pub mod effects;
pub mod endpoint_health;
pub mod erasures;
pub mod handles;
mod journal;
pub mod key_usage;
pub mod limits;
mod links;
mod metrics;
pub mod opt_outs;
pub mod read_ahead;
pub mod request_lists;
pub mod saved_cards;
pub mod seen;
pub mod statistics;
pub mod storage;
pub mod update;
pub mod webhook_events;
mod writes;
