//! The values, the rules and the ports of Assent.
#![doc = include_str!("../README.md")]

pub mod ask;
pub mod authorization;
pub mod brand;
pub mod caller;
pub mod capability;
pub mod circuit_breaker;
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
mod links;
pub mod message;
pub mod outcome;
pub mod ports;
pub mod postback;
pub mod problem;
pub mod request;
pub mod sandbox;
pub mod saved_cards;
pub mod seal;
mod settings;
pub mod storage;
pub mod texts;
pub mod update;
pub mod values;
pub mod view;
pub mod webhook;
