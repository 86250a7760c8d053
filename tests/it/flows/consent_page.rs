//! The consent page: a GET consents to nothing, and only the page's own form answers.

use std::io::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use tests::world::{Answer, CreatedRequest, PHONE, World};

/// A world with one prompted request, and the path of its page.
fn asked() -> (World, CreatedRequest, String) {
    let world = World::new();
    let asked = world.asks(4250);
    let page = world.customer().newest().page;
    (world, asked, page)
}

fn code(asked: &CreatedRequest) -> String {
    asked.answer["session_code"].as_str().unwrap().to_owned()
}

/// Returns the size of a page as a proxy sends it.
fn compressed(html: &str) -> usize {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(html.as_bytes()).unwrap();
    gzip.finish().unwrap().len()
}

fn assert_strict_headers(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    // One script, which the policy names by its digest.
    let html = answer.text();
    let script = html.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next());
    let digest = STANDARD.encode(Sha256::digest(script.unwrap().as_bytes()));
    assert!(policy.contains(&format!("script-src 'sha256-{digest}'; connect-src 'self'; ")));
    assert!(policy.contains("require-trusted-types-for 'script'; trusted-types 'none'; "));
    assert!(!policy.contains("unsafe") && !policy.contains("https:"), "{policy}");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    assert!(answer.header("strict-transport-security").contains("max-age="));
    let features = answer.header("permissions-policy");
    for feature in ["payment=(self)", "camera=()", "geolocation=()", "microphone=()"] {
        assert!(features.contains(feature), "{features}");
    }
    assert_eq!((html.matches("<script").count(), html.matches("src=").count()), (1, 0));
    assert!(compressed(&html) < 14_000, "{}", compressed(&html));
}

#[test]
fn get_shows_the_ask_and_consents_to_nothing() {
    let (world, asked, page) = asked();
    let answer = world.customer().opens(&page).ok(200);
    assert_strict_headers(&answer);
    let html = answer.text();
    for shown in
        ["Demo Books", "42.50", "EUR", "Invoice 4711", "lang=\"en\"", "name=\"session_code\""]
    {
        assert!(html.contains(shown), "{shown} is not on {html}");
    }
    assert_eq!(html.matches("type=\"radio\"").count(), 3);
    for method in [Method::GET, Method::HEAD] {
        let query = format!(
            "{page}?action=approve&session_code={}&nonce={}",
            code(&asked),
            world.customer().nonce(&page)
        );
        world.call(method, &query).key(None).send().ok(200);
    }
    world.run_until_idle();
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs", "opened rcs"]);
}

#[test]
fn approval_and_denial_from_page_count() {
    let (world, asked, page) = asked();
    let fields = [("action", "approve"), ("session_code", &code(&asked)), ("card", "pm_card_amex")];
    let answer = world.customer().answers_on(&page, &fields).ok(303);
    assert_eq!(answer.header("location"), format!("{page}?go=1"));
    let request = world.reads(&asked);
    assert_eq!(request["state"], "fulfilled");
    assert_eq!(request["outcome"]["payment"]["card_brand"], "amex");
    let transaction = request["outcome"]["transaction_code"].as_str().unwrap().to_owned();
    let html = world.customer().opens(&page).ok(200).text();
    assert!(html.contains("Paid") && html.contains(&transaction) && !html.contains("<form"));
    // The receipt.
    let at = format!("<time datetime=\"{}\"></time>", request["ended_at"].as_str().unwrap());
    for text in ["Demo Books", "42.50 EUR", "Invoice 4711", "American Express •••• 8431", &at]
    {
        assert!(html.contains(text), "{text} is not on {html}");
    }
    assert!(!html.contains("UTC"), "{html}");

    let (world, asked, page) = self::asked();
    world.customer().answers_on(&page, &[("action", "deny")]).ok(303);
    assert_eq!(world.state(&asked), "denied");
    let html = world.customer().opens(&page).text();
    assert!(html.contains("Declined") && html.contains("42.50") && html.contains("Demo Books"));
    assert!(!html.contains("data-print hidden"), "nothing was paid: {html}");

    let (world, asked, page) = self::asked();
    world.customer().answers_on(&page, &[("action", "not_me")]).ok(303);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "not_me");
}

#[test]
fn form_not_drawn_from_this_page_is_rejected() {
    let (world, asked, page) = asked();
    let other = world.asks_at("+15551230002", 100);
    let others = world.customer_at("+15551230002").newest().page;
    let foreign = world.customer().nonce(&others);
    let (right, code) = (world.customer().nonce(&page), code(&asked));
    let yes = [("action", "approve"), ("session_code", code.as_str())];
    for nonce in ["", "AAAAAAAAAAAAAAAAAAAAAA", &foreign, &right[1..]] {
        for action in ["approve", "deny", "not_me", "extend"] {
            let form = [("nonce", nonce), ("action", action), yes[1]];
            assert_strict_headers(&world.customer().posts(&page, &form).ok(400));
        }
    }
    world.customer().posts(&page, &yes).ok(400);
    world.customer().posts(&page, &[("nonce", &right)]).ok(400);
    world.customer().posts(&page, &[("nonce", &right), ("action", "maybe")]).ok(400);
    let cross = world.call(Method::POST, &page).header("sec-fetch-site", "cross-site");
    cross.form(&[("nonce", right.as_str()), yes[0], yes[1]]).send().ok(400);
    let json =
        world.call(Method::POST, &page).json(&json!({ "nonce": right, "action": "approve" }));
    json.send().ok(400);
    world.run_until_idle();
    assert_eq!((world.state(&asked), world.state(&other)), ("prompted".into(), "prompted".into()));
}

