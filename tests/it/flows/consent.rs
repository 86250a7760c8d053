//! A consent covers exactly the ask that was shown, once. Altered records move no money.

use std::time::Duration;

use domain::ask::{Ask, AskHash};
use domain::consent::{ApprovalMethod, Consent};
use domain::message::QueueName;
use domain::request::{Request, State};
use domain::values::money::Money;
use serde_json::{Value, json};
use tests::world::{PHONE, World};

/// Approves, and then changes the stored request at a JSON Pointer before the processor runs.
fn approve_and_tamper(pointer: &str, value: &Value) -> World {
    let world = World::new();
    world.asks(4250);
    world.customer().taps_approve().ok(200);
    let mut item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    let mut body: Value = serde_json::from_str(&item.body).unwrap();
    let place = body.pointer_mut(pointer).unwrap();
    assert_ne!(place, value);
    *place = value.clone();
    item.body = body.to_string();
    world.put_item(item);
    world
}

#[test]
fn altered_ask_is_never_charged() {
    let cases = [
        ("/is/ask/amount", json!(4251)),
        ("/is/ask/currency", json!("USD")),
        ("/is/ask/description", json!("Invoice 4712")),
        ("/is/payee", json!("Demo Boots")),
        ("/is/brand", json!("other")),
        ("/is/expires_at", json!("2026-11-30T23:59:59.000Z")),
        ("/is/state/consent/ask_hash", json!("0".repeat(64))),
        ("/is/state/consent/at", json!("2026-12-01T00:05:00.000Z")),
    ];
    for (pointer, value) in cases {
        let world = approve_and_tamper(pointer, &value);
        world.run_until_idle();
        world.time_passes(3_600);
        let charged = world.items().into_iter().find(|item| item.key.pk.starts_with("SANDBOX#"));
        assert!(charged.is_none(), "{pointer}: {charged:?}");
        assert!(world.logs().contains("C1: consent does not match the ask"), "{pointer}");
        let item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
        let body: Value = serde_json::from_str(&item.body).unwrap();
        let ended = json!({ "kind": "failed", "reason": "consent_mismatch" });
        assert_eq!(body["is"]["state"]["outcome"], ended, "{pointer}");
        world.leaves();
    }
}

/// Approves two requests. Before the processor runs, it changes the first as a writer of the table could, who also sees the
/// second.
fn approve_and_forge(forge: impl FnOnce(&mut Request, &Request)) -> World {
    let world = World::new();
    let phones = [PHONE, "+15551230002"];
    let asked = phones.map(|phone| world.asks_at(phone, 4250));
    for phone in phones {
        let customer = world.customer_at(phone);
        let message = customer.newest();
        let yes =
            json!({ "action": "approve", "session_code": customer.session_code_of(&message) });
        customer.taps(&message, &yes).ok(200);
    }
    let [mut request, other] = asked.each_ref().map(|asked| world.stored(asked));
    forge(&mut request, &other);
    let key = format!("REQ#{}", request.id);
    let mut items = world.items().into_iter();
    let mut item = items.find(|item| item.key.pk == key && item.key.sk == "REQ").unwrap();
    item.body = json!({ "version": "1", "is": request }).to_string();
    world.put_item(item);
    world
}

/// Raises the amount, and computes the hashes of the new ask as consent-callback does.
fn raise_amount(request: &mut Request) {
    let Ask::Payment { money, .. } = &mut request.ask else { panic!("a payment was asked") };
    *money = Money::new(66_600, "EUR".parse().unwrap()).unwrap();
    request.ask_hash = AskHash::of(request.id, &request.brand, &request.payee, &request.ask);
    let ask_hash = request.ask_hash.clone();
    consent_of(request).ask_hash = ask_hash;
}

fn consent_of(request: &mut Request) -> &mut Consent {
    let State::Authorized { consent, .. } = &mut request.state else { panic!("it is approved") };
    consent
}

