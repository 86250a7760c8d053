//! The call to SES, its answers, and the events of its topic.

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use pollster::block_on;
use ports::{
    AddressKind, Addressee, Callback, OpenChannelError, Prompt, Proof, ThreadMessage,
    UnverifiedCallback,
};
use serde_json::{Value, json};

use super::errors::{self, ERRORS};
use crate::doubles::{
    EMAIL, NOW, PHONE, Script, World, fixtures, meaning, prompt_to, recorded, reference,
};

fn settings() -> Value {
    fixtures("email/fixtures/settings").remove("aws").unwrap()
}

/// Sends with `send` over a channel whose answers are lost. Returns the call's body.
fn sent(prompt: &Prompt, in_thread: bool) -> Value {
    let world = World::new(Script::Lost);
    let channel = world.open("email", &settings()).unwrap();
    let sent = if in_thread {
        let message = prompt.clone();
        let message = ThreadMessage { message, answered: reference(), answered_id: None };
        block_on(channel.send_in_thread(&message))
    } else {
        block_on(channel.send(prompt))
    };
    assert_eq!(meaning(&sent), "unknown");
    let calls = world.calls();
    let [call] = calls.as_slice() else { panic!("one call") };
    assert_eq!(call.uri(), "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails");
    assert_eq!(call.method(), Method::POST);
    assert_eq!(call.headers()["content-type"], "application/json");
    assert_eq!(call.headers()["authorization"], "AWS4 ses/eu-west-1");
    serde_json::from_slice(call.body()).unwrap()
}

#[test]
fn mail_is_sent_by_the_documented_signed_call() {
    let mut body = sent(&prompt_to(PHONE), false);
    let simple = body["Content"]["Simple"].take();
    let expected = json!({
        "FromEmailAddress": "=?UTF-8?B?QWNtZSAmIFPDtmhuZQ==?= <pay@acme.example.com>",
        "ReplyToAddresses": ["help@acme.example.com"],
        "Destination": { "ToAddresses": [EMAIL] },
        "Content": { "Simple": null },
        "ConfigurationSetName": "assent-mail",
        "EmailTags": [
            { "Name": "assent-request", "Value": reference().request.to_string() },
            { "Name": "assent-prompt", "Value": reference().prompt.to_string() },
        ],
    });
    assert_eq!(body, expected);
    let unsubscribe = "https://pay.example.com/u/acme.test.tok_hidden";
    assert_eq!(
        simple["Headers"],
        json!([
            { "Name": "List-Unsubscribe", "Value": format!("<{unsubscribe}>") },
            { "Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click" },
        ])
    );
    let subject = json!({ "Data": "Acme & Söhne: please answer", "Charset": "UTF-8" });
    assert_eq!(simple["Subject"], subject);
    let text = simple["Body"]["Text"]["Data"].as_str().unwrap();
    let link = "https://pay.example.com/c/tok_hidden";
    let expected = format!(
        "Acme & Söhne asks for 42.50 EUR for Invoice 4711.\n\n{link}\n\nUnsubscribe: {unsubscribe}\n"
    );
    assert_eq!(text, expected);
    let html = simple["Body"]["Html"]["Data"].as_str().unwrap();
    assert!(html.contains("Acme &amp; Söhne asks for 42.50 EUR"), "{html}");
    assert_eq!(html.matches("<a href=").count(), 2, "the page and the way out: {html}");
    assert!(html.contains(&format!("<a href=\"{link}\">Open</a>")), "{html}");
    assert!(html.contains(&format!("<a href=\"{unsubscribe}\">Unsubscribe</a>")), "{html}");
}

/// The subject is on locked screens, and a header ends at a line break.
#[test]
fn mail_header_holds_no_amount_and_no_foreign_text() {
    let payee = "Ä".repeat(30) + "\", \r\nBcc: eve@example.com <b>";
    let prompt = Prompt { payee, ..prompt_to(PHONE) };
    for in_thread in [false, true] {
        let body = sent(&prompt, in_thread);
        let from = body["FromEmailAddress"].as_str().unwrap();
        let (words, address) = from.rsplit_once(' ').unwrap();
        assert_eq!(address, "<pay@acme.example.com>");
        for word in words.split(' ') {
            assert!(word.len() <= 75 && word.starts_with("=?UTF-8?B?") && word.ends_with("?="));
        }
        let subject = &body["Content"]["Simple"]["Subject"]["Data"];
        assert!(!subject.to_string().contains("42.50"), "{subject}");
    }
}

