//! The e-mail channel: the last route of a customer without others, and what its reader can and cannot do.

use domain::request::PromptStatus;
use http::Method;
use serde_json::{Value, json};
use tests::providers::ses;
use tests::world::calls::Answer;
use tests::world::{CreatedRequest, PHONE, PUBLIC_BASE, World, WorldBuilder, topics};

use super::payment_options::{ask_for, paying_with, save_card_ask};

const EMAIL: &str = "Ada.Byron@example.com";

/// A brand that sends mail alone.
fn builder() -> WorldBuilder {
    World::builder()
        .with("/test/channels", &json!([topics::mail("mail")]))
        .with("/policy", &json!({ "denials_per_ten_minutes": 1, "open_max": 9 }))
}

fn wanted(world: &World) -> Value {
    let mut body = world.payment(PHONE, 4250);
    body["customer"]["email"] = json!(EMAIL);
    body
}

fn asks(world: &World) -> CreatedRequest {
    world.asks_for(&wanted(world))
}

fn newest(world: &World) -> Value {
    world.mails().pop().expect("a mail was sent")
}

fn text(mail: &Value) -> String {
    mail["Content"]["Simple"]["Body"]["Text"]["Data"].as_str().unwrap().to_owned()
}

/// Returns the path of the first link below `start` in a mail.
fn path(mail: &Value, start: &str) -> String {
    let text = text(mail);
    let at = text.find(&format!("{PUBLIC_BASE}{start}")).unwrap();
    let url = text[at..].split_whitespace().next().unwrap();
    url.strip_prefix(PUBLIC_BASE).unwrap().to_owned()
}

fn unsubscribes(world: &World, path: &str) -> Answer {
    let call = world.call(Method::POST, path).key(None).idempotency(None);
    let form = "application/x-www-form-urlencoded";
    call.header("content-type", form).body(b"List-Unsubscribe=One-Click".to_vec()).send()
}

fn approves(world: &World, asked: &CreatedRequest, page: &str) {
    let code = world.reads(asked)["session_code"].as_str().unwrap().to_owned();
    let fields = [("action", "approve"), ("session_code", code.as_str())];
    world.customer().answers_on(page, &fields).ok(303);
    world.run_until_idle();
}

#[test]
fn mail_leads_a_customer_without_other_routes_to_the_page() {
    let world = builder().with("/policy", &json!({ "receipts": true })).build();
    let asked = asks(&world);
    assert_eq!(asked.answer["customer"]["email"], "A•••••@•••••.com");
    let mail = newest(&world);
    assert_eq!(mail["Destination"]["ToAddresses"], json!([EMAIL]));
    let subject = mail["Content"]["Simple"]["Subject"]["Data"].as_str().unwrap();
    assert!(!subject.contains("42"), "no amount on a locked screen: {subject}");
    assert!(text(&mail).contains("42.50"));
    assert_eq!(world.timeline(&asked), ["accepted mail"]);
    world.topic_sends("mail", &ses::event(&mail, "Delivery", json!({})));
    assert_eq!(world.timeline(&asked), ["accepted mail", "delivered mail"]);
    let page = path(&mail, "/c/");
    assert!(world.customer().opens(&page).ok(200).text().contains("42.50"));
    approves(&world, &asked, &page);
    assert_eq!(world.state(&asked), "fulfilled");
    let receipt = newest(&world);
    assert_eq!(world.mails().len(), 2, "the policy wants a receipt");
    let subject = receipt["Content"]["Simple"]["Subject"]["Data"].as_str().unwrap();
    assert!(!subject.contains("42") && text(&receipt).contains("42.50"), "{receipt}");
}

#[test]
fn bounced_mail_leaves_the_request_undeliverable() {
    let world = builder().build();
    let asked = asks(&world);
    let mail = newest(&world);
    world.topic_sends("mail", &ses::bounced(&mail));
    assert_eq!(world.state(&asked), "undeliverable");
    assert_eq!(world.stored(&asked).prompts[0].status, PromptStatus::Failed);
}

/// Mail of the same account that is not ours has none of our tags.
#[test]
fn event_about_a_strangers_mail_changes_nothing() {
    let world = builder().build();
    let asked = asks(&world);
    let mut mail = newest(&world);
    mail["EmailTags"] = json!([]);
    world.topic_sends("mail", &ses::bounced(&mail));
    world.topic_sends("mail", &ses::complained(&mail));
    assert_eq!(world.state(&asked), "prompted");
    world.acts(&asked, "resend", &json!({})).ok(200);
    assert_eq!(world.mails().len(), 2);
}

