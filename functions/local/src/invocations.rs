//! The way in for the events of platforms that invoke the function themselves: Amazon Connect and Lex.
//!
//! On AWS, Lambda is that way in, and only a listed instance or bot may use it. Here the caller shows the machine's key, and
//! the brand's keys say in `callers` which instances and bots are known. Without one, every event is refused.

use std::sync::Arc;

use agents::{Agents, Callers};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use domain::api_key::CallerArn;
use domain::brand::Brand;
use domain::keys;
use domain::problem::{Code, Problem};
use domain::values::name::BrandName;
use http::{HeaderMap, header};
use intake::Intake;
use ports::{Invocation, Invocations, Secrets};
use serde_json::Value;

/// The path that takes an event.
pub(crate) const INVOKE_PATH: &str = "/local/invoke";
/// The largest event. Those of the two platforms have a few kilobytes.
const EVENT_MAX: usize = 256 * 1024;
/// The ARN of a function in no account, where the brand lists no bot.
const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:assent";

/// The machine that an event is for.
pub(crate) struct InvokedMachine<'a> {
    /// Intake, over which the agents' function asks.
    pub(crate) intake: &'a Arc<Intake>,
    /// The address of the API.
    pub(crate) api: &'a str,
    /// The key that the caller must show.
    pub(crate) key: &'a str,
    /// The machine's brand.
    pub(crate) brand: &'a BrandName,
    /// Where the brand's secret is.
    pub(crate) secrets: &'a dyn Secrets,
}

impl InvokedMachine<'_> {
    /// Hands an event to the agents' function, and returns its answer as Lambda does.
    pub(crate) async fn invoke(self, request: Request) -> Response {
        match self.answer(request).await {
            Ok(answer) => {
                ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
            }
            Err(problem) => problem.answer(self.api, INVOKE_PATH).map(Body::from),
        }
    }

    async fn answer(&self, request: Request) -> Result<Value, Problem> {
        if !has_key(request.headers(), self.key) {
            let detail = "the call shows another key than the machine's";
            return Err(Problem::new(Code::Unauthenticated, detail));
        }
        let too_large = |_| Problem::new(Code::PayloadTooLarge, "the event is larger than 256 KiB");
        let body = to_bytes(request.into_body(), EVENT_MAX).await.map_err(too_large)?;
        let no_json = |_| Problem::new(Code::InvalidRequest, "the event is no JSON");
        let event = serde_json::from_slice(&body).map_err(no_json)?;
        let brand = self.secrets.brand(self.brand).await?;
        let function_arn = function_arn(&brand);
        let agents = Agents { intake: Arc::clone(self.intake), callers: callers(&brand) };
        let answered =
            agents.invoke(Invocation { event, id: "local".to_owned(), function_arn }).await;
        answered.map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))
    }
}

fn has_key(headers: &HeaderMap, key: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
    shown.is_some_and(|shown| keys::same(shown, key))
}

fn listed(brand: &Brand) -> impl Iterator<Item = &CallerArn> {
    brand.keys.iter().flat_map(|key| &key.callers)
}

fn callers(brand: &Brand) -> Callers {
    listed(brand).map(|arn| (arn.to_string(), brand.name.clone())).collect()
}

/// Returns the ARN of a function beside the brand's first bot: Lex's event has neither account nor region.
fn function_arn(brand: &Brand) -> String {
    let beside = |arn: &CallerArn| {
        let mut parts = arn.as_str().split(':').skip(1);
        let (partition, service) = (parts.next()?, parts.next()?);
        let (region, account) = (parts.next()?, parts.next()?);
        let function = format!("arn:{partition}:lambda:{region}:{account}:function:assent");
        (service == "lex").then_some(function)
    };
    listed(brand).find_map(beside).unwrap_or_else(|| FUNCTION_ARN.to_owned())
}
