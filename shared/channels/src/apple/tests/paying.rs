//! Apple Pay within the conversation: the session, the payment request, and the token that comes back.

use domain::authorization::CredentialKind;
use domain::postback::Action;
use domain::values::money::Money;
use http::Method;
use pollster::block_on;
use ports::{
    ButtonAction, Callback, CallbackError, Channel, ClientIdentity, Prompt, PromptSelector,
    ReceivedWebhook, UnverifiedCallback,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::super::pay;
use super::sending::recorded_message;
use super::{json_of, open, paying, proven, settings};
use crate::answers::Reaction;
use crate::doubles::{
    PHONE, Script, World, fixtures, meaning, postback, prompt_to, recorded, reference,
};

fn session() -> Value {
    fixtures("apple/fixtures/sessions")["made"]["body"].clone()
}

/// A prompt for a payment that needs the page.
fn payment_prompt(amount: u64, currency: &str) -> Prompt {
    let mut prompt = prompt_to(PHONE);
    prompt.buttons.remove(0);
    prompt.money = Some(Money::new(amount, currency.parse().unwrap()).unwrap());
    prompt.callback = "https://hooks.example.com/callbacks/acme/apple".to_owned();
    prompt
}

fn both() -> Script {
    Script::InTurn(vec![(200, session().to_string().into()), (200, "".into())])
}

/// The message that asks for this amount.
fn message_for(amount: u64, currency: &str) -> Value {
    let (world, channel) = paying(both());
    block_on(channel.send(&payment_prompt(amount, currency))).unwrap();
    json_of(&world.calls()[1])
}

#[test]
fn payment_request_carries_its_own_session() {
    let (world, channel) = paying(both());
    let sent = block_on(channel.send(&payment_prompt(4250, "EUR")));
    assert_eq!(meaning(&sent), format!("accepted {}", reference().prompt.to_uuid()));
    let calls = world.calls();
    let [made, message] = calls.as_slice() else { panic!("{}", calls.len()) };
    let gateway = "https://cn-apple-pay-gateway.apple.com/paymentservices/paymentSession";
    assert_eq!((made.method(), made.uri().to_string().as_str()), (&Method::POST, gateway));
    let identity = made.extensions().get::<ClientIdentity>().unwrap();
    assert_eq!(identity.certificate_pem.expose_secret(), "secret-certificate");
    assert_eq!(identity.key_pem.expose_secret(), "secret-key");
    assert!(message.extensions().get::<ClientIdentity>().is_none());
    assert_eq!(message.uri(), "https://mspgw-int.push.apple.com/v1/message");
    let (made, message) = (json_of(made), json_of(message));
    assert_eq!(message, recorded_message("apple-pay"));
    let data = &message["interactiveData"]["data"]["payment"];
    assert_eq!(made["initiativeContext"], data["endpoints"]["paymentGatewayUrl"]);
    assert_eq!(data["merchantSession"], session());
    assert_eq!(made.as_object().unwrap().len(), 5);
    assert_eq!(made["displayName"], "Acme & Söhne");
    assert_eq!(made["initiative"], "messaging");
    assert_eq!(made["merchantIdentifier"], "merchant.com.example.callcentre");
    assert_eq!(made["domainName"], "pay.example.com");
}

#[test]
fn amount_has_the_decimals_of_its_currency() {
    for (amount, currency, shown) in
        [(4250, "EUR", "42.50"), (4250, "JPY", "4250"), (4250, "KWD", "4.250"), (5, "USD", "0.05")]
    {
        let request =
            message_for(amount, currency)["interactiveData"]["data"]["payment"]["paymentRequest"]
                .take();
        assert_eq!(request["total"]["amount"], shown);
        assert_eq!(request["lineItems"][0]["amount"], shown);
        assert_eq!(request["currencyCode"], currency);
    }
}

/// A payment that a reply can approve, and every other ask, goes without Apple Pay.
#[test]
fn apple_pay_serves_only_payments_that_need_the_page() {
    let by_reply = Prompt { money: payment_prompt(1, "EUR").money, ..prompt_to(PHONE) };
    let no_payment = Prompt { money: None, ..payment_prompt(1, "EUR") };
    for prompt in [by_reply, no_payment] {
        let (world, channel) = paying(Script::Answer(200, "".into()));
        block_on(channel.send(&prompt)).unwrap();
        assert!(world.calls().iter().all(|call| call.uri().path() == "/v1/message"));
    }
    let world = World::new(Script::Answer(200, "".into()));
    let with_codes = open(&world, &settings("apple-pay"));
    block_on(with_codes.send(&payment_prompt(1, "EUR"))).unwrap();
    assert_eq!(json_of(&world.calls()[0])["type"], "text");
}

/// Every known status of a refused session is recorded.
#[test]
fn refused_session_sends_nothing() {
    let sessions = fixtures("apple/fixtures/sessions");
    for (name, fixture) in sessions.iter().filter(|(name, _)| *name != "made") {
        let (status, body, means) = recorded(fixture);
        let (world, channel) = paying(Script::Answer(status, body));
        assert_eq!(meaning(&block_on(channel.send(&payment_prompt(1, "EUR")))), means, "{name}");
        assert_eq!(world.calls().len(), 1, "{name}");
    }
    for (script, means) in [
        (Script::Lost, "again"),
        (Script::NotSent, "again"),
        (Script::Forbidden, "person apple_pay"),
    ] {
        let (world, channel) = paying(script);
        assert_eq!(meaning(&block_on(channel.send(&payment_prompt(1, "EUR")))), means);
        assert_eq!(world.calls().len(), 1);
    }
    for (code, reaction) in pay::SESSION_ERRORS {
        let means = match reaction {
            Reaction::Again => "again".to_owned(),
            Reaction::Unreachable(reason) => format!("unreachable {reason}"),
            Reaction::Misconfigured(reason) => format!("person {reason}"),
        };
        assert_eq!(sessions[&format!("error-{code}")]["means"], means);
    }
}

#[test]
fn lost_answer_after_the_session_is_in_doubt() {
    let (_, channel) = paying(Script::InTurn(vec![(200, session().to_string().into())]));
    assert_eq!(meaning(&block_on(channel.send(&payment_prompt(1, "EUR")))), "unknown");
}

#[test]
fn session_too_long_to_be_inline_is_not_sent() {
    let mut session = session();
    session["signature"] = json!("30".repeat(5_000));
    let (world, channel) =
        paying(Script::InTurn(vec![(200, session.to_string().into()), (200, "".into())]));
    assert_eq!(meaning(&block_on(channel.send(&payment_prompt(1, "EUR")))), "person too_long");
    assert_eq!(world.calls().len(), 1);
}

fn token() -> Value {
    let data = json!({ "version": "EC_v1", "data": "AAAA", "signature": "MIAG",
        "header": { "ephemeralPublicKey": "MFkw", "publicKeyHash": "x", "transactionId": "ab" } });
    let method = json!({ "displayName": "Visa 1234", "network": "Visa", "type": "debit" });
    json!({ "paymentData": data, "paymentMethod": method, "transactionIdentifier": "AB12" })
}

/// The call of the device, to the URL in the message.
fn posted(body: &Value) -> UnverifiedCallback {
    let message = message_for(4250, "EUR");
    let endpoints = &message["interactiveData"]["data"]["payment"]["endpoints"];
    let url = endpoints["paymentGatewayUrl"].as_str().unwrap().to_owned();
    let mut callback = proven(body.to_string().as_bytes());
    callback.headers.clear();
    callback.url = url;
    callback
}

fn body() -> Value {
    let uuid = reference().prompt.to_uuid();
    let payment = json!({ "paymentToken": token(), "billingContact": {}, "shippingContact": {} });
    json!({ "requestIdentifier": uuid, "version": 1, "payment": payment })
}

fn receive(callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
    paying(Script::Lost).1.receive(callback)
}

#[test]
fn token_authorizes_the_prompt_in_the_url() {
    let received = receive(&posted(&body())).unwrap();
    let [Callback::Paid { about, credential }] = received.callbacks.as_slice() else {
        panic!("{received:?}")
    };
    assert_eq!(*about, PromptSelector::Exact(reference()));
    assert_eq!(credential.kind, CredentialKind::ApplePay);
    let secret: Value = serde_json::from_str(credential.secret.expose_secret()).unwrap();
    assert_eq!(secret, token());
    let reply = |word: &str| format!("{{\"status\":\"{word}\"}}");
    assert_eq!((received.reply.status, received.reply.body), (200, reply("STATUS_SUCCESS")));
    let refusal = received.refusal.unwrap();
    assert_eq!((refusal.status, refusal.body), (200, reply("STATUS_FAILURE")));
    assert_eq!(received.reply.content_type, "application/json");
}

#[test]
fn request_identifier_of_another_prompt_is_forged() {
    let mut loud = body();
    loud["requestIdentifier"] = json!(reference().prompt.to_uuid().to_uppercase());
    let mut silent = body();
    silent.as_object_mut().unwrap().remove("requestIdentifier");
    for body in [loud, silent] {
        assert!(receive(&posted(&body)).is_ok(), "{body}");
    }
    let mut other = body();
    other["requestIdentifier"] = json!("019b76da-a800-7303-8303-030303030303");
    assert_eq!(receive(&posted(&other)), Err(CallbackError::Forged));
}

#[test]
fn gateway_url_with_any_change_is_forged() {
    let whole = posted(&body());
    let at = |url: String| receive(&UnverifiedCallback { url, ..whole.clone() });
    assert!(at(whole.url.clone()).is_ok());
    let start = whole.url.find("pay=").unwrap() + 4;
    for place in start..whole.url.len() {
        for byte in (b'!'..=b'~').filter(|byte| *byte != whole.url.as_bytes()[place]) {
            let mut url = whole.url.clone().into_bytes();
            url[place] = byte;
            let url = String::from_utf8(url).unwrap();
            assert_eq!(at(url.clone()), Err(CallbackError::Forged), "{url}");
        }
        assert_eq!(at(whole.url[..place].to_owned()), Err(CallbackError::Forged));
    }
    assert_eq!(at(format!("{}&pay=x", whole.url)), Err(CallbackError::Forged));
    assert_eq!(at(format!("{}0", whole.url)), Err(CallbackError::Forged));
    let base = &whole.url[..start];
    for action in [Action::Approve, Action::Open] {
        let button = format!("{base}{}", postback(action));
        assert_eq!(at(button), Err(CallbackError::Forged), "a button's proof is no payment's");
    }
    assert_eq!(
        at("https://hooks.example.com/callbacks/acme/apple".to_owned()),
        Err(CallbackError::Forged)
    );
}

#[test]
fn gateway_url_of_another_brand_is_forged() {
    let world = World::silent();
    let mut brand = crate::doubles::brand("apple", &settings("apple-pay"));
    brand.link_key = domain::brand::Key32::new([8; 32]);
    let registry = world.registry();
    let name = "a-channel".parse().unwrap();
    let channel: Box<dyn Channel> =
        ports::Channels::open(&registry, &brand, domain::brand::Mode::Test, &name).unwrap();
    assert_eq!(channel.receive(&posted(&body())), Err(CallbackError::Forged));
}

#[test]
fn body_without_token_is_malformed() {
    let without = |pointer: &str, field: &str| {
        let mut body = body();
        body.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
        receive(&posted(&body))
    };
    for (pointer, field) in [
        ("", "payment"),
        ("/payment", "paymentToken"),
        ("/payment/paymentToken", "paymentData"),
        ("/payment/paymentToken", "paymentMethod"),
        ("/payment/paymentToken", "transactionIdentifier"),
    ] {
        assert_eq!(without(pointer, field), Err(CallbackError::Malformed), "{pointer}/{field}");
    }
    for body in [json!([]), json!({}), json!("x"), json!({ "payment": null })] {
        assert_eq!(receive(&posted(&body)), Err(CallbackError::Malformed));
    }
    let read = UnverifiedCallback { method: Method::GET, ..posted(&body()) };
    assert_eq!(receive(&read), Err(CallbackError::Malformed));
}

#[test]
fn sample_payment_prompt_leads_with_the_page() {
    assert!(matches!(payment_prompt(1, "EUR").buttons[0].action, ButtonAction::Open { .. }));
}
