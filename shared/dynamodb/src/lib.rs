#![doc = include_str!("../README.md")]

mod batch;
mod body;
mod item;
mod query;
mod store;
mod table;
mod write;

pub use table::Table;
