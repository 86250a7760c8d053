//! The sandbox processor as customers meet it: its page, its 3-D Secure, saved cards and refunds.

use http::Method;
use serde_json::{Value, json};
use tests::world::{Answer, CreatedRequest, PHONE, PUBLIC_BASE, World};

fn begin() -> World {
    World::builder().with("/policy", &json!({ "session_code": false, "open_max": 9 })).build()
}

fn asks(world: &World, ask: &Value) -> (CreatedRequest, String) {
    let mut body = world.payment(PHONE, 1);
    body["ask"] = ask.clone();
    let asked = world.asks_for(&body);
    (asked, world.customer().newest().page)
}

fn payment(amount: u64) -> Value {
    json!({ "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice 4711" })
}

/// Returns the address that the page redirects to by itself.
fn goes_to(world: &World, page: &str) -> String {
    let html = world.customer().opens(&format!("{page}?go=1")).ok(200).text();
    let (_, rest) = html.split_once("content=\"0;url=").unwrap_or_else(|| panic!("{html}"));
    let url = rest.split('"').next().unwrap().replace("&#38;", "&");
    url.strip_prefix(PUBLIC_BASE).unwrap().to_owned()
}

fn there(world: &World, path: &str, form: &[(&str, &str)]) -> Answer {
    let call = world.call(Method::POST, path).key(None).idempotency(None);
    call.form(form).send()
}

fn comes_home(world: &World, answer: &Answer, page: &str) {
    let home = answer.header("location").strip_prefix(PUBLIC_BASE).unwrap().to_owned();
    assert_eq!(home.split('?').next().unwrap(), page);
    world.customer().opens(&home).ok(200);
    world.run_until_idle();
}

#[test]
fn card_on_hosted_page_is_declined_then_charged() {
    let world = begin();
    let (asked, page) = asks(&world, &payment(4250));
    world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
    let checkout = goes_to(&world, &page);
    let shown = world.call(Method::GET, &checkout).key(None).send().ok(200);
    assert!(shown.text().contains("42.50 EUR"), "{}", shown.text());
    there(&world, &checkout, &[("card", "pm_card_chargeDeclined")]).ok(200);
    world.time_passes(5);
    assert_eq!(world.state(&asked), "processing");
    let done = there(&world, &checkout, &[("card", "pm_card_mastercard")]).ok(303);
    comes_home(&world, &done, &page);
    let payment = world.reads(&asked)["outcome"]["payment"].clone();
    assert_eq!((&payment["card_brand"], &payment["amount"]), (&json!("mastercard"), &json!(4250)));
    assert!(world.customer().opens(&page).text().contains("Paid"));
}

#[test]
fn hosted_page_abandoned_accepts_no_card() {
    let world = begin();
    let (asked, page) = asks(&world, &payment(4250));
    world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
    let checkout = goes_to(&world, &page);
    world.customer().answers_on(&page, &[("action", "back")]).ok(303);
    assert_eq!(world.state(&asked), "prompted");
    there(&world, &checkout, &[("card", "pm_card_visa")]);
    let yes = [("action", "approve"), ("card", "pm_card_amex")];
    world.customer().answers_on(&page, &yes).ok(303);
    assert_eq!(world.reads(&asked)["outcome"]["payment"]["card_brand"], "amex");
    assert_eq!(world.stored(&asked).attempts.len(), 2);
}

#[test]
fn three_d_secure_rejected_is_a_decline() {
    let world = begin();
    let (asked, page) = asks(&world, &payment(4250));
    let yes = [("action", "approve"), ("card", "pm_card_authenticationRequired")];
    for (answer, state) in [("no", "prompted"), ("yes", "fulfilled")] {
        world.customer().answers_on(&page, &yes).ok(303);
        let bank = goes_to(&world, &page);
        let back = there(&world, &bank, &[("is_me", answer)]).ok(303);
        comes_home(&world, &back, &page);
        world.time_passes(15);
        assert_eq!(world.state(&asked), state);
    }
}

#[test]
fn saved_card_is_charged_by_tap_and_refunded_in_parts() {
    let world = begin();
    let keep = json!({ "kind": "payment_method", "description": "Keep it" });
    let (asked, page) = asks(&world, &keep);
    world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
    let done = there(&world, &goes_to(&world, &page), &[("card", "pm_card_visa")]).ok(303);
    comes_home(&world, &done, &page);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let mut again = payment(4250);
    again["payment_method"] = card;
    world.time_passes(1);
    let (asked, page) = asks(&world, &again);
    assert!(world.customer().opens(&page).text().contains("Visa •••• 4242"));
    world.customer().approves().ok(200);
    assert_eq!(world.reads(&asked)["outcome"]["payment"]["last4"], "4242");
    // Of a refund's amount, `06` is pending for a while, and `07` fails after it.
    for amount in [100, 206, 307] {
        world.acts(&asked, "refund", &json!({ "amount": amount })).ok(202);
    }
    let states = || {
        let refunds = world.reads(&asked)["refunds"].as_array().cloned().unwrap();
        let states = refunds.iter().map(|refund| refund["state"].as_str().unwrap().to_owned());
        states.collect::<Vec<_>>()
    };
    assert_eq!(states(), ["refunded", "pending", "pending"]);
    world.time_passes(200);
    assert_eq!(states(), ["refunded", "refunded", "failed"]);
    world.acts(&asked, "refund", &json!({ "amount": 4000 })).problem(422, "refund-too-large");
    let webhooks = world.webhooks();
    assert_eq!(webhooks.iter().filter(|webhook| *webhook == "request.refunded").count(), 2);
    assert_eq!(webhooks.iter().filter(|webhook| *webhook == "request.refund_failed").count(), 1);
}
