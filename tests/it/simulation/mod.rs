//! The whole machine under a seed.
//!
//! The invariants hold at each step, and each request and each message comes to an end.

mod found;
mod pairs;
mod refunding;
mod scenarios;
mod seeds;
mod states;
mod stories;

use tests::sim::{Fault, ToldStory, Verb, run_story};

/// Tells a story, in which nothing may break.
fn told(story: &[Verb], fault: Fault) -> ToldStory {
    run_story(story, fault).unwrap_or_else(|failure| panic!("{fault:?}: {failure}"))
}
