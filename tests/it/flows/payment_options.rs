//! Asks of every kind: the processor selected, saved cards, wallets on the page, and rejections.

use domain::authorization::{SealedCard, StoredAuthorization};
use domain::brand::{BrandScope, Mode};
use domain::processor_result::CardReceipt;
use domain::saved_credential::SavedCredential;
use domain::seal;
use domain::seal_binding::{Binding, CardBinding};
use http::Method;
use ports::{CARD_NOT_KEPT, Created};
use records::saved_cards;
use records::saved_cards::SavedCard;
use serde_json::{Value, json};
use tests::doubles::SeededRandom;
use tests::sealing;
use tests::world::brand::{LIVE_KEY, OTHER_KEY};
use tests::world::{Answer, CreatedRequest, PHONE, World};

pub(super) fn ask_for(world: &World, phone: &str, ask: &Value) -> Value {
    let mut body = world.payment(phone, 1);
    body["ask"] = ask.clone();
    body
}

pub(super) fn save_card_ask() -> Value {
    json!({ "kind": "payment_method", "description": "Keep for next time" })
}

pub(super) fn paying_with(card: &str) -> Value {
    json!({ "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Again", "payment_method": card })
}

/// A world in which the customer saved a card, and that card's id.
pub(super) fn with_a_card() -> (World, String) {
    let world = World::builder().with_fake_processor(&[]).build();
    let asked = world.asks_for(&ask_for(&world, PHONE, &save_card_ask()));
    let page = world.customer().approves_hosted();
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.time_passes(5);
    let outcome = world.reads(&asked)["outcome"].clone();
    let method = &outcome["payment_method"];
    assert_eq!(
        (&method["card_brand"], &method["last4"], &method["exp_year"], &method["method"]),
        (&json!("visa"), &json!("4242"), &json!(2030), &json!("card")),
    );
    let card = method["id"].as_str().unwrap().to_owned();
    assert!(
        card.starts_with("crd_") && outcome["reference"].as_str().unwrap().starts_with("fake-")
    );
    (world, card)
}

fn approve_on_page(world: &World, asked: &CreatedRequest, more: &[(&str, &str)]) -> Answer {
    let code = asked.answer["session_code"].as_str().unwrap_or_default();
    let mut fields = vec![("session_code", code)];
    fields.extend_from_slice(more);
    world.customer().answers_on(&world.customer().newest().page, &fields)
}

#[test]
fn saved_card_is_charged_by_approval_on_page_or_by_tap() {
    let (world, card) = with_a_card();
    let asked = world.asks_for(&ask_for(&world, PHONE, &paying_with(&card)));
    assert_eq!(asked.answer["ask"]["payment_method"], card.as_str());
    let html = world.customer().opens(&world.customer().newest().page).text();
    assert!(html.contains("<dd>Visa •••• 4242</dd>") && !html.contains("<select"), "{html}");
    approve_on_page(&world, &asked, &[("action", "approve")]).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    let asked = world.asks_for(&ask_for(&world, PHONE, &paying_with(&card)));
    assert!(world.stored(&asked).by_tap);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.fake_processor().charges(), 2);
    let calls = world.fake_processor().calls();
    assert_eq!(calls.iter().filter(|call| *call == "Confirm 1 SavedCard").count(), 2, "{calls:?}");
}

#[test]
fn saved_card_of_another_customer_is_not_found() {
    let (world, card) = with_a_card();
    let unknown = "crd_01M844DZG03XCBJ52V4K8GHNXC";
    let mut problems = Vec::new();
    for (phone, key, card) in [
        (PHONE, None, unknown),
        ("+15551230002", None, card.as_str()),
        (PHONE, Some(OTHER_KEY), card.as_str()),
    ] {
        let mut call = world.call(Method::POST, "/v1/requests");
        if let Some(key) = key {
            call = call.key(key);
        }
        let answer = call.json(&ask_for(&world, phone, &paying_with(card))).send();
        let mut problem = answer.problem(422, "payment-method-unknown").json();
        assert_eq!(problem["errors"][0]["pointer"], "/ask/payment_method");
        problem["instance"] = Value::Null;
        problems.push(problem);
    }
    assert!(problems.iter().all(|one| *one == problems[0]), "{problems:?}");
    for bad in ["crd_1", "pm_card_visa", "req_01M844DZG03XCBJ52V4K8GHNXC", ""] {
        let answer = world.post("/v1/requests", &ask_for(&world, PHONE, &paying_with(bad)));
        assert_eq!(answer.problem(400, "invalid-request").json()["errors"][0]["code"], "value");
    }
}

