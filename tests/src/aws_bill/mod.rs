//! The calls of AWS that one fulfilled request makes: by operation, in units, one after another, and in dollars.
//!
//! A [`Meter`] stands between the functions and their ports. It knows the call that each use of a port is in the adapters
//! `dynamodb` and `sqs`. [`bill`] tells one request over a channel, and [`report`] prints all of them.

mod meter;
mod ports;
mod prices;
mod story;
mod units;

pub use meter::{Meter, MeteredCall, Operation, Turn};
pub use ports::{MeteredQueue, MeteredStore};
pub use prices::{Cost, Price, SHEET};
pub use story::{BILLED_CHANNELS, Bill, bill, report};