/// The forger knows every key but the consent key: intake's role reads no more than that.
#[test]
fn forged_consent_is_never_charged() {
    type Forge = fn(&mut Request, &Request);
    let cases: [(&str, Forge); 6] = [
        ("raised amount", |request, _| raise_amount(request)),
        ("no signature", |request, _| consent_of(request).signature = None),
        ("another time", |request, _| {
            let consent = consent_of(request);
            consent.at = consent.at.after(Duration::from_millis(1));
        }),
        ("another method", |request, _| consent_of(request).method = ApprovalMethod::Page),
        ("unknown key", |request, _| {
            consent_of(request).signature.as_mut().unwrap().key_id = "k9".to_owned();
        }),
        ("another request's consent", |request, other| {
            let (consent, _) = other.approval().unwrap();
            consent_of(request).signature = consent.signature.clone();
        }),
    ];
    for (case, forge) in cases {
        let world = approve_and_forge(forge);
        world.time_passes(3_600);
        let charged = world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#"));
        assert_eq!(charged.count(), 1, "{case}: only the other request is charged");
        assert!(world.logs().contains("C1: consent has no valid signature"), "{case}");
        world.leaves();
    }
}

#[test]
fn consent_without_keys_is_not_recorded() {
    let world = World::new();
    let asked = world.asks(4250);
    world.rotates("/consent", &Value::Null);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.session_code_of(&message) });
    customer.taps(&message, &yes).problem(500, "internal");
    world.time_passes(30);
    assert_eq!(world.state(&asked), "prompted");
    assert!(world.logs().contains("the brand has no consent keys"));
}

#[test]
fn altered_authorization_does_not_open() {
    let world = approve_and_tamper("/is/state/sealed/ciphertext", &json!("AAAAAAAAAAAAAAAA"));
    world.run_until_idle();
    let request = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    assert!(request.body.contains("authorization_lost"), "{}", request.body);
    assert!(world.items().iter().all(|item| !item.key.pk.starts_with("SANDBOX#")));
}

#[test]
fn approvals_of_two_live_prompts_count_once() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["expires_in"] = json!(1_200);
    let asked = world.asks_for(&body);
    world.time_passes(601);
    let customer = world.customer();
    let messages = customer.messages();
    assert_eq!(messages.len(), 2);
    let yes =
        json!({ "action": "approve", "session_code": customer.session_code_of(&messages[0]) });
    customer.taps(&messages[0], &yes).ok(200);
    customer.taps(&messages[1], &yes).problem(409, "conflict-state");
    world.run_until_idle();
    customer.taps(&messages[1], &yes).problem(409, "conflict-state");
    assert_eq!(world.state(&asked), "fulfilled");
    let charged = world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#"));
    assert_eq!(charged.count(), 1);
}

#[test]
fn simultaneous_taps_count_once() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.session_code_of(&message) });
    let no = json!({ "action": "deny" });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let taps: Vec<_> = [&yes, &no, &yes, &no, &yes, &no]
            .into_iter()
            .map(|body| scope.spawn(|| customer.taps(&message, body).status))
            .collect();
        taps.into_iter().map(|tap| tap.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    world.run_until_idle();
    let request = world.stored(&asked);
    let state = world.state(&asked);
    assert!(matches!(state.as_str(), "fulfilled" | "denied"), "{state}");
    assert_eq!(request.attempts.len(), usize::from(state == "fulfilled"));
}

#[test]
fn simultaneous_workers_charge_once() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.session_code_of(&message) });
    customer.taps(&message, &yes).ok(200);
    customer.taps(&message, &yes).ok(200);
    for moment in ["stored REQ#", "stored SANDBOX#", "storing REQ#"] {
        world.meanwhile(moment, |core| core.handle_queue(QueueName::Authorizations));
    }
    world.run_until_idle();
    world.time_passes(120);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.stored(&asked).attempts.len(), 1);
    let charged = world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#"));
    assert_eq!(charged.count(), 1);
}
