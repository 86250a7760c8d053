//! A message before it is sent, as its reader will see it.

use std::fmt;

use serde::Serialize;

/// The form in which a prompt reaches its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageForm {
    /// A heading, sentences and buttons.
    Card,
    /// A text with the link in it.
    Text,
    /// A mail with a subject and the link.
    Mail,
    /// A template that the provider approved. Its own words are known there alone.
    Template,
    /// The payment sheet of the phone's wallet.
    PaymentSheet,
    /// No message: the requester shows the link.
    Link,
}

/// A prompt as a channel would write it. Its texts are personal data, so `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct MessagePreview {
    /// The form in which it arrives.
    pub form: MessageForm,
    /// The heading, or the subject of a mail; `None` where the form has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The sentences, as long as the channel takes them. In a template, what fills its sentences.
    pub text: String,
    /// The labels of the buttons, from the top.
    pub buttons: Vec<String>,
    /// The name of the template at the provider; `None` for the other forms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

impl MessagePreview {
    /// Returns a text alone.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self {
            form: MessageForm::Text,
            title: None,
            text: text.to_owned(),
            buttons: Vec::new(),
            template: None,
        }
    }

    /// Returns a card.
    #[must_use]
    pub const fn card(title: String, text: String, buttons: Vec<String>) -> Self {
        Self { form: MessageForm::Card, title: Some(title), text, buttons, template: None }
    }
}

impl fmt::Debug for MessagePreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagePreview").field("form", &self.form).finish_non_exhaustive()
    }
}
