//! The command line's arguments.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Assent on one machine: the API, the agents' desk and a sandbox phone. With a command, a tool for brands and deployments
#[derive(Parser)]
#[command(name = "assent", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed here, 2 wrong arguments, 3 no answer (repeat it), 4 refused, \
    5 fault found, 6 not fulfilled, 7 still open"
)]
pub struct Arguments {
    /// The command; without one, the program serves
    #[command(subcommand)]
    pub command: Option<commands::Command>,
    /// Print results as JSON, one value a line
    #[arg(long, global = true)]
    pub json: bool,
    /// The port to listen on, on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8787)]
    pub port: u16,
    /// The data folder.
    #[arg(long, default_value = ".assent")]
    pub data: PathBuf,
    /// The format of the first output on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Charge at this Stripe, or a stand-in for it, instead of at the sandbox.
    #[arg(long, value_name = "URL")]
    pub stripe: Option<String>,
    /// Send webhook events here instead of to this machine.
    #[arg(long, value_name = "URL")]
    pub webhooks: Option<String>,
}

/// The format of the first output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    Text,
    /// For a program: `{"api", "key", "desk", "phone"}`.
    Json,
}
