//! Conversations: each asks, plays the customer as planned, and waits for the end, whatever becomes of the machine.

use std::time::Duration;

use domain::ports::{Clock, Random};
use embedded::SystemClock;
use serde_json::{Value, json};
use tests::doubles::SeededRandom;
use tokio::task::JoinSet;

use super::requester::Requester;

/// How long a conversation may take: a dead worker's request is taken up again after a minute and a half, and a message
/// that failed comes back to a deployed function after three.
const CONVERSATION_MAX: Duration = Duration::from_secs(230);

/// What a customer does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Says yes, and yes again if the card was refused.
    Approve,
    /// Says yes with a card that is refused, then with another.
    AnotherCard,
    /// Says yes, and the processor refuses for good.
    Doomed,
    /// Says no.
    Deny,
    /// Picks a number that nobody read out.
    WrongCode,
    /// Says nothing.
    Silent,
    /// Would say yes, but the agent takes it back.
    Cancelled,
}

impl Plan {
    /// The outcome's kind, and its reason where there is one.
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

/// One conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversation {
    /// Its number, of which its phone, keys and random moments are made.
    pub(crate) number: usize,
    pub(crate) plan: Plan,
    pub(crate) amount: u64,
    pub(crate) session: &'static str,
    /// How long it begins after the others.
    pub(crate) begins: Duration,
}

/// A conversation that is over, and its request as it was then.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) conversation: Conversation,
    pub(crate) request: Value,
}

impl Ended {
    pub(crate) fn id(&self) -> &str {
        self.request["id"].as_str().unwrap()
    }

    pub(crate) fn is_fulfilled(&self) -> bool {
        self.request["outcome"]["kind"] == "fulfilled"
    }

    /// It ended as the customer wanted it to.
    pub(crate) fn is_as_planned(&self) {
        let (kind, reason) = self.conversation.plan.end();
        let outcome = &self.request["outcome"];
        assert_eq!(outcome["kind"], kind, "{self:#?}");
        assert!(reason.is_none_or(|reason| outcome["reason"] == reason), "{self:#?}");
    }
}

/// Conversations that go on by themselves.
#[derive(Default)]
pub(crate) struct Crowd(JoinSet<Ended>);

impl Crowd {
    pub(crate) fn begin(
        requester: &Requester,
        conversations: impl Iterator<Item = Conversation>,
    ) -> Self {
        let mut crowd = JoinSet::new();
        for conversation in conversations {
            let requester = requester.clone();
            crowd.spawn(async move {
                SystemClock.wait(conversation.begins).await;
                let request = conversation.play(&requester).await;
                Ended { conversation, request }
            });
        }
        Self(crowd)
    }

    /// All of them, once the last is over.
    pub(crate) async fn ended(self) -> Vec<Ended> {
        let mut ended = self.0.join_all().await;
        ended.sort_by_key(|ended| ended.conversation.number);
        ended
    }
}

/// A number below `below`.
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

    /// The request as it was when it was over.
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
                let (status, told) =
                    requester.post(&format!("/v1/requests/{id}/cancel"), &json!({}), &key).await;
                assert_eq!(status, 200, "{self:?}: {told}");
                return;
            }
        };
        let Some(message) = requester.message(&self.phone(), id).await else { return };
        requester.tap(&self.phone(), message["id"].as_str().unwrap(), &tap).await;
    }
}
