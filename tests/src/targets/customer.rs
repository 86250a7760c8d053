//! Calls of customers, providers and holders of a link: the consent page, callbacks, the sandbox phone.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::values::language::Language;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::collections::BTreeSet;
use texts::inbound::Listener;

use super::assertions::assert_sound;
use super::fuzz_fixture::{AUTH_TOKEN, BASE, FuzzFixture, Open, call, with_fixture};

const FORM: &str = "application/x-www-form-urlencoded";

/// The value a form has for a name: the first counts.
fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(known, _)| known == name).map(|(_, value)| value.into())
}

/// Asserts that an approval stands only where `said` holds, and that no other request was charged for.
pub(super) fn assert_consent(fuzz_fixture: &FuzzFixture, open: &Open, said: bool) {
    let request = fuzz_fixture.request(open.id);
    match request.state_name() {
        "prompted" | "denied" => {}
        "authorized" => assert!(said, "an approval that the customer did not give"),
        other => panic!("an answer made the request {other}"),
    }
}

/// The form of the consent page: without the page's own nonce nothing changes, and a yes takes the session code.
pub fn page_form(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let open = &fuzz_fixture.shown;
        let posted = http::Request::post(format!("/c/{}", open.token))
            .header("content-type", FORM)
            .body(Body::from(input.to_vec()));
        let before = fuzz_fixture.counts();
        let answered = fuzz_fixture.ask(&fuzz_fixture.consent, posted.expect("a call"));
        assert_sound(&answered, input);
        let drawn_here = field(input, "nonce").is_some_and(|nonce| nonce == open.nonce);
        assert!(drawn_here || !fuzz_fixture.changed_since(&before), "changed without the nonce");
        assert!(drawn_here || answered.status == 400, "{answered:?}");
        let coded = field(input, "session_code").is_some_and(|code| code == open.code);
        let approves = field(input, "action").is_some_and(|action| action.starts_with("approve"));
        assert_consent(fuzz_fixture, open, drawn_here && approves && coded);
    });
}

/// A whole call at the consent page's address: a `GET` never answers, and an unknown link shows nothing.
pub fn page_call(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Some(call) = call(input).filter(|call| call.uri().path().starts_with("/c/")) else {
            return;
        };
        let own =
            [&fuzz_fixture.shown, &fuzz_fixture.texted].map(|open| format!("/c/{}", open.token));
        let known = own.iter().any(|path| path == call.uri().path());
        let (posts, before) = (call.method() == http::Method::POST, fuzz_fixture.counts());
        let escaped = call.uri().path().contains('%');
        let answered = fuzz_fixture.ask(&fuzz_fixture.consent, call);
        assert_sound(&answered, input);
        assert!(known || escaped || answered.status >= 400, "{answered:?}");
        assert!(
            known || escaped || !fuzz_fixture.changed_since(&before),
            "an unknown link changed something"
        );
        for open in [&fuzz_fixture.shown, &fuzz_fixture.texted] {
            assert_consent(fuzz_fixture, open, posts);
        }
    });
}

/// A provider's callback that is not signed with our token: refused, and nothing changes.
pub fn callback_unsigned(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Some(call) = call(input) else { return };
        if !call.uri().path().starts_with("/callbacks/") {
            return;
        }
        let before = fuzz_fixture.counts();
        let answered = fuzz_fixture.ask(&fuzz_fixture.consent, call);
        assert_sound(&answered, input);
        assert!(answered.status >= 400, "taken without a signature: {answered:?}");
        assert!(!fuzz_fixture.changed_since(&before), "changed without a signature");
    });
}

/// Twilio's signature, told independently of the code that verifies it.
#[must_use]
pub fn twilio_signature(url: &str, form: &[u8]) -> String {
    let sorted: BTreeSet<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).expect("any key will do");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A signed callback of any content, with the query in its first line and the form behind it. A signature is no consent,
/// and what makes no sense is refused without a fault.
pub fn callback_signed(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (query, form) = input.split_at(end);
        let (Ok(query), form) = (std::str::from_utf8(query), form.get(1..).unwrap_or_default())
        else {
            return;
        };
        let path = format!("/callbacks/acme/sms?{query}");
        let url = format!("{BASE}{path}");
        let posted = http::Request::post(&path)
            .header("content-type", FORM)
            .header("x-twilio-signature", twilio_signature(&url, form))
            .body(Body::from(form.to_vec()));
        let Ok(posted) = posted else { return };
        let answered = fuzz_fixture.ask(&fuzz_fixture.consent, posted);
        assert_sound(&answered, input);
        for open in [&fuzz_fixture.shown, &fuzz_fixture.texted] {
            assert_consent(fuzz_fixture, open, false);
        }
    });
}

/// A whole call at the sandbox phone: a yes takes the session code.
pub fn sandbox_call(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Some(call) = call(input) else { return };
        if !call.uri().path().starts_with("/sandbox/") {
            return;
        }
        let (gets, before) = (call.method() == http::Method::GET, fuzz_fixture.counts());
        let answered = fuzz_fixture.ask(&fuzz_fixture.consent, call);
        assert_sound(&answered, input);
        let changed = fuzz_fixture.changed_since(&before);
        assert!(!gets || !changed, "looking at the phone changed something");
        assert!(
            !changed || answered.status == 200,
            "a refused tap changed something: {answered:?}"
        );
        let says = |code: &str| input.windows(code.len()).any(|window| window == code.as_bytes());
        assert_consent(fuzz_fixture, &fuzz_fixture.shown, says(&fuzz_fixture.shown.code));
        assert_consent(fuzz_fixture, &fuzz_fixture.texted, false);
    });
}

/// A whole call at the local machine: its own pages and its webhooks' inbox among all addresses.
pub fn site_call(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Some(call) = call(input) else { return };
        let path = call.uri().path().to_owned();
        let before = fuzz_fixture.counts();
        let answered = fuzz_fixture.ask(&fuzz_fixture.site, call);
        assert!(answered.status < 500, "{answered:?}");
        let own = ["/local", "/phone", "/assets"];
        if own.iter().any(|prefix| path.starts_with(prefix)) {
            assert!(!fuzz_fixture.changed_since(&before), "a page changed something");
        }
    });
}

/// A customer's text, in any language: reading it ends, gives the same again, and takes little time.
pub fn inbound_text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let languages: Vec<Language> =
        ["de", "es", "ja"].iter().filter_map(|tag| tag.parse().ok()).collect();
    let listener = Listener::new(&languages, "Acme Ltd");
    let meaning = listener.meaning(&text);
    assert_eq!(listener.meaning(&text), meaning, "{text:?}");
    // A text that a customer only quotes says nothing.
    if !text.contains(['“', '”', '"', '„', '«', '»', '「', '」', '『', '』', '‹', '›'])
    {
        assert_eq!(listener.meaning(&format!("Liked “{text}”")), None, "{text:?}");
    }
}
