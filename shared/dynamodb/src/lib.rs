#![doc = include_str!("../README.md")]

mod item;
mod query;
mod store;
mod table;
mod write;

pub use table::Table;
