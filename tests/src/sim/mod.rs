//! A deterministic simulation of the whole machine: the real functions over the real store, and all else from a seed.
//!
//! The seed decides what requesters, customers and providers do, and in which order workers take their turns. It
//! decides which call is lost or late, when the clock leaps, when a worker dies, and when secrets change. After each
//! commit and each charge the oracle checks C1, C2, C4, C5, C6 and C7. Then faults stop, and all must end (C3).

mod agents;
mod attacker;
mod brand;
mod customer;
mod environment;
mod faults;
mod forged_handles;
mod forged_taps;
mod given_reply;
mod hosted_page;
mod malicious;
mod opt_outs;
mod oracle;
mod plan;
mod ports;
mod queue_driver;
mod quiesce;
mod replays;
mod requester;
mod sandbox_stripe;
mod scenario;
mod scheduler;
mod stories;
mod story;
mod story_runner;
mod tables;
mod text_replies;
mod webhooks;
mod whatsapp;
mod wire;
mod work;
mod world;

pub(crate) use brand::BASE;
pub(crate) use oracle::{broken_by_commit, entries};

pub use crate::providers::stripe::HostedAction;
pub use agents::CALLED_TOOL;
pub use environment::{Environment, FaultKind, Outage, PortFault, SharedEnvironment};
pub use faults::FaultRates;
pub use plan::{Failure, Plan, Report, run};
pub use scenario::{
    ADYEN_LINK, ADYEN_WALLET, AGENTS, AT_THE_BANK, ON_HOSTED_PAGE, POOR, ProcessorFake, SECURE,
    STOLEN, STORM, Scenario, WITHOUT_CARD_NUMBER, scenario,
};
pub use stories::{STORIES, Story};
pub use story::{Ending, Fault, OtherAsk, Racer, ToldStory, Verb};
pub use story_runner::{PHONE, VISA, race, run_story, run_story_under_faults};
pub use world::Simulation;
