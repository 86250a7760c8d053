//! Words, rules, ports and their laws.
//!
//! **Touches** nothing: it takes what is known and returns what follows.
//! **Never** waits, looks anything up, reads a clock or rolls dice.

pub mod ask;
pub mod authorization;
pub mod brand;
pub mod breaker;
pub mod caller;
pub mod capability;
pub mod claims;
pub mod consent;
pub mod contact;
#[cfg(feature = "contract-tests")]
pub mod contract_tests;
pub mod device;
pub mod effects;
pub mod guards;
pub mod invariants;
pub mod journal;
pub mod keys;
pub mod limits;
pub mod message;
pub mod outcome;
pub mod ports;
pub mod postback;
pub mod problem;
pub mod request;
pub mod sandbox;
pub mod saved_cards;
pub mod seal;
pub mod storage;
pub mod texts;
pub mod values;
pub mod view;
pub mod webhook;
