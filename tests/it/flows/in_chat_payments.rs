//! Payments within a channel, on a wallet's sheet that waits for our answer.

use std::sync::Arc;

use async_trait::async_trait;
use consent_callback::ConsentCallback;
use ports::{
    ButtonAction, Item, Key, Page, Ports, Prompt, Proof, Range, Store, StoreError,
    UnverifiedCallback, Write,
};
use serde_json::json;
use tests::world::fake_channel::PROOF;
use tests::world::{Core, PHONE, World, WorldBuilder};

fn with_fake_channels() -> WorldBuilder {
    World::builder().with_fake_channels(&["rcs", "whatsapp"])
}

fn without_code() -> World {
    with_fake_channels().with("/policy", &json!({ "session_code": false })).build()
}

/// Returns the newest prompt that was sent.
fn newest(core: &Core) -> Prompt {
    core.sent_messages().sent.pop().unwrap()
}

/// Taps the first button, which approves.
fn approves(core: &Core, channel: &str, prompt: &Prompt) {
    let ButtonAction::Reply { postback } = &prompt.buttons[0].action else { panic!("no reply") };
    let tapped = json!({ "tapped": { "postback": postback, "from": { "phone": PHONE } } });
    core.channel_sends(channel, &json!([tapped])).ok(200);
    core.run_until_idle();
}

fn pays(core: &Core, about: &str, token: &str) -> String {
    let answer =
        core.channel_sends("rcs", &json!([{ "paid": { "about": about, "token": token } }]));
    core.run_until_idle();
    answer.ok(200).text()
}

#[test]
fn in_chat_payment_is_approval_with_authorization() {
    let world = without_code();
    let asked = world.asks(4250);
    let reference = newest(&world).reference.to_string();
    assert_eq!(pays(&world, &reference, "pm_card_mastercard"), "taken");
    let outcome = &world.reads(&asked)["outcome"];
    assert_eq!(outcome["payment"]["card_brand"], "mastercard");
    let version = world.reads(&asked)["version"].clone();
    assert_eq!(pays(&world, &reference, "pm_card_visa"), "taken", "told twice, made once");
    assert_eq!(world.reads(&asked)["version"], version);
    assert_eq!(world.stored(&asked).attempts.len(), 1);
}

#[test]
fn in_chat_payment_unrecordable_is_rejected_in_the_sheet() {
    let world = without_code();
    let asked = world.asks(4250);
    let first = newest(&world).reference;
    world.acts(&asked, "resend", &json!({ "channel": "whatsapp" })).ok(200);
    let second = newest(&world);
    assert_eq!(pays(&world, &first.to_string(), "pm_card_visa"), "refused", "superseded");
    assert_eq!(pays(&world, &second.reference.to_string(), "pm_card_visa"), "refused", "elsewhere");
    assert_eq!(pays(&world, "prm_01M844DZWGSW3HJKQ26BNN67GN", "pm_card_visa"), "refused");
    approves(&world, "whatsapp", &second);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(pays(&world, &first.to_string(), "pm_card_visa"), "refused", "paid otherwise");
    assert_eq!(world.stored(&asked).attempts.len(), 1);
}

#[test]
fn in_chat_payment_needing_a_session_code_is_rejected() {
    let world = with_fake_channels().build();
    let asked = world.asks(4250);
    let reference = newest(&world).reference.to_string();
    assert_eq!(pays(&world, &reference, "pm_card_visa"), "refused");
    assert_eq!(world.state(&asked), "prompted");
    world.acts(&asked, "cancel", &json!({})).ok(200);
}

/// A table that can be read and fails every write.
struct ReadOnlyStore(Arc<dyn Store>);

#[async_trait]
impl Store for ReadOnlyStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.0.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.0.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.0.list_index(range).await
    }

    async fn write(&self, _: Vec<Write>) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("read only".into()))
    }
}

#[test]
fn store_failure_rejects_payment_and_asks_tap_again() {
    let world = without_code();
    let asked = world.asks(4250);
    let prompt = newest(&world);
    let whole = &world.machine.consent_callback;
    let consent = ConsentCallback {
        ports: Ports {
            store: Arc::new(ReadOnlyStore(Arc::clone(&whole.ports.store))),
            ..whole.ports.clone()
        },
        channels: Arc::clone(&whole.channels),
        processors: Arc::clone(&whole.processors),
        sandbox: None,
        public_base: whole.public_base.clone(),
    };
    let tells = |body: serde_json::Value| {
        let callback = UnverifiedCallback {
            method: http::Method::POST,
            url: String::new(),
            headers: [(PROOF.parse().unwrap(), "proven".parse().unwrap())].into_iter().collect(),
            body: body.to_string().into(),
            now: world.now(),
            proof: Proof::None,
        };
        let (name, channel) = ("demo".parse().unwrap(), "rcs".parse().unwrap());
        let brand = world.run(consent.ports.secrets.brand(&name)).unwrap();
        world.run(consent.channel_webhooks().receive(&brand, &channel, &callback))
    };
    let paid = json!({ "about": prompt.reference.to_string(), "token": "pm_card_visa" });
    let answer = tells(json!({ "callbacks": [{ "paid": paid }] })).unwrap();
    assert_eq!(answer.body, "refused");
    let ButtonAction::Reply { postback } = &prompt.buttons[0].action else { panic!("no reply") };
    let tapped = json!({ "postback": postback, "from": { "phone": PHONE } });
    let problem = tells(json!({ "callbacks": [{ "tapped": tapped }], "refusal": false }));
    assert_eq!(problem.unwrap_err().code.facts().1, 503);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(pays(&world, &prompt.reference.to_string(), "pm_card_visa"), "taken");
    assert_eq!(world.state(&asked), "fulfilled");
}
