//! The secrets port on Secrets Manager.
