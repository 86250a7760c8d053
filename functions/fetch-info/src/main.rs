//! Fetch-info on Lambda: what it is wired to.

use std::sync::Arc;

use domain::brand_documents::Document;
use fetch_info::{FetchInfo, InFlightLimit};
use lambda::Wiring;
use ports::Reach;

/// The documents of a brand's secret that this function reads.
const DOCUMENTS: &[Document] = &[Document::Claims, Document::Consent, Document::Processors];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (wiring, [webhook_reach]) = lambda::wire(DOCUMENTS, ["WEBHOOK_REACH"])?;
    let Wiring { ports, http, signer, public_base } = wiring;
    let webhook_reach = match webhook_reach.as_str() {
        "public" => Reach::Public,
        "any" => Reach::Configured,
        other => return Err(format!("WEBHOOK_REACH is `public` or `any`, not `{other}`").into()),
    };
    let sandbox = sandbox::Sandbox::new(&ports);
    let processors = processors::Deps::new(&ports, &http);
    let fetch_info = FetchInfo {
        ports,
        processors: Arc::new(processors::Registry::new(processors).with(sandbox)),
        http,
        signer: Some(signer),
        public_base,
        webhook_reach,
        delivery_limit: InFlightLimit::default(),
    };
    lambda::serve_queue(fetch_info).await
}
