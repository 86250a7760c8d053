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
pub mod cards;
pub mod consent;
pub mod contact;
pub mod device;
pub mod effects;
pub mod event;
pub mod facts;
pub mod invariants;
pub mod keys;
#[cfg(feature = "laws")]
pub mod laws;
pub mod limits;
pub mod message;
pub mod notice;
pub mod outcome;
pub mod ports;
pub mod postback;
pub mod problem;
pub mod request;
pub mod sandbox;
pub mod seal;
pub mod storage;
pub mod texts;
pub mod values;
pub mod view;
