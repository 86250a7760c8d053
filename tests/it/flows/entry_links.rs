//! Entry links: a customer begins a conversation with Apple's link, and is tied to its one request.

use domain::entry_reference;
use http::Method;
use serde_json::{Value, json};
use tests::providers::apple::Person;
use tests::world::{CreatedRequest, PHONE, World};

use super::apple::{ada, builder, deliver, introduced};

fn wanted(world: &World, session: &str, channels: &Value) -> Value {
    let mut body = world.payment(PHONE, 4250);
    body["session"]["kind"] = json!(session);
    body["channels"] = channels.clone();
    body["allow_duplicate"] = json!(true);
    body
}

/// Asks in a chat, over Apple alone.
fn asks(world: &World) -> CreatedRequest {
    world.asks_for(&wanted(world, "chat", &json!(["apple"])))
}

/// Returns the reference in the entry link that a read of the request shows; `None` without a link.
fn shown_reference(world: &World, asked: &CreatedRequest) -> Option<String> {
    let request = world.reads(asked);
    assert_eq!(request["entry_link"].is_string(), request["entry_qr"].is_string());
    let link = request["entry_link"].as_str()?;
    assert!(link.starts_with("https://bcrw.apple.com/urn:biz:"), "{link}");
    let (_, query) = link.split_once('?')?;
    let mut fields = form_urlencoded::parse(query.as_bytes()).into_owned();
    fields.find(|(name, _)| name == "biz-intent-id").map(|(_, value)| value)
}

fn begins(world: &World, who: &Person, reference: &str) {
    deliver(world, &world.apple().writes(who, "I would like to pay", Some(reference), world.now()));
}

fn stranger() -> Person {
    Person::with("stranger", &["QUICK"])
}

