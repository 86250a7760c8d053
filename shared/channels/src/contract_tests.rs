//! The contract tests of the channel port, for every kind with each of its sample settings.
//!
//! Secrets in the samples begin with `secret-`, so that a leaked one is found.

use std::error::Error;
use std::fmt::Write;

use bytes::Bytes;
use domain::brand::Mode;
use domain::contact::Contact;
use domain::settings::WITHHELD;
use domain::values::phone::Phone;
use http::{HeaderMap, Method, Request};
use pollster::block_on;
use ports::{
    CallbackError, Channels, OpenChannelError, Proof, Reach, Retraction, SendError,
    UnverifiedCallback,
};
use serde_json::{Value, json};

use crate::doubles::{
    NOW, PHONE, Script, World, brand, fixtures, meaning, name, prompt_to, recorded, reference,
};
use crate::under_test::{kinds, settings_folder};

/// The kinds whose provider confirms a send by the status alone.
const TAKEN_BY_STATUS: [&str; 1] = ["apple"];
/// The kinds without a provider. Their prompts are accepted without a call.
pub(crate) const WITHOUT_PROVIDER: [&str; 1] = ["link"];

pub(crate) fn samples() -> Vec<(&'static str, Value)> {
    let of = |name| fixtures(&settings_folder(name)).into_values().map(move |value| (name, value));
    kinds().flat_map(of).collect()
}

/// Puts the mark of a setting that this function may not read in place of each secret.
fn withhold(settings: &mut Value) {
    let Some(settings) = settings.as_object_mut() else { return };
    for (name, value) in settings {
        let secrets = [
            "access_token",
            "api_secret",
            "app_secret",
            "auth_token",
            "certificate",
            "client_token",
            "key",
            "private_key",
            "secret",
            "verify_token",
        ];
        if secrets.contains(&name.as_str()) {
            *value = WITHHELD.into();
        } else {
            withhold(value);
        }
    }
}

/// Intake opens channels for what they say of a customer, and may read none of their secrets.
#[test]
fn channel_without_its_secrets_opens_and_makes_no_call() {
    for (kind, mut settings) in samples() {
        withhold(&mut settings);
        let world = World::silent();
        let channel = world.open(kind, &settings).unwrap();
        let phone = PHONE.parse().unwrap();
        block_on(channel.capability(&phone, &Contact::default(), NOW));
        assert!(world.calls().is_empty(), "{kind}");
    }
}

fn bytes(calls: &[Request<Bytes>]) -> Vec<String> {
    calls
        .iter()
        .map(|call| {
            format!("{} {} {:?} {:?}", call.method(), call.uri(), revealed(call), call.body())
        })
        .collect()
}

fn revealed(call: &Request<Bytes>) -> Vec<(&str, &[u8])> {
    call.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// The display and debug forms of an error and of its sources.
fn shown(error: &dyn Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, " {error} {error:?}").unwrap();
        source = error.source();
    }
    text
}

fn assert_discreet(text: &str) {
    // A secret that has to be base64 begins with the base64 of the word.
    for private in
        ["secret-", "c2VjcmV0L", "PRIVATE KEY", "5551230001", "stay-private", "tok_hidden", "4711"]
    {
        assert!(!text.contains(private), "{private} is in {text}");
    }
}

#[test]
fn sample_settings_of_every_kind_open() {
    for kind in kinds() {
        assert!(samples().iter().any(|(name, _)| *name == kind), "{kind}");
    }
    for (kind, settings) in samples() {
        assert!(World::silent().open(kind, &settings).is_ok(), "{kind} {settings}");
    }
}

/// The settings of a stand-in have `http` addresses, which live mode refuses.
#[test]
fn live_channel_calls_public_https_addresses_only() {
    let mut opened = 0;
    for (kind, settings) in samples() {
        let world = World::new(Script::Lost);
        let live = world.registry().open(&brand(kind, &settings), Mode::Live, &name());
        if settings.to_string().contains("http://") {
            assert!(matches!(live, Err(OpenChannelError::Settings(_))), "{kind} {settings}");
            continue;
        }
        // A kind of the sandbox has no live mode.
        let Ok(live) = live else { continue };
        let to: Phone = PHONE.parse().unwrap();
        block_on(live.capability(&to, &Contact::default(), NOW));
        drop(block_on(live.send(&prompt_to(PHONE))));
        let reaches = world.network.reaches.lock().unwrap();
        assert!(!reaches.contains(&Reach::Configured), "{kind} {settings}");
        opened += usize::from(!reaches.is_empty());
    }
    assert!(opened >= 1 || !kinds().any(|kind| kind == "sms"), "{opened}");
}

