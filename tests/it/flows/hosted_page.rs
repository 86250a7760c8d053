//! A customer on the processor's hosted page: redirect, return, cancel, and the processor's webhooks.

use std::time::Duration;

use domain::message::Step;
use http::Method;
use ports::{Confirmed, Retrieved, VoidResult};
use serde_json::{Value, json};
use tests::world::fake_processor::{CODE, PROOF, ProcessorCall};
use tests::world::{CreatedRequest, PHONE, World};

/// Makes a request whose customer approved and is redirected to the hosted page.
fn on_hosted_page() -> (World, CreatedRequest, String) {
    let world = World::builder().with_fake_processor(&["hosted"]).build();
    let asked = world.asks(4250);
    let page = world.customer().newest().page;
    follow_redirect(&world, &asked, &page);
    (world, asked, page)
}

fn follow_redirect(world: &World, asked: &CreatedRequest, page: &str) {
    let code = asked.answer["session_code"].as_str().unwrap_or_default();
    let fields = [("action", "approve_hosted"), ("session_code", code)];
    let answer = world.customer().answers_on(page, &fields).ok(303);
    assert_eq!(answer.header("location"), format!("{page}?go=1"));
}

fn refresh(html: &str) -> &str {
    let (_, rest) = html.split_once("http-equiv=\"refresh\" content=\"").unwrap_or_default();
    rest.split('"').next().unwrap()
}

/// Returns the look-ups under way. Repeated webhooks add none.
fn pending_look_ups(world: &World) -> usize {
    let before = world.sent().len();
    world.time_passes(60);
    let sent = world.sent();
    sent.iter()
        .skip(before)
        .filter(|(owed, _)| owed.parts().is_some_and(|(step, _)| step == Step::Fetch))
        .count()
}

#[test]
fn customer_pays_on_hosted_page_and_reads_it_at_home() {
    let (world, asked, page) = on_hosted_page();
    assert_eq!(world.state(&asked), "processing");
    assert_eq!(world.timeline(&asked).last().unwrap(), "redirected");
    let html = world.customer().opens(&format!("{page}?go=1")).ok(200).text();
    assert!(refresh(&html).starts_with("0;url=https://f4ke.example/pay/req_"), "{html}");
    world.time_passes(5);
    world.fake_processor().customer_is_done(&asked, 1);
    let done = format!("{page}?done=1");
    // The answer to a customer who is done is held as well, and the worker looks the payment up meanwhile.
    let before = world.now();
    let html = world.customer().opens(&done).ok(200).text();
    assert!(html.contains("One moment") && refresh(&html) == format!("5;url={done}"), "{html}");
    assert_eq!(before.until(world.now()), Duration::from_millis(1_500));
    world.run_until_idle();
    let before = world.now();
    assert!(world.customer().opens(&done).text().contains("Paid"));
    assert_eq!(before.until(world.now()), Duration::ZERO);
    assert_eq!(world.reads(&asked)["outcome"]["payment"]["last4"], "4242");
    assert_eq!(world.fake_processor().charges(), 1);
}

