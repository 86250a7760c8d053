//! Proof of the person on the line: session codes for every ask, typed codes, and returns in another browser.

use http::Method;
use ports::{DetachResult, Rejection};
use serde_json::{Value, json};
use tests::world::fake_processor::{CODE, ProcessorCall};
use tests::world::{BROWSER, CreatedRequest, PHONE, World};

const IDENTITY: &str =
    r#"{"kind": "identity", "claims": ["given_name", "birthdate"], "description": "Age"}"#;
const KEEP: &str = r#"{"kind": "payment_method", "description": "Keep a card"}"#;

fn asked(world: &World, ask: &str) -> (CreatedRequest, String) {
    let mut body = world.payment(PHONE, 1);
    body["ask"] = serde_json::from_str(ask).unwrap();
    body["expires_in"] = json!(900);
    let asked = world.asks_for(&body);
    let page = world.customer().newest().page;
    (asked, page)
}

fn code(asked: &CreatedRequest) -> &str {
    asked.answer["session_code"].as_str().unwrap_or_default()
}

fn another(code: &str) -> &'static str {
    if code == "11" { "12" } else { "11" }
}

/// Approves on the page and goes to the processor's page.
fn leaves(world: &World, asked: &CreatedRequest, page: &str) {
    let fields = [("action", "approve_hosted"), ("session_code", code(asked))];
    let answer = world.customer().answers_on(page, &fields).ok(303);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with(&format!("__Host-assent-{}=", asked.id)), "{cookie}");
    for part in ["Path=/;", "HttpOnly", "SameSite=None", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

fn hosted(policy: &Value) -> World {
    World::builder().with_fake_processor(&["hosted"]).with("/policy", policy).build()
}

/// The address at which the provider's customer comes back.
fn back(asked: &CreatedRequest, more: &str) -> String {
    format!("/callbacks/demo/fake?state={}.1.proven&code={CODE}{more}", asked.id)
}

/// Comes back in a browser that has no cookie of ours.
fn elsewhere(world: &World, method: Method, uri: &str) -> tests::world::calls::Answer {
    let call = world.call(method, uri).key(None).idempotency(None).header("cookie", "x=1");
    let answer = call.header("user-agent", BROWSER).send();
    world.run_until_idle();
    answer
}

#[test]
fn every_ask_needs_a_session_code_by_default() {
    let world = hosted(&json!({}));
    for ask in [IDENTITY, KEEP] {
        let (asked, page) = asked(&world, ask);
        let code = code(&asked);
        assert_eq!(code.len(), 2, "{ask}");
        let html = world.customer().opens(&page).text();
        assert_eq!(html.matches("name=\"session_code\"").count(), 3, "{html}");
        let without = [("action", "approve_hosted")];
        world.customer().answers_on(&page, &without).ok(422);
        assert_eq!(world.state(&asked), "prompted");
        let wrong = [("action", "approve_hosted"), ("session_code", another(code))];
        world.customer().answers_on(&page, &wrong).ok(303);
        assert_eq!(world.reads(&asked)["outcome"]["reason"], "wrong_session_code");
    }
    assert_eq!(world.fake_processor().count(ProcessorCall::Create), 0);
}

#[test]
fn session_code_is_switched_off_for_one_kind_of_ask() {
    let world = hosted(&json!({ "session_code": { "identity": false } }));
    assert_eq!(code(&asked(&world, IDENTITY).0), "");
    assert_eq!(code(&asked(&world, KEEP).0).len(), 2);
}

#[test]
fn code_of_a_high_amount_is_typed_and_never_shown() {
    let world = World::builder()
        .with("/policy", &json!({ "session_code": { "typed_from": { "EUR": 4250 } } }))
        .build();
    let asked = world.asks(4250);
    let message = world.customer().newest();
    assert_eq!(message.shown["codes"], Value::Null);
    let actions = message.shown["actions"].to_string();
    assert!(!actions.contains("\"session_code\":\""), "{actions}");
    let html = world.customer().opens(&message.page).text();
    assert!(html.contains("inputmode=\"numeric\"") && !html.contains("type=\"radio\""), "{html}");
    assert!(!html.contains(&format!(">{}<", code(&asked))), "{html}");
    let fields = [("action", "approve"), ("session_code", code(&asked))];
    world.customer().answers_on(&message.page, &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    // A smaller amount is picked.
    world.asks(4249);
    assert!(world.customer().newest().shown["codes"].is_array());
}

#[test]
fn code_of_another_browser_waits_for_the_session_code() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, IDENTITY);
    leaves(&world, &asked, &page);
    let answer = elsewhere(&world, Method::GET, &back(&asked, "&iss=x")).ok(200);
    assert_eq!(answer.header("location"), "");
    let html = answer.text();
    assert!(html.contains("name=\"code\"") && html.contains("name=\"state\""), "{html}");
    assert!(!html.contains("/c/"), "the consent page's link is the customer's: {html}");
    assert_eq!(world.state(&asked), "processing");
    assert_eq!(world.timeline(&asked).last().unwrap(), "redirected");

    let state = format!("{}.1.proven", asked.id);
    let right = [("state", state.as_str()), ("code", CODE), ("session_code", code(&asked))];
    let posted = |site: &str| {
        // The audit lets an answer repeat only what its address has.
        let uri = format!("/callbacks/demo/fake?{CODE}");
        let call = world.call(Method::POST, &uri).key(None).idempotency(None);
        let call = call.header("cookie", "x=1").header("sec-fetch-site", site);
        call.form(&right).send()
    };
    posted("cross-site").ok(200);
    assert_eq!(world.state(&asked), "processing");
    let answer = posted("same-origin").ok(303);
    assert_eq!(answer.header("location"), page);
    assert!(answer.header("set-cookie").contains(&asked.id));
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
    assert!(world.timeline(&asked).contains(&"returned session_code".to_owned()));
}

