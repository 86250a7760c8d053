//! A link that the requester shows to the customer in their own conversation. Nothing is sent.
//!
//! The request's answers carry the link, see `functions/intake/api.md`. So "sending" succeeds without a call.

use async_trait::async_trait;
use domain::contact::Contact;
use domain::link_channel::{LINK_KIND, LinkSettings};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{
    AcceptedPrompt, CallbackError, Capability, Channel, MessageForm, MessagePreview, Prompt,
    ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError, Source, ThreadMessage,
    UnverifiedCallback,
};

use crate::adapter::{AdapterConfig, Kind};

/// A link that the requester shows.
pub(crate) const KIND: Kind = Kind { name: LINK_KIND, open };

/// The customer sees the link only where the requester shows it.
const REQUESTER_SHOWS_LINK: &str = "requester_shows_link";

struct Link;

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    let LinkSettings { sessions: _ } = config.setup.settings.read()?;
    Ok(Box::new(Link))
}

#[async_trait]
impl Channel for Link {
    /// Returns `Safe`: the same prompt has the same link.
    fn resend(&self) -> Resend {
        Resend::Safe
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        Capability {
            reachable: true,
            rich: false,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: Some(REQUESTER_SHOWS_LINK),
        }
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        Some(MessagePreview { form: MessageForm::Link, ..MessagePreview::text(&prompt.link) })
    }

    async fn send(&self, _: &Prompt) -> Result<AcceptedPrompt, SendError> {
        Ok(AcceptedPrompt::default())
    }

    fn is_chat(&self) -> bool {
        false
    }

    /// Returns that it reaches no customer: the page shows what came of the answer.
    async fn send_in_thread(&self, _: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        Err(SendError::Unreachable { reason: REQUESTER_SHOWS_LINK })
    }

    /// Returns `false`: the requester takes a link off its own screen.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, _: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        Err(CallbackError::None)
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;
    use serde_json::json;

    use super::*;
    use crate::doubles::{NOW, PHONE, World, prompt_to};

    #[test]
    fn link_is_accepted_without_a_call() {
        let world = World::silent();
        let channel = world.open("link", &json!({})).unwrap();
        assert_eq!(block_on(channel.send(&prompt_to(PHONE))).unwrap(), AcceptedPrompt::default());
        let known = block_on(channel.capability(&PHONE.parse().unwrap(), &Contact::default(), NOW));
        assert_eq!((known.reachable, known.reason), (true, Some("requester_shows_link")));
        assert!(world.calls().is_empty());
    }

    #[test]
    fn link_settings_name_known_sessions_only() {
        let world = World::silent();
        assert!(world.open("link", &json!({ "sessions": ["voice", "in_person"] })).is_ok());
        for bad in [json!({ "sessions": ["call"] }), json!({ "session": ["chat"] })] {
            assert!(world.open("link", &bad).is_err(), "{bad}");
        }
    }
}
