//! Intake on Lambda: what it is wired to.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::message::QueueName;
use domain::ports::{Clock, Http, Store};
use intake::Intake;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let client = https::Client::new()?;
    let config = lambda::start(Arc::new(client.with_answers_up_to(lambda::AWS_ANSWER_BYTES)))?;
    let [table, prompts, authorizations, webhooks, secret_prefix, public_base] =
        lambda::settings([
            "TABLE",
            "PROMPTS_QUEUE_URL",
            "AUTHORIZATIONS_QUEUE_URL",
            "WEBHOOKS_QUEUE_URL",
            "SECRET_PREFIX",
            "PUBLIC_BASE_URL",
        ])?;
    let queues = BTreeMap::from([
        (QueueName::Prompts, prompts),
        (QueueName::Authorizations, authorizations),
        (QueueName::Webhooks, webhooks),
    ]);

    let clock: Arc<dyn Clock> = Arc::new(lambda::SystemClock);
    let http: Arc<dyn Http> = Arc::new(client);
    let store: Arc<dyn Store> = Arc::new(dynamodb::Table::new(&config, table));
    let secrets = secretsmanager::BrandSecrets::new(&config, secret_prefix, Arc::clone(&clock));
    let channels = channels::Registry::new(channels::Deps {
        http: Arc::clone(&http),
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        random: Arc::new(lambda::SystemRandom),
        signer: Some(Arc::new(lambda::RoleSigner::new(&config))),
    });
    let sandbox = sandbox::Sandbox::new(Arc::clone(&store), Arc::clone(&clock));
    let deps = processors::Deps { http: Arc::clone(&http), clock: Arc::clone(&clock) };
    let processors = processors::Registry::new(deps).with(sandbox);
    let intake = Intake {
        clock,
        random: Arc::new(lambda::SystemRandom),
        store,
        queue: Arc::new(sqs::Queues::new(&config, queues)),
        secrets: Arc::new(secrets),
        channels: Arc::new(channels),
        processors: Arc::new(processors),
        public_base,
    };
    lambda::serve_http(intake::router(Arc::new(intake))).await
}