#[test]
fn wrong_session_code_after_a_return_denies() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, IDENTITY);
    leaves(&world, &asked, &page);
    let wrong = format!("&session_code={}", another(code(&asked)));
    let html = elsewhere(&world, Method::GET, &back(&asked, &wrong)).ok(200).text();
    assert!(html.contains("That was not the number"), "{html}");
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    assert!(!world.fake_processor().calls().iter().any(|call| call.ends_with("Code")));
    // The right code comes too late, and the browser that left has nothing to bring back.
    let right = format!("&session_code={}", code(&asked));
    elsewhere(&world, Method::GET, &back(&asked, &right)).ok(404);
    assert_eq!(world.reads(&asked)["outcome"], outcome);
}

#[test]
fn another_browser_is_refused_where_no_code_is_asked() {
    let world = hosted(&json!({ "session_code": false }));
    let (asked, page) = asked(&world, IDENTITY);
    leaves(&world, &asked, &page);
    let html = elsewhere(&world, Method::GET, &back(&asked, "")).ok(403).text();
    assert!(html.contains("You are in another browser now"), "{html}");
    assert_eq!(world.state(&asked), "processing");
    // The browser that left still can.
    world.comes_back(&asked, 1, Some(CODE)).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn card_given_in_another_browser_is_kept_by_code_only() {
    for (typed, state) in [(Some(true), "fulfilled"), (Some(false), "denied"), (None, "processing")]
    {
        let world = hosted(&json!({}));
        let (asked, page) = asked(&world, KEEP);
        leaves(&world, &asked, &page);
        world.fake_processor().customer_is_done(&asked, 1);
        world.time_passes(30);
        assert_eq!(world.state(&asked), "processing", "no card is kept before a return");
        let done = format!("{page}?done=1");
        let html = elsewhere(&world, Method::GET, &done).ok(200).text();
        assert!(html.contains("You are in another browser now"), "{html}");
        // The browser that left is no proof any more.
        world.customer().opens(&done).ok(200);
        world.time_passes(30);
        assert_eq!(world.state(&asked), "processing");
        if let Some(right) = typed {
            let code = if right { code(&asked) } else { another(code(&asked)) };
            let nonce = html.split("name=\"nonce\" value=\"").nth(1).unwrap();
            let nonce = nonce.split('"').next().unwrap();
            let form = [("action", "return"), ("nonce", nonce), ("session_code", code)];
            world.customer().posts(&page, &form).ok(303);
            world.time_passes(30);
        }
        assert_eq!(world.state(&asked), state);
    }
}

#[test]
fn card_given_in_the_same_browser_is_kept_on_return() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, KEEP);
    leaves(&world, &asked, &page);
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn card_of_a_customer_who_never_returns_is_not_kept() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, KEEP);
    leaves(&world, &asked, &page);
    world.fake_processor().customer_is_done(&asked, 1);
    world.time_passes(30);
    assert_eq!(
        world.fake_processor().count(ProcessorCall::Detach),
        0,
        "the customer may still return"
    );
    world.time_passes(1_200);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "other_browser");
    // The processor keeps no card that no request can use.
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 1);
}

/// The removal is tried until it is known, and no return keeps a card that is being removed.
#[test]
fn card_that_is_not_kept_is_removed_until_that_is_known() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, KEEP);
    leaves(&world, &asked, &page);
    world.fake_processor().customer_is_done(&asked, 1);
    world.fake_processor().will_return([DetachResult::Again; 3]);
    while world.fake_processor().count(ProcessorCall::Detach) == 0 {
        world.time_passes(1);
    }
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.time_passes(1_800);
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 4);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "other_browser");
}

#[test]
fn card_that_the_processor_does_not_remove_is_named_in_the_log() {
    for (says, passes) in [
        (vec![DetachResult::Failed { code: "refused_by_processor" }], 1_200),
        (vec![DetachResult::Blocked { by: Rejection::Permission }], 1_200),
        (vec![DetachResult::Blocked { by: Rejection::Credentials }; 1_000], 26 * 3_600),
        (vec![DetachResult::Again; 1_000], 26 * 3_600),
    ] {
        let world = hosted(&json!({}));
        let (asked, page) = asked(&world, KEEP);
        leaves(&world, &asked, &page);
        world.fake_processor().customer_is_done(&asked, 1);
        world.fake_processor().will_return(says);
        world.time_passes(passes);
        assert_eq!(world.reads(&asked)["outcome"]["reason"], "other_browser");
        assert!(world.logs().contains("delete it at the processor"));
    }
}

/// A customer who gives up, and a requester who cancels, leave no card either.
#[test]
fn card_of_an_abandoned_page_is_removed() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, KEEP);
    leaves(&world, &asked, &page);
    world.fake_processor().customer_is_done(&asked, 1);
    world.acts(&asked, "cancel", &json!({})).ok(202);
    world.time_passes(5);
    assert_eq!(world.state(&asked), "cancelled");
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 1);
}

#[test]
fn malformed_return_shows_a_page_and_no_json() {
    let world = hosted(&json!({}));
    let (asked, page) = asked(&world, IDENTITY);
    leaves(&world, &asked, &page);
    for uri in [
        format!("/callbacks/demo/fake?state={}.1.guessed&code=x", asked.id),
        "/callbacks/demo/fake?error=access_denied".to_owned(),
    ] {
        let answer = elsewhere(&world, Method::GET, &uri);
        assert!((400..500).contains(&answer.status), "{uri}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.text().contains("We could not use this"), "{uri}");
    }
    assert_eq!(world.timeline(&asked).last().unwrap(), "redirected");
}
