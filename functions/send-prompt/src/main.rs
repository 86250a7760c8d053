//! Send-prompt on Lambda: what it is wired to.

use std::sync::Arc;

use lambda::Wiring;
use send_prompt::SendPrompt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (Wiring { ports, http, signer, public_base }, []) = lambda::wire([])?;
    let channels = channels::Deps::new(&ports, &http, Some(signer));
    let channels = Arc::new(channels::Registry::new(channels).with(sandbox::Sandbox::new(&ports)));
    lambda::serve_queue(SendPrompt { ports, channels, public_base }).await
}