#[test]
fn customer_without_an_address_is_not_mailed() {
    let world = builder().build();
    let mut body = wanted(&world);
    body["customer"].as_object_mut().unwrap().remove("email");
    world.post("/v1/requests", &body).problem(422, "channel-not-configured");
    body["channels"] = json!(["mail"]);
    world.post("/v1/requests", &body).problem(422, "channel-not-configured");
    let reasons = |email: Option<&str>| {
        let mut question = world.payment(PHONE, 1);
        question.as_object_mut().unwrap().remove("session");
        question["customer"]["email"] = json!(email);
        world.post("/v1/capabilities", &question).ok(200).json()["routes"][0].clone()
    };
    assert_eq!(reasons(None)["reason"], "no_address");
    let known = reasons(Some(EMAIL));
    assert_eq!((&known["reachable"], &known["reason"]), (&json!(true), &json!("not_checked")));
    assert_eq!(reasons(None)["reachable"], false, "the answer for an address is not cached");
    let bad = json!({ "phone": PHONE, "email": "ada@example.com\r\nBcc: eve@example.com" });
    let mut body = wanted(&world);
    body["customer"] = bad;
    world.post("/v1/requests", &body).problem(400, "invalid-request");
}

/// Scanners follow every link of a mail, and mail programs unsubscribe by one `POST` (RFC 8058).
#[test]
fn reader_who_unsubscribed_gets_no_more_mail() {
    let sms = json!({ "name": "sms", "kind": "sandbox", "settings": { "style": "sms" } });
    let channels = json!([topics::mail("mail"), sms]);
    let world = builder().with("/test/channels", &channels).build();
    let asked = asks(&world);
    let mail = newest(&world);
    let way_out = path(&mail, "/u/");
    let page = world.customer().opens(&way_out).ok(200).text();
    assert!(page.contains("<form method=\"post\"") && page.contains("Unsubscribe"), "{page}");
    world.acts(&asked, "resend", &json!({ "channel": "mail" })).ok(200);
    assert_eq!(world.mails().len(), 2, "to look changes nothing");
    for _ in 0..2 {
        let done = unsubscribes(&world, &way_out).ok(200).text();
        assert!(done.contains("Unsubscribed") && !done.contains(EMAIL), "{done}");
    }
    let again = asks(&world);
    assert_eq!(world.mails().len(), 2);
    let timeline = world.timeline(&again);
    assert!(timeline.iter().any(|entry| entry.contains("sms")), "{timeline:?}");
    assert_eq!(world.stored(&again).prompts[0].status, PromptStatus::Failed);
    let mut body = wanted(&world);
    body["channels"] = json!(["mail"]);
    world.post("/v1/requests", &body).problem(403, "address-opted-out");
    body["customer"]["email"] = json!("ada.byron@EXAMPLE.com");
    world.post("/v1/requests", &body).problem(403, "address-opted-out");
    body["customer"]["email"] = json!("other@example.com");
    world.asks_for(&body);
    assert_eq!(world.mails().len(), 3, "another address of the same number");
}

/// Scanners of mail press the button too, so that its reader must find the way back.
#[test]
fn reader_gets_mail_again_by_their_own_button() {
    let world = builder().build();
    asks(&world);
    let way_out = path(&newest(&world), "/u/");
    let done = unsubscribes(&world, &way_out).ok(200).text();
    assert!(done.contains("value=\"resubscribe\""), "{done}");
    world.post("/v1/requests", &wanted(&world)).problem(403, "address-opted-out");
    world.time_passes(1);
    let back = || {
        let call = world.call(Method::POST, &way_out).key(None).idempotency(None);
        let form = "application/x-www-form-urlencoded";
        call.header("content-type", form).body(b"action=resubscribe".to_vec()).send()
    };
    for _ in 0..2 {
        let page = back().ok(200).text();
        assert!(page.contains("again") && !page.contains(EMAIL), "{page}");
    }
    asks(&world);
    assert_eq!(world.mails().len(), 2);
    world.time_passes(1);
    unsubscribes(&world, &way_out).ok(200);
    world.post("/v1/requests", &wanted(&world)).problem(403, "address-opted-out");
}

#[test]
fn forged_unsubscribe_link_stops_nothing() {
    let world = builder().build();
    asks(&world);
    let mail = newest(&world);
    let way_out = path(&mail, "/u/");
    let (start, mac) = way_out.rsplit_once('.').unwrap();
    let forged = [
        format!("{start}.{}", "A".repeat(mac.len())),
        start.to_owned(),
        way_out.replace("demo.test", "demo.live"),
        way_out.replace("/u/demo", "/u/other"),
        "/u/x".to_owned(),
    ];
    for path in &forged {
        unsubscribes(&world, path).ok(404);
    }
    asks(&world);
    assert_eq!(world.mails().len(), 2);
}