#[test]
fn customer_who_begins_by_the_entry_link_is_asked_there() {
    let world = builder().build();
    let asked = asks(&world);
    assert_eq!(world.timeline(&asked), ["failed apple customer_must_start"]);
    assert_eq!(world.state(&asked), "pending", "the request waits for its customer");
    let reference = shown_reference(&world, &asked).unwrap();
    begins(&world, &ada(), &reference);
    assert_eq!(world.timeline(&asked)[1..], ["began apple", "accepted apple"]);
    let sent = world.apple().newest();
    assert_eq!((sent.kind, sent.to.as_str()), ("quick-reply", ada().handle.as_str()));
    assert_eq!(shown_reference(&world, &asked), None, "the link is spent");
    deliver(&world, &world.apple().taps(&ada(), &sent, "Approve", world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
}

/// The link proves no number. Who began by it gets nothing of the next request for the same number.
#[test]
fn entry_link_ties_no_person_to_the_number() {
    let world = builder().build();
    let asked = asks(&world);
    begins(&world, &ada(), &shown_reference(&world, &asked).unwrap());
    let sent = world.apple().newest();
    deliver(&world, &world.apple().taps(&ada(), &sent, "Decline", world.now()));
    assert_eq!(world.state(&asked), "denied");
    assert!(!world.items().iter().any(|item| item.key.pk.starts_with("HANDLE#")));
    let next = asks(&world);
    assert_eq!(world.timeline(&next), ["failed apple customer_must_start"]);
    assert_eq!(world.apple().sent().len(), 2, "the prompt, and what came of it");
}

#[test]
fn entry_link_counts_for_the_first_who_begins() {
    let world = builder().build();
    let asked = asks(&world);
    let reference = shown_reference(&world, &asked).unwrap();
    begins(&world, &ada(), &reference);
    let sent = world.apple().newest();
    begins(&world, &stranger(), &reference);
    assert_eq!(world.apple().sent().len(), 1);
    deliver(&world, &world.apple().taps(&stranger(), &sent, "Approve", world.now()));
    assert_eq!(world.state(&asked), "prompted", "another person's tap");
    // The text of a button is no reference either.
    let button = sent.buttons.iter().map(|(_, postback)| postback.clone()).next().unwrap();
    begins(&world, &ada(), &button);
    assert!(!world.items().iter().any(|item| item.key.pk.starts_with("HANDLE#")));
    deliver(&world, &world.apple().taps(&ada(), &sent, "Approve", world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn forged_entry_reference_ties_no_person() {
    let world = builder().build();
    let (asked, other) = (asks(&world), asks(&world));
    let genuine = shown_reference(&world, &asked).unwrap();
    let of_other = shown_reference(&world, &other).unwrap();
    let changed = format!("{}{}", &of_other[..32], &genuine[32..]);
    let text = |head: &str| format!("{head}{}", "0".repeat(60 - head.len()));
    for forged in [changed, text(&genuine[..32]), text(""), genuine.to_uppercase(), "x".to_owned()]
    {
        begins(&world, &stranger(), &forged);
        for asked in [&asked, &other] {
            assert_eq!(world.state(asked), "pending", "{forged}");
        }
    }
    assert!(world.apple().sent().is_empty());
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let another = "sms".parse().unwrap();
    begins(&world, &ada(), &entry_reference::write(&brand, &world.stored(&asked), &another));
    assert_eq!(world.state(&asked), "pending", "a reference of another channel");
    begins(&world, &ada(), &genuine);
    assert_eq!(world.state(&asked), "prompted");
}

/// The sender is known to be the customer with another number.
#[test]
fn entry_link_of_another_customer_ties_no_person() {
    let world = introduced(builder(), &ada());
    let mut body = wanted(&world, "chat", &json!(["apple"]));
    body["customer"]["phone"] = json!("+15551230002");
    let asked = world.asks_for(&body);
    let reference = shown_reference(&world, &asked).unwrap();
    begins(&world, &ada(), &reference);
    assert_eq!(world.state(&asked), "pending");
    begins(&world, &stranger(), &reference);
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn entry_link_after_the_end_begins_nothing() {
    let world = builder().build();
    let (cancelled, late) = (asks(&world), asks(&world));
    let references = [&cancelled, &late].map(|asked| shown_reference(&world, asked).unwrap());
    world.acts(&cancelled, "cancel", &json!({})).ok(200);
    assert_eq!(shown_reference(&world, &cancelled), None);
    world.time_passes(301);
    assert_eq!(world.state(&late), "expired", "no customer began");
    for reference in references {
        begins(&world, &ada(), &reference);
    }
    assert!(world.apple().sent().is_empty());
}

/// On a call the agent cannot show a link, so that nothing waits for it. A text goes out meanwhile.
#[test]
fn call_waits_for_no_entry_and_offers_one_beside_a_text() {
    let world = builder().build();
    let asked = world.asks_for(&wanted(&world, "voice", &json!(["apple"])));
    let outcome = json!({ "kind": "undeliverable", "reason": "customer_must_start" });
    assert_eq!(world.reads(&asked)["outcome"], outcome);
    let asked = world.asks_for(&wanted(&world, "voice", &json!(["apple", "sms"])));
    begins(&world, &ada(), &shown_reference(&world, &asked).unwrap());
    let facts = world.timeline(&asked);
    assert_eq!(facts[1..4], ["accepted sms", "began apple", "accepted apple"], "{facts:?}");
    deliver(&world, &world.apple().taps(&ada(), &world.apple().newest(), "Approve", world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn entry_link_is_hidden_from_browsers_and_lists() {
    let world = builder().build();
    let asked = asks(&world);
    let origin = "https://crm.example.com";
    let order = json!({ "request": asked.id, "origin": origin });
    let token = world.post("/v1/client_tokens", &order).ok(201).json();
    let read = world.call(Method::GET, &asked.path).key(token["client_token"].as_str().unwrap());
    assert_eq!(read.header("origin", origin).send().ok(200).json()["entry_link"], Value::Null);
    let listed = world.get("/v1/requests").ok(200).json();
    assert_eq!(listed["requests"][0]["entry_link"], Value::Null);
}

/// The business may not write to a customer who left.
#[test]
fn customer_who_left_after_beginning_gets_nothing_more() {
    let world = builder().build();
    let asked = asks(&world);
    begins(&world, &ada(), &shown_reference(&world, &asked).unwrap());
    deliver(&world, &world.apple().action(&ada(), "close", world.now()));
    world.acts(&asked, "resend", &json!({ "channel": "apple" })).ok(200);
    assert_eq!(world.apple().sent().len(), 1);
}
