//! Whole stories through the four functions: every transition, every refusal.

mod answers;
mod apple;
mod asks;
mod breaker;
mod capabilities;
mod carrier;
mod consent;
mod contacts;
mod endings;
mod eum;
mod hosted;
mod idempotency;
mod limits;
mod notices;
mod page;
mod phone;
mod problems;
mod rbm;
mod reading;
mod refunds;
mod routes;
mod secrets;
mod sheets;
mod taps;
mod whatsapp;
mod words;
