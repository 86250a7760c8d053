//! `cargo run -p local`: everything on one machine, with no account, no network and no configuration.

use clap::{CommandFactory, Parser};
use local::Arguments;

/// Allocation was an eighth to a quarter of a request's CPU with the allocator of the C library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let mut arguments = Arguments::parse();
    let command = arguments.command.take();
    // A command says itself what is wrong.
    let level = if command.is_some() { "off" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_not_set| tracing_subscriber::EnvFilter::new(level));
    // Nothing collects metrics here.
    let filter = match format!("{}=off", ports::METRICS).parse() {
        Ok(no_metrics) => filter.add_directive(no_metrics),
        Err(_not_a_directive) => filter,
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    if let Some(command) = command {
        return run_command(command, arguments.json).await;
    }
    match local::run(arguments).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run_command(command: commands::Command, is_json: bool) -> std::process::ExitCode {
    match local::command_context(is_json, local::variable, Arguments::command) {
        Ok(context) => commands::run(&context, command).await.code().into(),
        Err(error) => {
            tracing::error!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