#[test]
fn repeated_send_makes_the_same_calls() {
    for (kind, settings) in samples() {
        let send = || {
            let world = World::new(Script::Lost);
            let sent = block_on(world.open(kind, &settings).unwrap().send(&prompt_to(PHONE)));
            (bytes(&world.calls()), meaning(&sent))
        };
        assert_eq!(send(), send(), "{kind} {settings}");
    }
}

#[test]
fn lost_answer_is_in_doubt() {
    for (kind, settings) in samples() {
        let sent = block_on(World::silent().open(kind, &settings).unwrap().send(&prompt_to(PHONE)));
        let means = if WITHOUT_PROVIDER.contains(&kind) { "accepted -" } else { "unknown" };
        assert_eq!(meaning(&sent), means, "{kind} {settings}");
    }
}

#[test]
fn call_that_was_never_sent_may_be_repeated() {
    for (kind, settings) in samples() {
        for (script, means) in [(Script::NotSent, "again"), (Script::Forbidden, "person base_url")]
        {
            let world = World::new(script);
            let sent = block_on(world.open(kind, &settings).unwrap().send(&prompt_to(PHONE)));
            assert!(world.calls().is_empty() || meaning(&sent) == means, "{kind} {settings}");
        }
    }
}

/// No answer panics either.
#[test]
fn malformed_answer_is_no_success_and_leaks_no_secret() {
    let mut bodies: Vec<Bytes> = [
        "",
        "{",
        "null",
        "[]",
        "0",
        "\"sid\"",
        "{\"code\":-1}",
        "{\"code\":1e99}",
        "{\"sid\":null}",
    ]
    .map(|text| Bytes::from_static(text.as_bytes()))
    .into();
    bodies.push("[".repeat(100_000).into());
    bodies.push(
        format!(
            "{{\"sid\":\"SM{}\",\"status\":\"queued\",\"MessageId\":\"{PHONE}\"}}",
            "a".repeat(1 << 20)
        )
        .into(),
    );
    bodies.push(Bytes::from_static(b"\xff\xfe\x00{\"code\":21610}"));
    let statuses: Vec<u16> =
        (100..600).step_by(50).chain([201, 204, 301, 401, 404, 429, 503, 999]).collect();
    let malformed = bodies.into_iter().map(|body| (body, statuses.as_slice()));
    // A recorded answer that was cut has a status of its own, so that a few stand for all.
    let cut = cut_answers().into_iter().map(|body| (body, &[200, 404, 503][..]));
    let answers: Vec<(Bytes, &[u16])> = malformed.chain(cut).collect();
    for (kind, settings) in samples() {
        for (body, statuses) in &answers {
            for status in *statuses {
                assert_no_success(kind, &settings, *status, body);
            }
        }
    }
}

/// Returns the first half of each recorded answer.
fn cut_answers() -> Vec<Bytes> {
    let folders = [
        "rcs/fixtures/google",
        "sms/fixtures/twilio",
        "aws/fixtures/answers",
        "email/fixtures/answers",
        "whatsapp/fixtures/answers",
    ];
    let halves = |folder| {
        let bodies = fixtures(folder).into_values().map(|fixture| recorded(&fixture).1);
        bodies.map(|body| body.slice(..body.len() / 2)).collect::<Vec<_>>()
    };
    folders.into_iter().flat_map(halves).collect()
}

fn assert_no_success(kind: &str, settings: &Value, status: u16, body: &Bytes) {
    let world = World::new(Script::Answer(status, body.clone()));
    match block_on(world.open(kind, settings).unwrap().send(&prompt_to(PHONE))) {
        Ok(accepted) => {
            let by_status = status == 200 && TAKEN_BY_STATUS.contains(&kind);
            assert!(by_status || world.calls().is_empty(), "{kind} {status} {accepted:?}");
        }
        Err(error) => {
            assert!(!matches!(error, SendError::Again(_)) || (400..500).contains(&status));
            assert_discreet(&shown(&error));
        }
    }
}

