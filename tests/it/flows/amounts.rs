//! Amounts are judged when they are asked for, by the rules of the processors that would take them.

use serde_json::{Value, json};
use tests::world::{PHONE, World};

fn stripe() -> Value {
    let settings = json!({ "secret_key": "sk_test_made_up" });
    json!({ "name": "stripe", "kind": "stripe", "settings": settings })
}

fn adyen() -> Value {
    let settings = json!({ "api_key": "made-up", "merchant_account": "AcmeECOM", "hmac_keys": ["11".repeat(32)],
        "base_url": "https://checkout-test.adyen.com/v72" });
    json!({ "name": "adyen", "kind": "adyen", "settings": settings })
}

fn world(processors: &[Value]) -> World {
    let policy = json!({ "open_max": 100, "prompts_per_ten_minutes": 100 });
    World::builder().with("/test/processors", &json!(processors)).with("/policy", &policy).build()
}

fn payment(world: &World, amount: u64, currency: &str) -> Value {
    let mut body = world.payment(PHONE, amount);
    body["ask"]["currency"] = json!(currency);
    body
}

/// Returns what each processor says of an ask, as a capability look-up shows it.
fn processors(world: &World, body: &Value) -> Vec<(String, bool)> {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove("session");
    let answer = world.post("/v1/capabilities", &body).ok(200).json();
    let views = answer["processors"].as_array().unwrap().iter();
    views
        .map(|view| (view["name"].as_str().unwrap().to_owned(), view["supported"] == true))
        .collect()
}

#[test]
fn amount_that_stripe_cannot_take_is_refused_when_asked() {
    let world = world(&[stripe()]);
    for (amount, currency, pointer, code) in [
        (1001, "KWD", "/ask/amount", "step"),
        (501, "MGA", "/ask/amount", "step"),
        (1000, "LYD", "/ask/currency", "currency"),
        (100, "CLF", "/ask/currency", "currency"),
        (1, "USD", "/ask/amount", "minimum"),
        (100_000_000, "EUR", "/ask/amount", "maximum"),
        (1_000_000, "UGX", "/ask/amount", "maximum"),
    ] {
        let body = payment(&world, amount, currency);
        let reported =
            world.post("/v1/requests", &body).problem(422, "amount-not-supported").json();
        assert_eq!(reported["errors"][0]["pointer"], pointer, "{reported}");
        assert_eq!(reported["errors"][0]["code"], code, "{reported}");
        assert_eq!(processors(&world, &body), [("stripe".to_owned(), false)]);
    }
    for (amount, currency) in [(1010, "KWD"), (500, "MGA"), (500, "ISK"), (150_000_000, "IDR")] {
        let body = payment(&world, amount, currency);
        assert_eq!(processors(&world, &body), [("stripe".to_owned(), true)]);
        world.post("/v1/requests", &body).ok(201);
    }
    world.leaves();
}

#[test]
fn amount_goes_to_the_next_processor_that_takes_it() {
    let world = world(&[stripe(), adyen()]);
    for (amount, currency, expected) in [
        (4250, "EUR", [true, true]),
        (1001, "KWD", [false, true]),
        (400_000_000, "COP", [false, true]),
        (4250, "IDR", [true, false]),
        (1000, "LYD", [false, true]),
    ] {
        let body = payment(&world, amount, currency);
        let views: Vec<bool> = processors(&world, &body).into_iter().map(|view| view.1).collect();
        assert_eq!(views, expected, "{amount} {currency}");
        world.post("/v1/requests", &body).ok(201);
    }
    // Neither processor counts this unit.
    let body = payment(&world, 4250, "UYW");
    world.post("/v1/requests", &body).problem(422, "amount-not-supported");
    world.leaves();
}

#[test]
fn named_processor_takes_the_ask_or_refuses_it() {
    let world = world(&[stripe(), adyen()]);
    let mut body = payment(&world, 1001, "KWD");
    body["processor"] = json!("adyen");
    world.post("/v1/requests", &body).ok(201);
    assert_eq!(processors(&world, &body), [("adyen".to_owned(), true)]);
    body["processor"] = json!("stripe");
    let reported = world.post("/v1/requests", &body).problem(422, "amount-not-supported").json();
    assert_eq!(reported["errors"][0]["code"], "step");
    body["processor"] = json!("paypal");
    let reported =
        world.post("/v1/requests", &body).problem(422, "processor-not-configured").json();
    assert_eq!(reported["errors"][0]["pointer"], "/processor");
    body["processor"] = json!("No Name");
    world.post("/v1/requests", &body).problem(400, "invalid-request");
    world.leaves();
}
