//! The harness of the tests that need more than one crate.

pub mod aws_bill;
pub mod connect_flow;
pub mod doubles;
pub mod guards;
pub mod identity;
mod lock;
mod logs;
pub mod measured;
pub mod memory;
pub mod openapi;
pub mod process;
pub mod providers;
pub mod proxy;
pub mod rng;
pub mod sealing;
pub mod sim;
pub mod sweep;
pub mod targets;
pub mod world;

/// Returns the project's folder, which holds the folder of this package.
#[must_use]
pub fn project_folder() -> &'static std::path::Path {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}
