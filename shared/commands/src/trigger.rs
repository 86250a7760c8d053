//! `trigger`: makes a webhook event happen at the sandbox, by asking and answering as a customer would.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Context;
use crate::api::Api;
use crate::arguments::TriggerArguments;
use crate::failure::{Exit, Failure};
use crate::requests;

/// The longest time for a state to come, beyond a request's own lifetime.
const PATIENCE: Duration = Duration::from_secs(40);
/// The pause between two looks at the phone.
const PAUSE: Duration = Duration::from_millis(150);
/// The longest wait of one read, in seconds.
const WAIT: u64 = 10;

/// A step after the ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The customer has the message.
    Message,
    /// The customer opens the page.
    Open,
    /// The customer approves.
    Approve,
    /// The customer denies.
    Deny,
    /// The requester cancels.
    Cancel,
    /// The request ends in this state.
    End(&'static str),
    /// The requester refunds, and the processor does it.
    Refund,
    /// The sandbox reports what happens later.
    Report(&'static str),
}

/// A way to make an event.
struct Recipe {
    event: &'static str,
    amount: u64,
    /// The last four digits of the number, which the sandbox reads; empty for any.
    digits: &'static str,
    expires_in: u64,
    steps: &'static [Step],
}

/// The event that tests the endpoint itself. It needs no request.
const ENDPOINT_TEST: &str = "webhook.test";

const PLAIN: Recipe =
    Recipe { event: "", amount: 4250, digits: "", expires_in: 300, steps: &[Step::Message] };
const PAID: [Step; 2] = [Step::Approve, Step::End("fulfilled")];

const RECIPES: [Recipe; 16] = [
    Recipe { event: "request.prompted", ..PLAIN },
    Recipe { event: "request.delivered", ..PLAIN },
    Recipe { event: "request.opened", steps: &[Step::Open], ..PLAIN },
    Recipe { event: "request.authorized", steps: &[Step::Approve], ..PLAIN },
    Recipe { event: "request.fulfilled", steps: &PAID, ..PLAIN },
    Recipe { event: "request.denied", steps: &[Step::Deny, Step::End("denied")], ..PLAIN },
    Recipe { event: "request.expired", expires_in: 2, steps: &[Step::End("expired")], ..PLAIN },
    Recipe { event: "request.cancelled", steps: &[Step::Cancel, Step::End("cancelled")], ..PLAIN },
    Recipe {
        event: "request.undeliverable",
        digits: "9003",
        steps: &[Step::End("undeliverable")],
        ..PLAIN
    },
    Recipe {
        event: "request.failed",
        amount: 4203,
        steps: &[Step::Approve, Step::End("failed")],
        ..PLAIN
    },
    Recipe {
        event: "request.refunded",
        steps: &[Step::Approve, Step::End("fulfilled"), Step::Refund],
        ..PLAIN
    },
    Recipe {
        event: "request.refund_failed",
        steps: &[
            Step::Approve,
            Step::End("fulfilled"),
            Step::Refund,
            Step::Report("refund_failed"),
        ],
        ..PLAIN
    },
    Recipe {
        event: "request.disputed",
        steps: &[Step::Approve, Step::End("fulfilled"), Step::Report("dispute_opened")],
        ..PLAIN
    },
    Recipe {
        event: "request.dispute_closed",
        steps: &[
            Step::Approve,
            Step::End("fulfilled"),
            Step::Report("dispute_opened"),
            Step::Report("dispute_won"),
        ],
        ..PLAIN
    },
    Recipe {
        event: "request.capture_failed",
        steps: &[Step::Approve, Step::End("fulfilled"), Step::Report("capture_failed")],
        ..PLAIN
    },
    Recipe {
        event: "request.refunded_outside",
        steps: &[Step::Approve, Step::End("fulfilled"), Step::Report("refunded_outside")],
        ..PLAIN
    },
];

/// Makes the event that the arguments name, or lists those that can be made.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(context: &Context, arguments: &TriggerArguments) -> Result<Exit, Failure> {
    let events: Vec<&str> =
        RECIPES.iter().map(|recipe| recipe.event).chain([ENDPOINT_TEST]).collect();
    let Some(event) = arguments.event.as_deref().filter(|_| !arguments.list) else {
        context.output.result(&events.join("\n"), &json!({ "events": events }))?;
        return Ok(Exit::Done);
    };
    if event == ENDPOINT_TEST {
        return test_endpoint(context, &Api::open(context, &arguments.access)?).await;
    }
    let recipe = RECIPES.iter().find(|recipe| recipe.event == event).ok_or_else(|| {
        Failure::usage(format!("no event `{event}` can be made"))
            .with_remedy(format!("one of: {}", events.join(", ")))
    })?;
    let api = Api::open(context, &arguments.access)?;
    let sandbox = SandboxCustomer::ask(context, api, recipe, &arguments.phone).await?;
    let request = sandbox.act(recipe.steps).await?;
    let text = format!("{event} was made.\n{}", requests::describe(&request));
    context.output.result(&text, &json!({ "event": event, "request": request }))?;
    Ok(Exit::Done)
}

/// Sends a test event to the brand's endpoint, in either mode.
async fn test_endpoint(context: &Context, api: &Api<'_>) -> Result<Exit, Failure> {
    let event = api.post("/v1/webhooks/test", None, None).await?;
    let line =
        format!("{ENDPOINT_TEST} was made.\n{}  {}", text(&event, "/id"), text(&event, "/state"));
    context.output.result(&line, &json!({ "event": ENDPOINT_TEST, "sent": event }))?;
    Ok(Exit::Done)
}

