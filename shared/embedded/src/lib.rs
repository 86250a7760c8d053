//! The store, queue and secrets ports on one machine, and its clock and randomness.
//!
//! **Touches** one folder: the SQLite file `assent.sqlite` and the brand's secret `brand.json`.
//! **Never** loses a write it answered, whether the process is killed or the power fails. SQLite blocks, and it blocks
//! in here: on a threaded tokio runtime the thread is given up meanwhile, anywhere else the work is done inline.

mod brand_file;
mod connection;
#[cfg(test)]
mod cost;
mod database;
mod fault;
mod private;
mod queue;
mod schema;
mod store;
mod system;

pub use brand_file::{BrandFile, CreateBrandError};
pub use database::{Database, OpenError};
pub use queue::{Arrivals, DeadLetter, RECEIVES_MAX, Receipt, Received};
pub use system::{SystemClock, SystemRandom};
