//! Send-prompt on Lambda: what it is wired to.

use std::sync::Arc;

use domain::brand_documents::Document;
use lambda::Wiring;
use send_prompt::SendPrompt;

/// The documents of a brand's secret that this function reads.
const DOCUMENTS: &[Document] = &[Document::Channels];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (Wiring { ports, http, signer, public_base }, []) = lambda::wire(DOCUMENTS, [])?;
    let channels = channels::Deps::new(&ports, &http, Some(signer));
    let channels = Arc::new(channels::Registry::new(channels).with(sandbox::Sandbox::new(&ports)));
    lambda::serve_queue(SendPrompt { ports, channels, public_base }).await
}
