//! Secrets and personal data: whole stories at the finest log level leak none of them.
//!
//! Every world is searched when it is dropped. These stories try hardest to leak.

use http::Method;
use serde_json::json;
use tests::world::brand::{TEST_KEY, WEBHOOK_SECRET};
use tests::world::{PHONE, Reply, World};

#[test]
fn story_with_every_fault_leaks_no_secret() {
    let world = World::new();
    world.replies("shop.example", [Reply::Lost, Reply::Status(500, WEBHOOK_SECRET.to_owned())]);
    let asked = world.asks(4205);
    let page = world.customer().newest().page;
    world.customer().opens(&page).ok(200);
    world.customer().posts(&page, &[("action", "approve")]).ok(400);
    world.customer().posts("/c/skgVUs-5l11CLL-_xhZxPw", &[]).ok(404);
    world.call(Method::GET, "/v1/requests/x").header("cookie", TEST_KEY).send().ok(404);
    let fields =
        [("action", "approve"), ("session_code", asked.answer["session_code"].as_str().unwrap())];
    world.customer().answers_on(&page, &fields).ok(303);
    world.customer().approves_with("pm_card_visa");
    world.time_passes(600);
    assert_eq!(world.state(&asked), "fulfilled");
    let log = world.logs();
    assert!(log.contains(&asked.id), "the log says nothing of the request");
    assert!(log.contains("request accepted"));
}

#[test]
fn bad_input_is_not_quoted_in_the_log() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["card"] = json!("4111111111111111");
    world.post("/v1/requests", &body).problem(400, "invalid-request");
    let broken = format!("{{\"customer\": {{\"phone\": \"{PHONE}\", 4111111111111111");
    let call = world.call(Method::POST, "/v1/requests").body(broken);
    call.send().problem(400, "invalid-request");
    assert!(!world.logs().contains("4111111111111111"));
}
