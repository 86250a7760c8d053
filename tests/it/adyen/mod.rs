//! The Adyen processor against two others: a stand-in of our own that goes wrong in every way, and Adyen's own contract.

mod contract;
mod faults;
mod world;