/// A customer of the sandbox who was asked.
struct SandboxCustomer<'a> {
    context: &'a Context,
    api: Api<'a>,
    phone: String,
    path: String,
    request: Value,
    patience: Duration,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl<'a> SandboxCustomer<'a> {
    async fn ask(
        context: &'a Context,
        api: Api<'a>,
        recipe: &Recipe,
        phone: &str,
    ) -> Result<Self, Failure> {
        let digits = phone.len().saturating_sub(recipe.digits.len());
        let phone = format!("{}{}", phone.get(..digits).unwrap_or_default(), recipe.digits);
        let fresh = requests::fresh(context.random.as_ref());
        let body = json!({
            "customer": { "phone": phone },
            "session": { "kind": "voice", "id": format!("trigger-{fresh}") },
            "ask": {
                "kind": "payment", "amount": recipe.amount, "currency": "EUR",
                // A dot between words reads as a link.
                "description": format!("Test of {}", recipe.event.replace(['.', '_'], " ")),
            },
            "expires_in": recipe.expires_in,
            // The same event may be triggered again while the request of the first is open.
            "allow_duplicate": true,
        });
        let key = format!("trigger-{fresh}");
        let request = api.post("/v1/requests", Some(&body), Some(&key)).await?;
        let path = requests::path(text(&request, "/id"))?;
        let patience = PATIENCE.saturating_add(Duration::from_secs(recipe.expires_in.min(10)));
        Ok(Self { context, api, phone, path, request, patience })
    }

    /// Takes the steps, and returns the request as it then is.
    async fn act(&self, steps: &[Step]) -> Result<Value, Failure> {
        for step in steps {
            match step {
                Step::Message => drop(self.message().await?),
                Step::Open => self.open().await?,
                Step::Approve => {
                    let code = self.request.get("session_code");
                    self.tap(&json!({ "action": "approve", "session_code": code })).await?;
                }
                Step::Deny => self.tap(&json!({ "action": "deny" })).await?,
                Step::Cancel => {
                    drop(self.api.post(&format!("{}/cancel", self.path), None, None).await?);
                }
                Step::End(state) => self.until("/state", state).await?,
                Step::Refund => {
                    let key = format!("refund-{}", text(&self.request, "/id"));
                    let path = format!("{}/refund", self.path);
                    drop(self.api.post(&path, None, Some(&key)).await?);
                    self.until("/refunds/0/state", "refunded").await?;
                }
                Step::Report(report) => self.tap(&json!({ "report": report })).await?,
            }
        }
        self.api.get(&self.path).await
    }

    /// Waits for the message of the request.
    async fn message(&self) -> Result<Value, Failure> {
        let path = format!("/sandbox/phones/{}/messages", self.phone);
        let deadline = self.context.clock.now().after(self.patience);
        while self.context.clock.now() < deadline {
            let phone = self.api.get(&path).await.map_err(|failure| {
                match failure.code.as_str() {
                "not-found" | "not-the-api" => failure.with_remedy(
                    "this deployment has no sandbox; deploy with Sandbox=key, or use this machine",
                ),
                _ => failure,
            }
            })?;
            let messages = phone.get("messages").and_then(Value::as_array).into_iter().flatten();
            let mut ours =
                messages.filter(|message| text(message, "/request") == text(&self.request, "/id"));
            if let Some(message) = ours.next() {
                return Ok(message.clone());
            }
            self.context.clock.wait(PAUSE).await;
        }
        Err(late("no message reached the sandbox phone"))
    }

    async fn tap(&self, body: &Value) -> Result<(), Failure> {
        let message = self.message().await?;
        let id = text(&message, "/id");
        let path = format!("/sandbox/phones/{}/messages/{id}/tap", self.phone);
        self.api.post(&path, Some(body), None).await.map(drop)
    }

    /// Opens the page of the message, as the phone's browser does.
    async fn open(&self) -> Result<(), Failure> {
        let message = self.message().await?;
        let link = text(&message, "/link");
        // Without a browser's user agent it is taken for a preview, which opens nothing.
        let request = http::Request::get(link).header("user-agent", "Mozilla/5.0 (assent trigger)");
        let request = request.body(bytes::Bytes::new())?;
        let (reach, time) = (ports::Reach::Configured, Duration::from_secs(10));
        let opened = self.context.http.call(request, reach, time).await;
        opened.map_err(|error| Failure::no_answer("the consent page", &error)).map(drop)
    }

    /// Waits until the request has `value` at `pointer`.
    async fn until(&self, pointer: &str, value: &str) -> Result<(), Failure> {
        let deadline = self.context.clock.now().after(self.patience);
        let mut request = self.api.get(&self.path).await?;
        while text(&request, pointer) != value {
            let is_other_end = pointer == "/state" && requests::is_over(&request);
            if is_other_end || self.context.clock.now() >= deadline {
                let state = text(&request, "/state");
                return Err(late(&format!(
                    "the request is `{state}`, and not `{value}` as expected"
                )));
            }
            let version = request.get("version").and_then(Value::as_u64).unwrap_or_default();
            request = self.api.get(&format!("{}?wait={WAIT}&after={version}", self.path)).await?;
        }
        Ok(())
    }
}

fn late(message: &str) -> Failure {
    Failure::new("not-made", format!("the event was not made: {message}"))
        .with_remedy("check that the brand's test mode uses the sandbox alone")
}
