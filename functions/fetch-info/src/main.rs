//! Fetch-info on Lambda: what it is wired to.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::message::QueueName;
use domain::ports::{Clock, Http, Reach, Store};
use fetch_info::{Crowds, FetchInfo};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let client = https::Client::new()?;
    let config = lambda::start(Arc::new(client.with_answers_up_to(lambda::AWS_ANSWER_BYTES)))?;
    let [table, prompts, authorizations, webhooks, secret_prefix, webhook_reach, public_base] =
        lambda::settings([
            "TABLE",
            "PROMPTS_QUEUE_URL",
            "AUTHORIZATIONS_QUEUE_URL",
            "WEBHOOKS_QUEUE_URL",
            "SECRET_PREFIX",
            "WEBHOOK_REACH",
            "PUBLIC_BASE_URL",
        ])?;
    let webhook_reach = match webhook_reach.as_str() {
        "public" => Reach::Public,
        "any" => Reach::Configured,
        other => return Err(format!("WEBHOOK_REACH is `public` or `any`, not `{other}`").into()),
    };
    let queues = BTreeMap::from([
        (QueueName::Prompts, prompts),
        (QueueName::Authorizations, authorizations),
        (QueueName::Webhooks, webhooks),
    ]);

    let clock: Arc<dyn Clock> = Arc::new(lambda::SystemClock);
    let http: Arc<dyn Http> = Arc::new(client);
    let store: Arc<dyn Store> = Arc::new(dynamodb::Table::new(&config, table));
    let secrets = secretsmanager::BrandSecrets::new(&config, secret_prefix, Arc::clone(&clock));
    let sandbox = sandbox::Sandbox::new(Arc::clone(&store), Arc::clone(&clock));
    let deps = processors::Deps { http: Arc::clone(&http), clock: Arc::clone(&clock) };
    let processors = processors::Registry::new(deps).with(sandbox);
    let fetch_info = FetchInfo {
        clock,
        random: Arc::new(lambda::SystemRandom),
        store,
        queue: Arc::new(sqs::Queues::new(&config, queues)),
        secrets: Arc::new(secrets),
        processors: Arc::new(processors),
        http,
        public_base,
        webhook_reach,
        crowds: Crowds::default(),
    };
    lambda::serve_queue(fetch_info).await
}