#[test]
fn payment_without_webhook_is_found_within_15_seconds() {
    let (world, asked, _) = on_hosted_page();
    world.time_passes(40);
    world.fake_processor().customer_is_done(&asked, 1);
    world.time_passes(15);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn webhook_triggers_look_up_only_with_valid_signature() {
    let (world, asked, _) = on_hosted_page();
    world.time_passes(40);
    world.fake_processor().customer_is_done(&asked, 1);
    let look = json!({ "look": asked.id });
    for proof in [None, Some(""), Some("wrong")] {
        let mut call = world.call(Method::POST, "/callbacks/demo/fake").key(None);
        if let Some(proof) = proof {
            call = call.header(PROOF, proof);
        }
        call.json(&look).send().problem(403, "callback-forged");
        world.run_until_idle();
    }
    assert_eq!(world.state(&asked), "processing");
    assert_eq!(world.processor_sends(&look).ok(202).text(), "taken");
    assert_eq!(world.state(&asked), "fulfilled");
    world.processor_sends(&look).ok(202);
    world.processor_sends(&json!({ "look": "req_01M844DZG03XCBJ52V4K8GHNXC" })).ok(202);
    world.processor_sends(&json!({ "surprise": 1 })).problem(400, "invalid-request");
    world.call(Method::GET, "/callbacks/demo/unknown").key(None).send().problem(404, "not-found");
    assert_eq!(world.fake_processor().charges(), 1);
}

#[test]
fn webhook_of_one_processor_ignores_requests_of_another() {
    let settings = json!({ "proof": "mine" });
    let fake_processors = json!([
        { "name": "fake", "kind": "fake" },
        { "name": "other", "kind": "fake", "settings": settings },
    ]);
    let world = World::builder().with("/test/processors", &fake_processors).build();
    let asked = world.asks(4250);
    follow_redirect(&world, &asked, &world.customer().newest().page);
    let reported = json!({ "reported": { "request": asked.id, "attempt_no": 1, "success": true } });
    let call = world.call(Method::POST, "/callbacks/demo/other").key(None).header(PROOF, "mine");
    call.json(&reported).send().ok(202);
    let uri = format!("/callbacks/demo/other?state={}.1.mine&code=x", asked.id);
    world.call(Method::GET, &uri).key(None).send().ok(404);
    world.time_passes(20);
    assert_eq!(world.state(&asked), "processing");
    assert_eq!(world.timeline(&asked).last().unwrap(), "redirected");
    world.processor_sends(&reported).ok(202);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn returned_customer_may_choose_another_option() {
    let (world, asked, page) = on_hosted_page();
    for query in ["", "?back=1", "?anything"] {
        let html = world.customer().opens(&format!("{page}{query}")).ok(200).text();
        assert_eq!(refresh(&html), format!("20;url={page}"), "{html}");
        assert!(html.contains("href=\"https://f4ke.example/pay/req_"), "{html}");
    }
    // The browser's back button does not redirect again.
    world.time_passes(31);
    let html = world.customer().opens(&format!("{page}?go=1")).text();
    assert!(refresh(&html).starts_with("20;url="), "{html}");
    world.customer().answers_on(&page, &[("action", "back")]).ok(303);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(world.timeline(&asked).last().unwrap(), "attempt_failed customer_left");
    let html = world.customer().opens(&page).text();
    assert!(html.contains("approve_hosted") && !html.contains("refused and nothing"), "{html}");
    follow_redirect(&world, &asked, &page);
    world.fake_processor().customer_is_done(&asked, 2);
    world.time_passes(15);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(
        (world.fake_processor().charges(), world.fake_processor().count(ProcessorCall::Void)),
        (1, 1)
    );
}

#[test]
fn return_after_the_end_changes_nothing() {
    let (world, asked, page) = on_hosted_page();
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().answers_on(&page, &[("action", "back")]).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.fake_processor().charges(), 1);
}

#[test]
fn redirect_is_shown_only_on_the_page_that_approved() {
    let world = World::builder().with_fake_processor(&["hosted"]).build();
    let asked = world.asks(4250);
    let older = world.customer().newest().page;
    let nonce = world.customer().nonce(&older);
    world.acts(&asked, "resend", &json!({})).ok(200);
    let page = world.customer().newest().page;
    follow_redirect(&world, &asked, &page);
    let html = world.customer().opens(&older).text();
    assert!(!html.contains("f4ke.example"), "{html}");
    world.customer().posts(&older, &[("nonce", &nonce), ("action", "back")]).ok(303);
    world.customer().posts(&page, &[("nonce", &nonce), ("action", "back")]).ok(400);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "processing");
    let preview = world.call(Method::GET, &format!("{page}?go=1")).key(None);
    let html = preview.header("user-agent", "WhatsApp/2").send().ok(200).text();
    assert!(!refresh(&html).contains("f4ke.example"), "{html}");
    world.fake_processor().customer_is_done(&asked, 1);
    world.time_passes(15);
}

#[test]
fn cancel_while_on_hosted_page_waits_until_it_is_closed() {
    let (world, asked, page) = on_hosted_page();
    let cancel = world.post(&format!("{}/cancel", asked.path), &json!({})).ok(202).json();
    assert_eq!((&cancel["state"], &cancel["outcome"]), (&json!("processing"), &Value::Null));
    let html = world.customer().opens(&page).text();
    assert!(html.contains("One moment") && !html.contains("f4ke.example"), "{html}");
    world.post(&format!("{}/cancel", asked.path), &json!({})).ok(202);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "cancelled");
    world.acts(&asked, "cancel", &json!({})).ok(200);
    assert_eq!(world.fake_processor().count(ProcessorCall::Void), 1);
    assert_eq!(world.webhooks().last().unwrap(), "request.cancelled");
}

