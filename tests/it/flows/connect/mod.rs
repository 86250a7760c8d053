//! Amazon Connect: the shipped flow module played against the machine, and what its steps answer.

mod branches;
mod caller;
mod seeds;
mod steps;

use serde_json::{Value, json};
use tests::connect_flow::{Contact, FlowModule, SHIPPED};
use tests::world::{PHONE, World};

use caller::{Call, INSTANCE, Reply, world_with};
use steps::does;

/// Begins a call that wants a payment.
fn payment(id: &str, phone: &str) -> Contact {
    let mut contact = Contact::new(id, INSTANCE, phone);
    for (name, text) in [
        ("assent_amount", "4250"),
        ("assent_currency", "EUR"),
        ("assent_reference", "Invoice 4711"),
        ("assent_expires_in", "240"),
    ] {
        contact.attributes.insert(name.to_owned(), text.to_owned());
    }
    contact
}

fn shipped() -> FlowModule {
    FlowModule::parse(SHIPPED).unwrap()
}

fn requests(world: &World, contact: &str) -> Vec<Value> {
    let listed = world.get(&format!("/v1/requests?session={contact}")).ok(200).json();
    listed["requests"].as_array().unwrap().clone()
}

/// The caller dials, hears the code, picks it on the phone and hears the transaction code.
#[test]
fn caller_pays_in_a_flow_and_hears_the_transaction_code() {
    let world = world_with(&json!({ "amount_max": { "EUR": 10000 } }));
    let mut call = Call::new(&world, PHONE, Reply::Approves);
    let mut contact = payment("c-1", PHONE);
    contact.plays(&shipped(), &mut call);
    let made = requests(&world, "c-1");
    assert_eq!(made.len(), 1);
    let code = made[0]["outcome"]["transaction_code"].as_str().unwrap();
    assert_eq!(contact.attribute("assent_state"), "fulfilled");
    assert_eq!(contact.attribute("assent_transaction_code"), code);
    assert_eq!(contact.attribute("assent_last4"), "4242");
    let apart: Vec<String> = code.replace('-', "").chars().map(String::from).collect();
    let [.., thanks, last] = call.heard.as_slice() else { panic!("{:?}", call.heard) };
    assert_eq!(thanks, "Thank you, your payment went through.");
    assert_eq!(*last, format!("Your transaction code is: {}", apart.join(", ")));
    assert_eq!(call.heard[0], "I am sending a message to your phone now.");
    assert!(call.heard[1].starts_with("Please open the message on your phone"), "{:?}", call.heard);
    assert_eq!(made[0]["session"], json!({ "kind": "ivr", "id": "c-1" }));
    assert_eq!(made[0]["metadata"], json!({ "reference": "Invoice 4711" }));
}

#[test]
fn flow_ends_as_the_customer_answered() {
    for (reply, state, heard) in [
        (
            Reply::Denies,
            "denied",
            "You declined on your phone, so nothing was paid and nothing was shared.",
        ),
        (Reply::ReportsNotMe, "denied", "You declined on your phone"),
        (Reply::PicksAnotherCode, "denied", "The number on your phone did not match"),
        (Reply::Nothing, "cancelled", "The request was withdrawn"),
        (Reply::ApprovesOnHostedPage, "cancelled", "The request was withdrawn"),
    ] {
        let world = world_with(&json!({}));
        let mut call = Call::new(&world, PHONE, reply);
        let mut contact = payment("c-1", PHONE);
        contact.attributes.insert("assent_expires_in".to_owned(), "900".to_owned());
        contact.plays(&shipped(), &mut call);
        assert_eq!(contact.attribute("assent_state"), state, "{reply:?} {:?}", call.heard);
        let last = call.heard.last().unwrap();
        assert!(last.starts_with(heard), "{reply:?} {last}");
        assert_eq!(contact.attribute("assent_transaction_code"), "");
    }
}

#[test]
fn keys_send_the_message_again_and_stop() {
    let world = world_with(&json!({}));
    let mut call = Call::new(&world, PHONE, Reply::Nothing);
    call.keys.extend([None, Some('7'), Some('1'), Some('2')]);
    let mut contact = payment("c-1", PHONE);
    contact.plays(&shipped(), &mut call);
    assert_eq!(contact.attribute("assent_state"), "cancelled");
    assert_eq!(world.customer().messages().len(), 2);
}

/// The answers to all asks are lost. The module withdraws what was asked, under the same key.
#[test]
fn flow_without_an_answer_withdraws_the_ask() {
    let world = world_with(&json!({}));
    let mut call = Call::new(&world, PHONE, Reply::Approves);
    call.failing.extend(["ask", "ask", "ask"]);
    let mut contact = payment("c-1", PHONE);
    contact.plays(&shipped(), &mut call);
    assert_eq!(contact.attribute("assent_state"), "none");
    let [moments @ .., last] = call.heard.as_slice() else { panic!("{:?}", call.heard) };
    assert_eq!(moments, ["One moment, please."; 3]);
    assert_eq!(last, "I am sorry, I cannot ask you now. Nothing was paid and nothing was shared.");
    let late = does(
        &world,
        "c-1",
        &json!({ "op": "ask", "step": "ask", "attempt": "", "amount": "4250",
        "currency": "EUR", "reference": "Invoice 4711", "expires_in": "240" }),
    );
    assert_eq!((late["ok"].as_str(), late["error"].as_str()), ("false", "idempotency-key-reused"));
    assert!(requests(&world, "c-1").is_empty());
    // The next run of the module is another attempt.
    contact.plays(&shipped(), &mut call);
    assert_eq!(contact.attribute("assent_state"), "fulfilled", "{:?}", call.heard);
}

#[test]
fn template_deploys_the_shipped_module() {
    let template = include_str!("../../../../template.yaml");
    let (_, content) = template.split_once("      Content: !Sub\n        - |\n").unwrap();
    let (content, _) = content.split_once("        - { AgentsFunctionArn: ").unwrap();
    let lines = content.lines().map(|line| line.strip_prefix("          ").unwrap());
    assert_eq!(lines.collect::<Vec<_>>(), SHIPPED.lines().collect::<Vec<_>>());
}

#[test]
fn module_that_breaks_a_rule_is_refused() {
    let broken = |from: &str, to: &str| {
        assert!(SHIPPED.contains(from), "{from}");
        FlowModule::parse(&SHIPPED.replacen(from, to, 1)).err().unwrap_or_default()
    };
    for (from, to) in [
        ("\"2019-10-30\"", "\"2020-10-30\""),
        ("\"Operator\": \"Equals\"", "\"Operator\": \"Contains\""),
        ("\"InvocationTimeLimitSeconds\": \"8\"", "\"InvocationTimeLimitSeconds\": \"9\""),
        ("\"LoopCount\": \"2\"", "\"LoopCount\": \"101\""),
        ("\"Type\": \"Loop\"", "\"Type\": \"Repeat\""),
        ("\"ErrorType\": \"InputTimeLimitExceeded\"", "\"ErrorType\": \"NoMatchingError\""),
        ("\"NextAction\": \"say-lost\"", "\"NextAction\": \"say-nothing\""),
        ("\"TargetContact\": \"Current\"", "\"TargetContact\": \"Other\""),
    ] {
        assert!(!broken(from, to).is_empty(), "{from} → {to}");
    }
    let silent = broken(
        "\"NoMatchingError\", \"NextAction\": \"say-moment\"",
        "\"NoMatchingError\", \"NextAction\": \"ask-again\"",
    );
    assert!(silent.contains(&"ask may follow ask in silence".to_owned()), "{silent:?}");
}
