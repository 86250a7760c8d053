//! Wires consent-callback for Lambda.

use std::sync::Arc;

use consent_callback::{ConsentCallback, Topics};
use domain::brand_documents::Document;
use lambda::Wiring;
use sandbox::Sandbox;

/// The documents of a brand's secret that this function reads.
const DOCUMENTS: &[Document] = &[Document::Channels, Document::Consent];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (wiring, [sandbox, topics]) = lambda::wire(DOCUMENTS, ["SANDBOX", "TOPIC_PREFIX"])?;
    let Wiring { ports, http, signer, public_base } = wiring;
    let sandbox = sandbox::routes(&ports, sandbox.parse()?, &public_base);
    let channels = channels::Deps::new(&ports, &http, Some(signer));
    let sandbox_kinds = Sandbox::new(&ports);
    let processors = processors::Deps::new(&ports, &http);
    let consent_callback = ConsentCallback {
        ports,
        channels: Arc::new(channels::Registry::new(channels).with(sandbox_kinds.clone())),
        processors: Arc::new(processors::Registry::new(processors).with(sandbox_kinds)),
        public_base,
        sandbox,
    };
    let topics = Topics::new(consent_callback.channel_webhooks(), topics);
    let router = consent_callback::router(Arc::new(consent_callback));
    lambda::serve_http_and_topics(router, topics).await
}
