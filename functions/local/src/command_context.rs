//! The ports that this program lends to the commands of the command line.

use std::path::Path;
use std::sync::Arc;

use commands::{Adapters, Context, Output};
use embedded::{BrandFile, Database, SystemClock, SystemRandom};
use ports::{Channels, Clock, Http, Ports, Processors, Signer, Source};
use sandbox::Sandbox;

use crate::AwsIdentity;

/// Returns what the commands touch: the network, the clock, and the environment through `variable`.
///
/// # Errors
/// [`https::CreateClientError`], never in a build whose tests passed.
pub fn command_context(
    is_json: bool,
    variable: fn(&str) -> Option<String>,
    command_line: fn() -> clap::Command,
) -> Result<Context, https::CreateClientError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let signer = AwsIdentity::from_variables(variable, Arc::clone(&clock));
    Ok(Context {
        http: Arc::new(https::Client::new()?),
        clock,
        random: Arc::new(SystemRandom),
        signer: signer.map(|identity| -> Arc<dyn Signer> { Arc::new(identity) }),
        variable,
        adapters,
        openapi: intake::OPENAPI,
        command_line,
        output: Arc::new(Output::new(
            is_json,
            Box::new(std::io::stdout()),
            Box::new(std::io::stderr()),
        )),
    })
}

/// Builds the adapters of this program over a way out, with an empty store.
fn adapters(context: &Context, http: &Arc<dyn Http>) -> Result<Adapters, Source> {
    let database = Database::in_memory(Arc::clone(&context.clock))?;
    let ports = Ports {
        clock: Arc::clone(&context.clock),
        random: Arc::clone(&context.random),
        store: Arc::new(database.clone()),
        queue: Arc::new(database),
        secrets: Arc::new(BrandFile::new(Path::new(""))),
    };
    let sandbox = Sandbox::new(&ports);
    let signer = context.signer.clone();
    let channels = channels::Registry::new(channels::Deps::new(&ports, http, signer));
    let channels: Arc<dyn Channels> = Arc::new(channels.with(sandbox.clone()));
    let processors = processors::Registry::new(processors::Deps::new(&ports, http));
    let processors: Arc<dyn Processors> = Arc::new(processors.with(sandbox));
    Ok(Adapters { channels, processors })
}
