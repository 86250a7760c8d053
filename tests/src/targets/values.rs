//! Texts that the program reads: values, keys, a brand's secret, stored items, messages on the queues.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

use domain::api_key::ApiKey;
use domain::authorization::{Authorization, Credential, CredentialKind, StoredAuthorization};
use domain::brand::{Brand, Mode};
use domain::consent::Consent;
use domain::journal::JournalEntry;

use domain::message::Message;
use domain::redirect_url::RedirectUrl;
use domain::released_claims::ReleasedClaims;
use domain::request::{Request, WebhookEventType};
use domain::saved_credential::SavedCredential;
use domain::seal;
use domain::seal::{Sealable, Sealed};
use domain::seal_binding::{Binding, CardBinding};
use domain::values::id::{ConsentId, PromptId, RequestId, WebhookEventId};
use domain::values::language::Language;
use domain::values::money::{Currency, Money};
use domain::values::name::{BrandName, ChannelName, ProcessorName};
use domain::values::phone::Phone;
use domain::values::prompt_ref::PromptRef;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use domain::view;
use domain::webhook::WebhookEvent;
use ports::{Channels, Processors, StoreError};
use records::limits::AddressLimits;
use records::storage::{LinkTarget, decode, encode};
use sandbox::phone::PhoneMessage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fuzz_fixture::{FuzzFixture, with_fixture};
use crate::doubles::START_TIME;

/// Asserts that a parsed value is written as a text that parses to the same, in JSON as well.
fn assert_parses_back<T>(text: &str, show: impl Fn(&T) -> String)
where
    T: FromStr + PartialEq + Serialize + DeserializeOwned,
{
    let Ok(value) = text.parse::<T>() else { return };
    let shown = show(&value);
    assert!(shown.parse::<T>().is_ok_and(|again| again == value), "{text:?} became {shown:?}");
    assert_json_back(&value);
}

fn assert_json_back<T: PartialEq + Serialize + DeserializeOwned>(value: &T) {
    let text = serde_json::to_string(value).expect("JSON");
    let again: T = serde_json::from_str(&text).expect("what was written");
    assert!(again == *value, "{text} is read as something else");
}

/// Every value there is, read from the same text.
pub fn values(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    assert_parses_back::<RequestId>(text, ToString::to_string);
    assert_parses_back::<PromptId>(text, ToString::to_string);
    assert_parses_back::<ConsentId>(text, ToString::to_string);
    assert_parses_back::<WebhookEventId>(text, ToString::to_string);
    assert_parses_back::<Phone>(text, |phone| phone.as_str().to_owned());
    assert_parses_back::<Language>(text, ToString::to_string);
    assert_parses_back::<Currency>(text, ToString::to_string);
    assert_parses_back::<Timestamp>(text, ToString::to_string);
    assert_parses_back::<BrandName>(text, ToString::to_string);
    assert_parses_back::<ChannelName>(text, ToString::to_string);
    assert_parses_back::<ProcessorName>(text, ToString::to_string);
    let reference = text.parse::<PromptRef>();
    assert!(reference.is_err() || reference.is_ok_and(|reference| reference.to_string() == text));
    if let Ok(phone) = text.parse::<Phone>() {
        let shown = [phone.masked(), format!("{phone:?}")].concat();
        assert!(!shown.contains(text.get(2..).unwrap_or_default()), "the mask tells the number");
    }
    if let Ok(shown) = DisplayText::<140>::new(text) {
        assert_json_back(&shown);
        let again = DisplayText::<140>::new(shown.as_str()).expect("what was shown");
        assert!(again == shown && !shown.as_str().chars().any(char::is_control));
    }
    if let Ok(money) = serde_json::from_str::<Money>(text) {
        assert_json_back(&money);
        assert!((1..=Money::AMOUNT_MAX).contains(&money.amount()));
        assert!(money.to_string().ends_with(money.currency().code()));
    }
}

/// An API key: a text that parses names a brand by a valid name, and proves only itself.
pub fn api_key(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some(key) = ApiKey::read(text) else { return };
    let mode = match key.mode {
        Mode::Test => "test",
        Mode::Live => "live",
    };
    let kinds = ["sk", "rk"].map(|kind| format!("{kind}_{mode}_{}_", key.brand));
    assert!(kinds.iter().any(|start| text.starts_with(start)));
    with_fixture(|fuzz_fixture| {
        let brand = fuzz_fixture.brand.now();
        let proves = key.find(&brand, Timestamp::from_millis(0)).is_some();
        assert_eq!(proves, text == super::fuzz_fixture::KEY);
    });
}

