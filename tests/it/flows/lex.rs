//! Lex V2: a bot's code hook asks, has the customer confirm until the answer is there, and ends the intent.

use std::sync::Arc;

use agents::Agents;
use ports::{Invocation, Invocations};
use serde_json::{Value, json};
use tests::world::{PHONE, World};

const BOT: &str = "arn:aws:lex:eu-west-1:123456789012:bot-alias/BOTID12345/ALIASID123";

fn world(callers: &str) -> World {
    let key = json!({ "id": "key_bot", "kind": "ivr", "mode": "test", "may": ["request", "read"],
        "callers": [callers] });
    let digest = domain::digest::digest_hex(tests::world::brand::TEST_KEY.as_bytes());
    let usual = json!({ "mode": "test", "sha256": digest });
    World::builder().with("/keys", &json!([usual, key])).build()
}

/// Invokes the hook of fulfilment with these session attributes. Returns its whole answer.
fn turn(world: &World, attributes: &Value, confirmation: &str) -> Value {
    hook(world, "FulfillmentCodeHook", attributes, confirmation)
}

/// Invokes the hook of the dialog.
fn dialog(world: &World, attributes: &Value, confirmation: &str) -> Value {
    hook(world, "DialogCodeHook", attributes, confirmation)
}

fn hook(world: &World, source: &str, attributes: &Value, confirmation: &str) -> Value {
    let event = json!({
        "messageVersion": "1.0", "invocationSource": source, "inputMode": "Speech",
        "responseContentType": "text/plain; charset=utf-8", "sessionId": "session-1",
        "inputTranscript": "yes", "invocationLabel": "hook",
        "bot": { "id": "BOTID12345", "name": "Pay", "localeId": "en_US", "version": "1",
            "aliasId": "ALIASID123", "aliasName": "live" },
        "interpretations": [], "proposedNextState": {}, "requestAttributes": {},
        "sessionState": {
            "sessionAttributes": attributes,
            "intent": { "name": "PayInvoice", "slots": { "Which": null }, "state": "ReadyForFulfillment",
                "confirmationState": confirmation },
            "originatingRequestId": "4e2bc3d4",
        },
        "transcriptions": [],
    });
    let callers = format!("demo={BOT}").parse().unwrap();
    let agents = Agents { intake: Arc::clone(&world.machine.intake), callers };
    let invocation = Invocation {
        event,
        id: "8476a536".to_owned(),
        function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:agents".to_owned(),
    };
    let answer = world.run(agents.invoke(invocation)).unwrap();
    world.run_until_idle();
    answer
}

fn payment() -> Value {
    json!({ "assent_amount": "4250", "assent_currency": "EUR", "assent_reference": "4711",
        "assent_phone": PHONE, "assent_wait": "1", "own": "kept" })
}

fn attributes(answer: &Value) -> &Value {
    &answer["sessionState"]["sessionAttributes"]
}

#[test]
fn bot_asks_and_ends_the_intent_once_it_is_paid() {
    let world = world(BOT);
    let asked = turn(&world, &payment(), "None");
    let state = &asked["sessionState"];
    assert_eq!(state["dialogAction"], json!({ "type": "ConfirmIntent" }));
    let intent = json!({ "name": "PayInvoice", "slots": { "Which": null }, "state": "InProgress",
        "confirmationState": "None" });
    assert_eq!(state["intent"], intent);
    assert_eq!(asked["messages"][0]["content"], "I am sending a message to your phone now.");
    assert_eq!(attributes(&asked)["own"], "kept");
    // Lex lost that answer, and repeats the turn.
    let repeat = turn(&world, &payment(), "None");
    assert_eq!(attributes(&repeat)["assent_request"], attributes(&asked)["assent_request"]);
    assert_eq!(world.customer().messages().len(), 1);
    let waiting = turn(&world, attributes(&asked), "Confirmed");
    let said = waiting["messages"][0]["content"].as_str().unwrap();
    assert!(said.starts_with("Please open the message on your phone"), "{waiting}");
    world.customer().approves().ok(200);
    let paid = turn(&world, attributes(&waiting), "Confirmed");
    assert_eq!(paid["sessionState"]["dialogAction"], json!({ "type": "Close" }));
    assert_eq!(paid["sessionState"]["intent"]["state"], "Fulfilled");
    assert_eq!(attributes(&paid)["assent_state"], "fulfilled");
    assert!(!attributes(&paid)["assent_transaction_code"].as_str().unwrap().is_empty());
    assert_eq!(attributes(&paid)["assent_request"], "");
    assert_eq!(attributes(&paid)["assent_attempt"], "2");
}

#[test]
fn bot_withdraws_once_the_customer_says_no_to_it() {
    let world = world(BOT);
    let asked = turn(&world, &payment(), "None");
    // The customer says yes to Lex, which goes on to fulfilment.
    let confirmed = dialog(&world, attributes(&asked), "Confirmed");
    assert_eq!(confirmed["sessionState"]["dialogAction"], json!({ "type": "Delegate" }));
    assert_eq!(attributes(&confirmed), attributes(&asked));
    let ended = dialog(&world, attributes(&asked), "Denied");
    assert_eq!(ended["sessionState"]["intent"]["state"], "Failed");
    assert_eq!(attributes(&ended)["assent_state"], "cancelled");
}

/// Lex still collects slots, or asks a question of the bot's own.
#[test]
fn dialog_before_the_ask_goes_on_as_the_bot_says() {
    for confirmation in ["None", "Confirmed", "Denied"] {
        let world = world(BOT);
        let went_on = dialog(&world, &payment(), confirmation);
        assert_eq!(went_on["sessionState"]["dialogAction"], json!({ "type": "Delegate" }));
        assert_eq!(went_on["sessionState"]["intent"]["state"], "ReadyForFulfillment");
        assert_eq!(went_on["sessionState"]["intent"]["confirmationState"], confirmation);
        let mut expected = payment();
        if confirmation == "Denied" {
            expected["assent_attempt"] = json!("2");
        }
        assert_eq!(attributes(&went_on), &expected);
        assert!(world.customer().messages().is_empty());
        let asked = turn(&world, attributes(&went_on), "None");
        assert_eq!(attributes(&asked)["assent_state"], "pending", "{confirmation}");
    }
}

#[test]
fn bot_that_no_key_lists_is_refused() {
    let world = world(&format!("{BOT}X"));
    let refused = turn(&world, &payment(), "None");
    assert_eq!(refused["sessionState"]["intent"]["state"], "Failed");
    assert_eq!(attributes(&refused)["assent_error"], "unauthenticated");
    assert!(world.customer().messages().is_empty());
}