#[test]
fn unproven_callback_is_refused() {
    let prompt = format!("{:?}", prompt_to(PHONE));
    assert_discreet(&prompt);
    let bodies = [
        "",
        "MessageStatus=delivered",
        "{}",
        "{\"clientToken\":\"\",\"secret\":\"x\"}",
        "{\"message\":{\"data\":\"e30=\"}}",
        "From=%2B15551230001&Body=STOP",
        "%",
        "&&&=",
        "\u{0}",
    ];
    let mut signed = HeaderMap::new();
    signed.insert("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().unwrap());
    signed.insert("x-goog-signature", "AAAA".parse().unwrap());
    signed.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    for (kind, settings) in samples() {
        let channel = World::silent().open(kind, &settings).unwrap();
        for body in bodies {
            for headers in [HeaderMap::new(), signed.clone()] {
                for url in [
                    "",
                    "x",
                    "https://",
                    "https://a?ref=1#",
                    "https://hooks.example.com/callbacks/acme/sms?ref=x",
                ] {
                    let (url, body) = (url.to_owned(), Bytes::from(body.to_owned()));
                    let (method, headers) = (Method::POST, headers.clone());
                    let error = channel
                        .receive(&UnverifiedCallback {
                            method,
                            url,
                            headers,
                            body,
                            now: NOW,
                            proof: Proof::None,
                        })
                        .unwrap_err();
                    assert!(
                        matches!(error, CallbackError::Forged | CallbackError::None),
                        "{kind} {error}"
                    );
                }
            }
        }
    }
}

/// No message of the topic panics.
#[test]
fn topic_is_trusted_by_aws_channels_only() {
    let deep = "[".repeat(100_000);
    let events = ["email/fixtures/events", "rcs/fixtures/aws-events", "sms/fixtures/aws-events"];
    let events = events.iter().flat_map(|folder| fixtures(folder).into_values());
    let mut bodies: Vec<String> = events.map(|event| event["message"].to_string()).collect();
    bodies.extend(bodies.clone().iter().map(|body| body.chars().take(body.len() / 2).collect()));
    bodies.extend(["", "{}", "null", "MessageStatus=delivered", "\u{0}", &deep].map(str::to_owned));
    for (kind, settings) in samples() {
        let channel = World::silent().open(kind, &settings).unwrap();
        for body in &bodies {
            let received = channel.receive(&UnverifiedCallback {
                method: Method::POST,
                url: "https://hooks.example.com/callbacks/acme/a-channel".to_owned(),
                headers: HeaderMap::new(),
                body: Bytes::from(body.clone()),
                now: NOW,
                proof: Proof::Topic { published_at: None },
            });
            let believed = !matches!(received, Err(CallbackError::Forged | CallbackError::None));
            assert_eq!(believed, settings["provider"] == "aws", "{kind} {settings}");
            assert_discreet(&format!("{received:?}"));
        }
    }
}

#[test]
fn retract_of_an_unsent_prompt_is_no_error() {
    let never =
        Retraction { reference: reference(), to: PHONE.parse().unwrap(), provider_id: None };
    for (kind, settings) in samples() {
        for world in [World::silent(), World::new(Script::Lost)] {
            assert!(!block_on(world.open(kind, &settings).unwrap().retract(&never)), "{kind}");
        }
    }
}

#[test]
fn unknown_setting_is_refused_without_quoting_it() {
    for (kind, mut settings) in samples() {
        settings["secret-field"] = json!("secret-value");
        let Err(error) = World::silent().open(kind, &settings) else { panic!("{kind}") };
        assert!(matches!(error, OpenChannelError::Settings(_)));
        assert_discreet(&shown(&error));
    }
}

#[test]
fn unknown_name_and_unknown_kind_differ() {
    let world = World::silent();
    let brand = brand("pigeon", &json!({}));
    let open = |name: &str| world.registry().open(&brand, Mode::Test, &name.parse().unwrap());
    assert!(matches!(open("sms"), Err(OpenChannelError::Absent)));
    assert!(matches!(open("a-channel"), Err(OpenChannelError::Settings(_))));
}