#[test]
fn link_preview_is_not_taken_for_the_customer() {
    let (world, asked, page) = asked();
    for agent in [
        "WhatsApp/2.26.41.77 A",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "Slackbot-LinkExpanding 1.0",
        "TelegramBot (like TwitterBot)",
        "Viber/20.5.0.0",
        "Line-Poker/2.0",
        "okhttp/4.12.0",
        "Mozilla/5.0 (Windows NT 10.0) SafeLinks",
        "curl/8.5.0",
        "",
    ] {
        let call = world.call(Method::GET, &page).key(None).header("user-agent", agent);
        let html = call.send().ok(200).text();
        assert!(html.contains("Demo Books") && html.contains("has a request for you"), "{html}");
        assert!(!html.contains("42.50") && !html.contains("<form"), "{html}");
    }
    let fetched = world.call(Method::GET, &page).key(None).header("user-agent", PHONE_BROWSER);
    fetched.header("sec-fetch-mode", "no-cors").send().ok(200);
    let call = world.call(Method::GET, &page).key(None).header("sec-purpose", "prefetch;prerender");
    call.send().ok(200);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
    world.customer().opens(&page).ok(200);
    world.customer().opens(&page).ok(200);
    world.run_until_idle();
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs", "opened rcs"]);
}

/// The phone's name has "bot" in it.
const PHONE_BROWSER: &str = "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36";

#[test]
fn browser_of_a_phone_whose_name_has_bot_counts_as_opened() {
    let (world, asked, page) = asked();
    let call = world.call(Method::GET, &page).key(None).header("user-agent", PHONE_BROWSER);
    assert!(call.header("sec-fetch-mode", "navigate").send().ok(200).text().contains("<form"));
    world.run_until_idle();
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs", "opened rcs"]);
}

#[test]
fn cut_link_leads_to_the_friendly_page() {
    let (world, _, page) = asked();
    for cut in ["/c", "/c/", page.get(..12).unwrap()] {
        let html = world.customer().opens(cut).ok(404).text();
        assert!(html.contains("We do not know this link"), "{cut}: {html}");
    }
}

#[test]
fn answer_after_an_approval_is_held_until_the_processor_answers() {
    let (world, asked, page) = asked();
    let (code, nonce) = (code(&asked), world.customer().nonce(&page));
    let yes = [("action", "approve"), ("session_code", &*code), ("nonce", &*nonce)];
    let gone = world.customer().posts(&page, &yes).ok(303);
    let next = gone.header("location");
    assert_eq!(next, format!("{page}?go=1"));
    let before = world.now();
    assert!(world.customer().opens(next).ok(200).text().contains("One moment"));
    assert_eq!(before.until(world.now()), Duration::from_millis(1_500));
    world.run_until_idle();
    let before = world.now();
    assert!(world.customer().opens(next).ok(200).text().contains("Paid"));
    assert_eq!(before.until(world.now()), Duration::ZERO);
}

/// The script of a waiting page asks instead of reloading: a screen reader is not made to begin again.
#[test]
fn waiting_page_asks_whether_it_is_still_right() {
    let (world, asked, page) = asked();
    // A script's call is no navigation, and opens nothing.
    let ask = |path: &str| {
        let call = world.call(Method::GET, path).key(None).header("sec-fetch-mode", "cors");
        call.send()
    };
    ask(&format!("{page}?seen=ask")).ok(204);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
    let (code, nonce) = (code(&asked), world.customer().nonce(&page));
    let yes = [("action", "approve"), ("session_code", &*code), ("nonce", &*nonce)];
    world.customer().posts(&page, &yes).ok(303);
    let seen = format!("{page}?go=1&seen=working");
    let before = world.now();
    assert!(ask(&seen).ok(204).body.is_empty());
    assert_eq!(before.until(world.now()), Duration::from_millis(1_500));
    world.run_until_idle();
    let before = world.now();
    assert!(ask(&seen).ok(200).body.is_empty());
    assert_eq!(before.until(world.now()), Duration::ZERO);
    ask("/c/AAAAAAAAAAAAAAAAAAAAAA?go=1&seen=working").ok(404);
}

#[test]
fn report_of_a_wrong_person_is_asked_twice() {
    let (world, asked, page) = asked();
    let html = world.customer().opens(&format!("{page}?not_me=1")).ok(200).text();
    assert!(html.contains("Is this not you?") && html.contains("hang up"), "{html}");
    assert_eq!(world.state(&asked), "prompted");
    world.customer().answers_on(&page, &[("action", "not_me")]).ok(303);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "not_me");
}

