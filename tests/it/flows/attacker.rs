//! An attacker of intake's role writes the table, and reads every item of it. The attacker has no consent key and no link key, and
//! no private sealing key. Nothing that the attacker writes makes fetch-info call a processor.

use domain::ask::{Ask, AskHash};
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::{Brand, Key32, KeyRing, Mode};
use domain::request::{PromptRecord, Request, State};
use domain::values::money::Money;
use domain::values::phone::Phone;
use ports::Key;
use records::saved_cards;
use records::saved_cards::SavedCard;
use records::storage;
use records::storage::LinkTarget;
use serde_json::{Value, json};
use tests::providers::whatsapp;
use tests::sealing;
use tests::world::{CreatedRequest, PHONE, World};

const OTHER_PHONE: &str = "+15551230002";

/// Writes a request as the attacker wants it.
pub(super) fn alter(world: &World, asked: &CreatedRequest, forge: impl FnOnce(&mut Request)) {
    let mut request = world.stored(asked);
    forge(&mut request);
    let key = format!("REQ#{}", request.id);
    let mut items = world.items().into_iter();
    let mut item = items.find(|item| item.key.pk == key && item.key.sk == "REQ").unwrap();
    item.body = json!({ "version": "1", "is": request }).to_string();
    world.put_item(item);
}

/// The charges that the sandbox was asked for.
fn charges(world: &World) -> usize {
    world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#")).count()
}

fn raise_amount(request: &mut Request) {
    let Ask::Payment { money, .. } = &mut request.ask else { panic!("a payment was asked") };
    *money = Money::new(66_600, "EUR".parse().unwrap()).unwrap();
    request.ask_hash = AskHash::of(request.id, &request.brand, &request.payee, &request.ask);
}

/// Approves in the newest message on the phone. The processor is not called yet.
fn approve(world: &World, phone: &str, card: &str) -> tests::world::Answer {
    let customer = world.customer_at(phone);
    let message = customer.newest();
    let code = customer.session_code_of(&message);
    customer.taps(&message, &json!({ "action": "approve", "session_code": code, "card": card }))
}

pub(super) fn brand(world: &World) -> Brand {
    Brand::clone(&world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap())
}

/// Returns what intake's role reads of the brand, with a consent key that the attacker made up.
fn guessing(world: &World) -> Brand {
    let mut attacker = Brand { sealing: None, ..brand(world) };
    let keys = [("2026-11".to_owned(), Key32::new([0; 32]))].into();
    attacker.consent = Some(KeyRing { current: "2026-11".to_owned(), keys });
    attacker
}

#[test]
fn authorization_of_an_attacker_is_never_used() {
    let world = World::new();
    let asked = [PHONE, OTHER_PHONE].map(|phone| world.asks_at(phone, 4250));
    approve(&world, PHONE, "pm_card_visa").ok(200);
    approve(&world, OTHER_PHONE, "pm_card_visa").ok(200);
    let attacker = guessing(&world);
    let (request, other) = (world.stored(&asked[0]), world.stored(&asked[1]));
    let (consent, _) = request.approval().unwrap();
    let card = Credential::new(CredentialKind::PaymentMethod, "pm_card_mastercard");
    let forged = sealing::sealed(&attacker, &request, consent, 1, Authorization::from(card));
    let consent = consent.clone();
    alter(&world, &asked[0], |request| {
        request.state = State::Authorized { consent: consent.clone(), sealed: forged };
    });
    // The other request carries what the first customer gave.
    let (other_consent, _) = other.approval().unwrap();
    let other_consent = other_consent.clone();
    let (_, given) = request.approval().unwrap();
    alter(&world, &asked[1], |request| {
        request.state = State::Authorized { consent: other_consent, sealed: given.clone() };
    });
    world.time_passes(3_600);
    assert_eq!(charges(&world), 0);
    assert!(world.logs().contains("failed to open the authorization"));
    for asked in &asked {
        assert_eq!(world.reads(asked)["outcome"]["reason"], "authorization_lost");
    }
    world.leaves();
}

