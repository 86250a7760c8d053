//! The MAC of a prompt: an approval counts for what was asked, and of whom, when the prompt was sent.
//!
//! A writer of the table can alter a request between the prompt and its approval. They can also add a prompt that was sent
//! to another number. Only functions with the link key can make the MAC.

use super::{Change, PromptRecord, Request};
use crate::ask::AskHash;
use crate::brand::Key32;
use crate::guards;
use crate::guards::Guard;
use crate::keys;
use crate::values::id::PromptId;

impl Change {
    /// Adds the MAC of a prompt that this change begins.
    #[must_use]
    pub fn with_prompt_mac(mut self, id: PromptId, key: &Key32) -> Self {
        let mac = self.request.prompt(id).map(|prompt| self.request.prompt_mac(prompt, key));
        if let Some(prompt) = self.request.prompts.iter_mut().find(|prompt| prompt.id == id) {
            prompt.mac = mac;
        }
        self
    }
}

impl Request {
    /// Returns whether send-prompt sent this prompt with exactly what the request asks now, to its customer.
    #[must_use]
    pub fn is_prompt_genuine(&self, prompt: &PromptRecord, key: &Key32) -> bool {
        let right = self.prompt_mac(prompt, key);
        guards::is_disabled(Guard::PromptMac)
            || prompt.mac.as_deref().is_some_and(|mac| keys::same(mac, &right))
    }

    fn prompt_mac(&self, prompt: &PromptRecord, key: &Key32) -> String {
        let Self { id, brand, mode, .. } = self;
        let ask = AskHash::of(*id, brand, &self.payee, &self.ask);
        let (phone, ask, prompt_id) = (self.customer.phone.as_str(), ask.as_str(), prompt.id);
        let channel = &prompt.channel;
        // Such a prompt goes to who began by the link, and not to the number.
        let recipient = if self.entry.as_ref() == Some(channel) { "\nentry" } else { "" };
        keys::prompt_mac(
            key,
            &format!("{brand}\n{mode:?}\n{id}\n{prompt_id}\n{channel}\n{phone}\n{ask}{recipient}"),
        )
    }
}
