//! The sandbox phone where it is deployed: for whoever holds a test key, and only their own brand's prompts.

use consent_callback::SandboxAccess;
use http::Method;
use serde_json::json;
use tests::world::brand::{LIVE_KEY, OTHER_KEY, TEST_KEY};
use tests::world::{PHONE, World};

const MESSAGES: &str = "/sandbox/phones/+15551230001/messages";

fn tap(world: &World) -> String {
    format!("{MESSAGES}/{}/tap", world.customer().newest().text("id"))
}

#[test]
fn a_deployed_phone_is_for_whoever_holds_a_test_key() {
    let world = World::beginning().phone_for(SandboxAccess::Key).begin();
    let asked = world.asks(4250);
    let tap = tap(&world);
    let no = json!({ "action": "decline" });
    for key in [None, Some(LIVE_KEY), Some("sk_test_demo_ffffffffffffffffffffffffffffffff")] {
        let read = world.call(Method::GET, MESSAGES).key(key).send();
        read.problem(401, "unauthenticated");
        let tapped = world.call(Method::POST, &tap).key(key).json(&no).send();
        tapped.problem(401, "unauthenticated");
    }
    assert_eq!(world.state(&asked), "prompted");
    world.call(Method::POST, &tap).key(TEST_KEY).json(&no).send().ok(200);
    world.settles();
    assert_eq!(world.state(&asked), "declined");
}

#[test]
fn another_brands_key_sees_only_its_own_prompts_on_the_same_phone() {
    let world = World::beginning().phone_for(SandboxAccess::Key).begin();
    let asked = world.asks(4250);
    let none = world.call(Method::GET, MESSAGES).key(OTHER_KEY).send().ok(200);
    assert_eq!(none.json(), json!({ "messages": [] }));
    let tapped = world.call(Method::POST, &tap(&world)).key(OTHER_KEY);
    tapped.json(&json!({ "action": "decline" })).send().problem(404, "not-found");
    assert_eq!(world.state(&asked), "prompted");
    let theirs = world.call(Method::POST, "/v1/requests").key(OTHER_KEY);
    theirs.json(&world.payment(PHONE, 100)).send().ok(201);
    world.settles();
    let one = world.call(Method::GET, MESSAGES).key(OTHER_KEY).send().ok(200);
    assert_eq!(one.json()["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn where_there_is_no_sandbox_there_is_no_phone() {
    let world = World::beginning().phone_for(SandboxAccess::Off).begin();
    world.asks(4250);
    world.get(MESSAGES).problem(404, "not-found");
    let path = format!("{MESSAGES}/prm_01M844DZWGFW3SJKQ26BNN67GN/tap");
    world.post(&path, &json!({ "action": "decline" })).problem(404, "not-found");
}
