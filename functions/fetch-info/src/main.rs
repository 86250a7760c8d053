//! Fetch-info on Lambda: what it is wired to.

use std::sync::Arc;

use domain::ports::{Ports, Reach};
use fetch_info::{Crowds, FetchInfo};
use lambda::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let (wiring, [webhook_reach]) = lambda::wire(["WEBHOOK_REACH"])?;
    let Wiring { ports, http, public_base, .. } = wiring;
    let webhook_reach = match webhook_reach.as_str() {
        "public" => Reach::Public,
        "any" => Reach::Configured,
        other => return Err(format!("WEBHOOK_REACH is `public` or `any`, not `{other}`").into()),
    };
    let processors = processors::Deps::new(&ports, &http);
    let Ports { clock, random, store, queue, secrets } = ports;
    let fetch_info = FetchInfo {
        clock,
        random,
        store,
        queue,
        secrets,
        processors: Arc::new(processors::Registry::new(processors)),
        http,
        public_base,
        webhook_reach,
        crowds: Crowds::default(),
    };
    lambda::serve_queue(fetch_info).await
}
