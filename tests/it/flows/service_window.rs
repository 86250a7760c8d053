//! The time after a customer's message in which a channel takes free-form messages, and a refusal outside it.

use ports::OUTSIDE_WINDOW;
use serde_json::json;
use tests::world::PHONE;

use super::handles::{deliver, world};

/// Every kind of message opens the window.
#[test]
fn window_runs_from_when_the_customer_wrote() {
    let world = world();
    let at = |hours: u64| world.now().before(std::time::Duration::from_secs(hours * 3_600));
    let last = || {
        world.asks(100);
        world.sent_messages().sent.pop().unwrap().contact.window_since()
    };
    let written = at(30);
    let from = json!({ "phone": PHONE, "at": written });
    deliver(&world, &json!({ "wrote": { "from": from, "text": "hello" } }));
    assert_eq!(last(), Some(written));
    let written = at(20);
    deliver(&world, &json!({ "active": { "from": { "phone": PHONE, "at": written } } }));
    assert_eq!(last(), Some(written));
    // A time ahead of ours is now, and an older message changes nothing.
    let now = world.now();
    let ahead = now.after(std::time::Duration::from_secs(3_600));
    deliver(&world, &json!({ "active": { "from": { "phone": PHONE, "at": ahead } } }));
    assert_eq!(last(), Some(now));
    deliver(&world, &json!({ "active": { "from": { "phone": PHONE, "at": at(1) } } }));
    assert_eq!(last(), Some(now));
}

#[test]
fn prompt_outside_the_window_goes_out_again_at_once() {
    let world = world();
    deliver(&world, &json!({ "active": { "from": { "phone": PHONE } } }));
    world.clock_jumps(60);
    let asked = world.asks(100);
    let first = world.sent_messages().sent.pop().unwrap();
    assert!(first.contact.window_since().is_some());
    let fails = |prompt: &ports::Prompt| {
        let about = prompt.reference.to_string();
        deliver(&world, &json!({ "failed": { "about": about, "reason": OUTSIDE_WINDOW } }));
    };
    fails(&first);
    let went = world.sent_messages().sent;
    assert_eq!((went.len(), went[1].contact.window_since()), (2, None), "the window is shut");
    let timeline = ["accepted whatsapp", "failed whatsapp outside_window", "accepted whatsapp"];
    assert_eq!(world.timeline(&asked), timeline);
    fails(&first);
    assert_eq!(world.sent_messages().sent.len(), 2, "the same status again");
    // A channel that refuses the second message too is given up.
    fails(&went[1]);
    assert_eq!(world.timeline(&asked).last().unwrap(), "accepted sms");
    world.clock_jumps(1);
    deliver(&world, &json!({ "active": { "from": { "phone": PHONE } } }));
    world.asks(100);
    assert!(world.sent_messages().sent.pop().unwrap().contact.window_since().is_some());
}
