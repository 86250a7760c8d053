//! A writer of the table ties an id of their own to a customer. It approves nothing, and gets no prompt.

use domain::keys;
use serde_json::json;
use tests::world::{PHONE, World};

use super::attacker::{alter, brand};
use super::handles::{asks, deliver, postback, status_names, world};

/// A writer of the table ties an id of their own to the customer's address, and answers in words.
#[test]
fn yes_of_a_handle_without_signature_approves_nothing() {
    let policy = json!({
        "session_code": { "payment_method": false }, "text_replies": true, "fallback_seconds": 300,
    });
    let stranger = json!({ "handle": "US.666" });
    let wrote = |text: &str| json!({ "wrote": { "from": stranger, "text": text } });
    for forged in ["old form", "another handle's", "own"] {
        let world =
            World::builder().with_fake_channels(&["whatsapp"]).with("/policy", &policy).build();
        let mut body = world.payment(PHONE, 100);
        body["ask"] = json!({ "kind": "payment_method", "description": "Keep for next time" });
        let asked = world.asks_for(&body);
        let address_key = brand(&world).address_key;
        let hash = |id: &str| keys::handle_hash(&address_key, "whatsapp", id);
        let is_own = forged == "own";
        status_names(&world, &json!({ "handle": if is_own { "US.666" } else { "US.7" } }));
        let find = |id: &str| {
            let pk = format!("HANDLE#demo#Test#whatsapp#{}", hash(id));
            world.items().into_iter().find(|item| item.key.pk == pk)
        };
        if !is_own {
            let mut item = find("US.7").unwrap();
            if forged == "old form" {
                let address = keys::address_hash(&address_key, &PHONE.parse().unwrap());
                item.body = json!({ "version": "1", "is": address }).to_string();
            }
            item.key.pk = format!("HANDLE#demo#Test#whatsapp#{}", hash("US.666"));
            world.put_item(item);
        }
        deliver(&world, &wrote("yes"));
        let state = world.state(&asked);
        assert_eq!(state == "prompted", !is_own, "{forged}: {state}");
        if !is_own {
            deliver(&world, &wrote("no"));
            assert_eq!(world.reads(&asked)["outcome"]["kind"], "denied", "{forged}");
        }
    }
}

/// Channels such as Apple's send to the handle in the contact record.
#[test]
fn handle_in_a_contact_without_its_mac_gets_no_prompt() {
    let world = world();
    let wrote = |handle: &str| {
        let from = json!({ "phone": PHONE, "handle": handle });
        deliver(&world, &json!({ "wrote": { "from": from, "text": "hello" } }));
    };
    let handle = || world.sent_messages().sent.pop().unwrap().contact.handle;
    wrote("US.7");
    world.asks(100);
    assert_eq!(handle().as_deref(), Some("US.7"));
    let is_contact = |item: &ports::Item| item.key.pk.starts_with("CONTACT#demo#Test#whatsapp#");
    let mut contact = world.items().into_iter().find(is_contact).unwrap();
    contact.body = contact.body.replace("US.7", "US.666");
    world.put_item(contact);
    world.asks(100);
    assert_eq!(handle(), None);
    wrote("US.7");
    world.asks(100);
    assert_eq!(handle().as_deref(), Some("US.7"));
}

/// Another customer's number is written into a request between its prompt and the answer to it.
#[test]
fn answer_to_an_altered_request_ties_no_id() {
    for told in ["tap", "status"] {
        let world = world();
        let asked = asks(&world, "+15559990006");
        alter(&world, &asked, |request| {
            request.customer.phone = PHONE.parse().unwrap();
            request.address = request.customer_address(&brand(&world));
        });
        let recipient = json!({ "handle": "US.666" });
        if told == "tap" {
            let tap = json!({ "tapped": { "from": recipient, "postback": postback(&world) } });
            deliver(&world, &tap);
        } else {
            status_names(&world, &recipient);
        }
        let kept = world.items().into_iter().filter(|item| {
            item.key.pk.starts_with("HANDLE#") || item.key.pk.starts_with("CONTACT#")
        });
        assert_eq!(kept.count(), 0, "{told}");
    }
}
