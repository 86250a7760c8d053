//! Answers to our calls: the processor, the SMS providers, the requesters' webhook endpoints.

use bytes::Bytes;
use domain::brand::Mode;
use domain::contact::Contact;
use domain::message::{Message, MessageResult, Step};
use domain::values::prompt_ref::PromptRef;
use http::{HeaderValue, Response, StatusCode};
use ports::{Channels, Labels, Prompt};
use records::storage;

use super::fuzz_fixture::{BASE, FuzzFixture, with_fixture};
use crate::doubles::START_TIME;

/// The first line of an input: a word, a status, and a header's value.
pub(super) struct ScriptedInput<'a> {
    pub(super) word: &'a str,
    pub(super) status: StatusCode,
    pub(super) header: Option<HeaderValue>,
    pub(super) body: &'a [u8],
}

pub(super) fn scripted_input(input: &[u8]) -> Option<ScriptedInput<'_>> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = input.split_at(end);
    let mut words = std::str::from_utf8(line).ok()?.splitn(3, ' ');
    let (word, status) = (words.next()?, words.next()?.parse::<u16>().ok()?);
    let header = words.next().and_then(|text| HeaderValue::from_str(text).ok());
    // A client hands no answer over whose status is not final.
    let status = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() >= 200)?;
    Some(ScriptedInput { word, status, header, body: body.get(1..).unwrap_or_default() })
}

pub(super) fn script(
    fuzz_fixture: &FuzzFixture,
    scripted: &ScriptedInput<'_>,
    header: &'static str,
) {
    let mut answer = Response::new(Bytes::copy_from_slice(scripted.body));
    *answer.status_mut() = scripted.status;
    if let Some(value) = &scripted.header {
        answer.headers_mut().insert(header, value.clone());
    }
    fuzz_fixture.http.answers(answer);
}

/// The messaging providers' answers: a prompt counts as taken only on a success.
pub fn texts(input: &[u8]) {
    let Some(scripted) = scripted_input(input) else { return };
    with_fixture(|fuzz_fixture| {
        script(fuzz_fixture, &scripted, "retry-after");
        let name = match scripted.word {
            "twilio" => "sms",
            word @ ("apple" | "aws" | "whatsapp") => word,
            _ => return,
        };
        let brand = fuzz_fixture.brand.now();
        let name = name.parse().expect("a name");
        let channel = fuzz_fixture.channels().open(&brand, Mode::Test, &name).expect("a channel");
        let sent = fuzz_fixture.run(channel.send(&prompt(fuzz_fixture)));
        assert!(sent.is_err() || scripted.status.is_success(), "{sent:?}");
        let id = sent.ok().and_then(|accepted| accepted.provider_id);
        assert!(
            id.is_none_or(|id| id.len() <= 255 && id.bytes().all(|byte| byte.is_ascii_graphic()))
        );
    });
}

pub(super) fn prompt(fuzz_fixture: &FuzzFixture) -> Prompt {
    let said = |text: &str| text.to_owned();
    Prompt {
        reference: PromptRef { request: fuzz_fixture.shown.id, prompt: fuzz_fixture.shown.prompt },
        to: "+15551230001".parse().expect("a phone"),
        mail: None,
        language: "en".parse().expect("a language"),
        payee: said("Acme Ltd"),
        title: said("Pay?"),
        body: said("Acme asks."),
        text: said("Acme asks."),
        labels: Labels {
            approve: said("Yes"),
            deny: said("No"),
            not_me: said("Not me"),
            open: said("Open"),
        },
        buttons: Vec::new(),
        contact: Contact { handle: Some(super::apple::HANDLE.to_owned()), ..Contact::default() },
        money: None,
        card: None,
        link: said(BASE),
        callback: said(BASE),
        expires_at: START_TIME.after(std::time::Duration::from_secs(300)),
        now: START_TIME,
    }
}

/// A notice endpoint's answers: delivered only on a success, and tried again within the schedule and a day.
pub fn webhook_endpoint(input: &[u8]) {
    let Some(scripted) = scripted_input(input) else { return };
    with_fixture(|fuzz_fixture| {
        script(fuzz_fixture, &scripted, "retry-after");
        let id = fuzz_fixture.shown.id;
        let handled =
            fuzz_fixture.run(fuzz_fixture.machine.handle(&Message::new(Step::webhook(1), id)));
        assert_eq!(handled, MessageResult::Done);
        let (webhook, _) = fuzz_fixture
            .run(storage::webhook(fuzz_fixture.store(), id, 1))
            .expect("the store")
            .expect("a webhook");
        assert_eq!(webhook.delivered_at.is_some(), scripted.status.is_success());
        assert_eq!(webhook.given_up, scripted.status == StatusCode::GONE);
        let day = std::time::Duration::from_secs(86_400);
        assert!(webhook.due_at <= START_TIME.after(day), "{webhook:?}");
    });
}
