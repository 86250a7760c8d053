//! The customer of a world: a sandbox phone, and a person who reads and taps.

use http::Method;
use records::storage;
use serde_json::{Value, json};

use super::Core;
use super::calls::Answer;

/// A customer with a phone.
pub struct Customer<'a> {
    pub(super) core: &'a Core,
    pub(super) phone: String,
}

/// A prompt on the phone.
#[derive(Clone, Debug)]
pub struct Message {
    /// What the sandbox phone shows of it.
    pub shown: Value,
    /// The consent page's path.
    pub page: String,
}

impl Message {
    /// Returns a text of the message, or an empty one where it is missing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.shown[name].as_str().unwrap_or_default()
    }
}

impl Customer<'_> {
    /// The prompts on the phone, newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.all_messages()
            .into_iter()
            .filter(|message| message.shown["answers"].is_null())
            .collect()
    }

    /// The messages on the phone in the thread of a prompt, newest first.
    #[must_use]
    pub fn thread_messages(&self) -> Vec<Message> {
        self.all_messages()
            .into_iter()
            .filter(|message| !message.shown["answers"].is_null())
            .collect()
    }

    /// The prompts and the messages in their threads, newest first.
    #[must_use]
    pub fn all_messages(&self) -> Vec<Message> {
        let answer = self.core.get(&format!("/sandbox/phones/{}/messages", self.phone)).ok(200);
        let messages = answer.json()["messages"].as_array().cloned().unwrap_or_default();
        let message = |shown: Value| {
            let link = shown["link"].as_str().unwrap_or_default().to_owned();
            Message { page: link.replacen(super::PUBLIC_BASE, "", 1), shown }
        };
        messages.into_iter().map(message).collect()
    }

    /// The newest message.
    #[must_use]
    pub fn newest(&self) -> Message {
        self.messages().into_iter().next().expect("there is a message on the phone")
    }

    /// Taps in a message, with any body. Its messages are not handled yet.
    pub fn taps(&self, message: &Message, body: &Value) -> Answer {
        let path = format!("/sandbox/phones/{}/messages/{}/tap", self.phone, message.text("id"));
        self.core.call(Method::POST, &path).idempotency(None).json(body).send()
    }

    /// The session code that the agent reads out for a message's request.
    #[must_use]
    pub fn session_code_of(&self, message: &Message) -> String {
        let id = message.text("request").parse().expect("a message is of a request");
        let loaded = self.core.run(storage::load(self.core.table.as_ref(), id));
        let loaded = loaded.expect("the table is there").expect("the request is there");
        loaded.request.session_code.map(|code| code.code).unwrap_or_default()
    }

    /// Taps yes in the newest message, with the code the agent reads out. Its messages are not handled yet.
    #[must_use]
    pub fn taps_approve(&self) -> Answer {
        let message = self.newest();
        let code = self.session_code_of(&message);
        self.taps(&message, &json!({ "action": "approve", "session_code": code }))
    }

    /// Says yes to the newest message, with the code the agent reads out.
    pub fn approves(&self) -> Answer {
        let message = self.newest();
        let code = self.session_code_of(&message);
        self.acts(&message, &json!({ "action": "approve", "session_code": code }))
    }

    /// Approves on the page of the newest message, and goes on to the processor's page. Returns the path of our page.
    pub fn approves_hosted(&self) -> String {
        let message = self.newest();
        let code = self.session_code_of(&message);
        let fields = [("action", "approve_hosted"), ("session_code", code.as_str())];
        self.answers_on(&message.page, &fields).ok(303);
        message.page
    }

    /// Says yes to the newest message with that test card.
    pub fn approves_with(&self, card: &str) -> Answer {
        let message = self.newest();
        let code = self.session_code_of(&message);
        self.acts(&message, &json!({ "action": "approve", "session_code": code, "card": card }))
    }

    /// Says no to the newest message.
    pub fn denies(&self) -> Answer {
        self.acts(&self.newest(), &json!({ "action": "deny" }))
    }

    /// Reports the newest message as not asked for.
    pub fn reports_not_me(&self) -> Answer {
        self.acts(&self.newest(), &json!({ "action": "not_me" }))
    }

    /// Says yes to the newest message with a code that is not the one read out.
    pub fn approves_with_a_wrong_code(&self) -> Answer {
        let message = self.newest();
        let right = self.session_code_of(&message);
        let choices = message.shown["codes"].as_array().cloned().unwrap_or_default();
        let wrong = choices.into_iter().find(|choice| *choice != json!(right));
        self.acts(&message, &json!({ "action": "approve", "session_code": wrong }))
    }

    fn acts(&self, message: &Message, body: &Value) -> Answer {
        let answer = self.taps(message, body);
        self.core.run_until_idle();
        answer
    }

    /// Opens a consent page, as a browser does.
    pub fn opens(&self, page: &str) -> Answer {
        self.core.call(Method::GET, page).key(None).header("user-agent", BROWSER).send()
    }

    /// Opens a consent page, fills its form in and posts it.
    pub fn answers_on(&self, page: &str, fields: &[(&str, &str)]) -> Answer {
        let nonce = self.nonce(page);
        let mut form = vec![("nonce", nonce.as_str())];
        form.extend_from_slice(fields);
        let answer = self.posts(page, &form);
        self.core.run_until_idle();
        answer
    }

    /// The nonce in a page's form.
    #[must_use]
    pub fn nonce(&self, page: &str) -> String {
        let html = self.opens(page).text();
        let (_, rest) = html.split_once("name=\"nonce\"").expect("the page has a form");
        let (_, rest) = rest.split_once("value=\"").expect("the nonce has a value");
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// Posts a form to a page.
    pub fn posts(&self, page: &str, form: &[(&str, &str)]) -> Answer {
        let call = self.core.call(Method::POST, page).key(None).idempotency(None);
        call.header("user-agent", BROWSER).form(form).send()
    }
}

/// The user agent of the customer's browser.
pub const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
