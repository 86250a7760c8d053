#![doc = include_str!("../README.md")]

mod brand_file;
mod connection;
#[cfg(test)]
mod cost;
mod database;
mod fault;
mod group;
mod private;
mod queue;
mod schema;
mod store;
mod system;
mod writer;

pub use brand_file::{BrandFile, CreateBrandError};
pub use database::{Database, OpenError};
pub use queue::{Arrivals, DeadLetter, RECEIVES_MAX, Receipt, ReceivedMessage};
pub use system::{SystemClock, SystemRandom};
