//! Consent-callback on Lambda: what it is wired to.

use std::sync::Arc;

use consent_callback::{ConsentCallback, SandboxAccess, Topics};
use domain::ports::Ports;
use lambda::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (wiring, [sandbox, topics]) = lambda::wire(["SANDBOX", "TOPIC_PREFIX"])?;
    let Wiring { ports, http, signer, public_base } = wiring;
    let sandbox = match sandbox.as_str() {
        "off" => SandboxAccess::Off,
        "key" => SandboxAccess::Key,
        other => return Err(format!("SANDBOX is `off` or `key`, not `{other}`").into()),
    };
    let channels = channels::Deps::new(&ports, &http, Some(signer));
    let processors = processors::Deps::new(&ports, &http);
    let Ports { clock, random, store, queue, secrets } = ports;
    let consent_callback = Arc::new(ConsentCallback {
        clock,
        random,
        store,
        queue,
        secrets,
        channels: Arc::new(channels::Registry::new(channels)),
        processors: Arc::new(processors::Registry::new(processors)),
        public_base,
        sandbox,
    });
    let topics = Topics::new(Arc::clone(&consent_callback), topics);
    lambda::serve_http_and_topics(consent_callback::router(consent_callback), topics).await
}