#[test]
fn saved_card_gone_at_the_processor_is_offered_no_more() {
    let (world, card) = with_a_card();
    let asked = world.asks_for(&ask_for(&world, PHONE, &paying_with(&card)));
    world.fake_processor().will_return([Created::SoftDeclined { code: CARD_NOT_KEPT }]);
    approve_on_page(&world, &asked, &[("action", "approve")]).ok(303);
    // No other card can pay an ask that names this one.
    let outcome = world.reads(&asked)["outcome"].clone();
    assert_eq!(outcome, json!({ "kind": "failed", "reason": "card_not_kept" }));
    let again = ask_for(&world, PHONE, &paying_with(&card));
    world.post("/v1/requests", &again).problem(422, "payment-method-gone");
    // Another customer learns nothing of it.
    let other = ask_for(&world, "+15551230002", &paying_with(&card));
    world.post("/v1/requests", &other).problem(422, "payment-method-unknown");
    // A declined card is still there.
    let (world, card) = with_a_card();
    let asked = world.asks_for(&ask_for(&world, PHONE, &paying_with(&card)));
    world.fake_processor().will_return([Created::HardDeclined { code: "card_declined" }]);
    approve_on_page(&world, &asked, &[("action", "approve")]).ok(303);
    assert_eq!(world.state(&asked), "failed");
    world.post("/v1/requests", &ask_for(&world, PHONE, &paying_with(&card))).ok(201);
    world.run_until_idle();
}

#[test]
fn saved_card_forgotten_meanwhile_cannot_be_approved() {
    let (world, card) = with_a_card();
    let asked = world.asks_for(&ask_for(&world, PHONE, &paying_with(&card)));
    let name = "demo".parse().unwrap();
    let (of, card_id) = (BrandScope { brand: &name, mode: Mode::Test }, card.parse().unwrap());
    let known = saved_cards::load(world.ports.store.as_ref(), &name, Mode::Test, card_id);
    let known = world.run(known).unwrap().unwrap();
    let delete = saved_cards::delete(of, card_id, &known).into();
    world.run(world.ports.store.write(delete)).unwrap();
    let html = world.customer().opens(&world.customer().newest().page).text();
    assert!(html.contains("This cannot be done here at the moment"), "{html}");
    let html = approve_on_page(&world, &asked, &[("action", "approve")]).ok(422).text();
    assert!(html.contains("This cannot be done here at the moment"), "{html}");
    world.customer().denies().ok(200);
    assert_eq!(world.state(&asked), "denied");
}

#[test]
fn saved_card_is_sealed_again_for_each_request() {
    let (world, card) = with_a_card();
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let known = world.run(saved_cards::load(
        world.ports.store.as_ref(),
        &brand.name,
        Mode::Test,
        card.parse().unwrap(),
    ));
    let known: SavedCard = known.unwrap().unwrap();
    let binding = Binding::card(CardBinding {
        brand: &brand.name,
        mode: Mode::Test,
        request: known.request,
        processor: &known.processor,
        address: &known.address,
    });
    let saved = SavedCredential::new("f4ke-card");
    assert_eq!(seal::open(&brand, &binding, &known.sealed), Ok(saved));
    let asked = world.asks_for(&ask_for(&world, PHONE, &paying_with(&card)));
    world.fake_processor().will_return([Created::Again]);
    world.customer().approves().ok(200);
    let request = world.stored(&asked);
    // consent-callback seals the sealed credential once more, and opens neither.
    let SavedCard { request: saved_by, address, sealed, .. } = known;
    let card = StoredAuthorization::Card(SealedCard { request: saved_by, address, sealed });
    assert_eq!(sealing::carried(&brand, &request), Some(card));
    world.time_passes(5);
    assert_eq!(world.state(&asked), "fulfilled");
}

