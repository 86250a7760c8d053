//! Reads the golden files as the domain does, and where only one function does, as that one does.

use domain::ask::AskHash;
use domain::authorization::{Authorization, Credential, CredentialKind, StoredAuthorization};
use domain::brand::Mode;
use domain::contact::Contact;
use domain::digest::digest_hex;
use domain::journal::JournalEntry;
use domain::keys;
use domain::message::Message;
use domain::processor_result::Reference;
use domain::request::Request;
use domain::saved_credential::SavedCredential;
use domain::seal;
use domain::seal::Sealed;
use domain::seal_binding::{Binding, CardBinding};
use domain::statistics::EndFacts;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use domain::webhook::WebhookEvent;
use http::Method;
use ports::{AttemptContext, Processors, Retrieved};
use processors::{Deps, Registry};
use records::card_checks::CardCheck;
use records::circuit_breaker::Open;
use records::customers::CustomerItem;
use records::device::DeviceWallets;
use records::erasures::Erasure;
use records::handles::StoredHandle;
use records::limits::AddressLimits;
use records::opt_outs::OptOut;
use records::request_lists::ListedFacts;
use records::saved_cards::SavedCard;
use records::statistics::KeptCounts;
use records::storage::{LinkTarget, decode, encode};
use sandbox::phone::PhoneMessage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use tests::doubles::used;
use tests::sealing;
use tests::world::{PHONE, World};

use super::{golden_files, item};

/// Writes again what today's code reads of a text.
fn again<T: Serialize + DeserializeOwned>(text: &str) -> Value {
    let read: T = decode(text).unwrap();
    serde_json::from_str(&encode(read).unwrap()).unwrap()
}

#[test]
fn every_golden_file_is_read_and_written_unchanged() {
    for (name, golden) in golden_files() {
        let text = golden["body"].to_string();
        let written = match name.split('-').next().unwrap() {
            "req" => again::<Request>(&text),
            "journal" => again::<JournalEntry>(&text),
            "webhook" => again::<WebhookEvent>(&text),
            "list" => again::<ListedFacts>(&text),
            "link" => again::<LinkTarget>(&text),
            "limit" => again::<AddressLimits>(&text),
            "contact" => again::<Contact>(&text),
            "cust" => again::<CustomerItem>(&text),
            "check" => again::<CardCheck>(&text),
            "erase" => again::<Erasure>(&text),
            "prompts" => again::<u32>(&text),
            "device" => again::<DeviceWallets>(&text),
            "handle" => again::<StoredHandle>(&text),
            "breaker" => again::<Open>(&text),
            "card" => again::<SavedCard>(&text),
            "claims" => again::<Sealed>(&text),
            "stop" => again::<OptOut>(&text),
            "stats" if name == "stats" => again::<EndFacts>(&text),
            "stats" => again::<KeptCounts>(&text),
            "seen" => again::<Timestamp>(&text),
            "addr" | "charge" => again::<RequestId>(&text),
            "phone" => json!(serde_json::from_str::<PhoneMessage>(&text).unwrap()),
            "message" => json!(serde_json::from_str::<Message>(&text).unwrap()),
            // These are read by one function each, below.
            "cap" | "idem" | "endpoint" | "sandbox" => continue,
            _ => panic!("no function reads {name}"),
        };
        assert_eq!(written, golden["body"], "{name}");
    }
}

#[test]
fn hashes_of_stored_items_are_unchanged() {
    for (name, golden) in golden_files() {
        let text = golden["body"].to_string();
        if name.starts_with("req-") {
            let request: Request = decode(&text).unwrap();
            let hash = AskHash::of(request.id, &request.brand, &request.payee, &request.ask);
            assert_eq!(hash, request.ask_hash, "{name}");
        }
    }
    let files = golden_files();
    let pending: Request = decode(&files["req-pending"]["body"].to_string()).unwrap();
    let accepted: JournalEntry = decode(&files["journal-accepted"]["body"].to_string()).unwrap();
    // A golden file is laid out for a reader. The text that was stored is written again from its fields.
    let written = JournalEntry::new(accepted.seq, accepted.at, accepted.what, accepted.previous);
    assert_eq!(written.hash(), pending.chain);
    let next: JournalEntry = decode(&files["journal-sending"]["body"].to_string()).unwrap();
    assert_eq!(next.previous, written.hash());
}