#[test]
fn cancel_after_payment_reports_fulfilled() {
    let (world, asked, _) = on_hosted_page();
    world.fake_processor().customer_is_done(&asked, 1);
    world.acts(&asked, "cancel", &json!({})).ok(202);
    assert_eq!(world.state(&asked), "fulfilled");
    world.acts(&asked, "cancel", &json!({})).problem(409, "conflict-state");
}

#[test]
fn hosted_page_that_stays_open_is_voided_again() {
    let (world, asked, _) = on_hosted_page();
    world.fake_processor().will_return([
        VoidResult::Unknown,
        VoidResult::Processing,
        VoidResult::Again,
    ]);
    world.acts(&asked, "cancel", &json!({})).ok(202);
    assert_eq!(world.state(&asked), "processing");
    assert_eq!(world.reads(&asked)["in_doubt"], true);
    world.time_passes(60);
    assert_eq!(world.state(&asked), "cancelled");
    assert!(world.reads(&asked).get("in_doubt").is_none());
    assert_eq!(world.fake_processor().count(ProcessorCall::Void), 4);
}

#[test]
fn customer_not_back_by_deadline_has_left() {
    let (world, asked, page) = on_hosted_page();
    world.time_passes(299);
    assert_eq!(world.state(&asked), "processing");
    world.time_passes(20);
    let outcome = json!({ "kind": "failed", "reason": "customer_left" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    assert_eq!(world.fake_processor().count(ProcessorCall::Void), 1);
    assert!(world.customer().opens(&page).text().contains("That did not work"));
}

#[test]
fn webhooks_repeated_do_not_multiply_look_ups() {
    let (world, asked, page) = on_hosted_page();
    for _ in 0..20 {
        world.customer().opens(&page).ok(200);
        world.processor_sends(&json!({ "look": asked.id })).ok(202);
        let again = [("nonce", "x"), ("action", "approve_hosted")];
        world.customer().posts(&page, &again);
        world.run_until_idle();
    }
    // All of this happens within one second.
    assert!(
        world.fake_processor().count(ProcessorCall::Retrieve) <= 2,
        "{:?}",
        world.fake_processor().calls()
    );
    let ahead = pending_look_ups(&world);
    assert!((4..=25).contains(&ahead), "{ahead} in a minute");
    world.time_passes(120);
    let ahead = pending_look_ups(&world);
    assert!((3..=6).contains(&ahead), "{ahead} in a minute");
}

#[test]
fn webhook_during_look_up_triggers_another_at_once() {
    let (world, asked, _) = on_hosted_page();
    let id = asked.id.clone();
    world.meanwhile("fake Retrieve", move |core| {
        let reported = json!({ "reported": { "request": id, "attempt_no": 1, "success": true } });
        let call = core.call(Method::POST, "/callbacks/demo/fake").key(None);
        call.header(PROOF, "proven").json(&reported).send().ok(202);
    });
    world.time_passes(3);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.fake_processor().count(ProcessorCall::Retrieve), 2);
}

#[test]
fn reported_decline_reopens_and_success_is_final() {
    let (world, asked, page) = on_hosted_page();
    let reported = |attempt_no: u32, success: bool| json!({ "reported": { "request": asked.id, "attempt_no": attempt_no, "success": success } });
    world.processor_sends(&reported(2, true)).ok(202);
    assert_eq!(world.state(&asked), "processing");
    assert!(world.logs().contains("a success that no attempt waits for"));
    world.processor_sends(&reported(1, false)).ok(202);
    assert_eq!(world.timeline(&asked).last().unwrap(), "card_declined card_declined");
    follow_redirect(&world, &asked, &page);
    world.processor_sends(&reported(2, true)).ok(202);
    assert_eq!(world.state(&asked), "fulfilled");
    world.processor_sends(&reported(2, false)).ok(202);
    world.processor_sends(&reported(1, true)).ok(202);
    assert_eq!(world.state(&asked), "fulfilled");
}

fn identity() -> (World, CreatedRequest, String) {
    let world = World::builder().with_fake_processor(&["hosted"]).build();
    let mut body = world.payment(PHONE, 1);
    let claims = ["given_name", "birthdate"];
    body["ask"] = json!({ "kind": "identity", "claims": claims, "description": "Age" });
    body["expires_in"] = json!(7_200);
    let asked = world.asks_for(&body);
    let page = world.customer().newest().page;
    let html = world.customer().opens(&page).text();
    assert!(html.contains("<li>your first name</li><li>your date of birth</li>"), "{html}");
    follow_redirect(&world, &asked, &page);
    (world, asked, page)
}

#[test]
fn claims_are_readable_for_a_while() {
    let (world, asked, page) = identity();
    let back = world.comes_back(&asked, 1, Some(CODE)).ok(303);
    assert_eq!(back.header("location"), page);
    let request = world.reads(&asked);
    assert_eq!(request["state"], "fulfilled");
    let identity = &request["outcome"]["identity"];
    assert_eq!(identity["claims"], json!({ "given_name": "Lovelace", "birthdate": "1815-12-10" }));
    assert_eq!(identity["released"], json!(["given_name", "birthdate"]));
    assert!(world.timeline(&asked).ends_with(&["returned".to_owned(), "fulfilled".to_owned()]));
    let confirmed: Vec<String> = world
        .fake_processor()
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("Confirm"))
        .collect();
    assert_eq!(confirmed, ["Confirm 1 Hosted", "Confirm 1 Code", "Confirm 1 AccessToken"]);
    let session = world.get("/v1/requests?session=CA123").ok(200).json();
    assert!(session["requests"][0]["outcome"]["identity"].get("claims").is_none());
    assert!(world.acts(&asked, "cancel", &json!({})).status == 409);
    // The browser reloads.
    assert_eq!(world.comes_back(&asked, 1, Some(CODE)).ok(303).header("location"), page);
    world.time_passes(3_601);
    assert!(world.reads(&asked)["outcome"]["identity"].get("claims").is_none());
}