/// A saved card goes to the processor that keeps it. Its place in the list does not matter.
#[test]
fn first_capable_processor_is_selected() {
    let fake_processor = |name: &str, asks: &[&str]| json!({ "name": name, "kind": "fake", "settings": { "asks": asks, "payment_options": ["nothing", "hosted"] } });
    let fake_processors = json!([
        { "name": "broken", "kind": "unheard-of" },
        fake_processor("who", &["identity"]),
        fake_processor("cash", &["payment"]),
        fake_processor("fake", &["payment", "payment_method"]),
    ]);
    let world = World::builder().with("/test/processors", &fake_processors).build();
    let processor_of = |ask: &Value, phone: &str| {
        let asked = world.asks_for(&ask_for(&world, phone, ask));
        let processor = world.stored(&asked).processor.to_string();
        world.acts(&asked, "cancel", &json!({})).ok(200);
        processor
    };
    let pay = json!({ "kind": "payment", "amount": 1, "currency": "EUR", "description": "x" });
    let who = json!({ "kind": "identity", "claims": ["name"], "description": "x" });
    assert_eq!(processor_of(&pay, "+15551230002"), "cash");
    assert_eq!(processor_of(&who, "+15551230002"), "who");
    assert_eq!(processor_of(&save_card_ask(), "+15551230002"), "fake");
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let asked = world.asks_for(&ask_for(&world, PHONE, &save_card_ask()));
    let request = world.stored(&asked);
    let kept = SavedCredential::new("f4ke-card");
    let binding = Binding::request(&request);
    let receipt = CardReceipt {
        reference: domain::processor_result::Reference("r".to_owned()),
        wallet: None,
        card_brand: None,
        last4: None,
        exp_month: None,
        exp_year: None,
    };
    let card = SavedCard {
        request: request.id,
        processor: "fake".parse().unwrap(),
        address: request.address,
        sealed: seal::seal(&brand, &binding, &kept, &SeededRandom::new(3)).unwrap(),
        receipt,
        gone_at: None,
        used_at: None,
        ending: None,
    };
    let id = "crd_01M844DZG03XCBJ52V4K8GHNXC";
    let put = saved_cards::put(&brand.name, Mode::Test, id.parse().unwrap(), &card).unwrap();
    world.run(world.ports.store.write(vec![put])).unwrap();
    assert_eq!(processor_of(&paying_with(id), PHONE), "fake");
    world.acts(&asked, "cancel", &json!({})).ok(200);
}

#[test]
fn claim_without_display_text_is_rejected() {
    let world = World::builder().with_fake_processor(&["hosted"]).build();
    let all = domain::ask::CLAIMS;
    for bad in [json!(["age_over_18"]), json!(["name", "name"]), json!(["Name"]), json!([])] {
        let ask = json!({ "kind": "identity", "claims": bad, "description": "x" });
        let answer = world.post("/v1/requests", &ask_for(&world, PHONE, &ask));
        answer.problem(400, "invalid-request");
    }
    let ask = json!({ "kind": "identity", "claims": all, "description": "x" });
    let asked = world.asks_for(&ask_for(&world, PHONE, &ask));
    let html = world.customer().opens(&world.customer().newest().page).text();
    assert_eq!(html.matches("<li>").count(), all.len());
    world.acts(&asked, "cancel", &json!({})).ok(200);
}

#[test]
fn live_request_needs_an_option_for_live_payments() {
    let fake_processor =
        json!([{ "name": "fake", "kind": "fake", "settings": { "payment_options": ["hosted"] } }]);
    let world = World::builder().with("/live/processors", &fake_processor).build();
    let body = world.payment(PHONE, 4250);
    let call = world.call(Method::POST, "/v1/requests").key(LIVE_KEY).json(&body);
    assert_eq!(call.send().ok(201).json()["mode"], "live");
    world.run_until_idle();
    let tested = json!([{ "name": "fake", "kind": "fake", "settings": { "payment_options": ["test_card"] } }]);
    let world = World::builder().with("/live/processors", &tested).build();
    let call = world.call(Method::POST, "/v1/requests").key(LIVE_KEY);
    call.json(&world.payment(PHONE, 1)).send().problem(422, "ask-not-supported");
}