/// The strings of a JSON text that are long enough to be a secret.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 12 => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(map) => map.values().for_each(|value| strings(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A brand's secret: complaints quote nothing of it, `Debug` shows nothing of it, and its adapters open or complain.
pub fn brand_secret(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut quoted = Vec::new();
    let document = serde_json::from_str::<Value>(text).unwrap_or_default();
    let brand = match Brand::parse(text) {
        Ok(brand) => brand,
        Err(error) => {
            strings(&document, &mut quoted);
            let complaint = format!("{error} {error:?}");
            assert!(!quoted.iter().any(|secret| complaint.contains(secret)), "{complaint}");
            return;
        }
    };
    for place in ["/sealing/keys", "/address_key", "/link_key"] {
        strings(document.pointer(place).unwrap_or(&Value::Null), &mut quoted);
    }
    with_fixture(|fuzz_fixture| {
        for mode in [Mode::Test, Mode::Live] {
            let setup = brand.setup(mode);
            for channel in &setup.channels {
                let opened = fuzz_fixture.channels().open(&brand, mode, &channel.name).err();
                assert_quotes_nothing(
                    &document,
                    opened.as_ref().map(|error| format!("{error} {error:?}")),
                );
            }
            for processor in &setup.processors {
                let opened = fuzz_fixture.processors().open(&brand, mode, &processor.name).err();
                assert_quotes_nothing(
                    &document,
                    opened.as_ref().map(|error| format!("{error} {error:?}")),
                );
            }
        }
    });
    let shown = format!("{brand:?}");
    assert!(!quoted.iter().any(|secret| shown.contains(secret)), "{shown}");
}

/// No complaint about settings quotes one of them.
fn assert_quotes_nothing(document: &Value, complaint: Option<String>) {
    let Some(complaint) = complaint else { return };
    let mut quoted = Vec::new();
    for mode in ["test", "live"] {
        for list in ["channels", "processors"] {
            for adapter in document[mode][list].as_array().into_iter().flatten() {
                strings(&adapter["settings"], &mut quoted);
            }
        }
    }
    // The type in Google's key file is also the name of its setting, which a complaint may list.
    quoted.retain(|text| text != "service_account");
    assert!(!quoted.iter().any(|secret| complaint.contains(secret)), "{complaint}");
}

fn stored<T: PartialEq + Debug + Serialize + DeserializeOwned>(text: &str) -> Option<T> {
    match decode::<T>(text) {
        Ok(value) => {
            let again: T = decode(&encode(&value).expect("JSON")).expect("what was written");
            assert_eq!(again, value);
            Some(value)
        }
        Err(StoreError::Damaged(_)) => None,
        Err(error) => panic!("a text that cannot be read is damaged, not {error}"),
    }
}

