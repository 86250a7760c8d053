//! Agents on Lambda: what it is wired to.

use std::sync::Arc;

use agents::Agents;
use domain::brand_documents::Document;
use intake::{DeskAccess, Intake};
use lambda::Wiring;

/// The documents of a brand's secret that this function reads, beside the one of all functions. Claims are not for agents.
const DOCUMENTS: &[Document] = &[];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (Wiring { ports, http, signer, public_base }, [callers]) =
        lambda::wire(DOCUMENTS, ["CALLERS"])?;
    let channels = channels::Deps::new(&ports, &http, Some(signer));
    let sandbox = sandbox::Sandbox::new(&ports);
    let processors = processors::Deps::new(&ports, &http);
    let intake = Arc::new(Intake {
        ports,
        channels: Arc::new(channels::Registry::new(channels).with(sandbox.clone())),
        processors: Arc::new(processors::Registry::new(processors).with(sandbox)),
        public_base,
        // It serves none of intake's paths.
        desk: DeskAccess::Off,
    });
    let agents = Agents { intake, callers: callers.parse()? };
    let agents = Arc::new(agents);
    lambda::serve_http_and_invocations(agents::router(Arc::clone(&agents)), agents).await
}
