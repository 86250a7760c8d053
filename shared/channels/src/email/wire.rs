//! The request of `SendEmail`, and the mail as text and as HTML.
//!
//! Source: the API model `sesv2` in botocore 1.43.11, and
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>. UNVERIFIED: no mail was sent through SES.
//! Before going live, send one to your own mailbox, and press its unsubscribe button.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::values::prompt_ref::PromptRef;
use ports::{MailParts, Prompt};
use serde::Serialize;

use super::MailSender;

/// The names of the tags that every event about the mail brings back. A tag's value takes no dot.
pub(super) const REQUEST_TAG: &str = "assent-request";
/// The tag that names the prompt.
pub(super) const PROMPT_TAG: &str = "assent-prompt";

const UTF8: &str = "UTF-8";
/// The most bytes that an encoded word holds: 75 characters with its frame (RFC 2047, section 2).
const WORD_BYTES_MAX: usize = 45;

/// The body of the request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail<'a> {
    from_email_address: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reply_to_addresses: Vec<&'a str>,
    destination: Destination<'a>,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
    email_tags: [Pair; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Destination<'a> {
    to_addresses: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Content<'a> {
    simple: Simple<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Simple<'a> {
    subject: Text<'a>,
    body: Body<'a>,
    headers: Vec<Pair>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    text: Text<'a>,
    html: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Text<'a> {
    data: &'a str,
    charset: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    name: &'static str,
    value: String,
}

const fn text(data: &str) -> Text<'_> {
    Text { data, charset: UTF8 }
}

/// A mail, before it is put into the request.
pub(super) struct Outgoing<'a> {
    parts: &'a MailParts,
    reference: PromptRef,
    payee: &'a str,
    subject: &'a str,
    text: String,
    html: String,
}

impl<'a> Outgoing<'a> {
    /// Writes a prompt: who asks for what, and the link. It has no button that approves.
    pub(super) fn prompt(prompt: &'a Prompt, parts: &'a MailParts) -> Self {
        let html = format!("<p>{}</p>{}", lines(&prompt.body), button(prompt));
        Self::new(prompt, parts, &parts.subject).with(&sentences(prompt), &html)
    }

    /// Writes a message after the customer's answer. The subject is the payee alone.
    pub(super) fn in_thread(message: &'a Prompt, parts: &'a MailParts) -> Self {
        let has_link = message.text.contains(&message.link);
        let link = if has_link { button(message) } else { String::new() };
        let (title, body) = (lines(&message.title), lines(&message.body));
        let html = format!("<p><b>{title}</b></p><p>{body}</p>{link}");
        Self::new(message, parts, &message.payee).with(&message.text, &html)
    }

    fn new(prompt: &'a Prompt, parts: &'a MailParts, subject: &'a str) -> Self {
        let Prompt { reference, payee, .. } = prompt;
        let (text, html) = (String::new(), prompt.language.as_str().to_owned());
        Self { parts, reference: *reference, payee, subject, text, html }
    }

    /// Returns the mail with its content, and the link that unsubscribes below it.
    fn with(self, text: &str, html: &str) -> Self {
        let MailParts { unsubscribe, unsubscribe_label, .. } = self.parts;
        let (label, url) = (escaped(unsubscribe_label), escaped(unsubscribe));
        let language = escaped(&self.html);
        let text = format!("{text}\n\n{unsubscribe_label}: {unsubscribe}\n");
        let html = format!(
            "<!doctype html><html lang=\"{language}\"><body dir=\"auto\">{html}\
             <p><small><a href=\"{url}\">{label}</a></small></p></body></html>"
        );
        Self { text, html, ..self }
    }
}

/// Returns the sentences of a prompt and its link, without the link that unsubscribes.
pub(super) fn sentences(prompt: &Prompt) -> String {
    format!("{}\n\n{}", prompt.body, prompt.link)
}

/// Writes the mail as a request: a pure function of both.
///
/// The two headers let a mail program unsubscribe by one `POST` (RFC 8058, section 3.1).
pub(super) fn message<'a>(sender: &'a MailSender, mail: &'a Outgoing<'_>) -> SendEmail<'a> {
    let PromptRef { request, prompt } = mail.reference;
    let one_click = "List-Unsubscribe=One-Click".to_owned();
    SendEmail {
        from_email_address: format!("{} <{}>", display_name(mail.payee), sender.from.as_str()),
        reply_to_addresses: sender
            .reply_to
            .iter()
            .map(domain::values::email::Email::as_str)
            .collect(),
        destination: Destination { to_addresses: [mail.parts.to.as_str()] },
        content: Content {
            simple: Simple {
                subject: text(mail.subject),
                body: Body { text: text(&mail.text), html: text(&mail.html) },
                headers: vec![
                    Pair {
                        name: "List-Unsubscribe",
                        value: format!("<{}>", mail.parts.unsubscribe),
                    },
                    Pair { name: "List-Unsubscribe-Post", value: one_click },
                ],
            },
        },
        configuration_set_name: sender.configuration_set.as_deref(),
        email_tags: [
            Pair { name: REQUEST_TAG, value: request.to_string() },
            Pair { name: PROMPT_TAG, value: prompt.to_string() },
        ],
    }
}

/// Writes a display name as encoded words (RFC 2047), so that no character of it means anything there.
fn display_name(name: &str) -> String {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= WORD_BYTES_MAX => word.push(letter),
            Some(_) | None => words.push(letter.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join(" ")
}

/// Writes the link to the consent page.
fn button(prompt: &Prompt) -> String {
    format!("<p><a href=\"{}\">{}</a></p>", escaped(&prompt.link), escaped(&prompt.labels.open))
}

fn lines(text: &str) -> String {
    escaped(text).replace('\n', "<br>")
}

/// Escapes a text for HTML, in elements and in attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
