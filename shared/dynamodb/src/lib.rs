//! The store port on DynamoDB.
//!
//! **Touches** one table and its sparse index `session`: string keys `pk` and `sk`, `version` (N), `body` (S), `ttl` (N,
//! epoch seconds), and `ipk` and `isk` (S) for what the index lists.
//! **Never** scans, never reads a single item or a partition other than consistently, never makes a client of its own.

mod item;
mod query;
mod table;
mod write;

pub use table::Table;