#[test]
fn mail_escapes_what_is_not_ours() {
    let body = "<script>alert('x')</script> & \"more\"".to_owned();
    let html = sent(&Prompt { body, ..prompt_to(PHONE) }, false);
    let html = html["Content"]["Simple"]["Body"]["Html"]["Data"].as_str().unwrap().to_owned();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;alert(&#39;x&#39;)"));
}

#[test]
fn message_in_the_thread_has_a_link_only_where_its_text_does() {
    let receipt = Prompt {
        title: "Paid: 42.50 EUR".to_owned(),
        body: "To: Acme\nCard: Visa".to_owned(),
        text: "Acme: Paid: 42.50 EUR.".to_owned(),
        ..prompt_to(PHONE)
    };
    let html = |prompt: &Prompt| {
        let body = sent(prompt, true);
        assert_eq!(body["Content"]["Simple"]["Subject"]["Data"], "Acme & Söhne");
        body["Content"]["Simple"]["Body"]["Html"]["Data"].as_str().unwrap().to_owned()
    };
    let told = html(&receipt);
    assert!(told.contains("<b>Paid: 42.50 EUR</b></p><p>To: Acme<br>Card: Visa</p>"), "{told}");
    assert!(!told.contains("/c/tok_hidden"), "{told}");
    let goes_on = Prompt { text: format!("Try again: {}", receipt.link), ..receipt };
    assert!(html(&goes_on).contains("/c/tok_hidden"));
}

#[test]
fn customer_without_an_address_gets_no_call() {
    let world = World::new(Script::Lost);
    let channel = world.open("email", &settings()).unwrap();
    assert_eq!(channel.address_kind(), AddressKind::Email);
    let prompt = Prompt { mail: None, ..prompt_to(PHONE) };
    assert_eq!(meaning(&block_on(channel.send(&prompt))), "unreachable no_address");
    assert!(world.calls().is_empty());
}

#[test]
fn machine_without_identity_cannot_send_mail() {
    let world = World { signs: false, ..World::new(Script::Lost) };
    assert!(matches!(world.open("email", &settings()), Err(OpenChannelError::Settings(_))));
    for (field, bad) in
        [("from", "Acme <pay@acme.example.com>"), ("configuration_set", "a b"), ("region", "a/b")]
    {
        let mut settings = settings();
        settings[field] = json!(bad);
        assert!(World::silent().open("email", &settings).is_err(), "{field}");
    }
}

#[test]
fn recorded_answer_of_ses_means_what_its_fixture_says() {
    let fixtures = fixtures("email/fixtures/answers");
    for (name, fixture) in &fixtures {
        let (status, body, means) = recorded(fixture);
        let mut answer = Response::builder().status(status);
        if let Some(kind) = fixture["type"].as_str() {
            answer = answer.header("x-amzn-ErrorType", kind);
        }
        let sent = errors::accepted(&answer.body(body).unwrap());
        assert_eq!(meaning(&sent), means, "{name}");
    }
    for (error, _) in ERRORS {
        assert!(fixtures.values().any(|fixture| fixture["type"] == *error), "{error}");
    }
}

fn from_topic(body: String) -> UnverifiedCallback {
    UnverifiedCallback {
        method: Method::POST,
        url: String::new(),
        headers: HeaderMap::new(),
        body: Bytes::from(body),
        now: NOW,
        proof: Proof::Topic { published_at: None },
    }
}

#[test]
fn recorded_event_of_ses_means_what_its_fixture_says() {
    let channel = World::silent().open("email", &settings()).unwrap();
    for (name, fixture) in fixtures("email/fixtures/events") {
        let message = fixture["message"].to_string();
        let message = message.replace("{request}", &reference().request.to_string());
        let message = message.replace("{prompt}", &reference().prompt.to_string());
        let callback = from_topic(message);
        let received = channel.receive(&callback).unwrap();
        let said: Vec<String> = received
            .callbacks
            .into_iter()
            .map(|callback| match callback {
                Callback::Delivered(about) if about == reference().into() => "delivered".to_owned(),
                Callback::Failed(about, reason) if about == reference().into() => {
                    format!("failed {reason}")
                }
                Callback::Unsubscribed { about, email, at } if about == reference().into() => {
                    assert_eq!((email.as_str(), at.is_some()), (EMAIL, true));
                    "unsubscribed".to_owned()
                }
                Callback::Delivered(_)
                | Callback::Read(_)
                | Callback::Failed(..)
                | Callback::FailedForNow(_)
                | Callback::Tapped { .. }
                | Callback::Paid { .. }
                | Callback::Stop(_)
                | Callback::Start(_)
                | Callback::Unsubscribed { .. }
                | Callback::Wrote { .. }
                | Callback::Active(_)
                | Callback::Recipient { .. } => panic!("{name}"),
            })
            .collect();
        assert_eq!(json!(said), fixture["means"], "{name}");
        let is_own = channel.addressee(&callback) == Addressee::Own;
        assert_eq!(is_own, name != "of-another-mail", "{name}");
    }
}