/// Stored items, of the type the first byte names. What reads is written back the same, and makes no rule stop the
/// process.
pub fn stored_item(input: &[u8]) {
    let Some((first, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match first {
        b'r' => {
            if let Some(request) = stored::<Request>(text) {
                exercise(&request);
            }
        }
        b'e' => drop(stored::<JournalEntry>(text).map(|event| event.hash())),
        b'n' => {
            if let Some(webhook) = stored::<WebhookEvent>(text) {
                assert!(webhook.failed(255, START_TIME).failures >= webhook.failures);
            }
        }
        b'l' => drop(stored::<LinkTarget>(text)),
        b'c' => drop(stored::<Consent>(text)),
        b'o' => drop(stored::<AddressLimits>(text)),
        b'p' => drop(stored::<PhoneMessage>(text)),
        b't' => drop(stored::<Timestamp>(text)),
        b's' => {
            if let Some(sealed) = stored::<Sealed>(text) {
                with_fixture(|fuzz_fixture| opens_only_what_was_sealed(fuzz_fixture, &sealed));
            }
        }
        b'a' => drop(StoredAuthorization::from_plain(text).map(|found| found.to_plain())),
        _ => {}
    }
}

/// The fixture has sealed nothing, so a text that opens was forged.
fn opens_only_what_was_sealed(fuzz_fixture: &FuzzFixture, sealed: &Sealed) {
    let (brand, to) = (fuzz_fixture.brand.now(), binding(fuzz_fixture.shown.id));
    let authorization = seal::open::<StoredAuthorization>(&brand, &to, sealed);
    assert!(authorization.is_err(), "a forged authorization opens");
    assert!(seal::open::<SavedCredential>(&brand, &to, sealed).is_err(), "a forged card opens");
    assert!(seal::open::<RedirectUrl>(&brand, &to, sealed).is_err(), "a forged redirect opens");
    assert!(seal::open::<ReleasedClaims>(&brand, &to, sealed).is_err(), "forged claims open");
}

/// Runs every rule on a stored request: it decides or refuses.
fn exercise(request: &Request) {
    let now = START_TIME;
    let channel: ChannelName = "sandbox".parse().expect("a name");
    let prompt = PromptId::new(now, [1; 10]);
    let changes = [
        request.cancel(now).ok(),
        Some(request.expire(now)),
        request.extend(Duration::from_secs(60), now).ok(),
        request.extend_for_customer(now).ok(),
        request.resend(None, now).ok(),
        request.resend(Some(&channel), now).ok(),
        Some(request.begin_prompt(prompt, &channel, true, now)),
        request.deny(domain::outcome::DenialReason::Customer, None, now).ok(),
    ];
    for change in changes.into_iter().flatten() {
        assert!(
            !request.is_closed() || change.is_nothing() || change.request.state == request.state
        );
        drop(view::request(&change.request, 1));
        drop(view::webhook_payload(&change.request, 1, WebhookEventType::Prompted, now));
    }
    drop(request.next_prompt(now));
    let (check, code) = (request.next_check(now), request.check_code(Some("47")));
    assert!(check.is_none_or(|wait| wait <= Duration::from_secs(900)), "{code:?}");
}

/// Messages on the queues: what reads is written back the same, and goes to one queue.
pub fn message(input: &[u8]) {
    let Ok(message) = serde_json::from_slice::<Message>(input) else { return };
    assert_json_back(&message);
    let Some((step, request)) = message.parts() else { return };
    assert_eq!(Message::new(step, request), message);
    assert_eq!(Message::new(step, request).queue(), message.queue());
}

/// The samples of stored items: those on the fixture, as they are stored.
#[must_use]
pub fn stored_samples() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let mut samples: Vec<Vec<u8>> = Vec::new();
        for item in fuzz_fixture.store().items() {
            let kind = match item.key.sk.get(..3) {
                Some("REQ") if item.key.pk.starts_with("REQ#") => 'r',
                Some("EVT") => 'e',
                Some("WEBHOOK") => 'n',
                Some("LIN") => 'l',
                Some("LIM") => 'o',
                Some("MSG") => 'p',
                Some(_) | None => continue,
            };
            let text = if kind == 'p' {
                format!(r#"{{"version":"1","is":{}}}"#, item.body)
            } else {
                item.body
            };
            samples.push(format!("{kind}{text}").into_bytes());
        }
        samples.push(sealed_sample(fuzz_fixture));
        samples.push(br#"a{"kind":"payment_method","secret":"pm_card_visa"}"#.to_vec());
        samples.push(br#"t{"version":"1","is":"2026-12-01T00:00:00.000Z"}"#.to_vec());
        samples
    })
}

/// Returns what a card of that request is bound to.
fn binding(request: RequestId) -> Binding {
    let (brand, processor) = ("demo".parse().expect("a name"), "sandbox".parse().expect("a name"));
    let (brand, processor) = (&brand, &processor);
    Binding::card(CardBinding { brand, mode: Mode::Test, request, processor, address: "a" })
}

/// Sealed for another request, as if it had been moved.
fn sealed_sample(fuzz_fixture: &FuzzFixture) -> Vec<u8> {
    let kind = CredentialKind::PaymentMethod;
    let card = Authorization::from(Credential::new(kind, "pm_card_visa"));
    let (brand, to) = (fuzz_fixture.brand.now(), binding(fuzz_fixture.texted.id));
    let random = crate::doubles::SeededRandom::new(2);
    let card = StoredAuthorization::from(card);
    let sealed = seal::seal(&brand, &to, &card, &random).expect("sealed");
    format!("s{}", json!({ "version": "1", "is": sealed })).into_bytes()
}
