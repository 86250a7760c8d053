//! Consent-callback on Lambda: what it is wired to.

use std::collections::BTreeMap;
use std::sync::Arc;

use consent_callback::{ConsentCallback, SandboxAccess, Topics};
use domain::message::QueueName;
use domain::ports::{Clock, Http, Store};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let client = https::Client::new()?;
    let config = lambda::start(Arc::new(client.with_answers_up_to(lambda::AWS_ANSWER_BYTES)))?;
    let [table, prompts, authorizations, webhooks, secret_prefix, public_base, sandbox, topics] =
        lambda::settings([
            "TABLE",
            "PROMPTS_QUEUE_URL",
            "AUTHORIZATIONS_QUEUE_URL",
            "WEBHOOKS_QUEUE_URL",
            "SECRET_PREFIX",
            "PUBLIC_BASE_URL",
            "SANDBOX",
            "TOPIC_PREFIX",
        ])?;
    let sandbox = match sandbox.as_str() {
        "off" => SandboxAccess::Off,
        "key" => SandboxAccess::Key,
        other => return Err(format!("SANDBOX is `off` or `key`, not `{other}`").into()),
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
    let channels = channels::Registry::new(channels::Deps {
        http: Arc::clone(&http),
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        random: Arc::new(lambda::SystemRandom),
        signer: Some(Arc::new(lambda::RoleSigner::new(&config))),
    });
    let pages = sandbox::Sandbox::new(Arc::clone(&store), Arc::clone(&clock));
    let deps = processors::Deps { http: Arc::clone(&http), clock: Arc::clone(&clock) };
    let processors = processors::Registry::new(deps).with(pages.clone());
    let consent_callback = ConsentCallback {
        clock,
        random: Arc::new(lambda::SystemRandom),
        store,
        queue: Arc::new(sqs::Queues::new(&config, queues)),
        secrets: Arc::new(secrets),
        channels: Arc::new(channels),
        processors: Arc::new(processors),
        sandbox_pages: Some(Arc::new(pages)),
        public_base,
        sandbox,
    };
    let consent_callback = Arc::new(consent_callback);
    let topics = Topics::new(Arc::clone(&consent_callback), topics);
    lambda::serve_http_and_topics(consent_callback::router(consent_callback), topics).await
}