/// A consent and its authorization are genuine and used. The attacker puts them back.
#[test]
fn approval_is_used_once() {
    let world = World::new();
    let asked = world.asks(4250);
    approve(&world, PHONE, "pm_card_chargeDeclined").ok(200);
    let approved = world.stored(&asked);
    world.run_until_idle();
    assert_eq!((world.state(&asked).as_str(), charges(&world)), ("prompted", 1));
    alter(&world, &asked, |request| request.state = approved.state.clone());
    let fetch = domain::message::Message::new(domain::message::Step::Fetch, approved.id);
    world.redeliver([fetch]);
    world.time_passes(3_600);
    assert_eq!(charges(&world), 1);
    assert!(world.logs().contains("failed to open the authorization"));
    world.leaves();
}

/// The processor remembers an attempt's idempotency key for a day.
#[test]
fn approval_put_back_after_a_day_is_not_used() {
    let world = World::new();
    let asked = world.asks(4250);
    approve(&world, PHONE, "pm_card_visa").ok(200);
    let approved = world.stored(&asked);
    world.run_until_idle();
    assert_eq!((world.state(&asked).as_str(), charges(&world)), ("fulfilled", 1));
    world.time_passes(24 * 3_600);
    alter(&world, &asked, |request| {
        request.attempts.clear();
        request.state = approved.state.clone();
    });
    world.redeliver([domain::message::Message::new(domain::message::Step::Fetch, approved.id)]);
    world.time_passes(3_600);
    let request = world.stored(&asked);
    assert!(request.attempts.iter().all(|attempt| attempt.started_at().is_none()));
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "processor_unavailable");
    assert_eq!(charges(&world), 1);
    world.leaves();
}

/// Seeds of ten million steps found it: a message to no number was sent to WhatsApp.
#[test]
fn request_without_a_number_is_sent_nowhere() {
    let channel =
        json!({ "name": "whatsapp", "kind": "whatsapp", "settings": whatsapp::settings() });
    let world = World::builder().with("/test/channels", &json!([channel])).build();
    let mut body = world.payment(PHONE, 4250);
    body["channels"] = json!(["whatsapp"]);
    let asked = world.accepted(&body);
    alter(&world, &asked, |request| request.customer.phone = Phone::erased());
    world.run_until_idle();
    assert!(world.calls_to(whatsapp::HOST).is_empty());
    assert_eq!(world.state(&asked), "undeliverable");
    world.leaves();
}

#[test]
fn ask_altered_before_approval_is_refused() {
    type Forge = fn(&mut Request, &PromptRecord);
    let cases: [(&str, Forge); 5] = [
        ("raised amount", |request, _| raise_amount(request)),
        ("another customer", |request, _| request.customer.phone = OTHER_PHONE.parse().unwrap()),
        ("live mode", |request, _| request.mode = Mode::Live),
        ("no mac", |request, _| request.prompts.iter_mut().for_each(|prompt| prompt.mac = None)),
        ("a prompt of another request", |request, other| {
            let id = request.prompts[0].id;
            request.prompts = vec![PromptRecord { id, ..other.clone() }];
        }),
    ];
    for (case, forge) in cases {
        let world = World::new();
        let [asked, other] = [PHONE, OTHER_PHONE].map(|phone| world.asks_at(phone, 4250));
        let other = world.stored(&other).prompts[0].clone();
        alter(&world, &asked, |request| forge(request, &other));
        let answer = approve(&world, PHONE, "pm_card_visa");
        assert!(answer.status >= 400, "{case}: {}", answer.status);
        world.time_passes(30);
        assert_eq!(world.stored(&asked).approval(), None, "{case}");
        assert_eq!(charges(&world), 0, "{case}");
        world.leaves();
    }
    let world = World::new();
    let asked = world.asks(4250);
    alter(&world, &asked, raise_amount);
    let page = world.customer().newest().page;
    let code = asked.answer["session_code"].as_str().unwrap();
    world.customer().answers_on(&page, &[("action", "approve"), ("session_code", code)]);
    assert_eq!((world.state(&asked).as_str(), charges(&world)), ("prompted", 0));
    assert!(world.logs().contains("C1: prompt was not sent with this ask to this customer"));
    world.leaves();
}

