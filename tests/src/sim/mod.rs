//! A deterministic simulation of the whole machine: the real handlers over the real store, and everything else from a
//! seed.
//!
//! One seed decides who calls and taps when, and in which order workers take their turns. It decides what is lost,
//! comes twice, late or never, when the clock leaps, and when secrets change. It also decides who dies at which use
//! of a port. After every commit and every charge C1, C2, C4, C5 and C6 are checked. Then faults stop, and everything
//! must come to rest (C3).

mod accounts;
mod acts;
mod away;
mod brand;
mod calls;
mod checkout;
mod endpoint;
mod faults;
mod flows;
mod oracle;
mod outside;
mod plan;
mod ports;
mod provider;
mod queue_driver;
mod quiesce;
mod refunds;
mod rng;
mod story;
mod stripe;
mod texts;
mod whatsapp;
mod work;
mod world;

use crate::lock::lock;

pub use checkout::Away;
pub use faults::FaultRates;
pub use flows::{PHONE, VISA, race, tell};
pub use outside::{FaultKind, Outage, Outside, PortFault, Shared};
pub use plan::{Failure, Plan, Report, run};
pub use rng::Rng;
pub use story::{Ending, Fault, Verb, What};
pub use world::World;
