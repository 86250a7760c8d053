//! Intake on Lambda: what it is wired to.

use std::sync::Arc;

use domain::brand_documents::Document;
use intake::Intake;
use lambda::Wiring;

/// The documents of a brand's secret that this function reads.
const DOCUMENTS: &[Document] = &[Document::Claims];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (Wiring { ports, http, signer, public_base }, [desk]) = lambda::wire(DOCUMENTS, ["DESK"])?;
    let channels = channels::Deps::new(&ports, &http, Some(signer));
    let sandbox = sandbox::Sandbox::new(&ports);
    let processors = processors::Deps::new(&ports, &http);
    let intake = Intake {
        ports,
        channels: Arc::new(channels::Registry::new(channels).with(sandbox.clone())),
        processors: Arc::new(processors::Registry::new(processors).with(sandbox)),
        public_base,
        desk: desk.parse()?,
    };
    lambda::serve_http(intake::router(Arc::new(intake))).await
}