#[test]
fn wallet_payment_on_page_learns_whether_it_counts() {
    let world =
        World::builder().with_fake_processor(&["google_pay", "apple_pay", "hosted"]).build();
    let asked = world.asks(4250);
    let answer = world.customer().opens(&world.customer().newest().page).ok(200);
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("https://pay.google.com") && policy.contains("script-src 'sha256-"));
    let html = answer.text();
    assert!(html.contains("&#34;totalPrice&#34;:&#34;42.50&#34;"), "{html}");
    let hash = world.stored(&asked).ask_hash;
    use base64::Engine;
    let bound =
        base64::engine::general_purpose::STANDARD.encode(hex::decode(hash.as_str()).unwrap());
    assert!(html.contains(&format!("&#34;applicationData&#34;:&#34;{bound}&#34;")), "{html}");
    let wallet = |kind, token| [("action", "approve"), ("wallet", kind), ("token", token)];
    let huge = "x".repeat(16 * 1024 + 1);
    for (kind, token) in [("google_pay", ""), ("google_pay", huge.as_str()), ("cash", "x")] {
        approve_on_page(&world, &asked, &wallet(kind, token)).ok(400);
    }
    let page = world.customer().newest().page;
    let missing = world.customer().answers_on(&page, &wallet("google_pay", "f4ke-wallet"));
    missing.problem(422, "session-code-missing");
    approve_on_page(&world, &asked, &wallet("google_pay", "f4ke-wallet")).ok(204);
    let payment = world.reads(&asked)["outcome"]["payment"].clone();
    assert_eq!(payment["wallet"], "google_pay");
    let after = world.customer().posts(&page, &wallet("google_pay", "f4ke-wallet"));
    after.ok(400);
}

#[test]
fn wallet_unsupported_or_code_wrong_is_no_approval() {
    let world = World::builder().with_fake_processor(&["apple_pay", "hosted"]).build();
    let asked = world.asks(4250);
    let policy = world.customer().opens(&world.customer().newest().page);
    assert!(!policy.header("content-security-policy").contains("https:"));
    let wallet = |kind| [("action", "approve"), ("wallet", kind), ("token", "f4ke-wallet")];
    approve_on_page(&world, &asked, &wallet("google_pay")).problem(422, "ask-not-supported");
    assert!(world.customer().opens(&world.customer().newest().page).text().contains("apple_pay"));
    assert!(
        approve_on_page(&world, &asked, &[("action", "approve")]).ok(422).text().contains("<form")
    );
    assert_eq!(world.state(&asked), "prompted");
    let page = world.customer().newest().page;
    let stored = world.stored(&asked).session_code.unwrap();
    let wrong = stored.choices.iter().find(|choice| **choice != stored.code).unwrap();
    let mut fields = wallet("apple_pay").to_vec();
    fields.push(("session_code", wrong));
    world.customer().answers_on(&page, &fields).problem(409, "conflict-state");
    assert_eq!(world.state(&asked), "denied");
}

#[test]
fn apple_pay_session_is_for_our_host_while_open() {
    let world = World::builder().with_fake_processor(&["apple_pay", "hosted"]).build();
    let asked = world.asks(4250);
    let page = world.customer().newest().page;
    let nonce = world.customer().nonce(&page);
    let form = [("nonce", nonce.as_str()), ("action", "apple_session")];
    let session = world.customer().posts(&page, &form).ok(200);
    assert_eq!(session.json(), json!({ "domainName": "pay.example.com" }));
    assert_eq!(session.header("content-type"), "application/json");
    world.customer().posts(&page, &[("action", "apple_session")]).ok(400);
    let elsewhere = world.call(Method::POST, &page).key(None).idempotency(None).form(&form);
    elsewhere.header("sec-fetch-site", "cross-site").send().ok(400);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    world.customer().posts(&page, &form).problem(409, "conflict-state");
    let without = World::builder().with_fake_processor(&["google_pay", "hosted"]).build();
    let asked = without.asks(4250);
    let page = without.customer().newest().page;
    let none = without.customer().answers_on(&page, &[("action", "apple_session")]);
    none.problem(422, "ask-not-supported");
    without.acts(&asked, "cancel", &json!({})).ok(200);
}

#[test]
fn device_wallets_are_remembered_as_capability() {
    let world = World::builder().with_fake_processor(&["google_pay", "hosted"]).build();
    let asked = world.asks(4250);
    let page = world.customer().newest().page;
    let seen = [("action", "observed"), ("wallets", "google_pay,cash,<script>")];
    world.customer().answers_on(&page, &seen).ok(204);
    let body = world.payment(PHONE, 1);
    let body = json!({ "customer": body["customer"], "ask": body["ask"] });
    let routes = world.post("/v1/capabilities", &body).ok(200).json();
    assert_eq!(routes["routes"][0]["wallets"], json!(["google_pay"]));
    world.acts(&asked, "cancel", &json!({})).ok(200);
}
