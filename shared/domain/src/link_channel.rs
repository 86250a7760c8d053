//! The link channel. No message is sent: the requester shows the link of the consent page in the conversation itself.
//!
//! A message to a number shows that the customer has the number. A link shows nothing, as its holder may be another person.

use serde::Deserialize;

use crate::ask::SessionKind;
use crate::brand::{Brand, ChannelSetup, InvalidSettings, Mode};
use crate::keys;
use crate::request::{PromptRecord, PromptStatus, Request};
use crate::values::id::PromptId;
use crate::values::name::ChannelName;

/// The kind of such channels in a brand's settings.
pub const LINK_KIND: &str = "link";

/// The settings of a link channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSettings {
    /// The kinds of session whose requesters can show a link.
    pub sessions: Vec<SessionKind>,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self { sessions: vec![SessionKind::Chat, SessionKind::InPerson] }
    }
}

impl ChannelSetup {
    /// Returns the settings of a link channel; `None` for a channel that sends messages.
    ///
    /// # Errors
    /// [`InvalidSettings`] names the setting.
    #[must_use]
    pub fn link_settings(&self) -> Option<Result<LinkSettings, InvalidSettings>> {
        (self.kind == LINK_KIND).then(|| self.settings.read())
    }
}

impl Brand {
    /// Returns whether the channel sends no message, so that the requester shows the link.
    #[must_use]
    pub fn is_link_channel(&self, mode: Mode, name: &ChannelName) -> bool {
        let mut setups = self.setup(mode).channels.iter();
        setups.any(|setup| setup.name == *name && setup.kind == LINK_KIND)
    }

    /// Returns the token of the link to the consent page of a prompt over this channel.
    ///
    /// The token of a link channel is made with a key that intake has, since intake shows the link. Every other token needs
    /// the link key.
    #[must_use]
    pub fn link_token(&self, mode: Mode, channel: &ChannelName, prompt: PromptId) -> String {
        if self.is_link_channel(mode, channel) {
            keys::shown_link_token(&self.address_key, prompt)
        } else {
            keys::link_token(&self.link_key, prompt)
        }
    }
}

impl Request {
    /// Returns the token of the link to a prompt's consent page.
    #[must_use]
    pub fn link_token(&self, brand: &Brand, prompt: PromptId) -> String {
        match self.prompt(prompt) {
            Some(record) => brand.link_token(self.mode, &record.channel, prompt),
            None => keys::link_token(&brand.link_key, prompt),
        }
    }

    /// Returns whether an answer to the prompt proves no number of the customer, who has it by a link alone.
    ///
    /// The link is shown or mailed, or it is the entry link with which they began the conversation.
    #[must_use]
    pub fn proves_no_number(&self, brand: &Brand, prompt: PromptId) -> bool {
        let channel = self.prompt(prompt).map(|record| &record.channel);
        channel.is_some_and(|channel| {
            self.entry.as_ref() == Some(channel) || brand.proves_no_number(self.mode, channel)
        })
    }

    /// Returns the prompt whose link the requester shows now; `None` where none is in force.
    #[must_use]
    pub fn shown_prompt(&self, brand: &Brand) -> Option<&PromptRecord> {
        let last = self.prompts.iter().rev().find(|prompt| prompt.is_out())?;
        let is_shown = last.status != PromptStatus::Sending
            && self.is_open_to_answers()
            && brand.is_link_channel(self.mode, &last.channel);
        is_shown.then_some(last)
    }
}
