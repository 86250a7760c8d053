//! Whole stories through the four functions: every transition, every refusal.

mod answers;
mod apple;
mod capabilities;
mod carrier;
mod consent;
mod contacts;
mod endings;
mod eum;
mod idempotency;
mod limits;
mod notices;
mod page;
mod phone;
mod problems;
mod rbm;
mod reading;
mod routes;
mod secrets;
mod sheets;
mod taps;
mod whatsapp;
mod words;