#[test]
fn stored_link_address_and_authorization_still_open() {
    let world = World::new();
    let files = golden_files();
    let name = "demo".parse().unwrap();
    let brand = world.run(world.ports.secrets.brand(&name)).unwrap();
    let target: LinkTarget = decode(&files["link"]["body"].to_string()).unwrap();
    let token = keys::link_token(&brand.link_key, target.prompt);
    assert_eq!(files["link"]["pk"], format!("LINK#{}", digest_hex(token.as_bytes())));
    let address = keys::address_hash(&brand.address_key, &PHONE.parse().unwrap());
    assert_eq!(files["stop"]["pk"], format!("STOP#demo#{address}"));
    assert_eq!(files["limit"]["pk"], format!("LIMIT#demo#Test#{address}"));
    assert_eq!(files["contact"]["pk"], format!("CONTACT#demo#Test#whatsapp#{address}"));
    let handle = keys::handle_hash(&brand.address_key, "whatsapp", "US.1349");
    assert_eq!(files["handle"]["pk"], format!("HANDLE#demo#Test#whatsapp#{handle}"));
    let request: Request = decode(&files["req-authorized"]["body"].to_string()).unwrap();
    let card = Credential::new(CredentialKind::PaymentMethod, "pm_card_visa");
    let card = StoredAuthorization::from(Authorization::Credential(card));
    assert_eq!(sealing::carried(&brand, &request), Some(card));
    let kept: SavedCard = decode(&files["card"]["body"].to_string()).unwrap();
    let binding = Binding::card(CardBinding {
        brand: &brand.name,
        mode: Mode::Test,
        request: kept.request,
        processor: &kept.processor,
        address: &kept.address,
    });
    let opened: SavedCredential = seal::open(&brand, &binding, &kept.sealed).unwrap();
    assert_eq!(opened.0.kind, CredentialKind::SavedCard);
}

#[test]
fn stored_idempotency_key_still_gets_its_answer() {
    let world = World::new();
    let golden = &golden_files()["idem"];
    world.put_item(item(golden));
    let mut wanted = world.payment(PHONE, 4250);
    wanted["metadata"] = json!({ "ticket": "88" });
    let call = world.call(Method::POST, "/v1/requests").idempotency("golden");
    let call = call.body(wanted.to_string());
    let answer = call.send().ok(201);
    assert_eq!(answer.header("idempotency-replayed"), "true");
    assert_eq!(answer.json(), golden["body"]["is"]["answer"]);
    world.run_until_idle();
}

#[test]
fn stored_receipt_is_reported_a_moment_later() {
    let golden = &golden_files()["cap"];
    let at = golden["body"]["is"]["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let channels = json!([{ "name": "whatsapp", "kind": "fake-channel" }]);
    let world = World::builder().at(at).with("/test/channels", &channels).build();
    world.put_item(item(golden));
    let mut wanted = world.payment("+15551239001", 100);
    wanted.as_object_mut().unwrap().remove("session");
    let route = world.post("/v1/capabilities", &wanted).ok(200).json()["routes"][0].clone();
    assert_eq!(route["reason"], "not_on_channel");
    assert_eq!(route["wallets"], json!(["apple_pay"]));
}

#[test]
fn stored_words_of_a_customer_still_count() {
    let files = golden_files();
    for (name, status) in
        [("stop", 403), ("stop-started", 201), ("stop-repeated", 403), ("stop-withdrawn", 201)]
    {
        let world = World::new();
        world.put_item(item(&files[name]));
        let answer = world.post("/v1/requests", &world.payment(PHONE, 100));
        assert_eq!(answer.status, status, "{name}");
        world.run_until_idle();
    }
}

#[test]
fn stored_message_is_still_known_when_it_is_repeated() {
    let golden = &golden_files()["seen"];
    let world = World::builder().with_fake_channels(&["whatsapp"]).build();
    let stops = |id: &str| {
        let stop = json!([{ "stop": { "from": { "phone": PHONE, "id": id } } }]);
        world.channel_sends("whatsapp", &stop).ok(200);
        world.run_until_idle();
    };
    world.put_item(item(golden));
    let asked = world.asks(100);
    stops("a");
    assert_eq!(world.state(&asked), "prompted");
    stops("b");
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "opted_out");
}

#[test]
fn stored_endpoint_switched_off_stays_off() {
    let world = World::new();
    world.put_item(item(&golden_files()["endpoint"]));
    world.asks_at("+15551239003", 4250);
    assert!(world.calls_to("shop.example").is_empty());
    assert!(world.logs().contains("webhook not sent: endpoint disabled"));
}

#[test]
fn stored_sandbox_charge_is_still_booked() {
    let world = World::new();
    let golden = &golden_files()["sandbox"];
    world.put_item(item(golden));
    let intent = &golden["body"]["intent"];
    let outside = Deps { http: world.http(), clock: Arc::clone(&world.ports.clock) };
    let sandbox = sandbox::Sandbox::new(&world.ports);
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let processor = Registry::new(outside)
        .with(sandbox)
        .open(&brand, Mode::Test, &"sandbox".parse().unwrap())
        .unwrap();
    let authorization =
        Authorization::from(Credential::new(CredentialKind::PaymentMethod, "pm_card_visa"));
    let request = intent["request_id"].as_str().unwrap().parse().unwrap();
    let charge = AttemptContext { request, ..used(&authorization, 4250, 1) };
    let reference = Reference(intent["id"].as_str().unwrap().to_owned());
    let answer = world.run(processor.retrieve(&charge, &reference));
    assert_eq!(answer, Retrieved::NotConfirmed);
}
