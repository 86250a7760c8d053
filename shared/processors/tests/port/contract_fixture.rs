//! The settings, authorizations and replies of the contract tests.

use crate::doubles::{Doubles, ScriptedReply, hosted, payment, payment_method};
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::Mode;
use domain::processor_result::Reference;
use ports::Processor;
use serde_json::{Value, json};

/// A text that must never be shown.
pub(crate) const SECRET: &str = "N3verSh0wn";

/// Settings under which a kind opens in test mode. A kind without settings fails every test.
pub(crate) fn settings(kind: &str) -> Value {
    match kind {
        "adyen" => json!({
            "api_key": format!("AQE{SECRET}"),
            "merchant_account": "AcmeECOM",
            "hmac_keys": ["44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"],
        }),
        "openid" => json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "userinfo_endpoint": "https://id.example/userinfo",
            "client_id": "acme",
            "client_secret": SECRET,
        }),
        "sandbox" => json!({}),
        "stripe" => json!({
            "secret_key": format!("sk_test_{SECRET}"),
            "webhook_secrets": [format!("whsec_{SECRET}")],
        }),
        other => panic!("add settings for kind {other}, so that the contract tests run over it"),
    }
}

/// Runs a test over each kind.
pub(crate) fn each(check: impl Fn(&Doubles, &str, Box<dyn Processor>)) {
    for kind in crate::kinds() {
        let doubles = Doubles::default();
        let processor = doubles.open(Mode::Test, kind, &settings(kind)).ok().unwrap();
        check(&doubles, kind, processor);
    }
}

/// Runs a test over each kind that moves money.
pub(crate) fn each_that_charges(check: impl Fn(&Doubles, &str, Box<dyn Processor>)) {
    each(|doubles, kind, processor| {
        if !processor.payment_options(&payment(4250)).is_empty() {
            check(doubles, kind, processor);
        }
    });
}

/// Returns an authorization that a kind accepts.
pub(crate) fn visa(kind: &str) -> Authorization {
    match kind {
        "adyen" => authorizations()[1].clone(),
        _ => payment_method("pm_card_visa"),
    }
}

/// Returns an authorization of each kind that pays.
pub(crate) fn authorizations() -> [Authorization; 5] {
    let apple = json!({ "paymentData": { "data": SECRET }, "transactionIdentifier": "f7" });
    let google = json!({ "id": format!("tok_{SECRET}"), "object": "token", "livemode": false });
    let kept =
        json!({ "customer": format!("cus_{SECRET}"), "payment_method": format!("pm_{SECRET}") });
    let approval = |kind, secret: Value| Credential::new(kind, secret.to_string()).into();
    [
        payment_method(&format!("pm_{SECRET}")),
        approval(CredentialKind::ApplePay, apple),
        approval(CredentialKind::GooglePay, google),
        approval(CredentialKind::SavedCard, kept),
        hosted(),
    ]
}

/// Returns a successful reply with a JSON body.
pub(crate) fn json_reply(value: &Value) -> ScriptedReply {
    ScriptedReply::Answer(200, value.to_string().into_bytes())
}

/// Returns the replies of a willing processor: those to `create`, the one to `confirm`, and the reference.
pub(crate) fn accepting_replies(
    ask: &Ask,
    kind: Option<CredentialKind>,
) -> (Vec<ScriptedReply>, ScriptedReply, Reference) {
    let made = |id: &str, object: &str| json_reply(&json!({ "id": id, "object": object }));
    let mut answers = Vec::new();
    if kind == Some(CredentialKind::ApplePay) {
        answers.push(made("tok_1", "token"));
    }
    if matches!(kind, Some(CredentialKind::ApplePay | CredentialKind::GooglePay)) {
        answers.push(made("pm_1", "payment_method"));
    }
    let intent = |status: &str| {
        json!({ "id": "pi_1", "object": "payment_intent", "status": status,
            "amount": 4250, "currency": "eur" })
    };
    let setup = |status: &str| {
        json!({ "id": "seti_1", "object": "setup_intent", "status": status,
            "customer": "cus_1", "payment_method": "pm_1" })
    };
    let session = |status: &str| {
        json!({ "id": "cs_1", "object": "checkout.session", "status": status, "payment_status": "paid",
            "payment_intent": if ask.money().is_some() { intent("succeeded") } else { Value::Null },
            "setup_intent": if ask.money().is_some() { Value::Null } else { setup("succeeded") } })
    };
    let (created, done, id) = match (ask, kind) {
        (_, None) => (session("open"), session("complete"), "cs_1"),
        (Ask::Payment { .. }, _) => (intent("requires_confirmation"), intent("succeeded"), "pi_1"),
        (Ask::PaymentMethod { .. } | Ask::Identity { .. }, _) => {
            answers.push(made("cus_1", "customer"));
            (setup("requires_confirmation"), setup("succeeded"), "seti_1")
        }
    };
    answers.push(json_reply(&created));
    (answers, json_reply(&done), Reference(id.to_owned()))
}

/// Returns a reference to a PaymentIntent.
pub(crate) fn reference() -> Reference {
    Reference("pi_1".to_owned())
}

/// Returns a reference to each kind of object.
pub(crate) fn references() -> [Reference; 3] {
    ["pi_1", "seti_1", "cs_1"].map(|id| Reference(id.to_owned()))
}
