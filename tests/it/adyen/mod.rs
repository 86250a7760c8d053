//! The Adyen processor against a strict fake that fails in each way, and against Adyen's own contract.

mod contract;
mod faults;