#[test]
fn approval_without_code_is_repeated_and_wrong_code_denies() {
    let (world, asked, page) = asked();
    let missing = world.customer().answers_on(&page, &[("action", "approve")]).ok(422);
    assert_strict_headers(&missing);
    assert!(missing.text().contains("<form"));
    let message = world.customer().newest();
    let codes = message.shown["codes"].as_array().unwrap();
    let wrong = codes.iter().find(|one| **one != json!(code(&asked))).unwrap().as_str().unwrap();
    let fields = [("action", "approve"), ("session_code", wrong)];
    world.customer().answers_on(&page, &fields).ok(303);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "wrong_session_code");
    assert!(world.customer().opens(&page).text().contains("That was not the number"));
}

#[test]
fn link_of_ended_request_tells_the_outcome() {
    let (world, asked, page) = asked();
    world.acts(&asked, "resend", &json!({})).ok(200);
    let used = world.customer().opens(&page).ok(200);
    assert_strict_headers(&used);
    assert!(used.text().contains("This link is no longer in use"));
    world.acts(&asked, "cancel", &json!({})).ok(200);
    assert!(world.customer().opens(&page).text().contains("Withdrawn"));

    let (world, _, page) = self::asked();
    world.clock_jumps(301);
    assert!(world.customer().opens(&page).text().contains("Too late"));
    world.run_until_idle();
    assert!(world.customer().opens(&page).text().contains("Too late"));

    for token in ["cXMNwElqaNvV-cPCRYQjmw", "short", "%3Cscript%3E", "cXMNwElqaNvV-cPCRYQjm%C3%A9"]
    {
        let unknown = world.customer().opens(&format!("/c/{token}")).ok(404);
        assert_strict_headers(&unknown);
        assert!(unknown.text().contains("We do not know this link"));
        world.customer().posts(&format!("/c/{token}"), &[("action", "approve")]).ok(404);
    }
}

#[test]
fn superseded_page_cannot_approve() {
    let (world, asked, page) = asked();
    let nonce = world.customer().nonce(&page);
    world.acts(&asked, "resend", &json!({})).ok(200);
    let code = code(&asked);
    let form = [("nonce", nonce.as_str()), ("action", "approve"), ("session_code", &code)];
    world.customer().posts(&page, &form).ok(303);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "prompted");
    let newer = world.customer().newest().page;
    let fields = [("action", "approve"), ("session_code", code.as_str())];
    world.customer().answers_on(&newer, &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn extension_is_granted_once() {
    let (world, asked, page) = asked();
    assert!(world.customer().opens(&page).text().contains("I need more time"));
    world.customer().answers_on(&page, &[("action", "extend")]).ok(303);
    assert_eq!(world.reads(&asked)["expires_at"], "2026-12-01T00:10:00.000Z");
    let html = world.customer().opens(&page).text();
    assert!(!html.contains("I need more time") && html.contains("<form"));
    world.customer().answers_on(&page, &[("action", "extend")]).ok(303);
    assert_eq!(world.reads(&asked)["expires_at"], "2026-12-01T00:10:00.000Z");
    world.time_passes(400);
    assert_eq!(world.state(&asked), "prompted");
    world.time_passes(300);
    assert_eq!(world.state(&asked), "expired");
}

#[test]
fn declined_card_is_shown_and_another_accepted() {
    let (world, asked, page) = asked();
    let code = code(&asked);
    let yes = |card| [("action", "approve"), ("session_code", code.as_str()), ("card", card)];
    world.customer().answers_on(&page, &yes("pm_card_chargeDeclined")).ok(303);
    let html = world.customer().opens(&page).text();
    assert!(html.contains("Your card was refused"));
    world.customer().answers_on(&page, &yes("pm_card_visa")).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn page_while_processing_says_so_and_reloads() {
    let world = World::new();
    let asked = world.asks(4204);
    let page = world.customer().newest().page;
    let fields = [("action", "approve"), ("session_code", &code(&asked))];
    world.customer().answers_on(&page, &fields).ok(303);
    let html = world.customer().opens(&page).ok(200).text();
    assert!(html.contains("One moment") && html.contains("http-equiv=\"refresh\""));
    world.time_passes(20);
    assert!(world.customer().opens(&page).text().contains("Paid"));
}

#[test]
fn page_language_falls_back_to_the_brands() {
    for (language, words) in
        [("de-AT", "Ablehnen"), ("fr", "Refuser"), ("es-MX", "Rechazar"), ("tlh", "Decline")]
    {
        let world = World::new();
        let mut body = world.payment(PHONE, 4250);
        body["customer"]["language"] = json!(language);
        world.asks_for(&body);
        let html = world.customer().opens(&world.customer().newest().page).text();
        assert!(html.contains(words), "{language}: {html}");
        world.run_until_idle();
    }
}

#[test]
fn requester_text_is_shown_and_never_executed() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["ask"]["description"] = json!("<img src=x onerror=alert(1)> & \"co\"");
    world.asks_for(&body);
    let html = world.customer().opens(&world.customer().newest().page).text();
    assert!(!html.contains("<img") && html.contains("img src=x"));
    world.run_until_idle();
}
