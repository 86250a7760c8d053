#![doc = include_str!("../README.md")]

mod brand_file;
mod connection;
#[cfg(test)]
mod cost;
mod database;
mod fault;
mod group;
mod handover;
mod of_queue;
mod private;
mod queue;
mod received;
mod schema;
mod send;
mod store;
mod system;
mod writer;

pub use brand_file::{BrandFile, CreateBrandError};
pub use database::{Database, OpenError};
pub use handover::HandedOver;
pub use queue::{Arrivals, DeadLetter, RECEIVES_MAX};
pub use received::{Receipt, ReceivedMessage};
pub use system::{SystemClock, SystemRandom};