/// The attacker writes where a token of their own leads, and approves as the customer.
#[test]
fn link_of_an_attacker_leads_nowhere() {
    let world = World::new();
    let asked = world.asks(4250);
    let request = world.stored(&asked);
    let (brand, request, prompt) = (request.brand, request.id, request.prompts[0].id);
    let token = "AAAAAAAAAAAAAAAAAAAAAA";
    let target = LinkTarget { brand, request, prompt };
    let write = storage::put_link(token, &target, world.now()).unwrap();
    world.run(world.ports.store.write(vec![write])).unwrap();
    let html = world.customer().opens(&format!("/c/{token}")).ok(404).text();
    assert!(!html.contains("42.50"), "{html}");
    let genuine = world.customer().newest().page;
    let code = asked.answer["session_code"].as_str().unwrap();
    let nonce = world.customer().nonce(&genuine);
    let form = [("nonce", nonce.as_str()), ("action", "approve"), ("session_code", code)];
    world.customer().posts(&format!("/c/{token}"), &form).ok(404);
    world.time_passes(30);
    assert_eq!((world.state(&asked).as_str(), charges(&world)), ("prompted", 0));
    world.leaves();
}

/// The attacker writes a consent into the journal, and another state beside it.
#[test]
fn journal_of_an_attacker_moves_nothing() {
    let world = World::new();
    let asked = [PHONE, OTHER_PHONE].map(|phone| world.asks_at(phone, 4250));
    approve(&world, OTHER_PHONE, "pm_card_visa").ok(200);
    let (request, other) = (world.stored(&asked[0]), world.stored(&asked[1]));
    let (pk, from) = (format!("REQ#{}", request.id), format!("REQ#{}", other.id));
    let mut model = world.items().into_iter().find(|item| item.key.pk == from).unwrap();
    for entry in &other.journal.entries().unwrap() {
        model.key = Key { pk: pk.clone(), sk: format!("EVT#{:05}", entry.seq) };
        model.body = storage::encode(entry).unwrap();
        world.put_item(model.clone());
    }
    alter(&world, &asked[0], |request| {
        request.state = other.state.clone();
        request.journal.clone_from(&other.journal);
    });
    world.time_passes(3_600);
    assert_eq!(charges(&world), 1, "only the other request is charged");
    let state = world.stored(&asked[0]);
    assert!(state.attempts.iter().all(|attempt| attempt.started_at().is_none()));
    world.leaves();
}

/// The attacker gives one customer's saved card to another, who approves what they are asked.
#[test]
fn saved_card_of_another_customer_is_never_charged() {
    let world = World::builder().with_fake_processor(&[]).build();
    let mut body = world.payment(PHONE, 1);
    body["ask"] = json!({ "kind": "payment_method", "description": "Keep for next time" });
    let asked = world.asks_for(&body);
    let page = world.customer().approves_hosted();
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.time_passes(5);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let id = card.as_str().unwrap().parse().unwrap();
    let (name, mode) = ("demo".parse().unwrap(), Mode::Test);
    let store = world.ports.store.as_ref();
    let saved: SavedCard = world.run(saved_cards::load(store, &name, mode, id)).unwrap().unwrap();
    let address =
        domain::keys::address_hash(&brand(&world).address_key, &OTHER_PHONE.parse().unwrap());
    let write = saved_cards::put(&name, mode, id, &SavedCard { address, ..saved }).unwrap();
    world.run(store.write(vec![write])).unwrap();
    let mut body: Value = world.payment(OTHER_PHONE, 66_600);
    body["ask"]["payment_method"] = card;
    let asked = world.asks_for(&body);
    world.customer_at(OTHER_PHONE).approves().ok(200);
    world.time_passes(3_600);
    assert_eq!(world.fake_processor().charges(), 0);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "authorization_lost");
    world.leaves();
}
