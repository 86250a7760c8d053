//! AWS End User Messaging in a world: what it was sent, and what it tells over the channels' topics.

use consent_callback::Topics;
use domain::message::MessageResult;
use domain::values::prompt_ref::PromptRef;
use lambda_events::{Context, LambdaEvent, NotificationError, answer_or_receive};
use serde_json::{Value, json};

use super::{Core, WorldBuilder};
use crate::providers::aws_messaging::{self, HOST, SentMessage, events};
use crate::providers::ses;

impl WorldBuilder {
    /// Sends cards, and texts after them, through AWS End User Messaging in test mode.
    #[must_use]
    pub fn over_aws(self) -> Self {
        self.with("/test/channels", &json!([rcs(), sms()]))
    }
}

/// A channel of cards.
#[must_use]
pub fn rcs() -> Value {
    let settings = json!({
        "provider": "aws", "region": "eu-west-1", "origination_identity": "rcs-c020de2520714385964ebf7b095c4b60",
        "configuration_set": "authz-events",
    });
    json!({ "name": "rcs", "kind": "rcs", "settings": settings })
}

/// A channel of texts.
#[must_use]
pub fn sms() -> Value {
    let settings = json!({
        "provider": "aws", "region": "eu-west-1", "origination_identity": "pool-0a1b2c3d4e5f",
        "configuration_set": "authz-events",
    });
    json!({ "name": "sms", "kind": "sms", "settings": settings })
}

/// A channel of mail, with this name.
#[must_use]
pub fn mail(name: &str) -> Value {
    let settings = json!({
        "provider": "aws", "region": "eu-west-1", "from": "pay@demo.example.com", "configuration_set": "assent-mail",
    });
    json!({ "name": name, "kind": "email", "settings": settings })
}

impl Core {
    /// Returns the mails that SES was sent, all of them as SES takes them.
    #[must_use]
    pub fn mails(&self) -> Vec<Value> {
        let calls = self.calls_to(ses::HOST).into_iter();
        let taken = calls.map(|call| ses::receive(&call.uri, &call.headers, &call.body));
        taken.map(|mail| mail.expect("SES takes it")).collect()
    }

    /// Returns what the service was sent, all of it as the service takes it.
    #[must_use]
    pub fn messages_over_aws(&self) -> Vec<SentMessage> {
        let calls = self.calls_to(HOST).into_iter();
        let looked = calls.map(|call| aws_messaging::receive(&call.uri, &call.headers, &call.body));
        looked.map(|sent| sent.expect("the service takes it")).collect()
    }

    /// Returns what the service brings back of a message in every event about it.
    #[must_use]
    pub fn reference(&self, place: usize) -> PromptRef {
        let sent = self.messages_over_aws();
        let text = sent[place].body["Context"]["ref"].as_str().expect("a message has a context");
        text.parse().expect("it names a prompt")
    }

    /// The postbacks of a card's buttons, by what they say.
    #[must_use]
    pub fn buttons(&self, place: usize) -> Vec<(String, String)> {
        let sent = self.messages_over_aws();
        let card = &sent[place].body["RcsMessageContent"]["Content"]["RichCard"]["CardContent"];
        let suggestions = card["Suggestions"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let button = |suggestion: Value| {
            let action = suggestion.as_object().and_then(|one| one.values().next().cloned());
            let action = action.unwrap_or_default();
            (text(&action["Text"]), text(&action["PostbackData"]))
        };
        suggestions.into_iter().map(button).collect()
    }

    /// Publishes on a topic of ours, and does what follows. [`MessageResult::Again`] where the run that heard it failed and
    /// Lambda would make another one.
    pub fn publishes(&self, topic: &str, message: &str) -> MessageResult {
        self.hands(events::published_at(topic, message, &self.now().to_string()))
    }

    /// Hands what SNS does to the function that hears topics, and does what follows.
    pub fn hands(&self, event: Value) -> MessageResult {
        let topics =
            Topics::new(self.machine.consent_callback.channel_webhooks(), "assent".to_owned());
        let event = LambdaEvent::new(event, Context::default());
        let answer = self.run(answer_or_receive(&self.consent, &topics, event));
        self.run_until_idle();
        match answer {
            Ok(answer) => {
                assert_eq!(answer, Value::Null);
                MessageResult::Done
            }
            Err(error) => {
                assert!(error.is::<NotificationError>(), "{error}");
                MessageResult::Again
            }
        }
    }

    /// The service tells something over the demo brand's channel of that name.
    pub fn topic_sends(&self, channel: &str, message: &str) {
        let heard = self.publishes(&format!("assent_demo_{channel}"), message);
        assert_eq!(heard, MessageResult::Done, "{message}");
    }
}