#[test]
fn customer_back_after_long_absence_is_served() {
    let (world, asked, _) = identity();
    world.time_passes(3_000);
    assert_eq!(world.state(&asked), "processing");
    world.comes_back(&asked, 1, Some(CODE)).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.fake_processor().count(ProcessorCall::Void), 0);
}

#[test]
fn oauth_code_is_exchanged_once_even_if_in_doubt() {
    let (world, asked, page) = identity();
    world.fake_processor().will_return([Confirmed::Unknown]);
    world.comes_back(&asked, 1, Some(CODE)).ok(303);
    assert_eq!(world.state(&asked), "processing");
    world.time_passes(10);
    assert_eq!(world.timeline(&asked).last().unwrap(), "attempt_failed code_used");
    let html = world.customer().opens(&page).text();
    assert!(
        html.contains("That did not work and nothing was shared. You can try again."),
        "{html}"
    );
    follow_redirect(&world, &asked, &page);
    world.comes_back(&asked, 2, Some(CODE)).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn unexpected_return_leads_to_the_page() {
    let (world, asked, page) = identity();
    let forged = format!("/callbacks/demo/fake?state={}.1.guessed&code=x", asked.id);
    let html = world.call(Method::GET, &forged).key(None).send().ok(403).text();
    assert!(html.contains("We could not use this"), "{html}");
    world.comes_back(&asked, 2, Some(CODE)).ok(303);
    world.comes_back(&asked, 1, None).ok(303);
    assert_eq!(world.timeline(&asked).last().unwrap(), "redirected");
    world.customer().answers_on(&page, &[("action", "back")]).ok(303);
    let back = world.comes_back(&asked, 1, Some(CODE)).ok(303);
    assert_eq!(back.header("location"), page);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(world.fake_processor().count(ProcessorCall::Confirm), 1);
}

#[test]
fn return_during_a_run_keeps_an_unused_code() {
    let (world, asked, _) = identity();
    world.fake_processor().will_return([Retrieved::NotConfirmed]);
    let id = asked.id.clone();
    world.meanwhile("fake Retrieve", move |core| {
        let uri = format!("/callbacks/demo/fake?state={id}.1.proven&code={CODE}");
        core.call(Method::GET, &uri).key(None).send().ok(303);
    });
    world.time_passes(3);
    assert_eq!(world.state(&asked), "fulfilled");
    let timeline = world.timeline(&asked);
    assert!(!timeline.iter().any(|fact| fact.starts_with("card_declined")));
    assert!(!timeline.iter().any(|fact| fact.starts_with("attempt_failed")));
}
