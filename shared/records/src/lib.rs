//! The records that Assent keeps over the ports.
#![doc = include_str!("../README.md")]

pub mod authentication;
pub mod capability;
pub mod circuit_breaker;
pub mod claims;
pub mod contact;
pub mod device;
pub mod effects;
pub mod limits;
mod links;
pub mod saved_cards;
pub mod stops;
pub mod storage;
pub mod update;
