//! Conversations: each asks, plays the customer's plan, and waits for the end through any crash.

use std::time::Duration;

use domain::random::Random;
use embedded::SystemClock;
use ports::Clock;
use serde_json::{Value, json};
use tests::doubles::SeededRandom;
use tokio::task::JoinSet;

use super::requester::Requester;

/// The longest time for a conversation. A dead worker's request is resumed after 90 seconds. A failed message comes back to
/// a deployed function after three minutes.
const CONVERSATION_MAX: Duration = Duration::from_secs(230);

/// The customer's plan for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Approves, and approves again after a declined card.
    Approve,
    /// Approves with a card that is declined, then with another.
    AnotherCard,
    /// Approves, and the processor declines for good.
    Doomed,
    /// Denies.
    Deny,
    /// Picks a wrong session code.
    WrongCode,
    /// Does not answer.
    Silent,
    /// Would approve, but the agent cancels.
    Cancelled,
}

impl Plan {
    /// Returns the outcome's kind, and its reason where there is one.
    pub(crate) const fn end(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Approve | Self::AnotherCard => ("fulfilled", None),
            Self::Doomed => ("failed", Some("card_declined")),
            Self::Deny => ("denied", Some("customer")),
            Self::WrongCode => ("denied", Some("wrong_session_code")),
            Self::Silent => ("expired", None),
            Self::Cancelled => ("cancelled", None),
        }
    }
}

/// One request and its customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversation {
    /// The number from which the phone, the keys and the random delays are made.
    pub(crate) number: usize,
    pub(crate) plan: Plan,
    pub(crate) amount: u64,
    pub(crate) session: &'static str,
    /// The delay after the first conversation.
    pub(crate) begins: Duration,
}

/// An ended conversation, with the request as it was then.
#[derive(Clone, Debug)]
pub(crate) struct EndedConversation {
    pub(crate) conversation: Conversation,
    pub(crate) request: Value,
}

impl EndedConversation {
    pub(crate) fn id(&self) -> &str {
        self.request["id"].as_str().unwrap()
    }

    pub(crate) fn is_fulfilled(&self) -> bool {
        self.request["outcome"]["kind"] == "fulfilled"
    }

    /// Asserts that the outcome is the one planned.
    pub(crate) fn assert_as_planned(&self) {
        let (kind, reason) = self.conversation.plan.end();
        let outcome = &self.request["outcome"];
        assert_eq!(outcome["kind"], kind, "{self:#?}");
        assert!(reason.is_none_or(|reason| outcome["reason"] == reason), "{self:#?}");
    }
}

/// Conversations that run concurrently.
#[derive(Default)]
pub(crate) struct Conversations(JoinSet<EndedConversation>);

impl Conversations {
    pub(crate) fn begin(
        requester: &Requester,
        conversations: impl Iterator<Item = Conversation>,
    ) -> Self {
        let mut running = JoinSet::new();
        for conversation in conversations {
            let requester = requester.clone();
            running.spawn(async move {
                SystemClock.wait(conversation.begins).await;
                let request = conversation.play(&requester).await;
                EndedConversation { conversation, request }
            });
        }
        Self(running)
    }

    /// Returns all conversations, once the last has ended.
    pub(crate) async fn ended(self) -> Vec<EndedConversation> {
        let mut ended = self.0.join_all().await;
        ended.sort_by_key(|ended| ended.conversation.number);
        ended
    }
}

/// Draws a number below `below`.
pub(crate) fn draw(random: &SeededRandom, below: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    random.fill(&mut bytes);
    u64::from_be_bytes(bytes) % below
}

fn is_over(request: &Value) -> bool {
    !request["outcome"].is_null()
}

impl Conversation {
    fn phone(&self) -> String {
        format!("+1555200{:04}", 1000 + self.number)
    }

    fn body(&self) -> Value {
        let expires_in = if self.plan == Plan::Silent { 12 } else { 300 };
        json!({
            "customer": { "phone": self.phone() },
            "session": { "kind": "voice", "id": self.session },
            "ask": {
                "kind": "payment", "amount": self.amount, "currency": "EUR",
                "description": format!("Invoice {}", self.number),
            },
            "expires_in": expires_in,
        })
    }

    /// Returns the request as it was when it ended.
    async fn play(self, requester: &Requester) -> Value {
        let deadline = SystemClock.now().after(CONVERSATION_MAX);
        let key = format!("ask-{}", self.number);
        let mut request = requester.ask(&self.body(), &key).await;
        let id = request["id"].as_str().unwrap().to_owned();
        loop {
            if is_over(&request) {
                return request;
            }
            assert!(SystemClock.now() < deadline, "{self:?} is stuck: {request:#}");
            if request["state"] == "prompted" {
                self.answer(requester, &request).await;
            }
            request = requester.changed(&id, request["version"].as_u64().unwrap()).await;
        }
    }

    async fn answer(&self, requester: &Requester, request: &Value) {
        let id = request["id"].as_str().unwrap();
        let refused = request["timeline"]
            .as_array()
            .is_some_and(|facts| facts.iter().any(|fact| fact["what"] == "card_declined"));
        let code = request["session_code"].clone();
        let wrong = || if code == "10" { json!("11") } else { json!("10") };
        let approve =
            |card: &str| json!({ "action": "approve", "session_code": code, "card": card });
        let tap = match self.plan {
            Plan::Approve | Plan::Doomed => approve("pm_card_visa"),
            Plan::AnotherCard if refused => approve("pm_card_visa"),
            Plan::AnotherCard => approve("pm_card_chargeCustomerFail"),
            Plan::Deny => json!({ "action": "deny" }),
            Plan::WrongCode => json!({ "action": "approve", "session_code": wrong() }),
            Plan::Silent => return,
            Plan::Cancelled => {
                let key = format!("cancel-{}", self.number);
                let (status, answer) =
                    requester.post(&format!("/v1/requests/{id}/cancel"), &json!({}), &key).await;
                assert_eq!(status, 200, "{self:?}: {answer}");
                return;
            }
        };
        let Some(message) = requester.message(&self.phone(), id).await else { return };
        requester.tap(&self.phone(), message["id"].as_str().unwrap(), &tap).await;
    }
}
