//! The commands of the command line. The program that links this crate parses them and lends them its ports.
#![doc = include_str!("../README.md")]

mod api;
mod arguments;
mod brand;
mod doctor;
mod documents;
#[cfg(test)]
mod doubles;
mod failure;
mod input;
mod invoke;
mod keys;
mod listen;
mod output;
mod requests;
mod rotation;
mod trigger;

use std::sync::Arc;

use domain::brand::{Brand, Mode};
use domain::random::Random;
use domain::values::name::{ChannelName, ProcessorName};
use ports::{
    Channels, Clock, Http, OpenChannelError, OpenProcessorError, Processors, Signer, Source,
    error_chain,
};

pub use arguments::Command;
pub use brand::{DrawnBrand, OWN_ADDRESS, SANDBOX_IDENTITY, draw};
pub use failure::{Exit, Failure};
pub use output::{Output, Sink};

/// The adapters of channels and processors, as they call through one way out.
pub struct Adapters {
    /// Opens channels.
    pub channels: Arc<dyn Channels>,
    /// Opens processors.
    pub processors: Arc<dyn Processors>,
}

impl Adapters {
    /// Returns the fault of a channel's settings; `None` where they open.
    fn channel_fault(&self, brand: &Brand, mode: Mode, name: &ChannelName) -> Option<String> {
        match self.channels.open(brand, mode, name) {
            Err(OpenChannelError::Settings(error)) => Some(error_chain(error.as_ref())),
            Ok(_) | Err(OpenChannelError::Absent) => None,
        }
    }

    /// Returns the fault of a processor's settings; `None` where they open.
    fn processor_fault(&self, brand: &Brand, mode: Mode, name: &ProcessorName) -> Option<String> {
        match self.processors.open(brand, mode, name) {
            Err(OpenProcessorError::Settings(error)) => Some(error_chain(error.as_ref())),
            Ok(_) | Err(OpenProcessorError::Absent) => None,
        }
    }
}

/// All that the commands touch.
pub struct Context {
    /// Calls to the API, to Secrets Manager and to providers.
    pub http: Arc<dyn Http>,
    /// The time, and waits.
    pub clock: Arc<dyn Clock>,
    /// Randomness for keys and ids.
    pub random: Arc<dyn Random>,
    /// Signs calls to AWS; `None` without credentials in the environment.
    pub signer: Option<Arc<dyn Signer>>,
    /// Reads a variable of the environment.
    pub variable: fn(&str) -> Option<String>,
    /// Builds the adapters over a way out.
    pub adapters: fn(&Self, &Arc<dyn Http>) -> Result<Adapters, Source>,
    /// The `OpenAPI` description.
    pub openapi: &'static str,
    /// Builds the declaration of the whole command line, for completions.
    pub command_line: fn() -> clap::Command,
    /// The streams of the program.
    pub output: Arc<Output>,
}

/// Runs a command, and returns the exit code. Its failure is written to the streams.
pub async fn run(context: &Context, command: Command) -> Exit {
    let done = match command {
        Command::Brand(command) => brand::run(context, command).await,
        Command::Key(command) => keys::run(context, command).await,
        Command::Rotate(arguments) => rotation::run(context, &arguments).await,
        Command::Doctor(arguments) => doctor::run(context, &arguments).await,
        Command::Listen(arguments) => listen::run(context, &arguments).await,
        Command::Trigger(arguments) => trigger::run(context, &arguments).await,
        Command::Invoke(arguments) => invoke::run(context, &arguments).await,
        Command::Request(command) => requests::run(context, command).await,
        Command::Openapi => context.output.raw(context.openapi.trim_end()).map(|()| Exit::Done),
        Command::Completions(arguments) => completions(context, &arguments),
    };
    done.unwrap_or_else(|failure| {
        context.output.failure(&failure);
        failure.exit
    })
}

fn completions(
    context: &Context,
    arguments: &arguments::CompletionsArguments,
) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let mut declared = (context.command_line)();
    clap_complete::generate(arguments.shell, &mut declared, arguments.name.as_str(), &mut text);
    context.output.raw(String::from_utf8_lossy(&text).trim_end())?;
    Ok(Exit::Done)
}
