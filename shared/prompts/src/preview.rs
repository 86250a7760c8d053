//! Previews a prompt before its request is made.

use domain::brand::Brand;
use domain::contact::Contact;
use domain::request::Request;
use domain::values::id::PromptId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use ports::{Channel, MessagePreview, Prompt};

use crate::rendering;

/// What stands in a preview for the end of a link and for a number of the session code.
const HIDDEN: &str = "••";

/// A request that is not made, and the channel whose message is previewed.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// The request, as it would be stored.
    pub request: &'a Request,
    /// The brand that asks.
    pub brand: &'a Brand,
    /// The name of the channel.
    pub channel: &'a ChannelName,
    /// The customer's contact on the channel.
    pub contact: &'a Contact,
    /// The address of the consent pages, without a slash at its end.
    pub public_base: &'a str,
}

/// Returns the message that the customer would get now; `None` where the channel could send none.
///
/// No link and no button of it works. The numbers to pick are hidden, since they are drawn when the request is made.
#[must_use]
pub fn preview(draft: Draft<'_>, channel: &dyn Channel, now: Timestamp) -> Option<MessagePreview> {
    let Draft { request, brand, channel: name, contact, public_base } = draft;
    let mut request = request.clone();
    if let Some(code) = &mut request.session_code {
        code.choices = [HIDDEN, HIDDEN, HIDDEN].map(str::to_owned);
    }
    let id = PromptId::new(now, [0; 10]);
    let begun = request.begin_prompt(id, name, channel.receipts().delivered, now).request;
    let rendered = rendering::prompt(&begun, begun.prompt(id)?, brand, public_base, now);
    let link = rendered.link.clone();
    let shown = format!("{public_base}/c/{HIDDEN}");
    let prompt = Prompt { contact: contact.clone(), ..rendered };
    let MessagePreview { form, title, text, buttons, template } = channel.preview(&prompt)?;
    let text = text.replace(&link, &shown);
    Some(MessagePreview { form, title, text, buttons, template })
}
