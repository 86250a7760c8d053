//! Makes the clients that every function needs on Lambda, from the settings that all functions share.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::brand_documents::Document;
use domain::message::QueueName;
use lambda_runtime::Error;
use ports::{Clock, Http, Ports, Signer};

use crate::clock::{SystemClock, SystemRandom};
use crate::settings::{both, environment, prefixes, settings};
use crate::signer::RoleSigner;
use crate::start::{AWS_ANSWER_BYTES, start};

/// The clients and addresses that every function needs.
pub struct Wiring {
    /// The ports that every function needs.
    pub ports: Ports,
    /// The way to the internet.
    pub http: Arc<dyn Http>,
    /// Signs calls to AWS with the function's role.
    pub signer: Arc<dyn Signer>,
    /// The public address, without a slash at its end.
    pub public_base: String,
}

/// Begins logging and makes every client, once, before the first event. Also returns the function's `own` settings.
///
/// `documents` are those of a brand's secret that the function reads, beside the one that all functions read.
///
/// ```no_run
/// use domain::brand_documents::Document;
///
/// // It reads the settings of `template.yaml` from the environment.
/// # fn main() -> Result<(), lambda::Error> {
/// let (lambda::Wiring { ports, .. }, [sandbox]) = lambda::wire(&[Document::Claims], ["SANDBOX"])?;
/// # drop((ports, sandbox));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// All settings that are missing, or a TLS configuration that cannot be made.
pub fn wire<const N: usize>(
    documents: &[Document],
    own: [&'static str; N],
) -> Result<(Wiring, [String; N]), Error> {
    let client = https::Client::new()?;
    let to_aws = Arc::new(client.with_answers_up_to(AWS_ANSWER_BYTES));
    let config = start(to_aws, environment("METRICS_NAMESPACE"))?;
    let shared = settings([
        "TABLE",
        "PROMPTS_QUEUE_URL",
        "AUTHORIZATIONS_QUEUE_URL",
        "WEBHOOKS_QUEUE_URL",
        "SECRET_PREFIX",
        "PUBLIC_BASE_URL",
    ]);
    let prefixes = both(settings(own), prefixes(documents));
    let (shared, (own, prefixes)) = both(shared, prefixes)?;
    let [table, prompts, authorizations, webhooks, secret_prefix, public_base] = shared;
    let queues = BTreeMap::from([
        (QueueName::Prompts, prompts),
        (QueueName::Authorizations, authorizations),
        (QueueName::Webhooks, webhooks),
    ]);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut secrets = secretsmanager::BrandSecrets::new(&config, secret_prefix, Arc::clone(&clock));
    for (document, prefix) in prefixes {
        secrets = secrets.with_document(document, prefix);
    }
    let ports = Ports {
        clock,
        random: Arc::new(SystemRandom),
        store: Arc::new(dynamodb::Table::new(&config, table)),
        queue: Arc::new(sqs::Queues::new(&config, queues)),
        secrets: Arc::new(secrets),
    };
    let signer = Arc::new(RoleSigner::new(&config));
    Ok((Wiring { ports, http: Arc::new(client), signer, public_base }, own))
}
