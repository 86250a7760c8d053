//! The Adyen processor against a stand-in of our own that fails in every way, and against Adyen's own contract.

mod contract;
mod faults;
mod world;