#[test]
fn complaint_stops_mail_and_no_other_channel() {
    let sms = json!({ "name": "sms", "kind": "sandbox", "settings": { "style": "sms" } });
    let world = builder().with("/test/channels", &json!([topics::mail("mail"), sms])).build();
    let asked = asks(&world);
    world.topic_sends("mail", &ses::complained(&newest(&world)));
    assert_eq!(world.state(&asked), "prompted");
    let again = asks(&world);
    assert_eq!((world.mails().len(), world.state(&again).as_str()), (1, "prompted"));
    assert_eq!(world.customer().messages().len(), 1, "the text follows");
}

/// A stop by text ends the brand's messages to the customer, mail among them.
#[test]
fn customer_who_stopped_by_text_gets_no_mail() {
    let channels = json!([{ "name": "sms", "kind": "fake-channel" }, topics::mail("mail")]);
    let world = builder().with_fake_channels(&["sms"]).with("/test/channels", &channels).build();
    let stop = json!({ "stop": { "from": { "phone": PHONE } } });
    world.channel_sends("sms", &json!([stop])).ok(200);
    world.run_until_idle();
    let mut body = wanted(&world);
    body["channels"] = json!(["mail"]);
    world.post("/v1/requests", &body).problem(403, "address-opted-out");
    assert!(world.mails().is_empty());
}

/// The reader may be another person than the card's customer, or than the one with the number.
#[test]
fn mail_charges_no_saved_card_and_its_denial_quiets_no_number() {
    let rcs = json!({ "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } });
    let channels = json!([rcs, topics::mail("mail")]);
    let builder = World::builder().with_fake_processor(&[]).with("/test/channels", &channels);
    let world = builder.with("/policy", &json!({ "denials_per_ten_minutes": 1 })).build();
    let asked = world.asks_for(&ask_for(&world, PHONE, &save_card_ask()));
    let page = world.customer().approves_hosted();
    world.fake_processor().customer_is_done(&asked, 1);
    world.customer().opens(&format!("{page}?done=1")).ok(200);
    world.time_passes(5);
    let card = world.reads(&asked)["outcome"]["payment_method"]["id"].clone();
    let mut body = wanted(&world);
    body["ask"] = paying_with(card.as_str().unwrap());
    let asked = world.asks_for(&body);
    assert_eq!(asked.answer["channels"], json!(["rcs"]), "unnamed, the channel is left out");
    world.acts(&asked, "cancel", &json!({})).ok(200);
    body["channels"] = json!(["mail"]);
    world.post("/v1/requests", &body).problem(422, "ask-not-supported");
    let mut body = wanted(&world);
    body["channels"] = json!(["mail"]);
    let asked = world.asks_for(&body);
    let page = path(&newest(&world), "/c/");
    world.customer().answers_on(&page, &[("action", "not_me")]);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
    assert_eq!(world.state(&world.asks_for(&body)), "prompted");
}

#[test]
fn erased_customers_address_is_gone() {
    let world = builder().build();
    let asked = asks(&world);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let customer = format!("/v1/customers/{PHONE}");
    let kept = world.get(&customer).ok(200).json();
    assert_eq!(kept["emails"][0]["email"], "A•••••@•••••.com");
    assert_eq!(kept["emails"][0]["opted_out"], false);
    world.call(Method::DELETE, &customer).send().ok(202);
    world.run_until_idle();
    let kept = world.get(&customer).ok(200).json();
    assert_eq!((&kept["emails"], &kept["erasure"]["state"]), (&json!([]), &json!("done")));
    let stored = world.items();
    assert!(stored.iter().all(|item| !item.body.contains("example.com")), "no item has it");
}

/// The sandbox's mail proves no number either.
#[test]
fn sandbox_imitates_a_mail_for_a_customer_with_an_address() {
    let mail = json!({ "name": "mail", "kind": "sandbox", "settings": { "style": "email" } });
    let world = builder().with("/test/channels", &json!([mail])).build();
    let mut body = wanted(&world);
    let asked = world.asks_for(&body);
    let message = world.customer().newest();
    assert!(message.text("text").contains("/c/") && !message.text("title").contains("42"));
    let page = message.text("link").strip_prefix(PUBLIC_BASE).unwrap().to_owned();
    approves(&world, &asked, &page);
    assert_eq!(world.state(&asked), "fulfilled");
    body["ask"] = paying_with("crd_01M844DZG03XCBJ52V4K8GHNXC");
    body["channels"] = json!(["mail"]);
    world.post("/v1/requests", &body).problem(422, "ask-not-supported");
    body["customer"].as_object_mut().unwrap().remove("email");
    world.post("/v1/requests", &body).problem(422, "ask-not-supported");
}
