//! The calls that the adapter sends.

use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::values::money::Money;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use serde_json::json;

use super::super::*;

const REQUEST: &str = "req_01J00000000000000000000000";

fn authorization(kind: CredentialKind, secret: &str) -> Authorization {
    Credential::new(kind, secret).into()
}

fn visa() -> Authorization {
    authorization(CredentialKind::PaymentMethod, "pm_card_visa")
}

fn euros(amount: u64) -> Money {
    Money::new(amount, "EUR".parse().unwrap()).unwrap()
}

fn payment() -> Ask {
    let description = DisplayText::new("Invoice 4711 & more").unwrap();
    Ask::Payment { money: euros(4250), description, card: None }
}

fn keeping() -> Ask {
    Ask::PaymentMethod { description: DisplayText::new("Card for later").unwrap() }
}

fn used<'a>(ask: &'a Ask, authorization: &'a Authorization) -> AttemptContext<'a> {
    AttemptContext {
        request: REQUEST.parse().unwrap(),
        attempt_no: 2,
        ask,
        labels: RequestLabels::NONE,
        authorization,
        customer: "c0ffee",
        page: "https://pay.example.com/c/page",
        callback: "https://pay.example.com/callbacks/acme/stripe",
        begun_at: Timestamp::from_millis(1_767_225_600_999),
        on_hosted_page: false,
        redeemed: false,
        reported: None,
    }
}

fn account(settings: &serde_json::Value) -> StripeAccount {
    let mut settings = settings.as_object().unwrap().clone();
    settings.insert("secret_key".to_owned(), json!("sk_test_a"));
    StripeAccount::read(domain::brand::Mode::Test, &settings.into()).unwrap()
}

fn of(id: &str) -> ChargeMethod {
    ChargeMethod { id: id.to_owned(), customer: None }
}

#[test]
fn payment_calls_match_the_documentation() {
    let (ask, visa, account) = (payment(), visa(), account(&json!({})));
    let attempt = used(&ask, &visa);
    let amount = StripeAmount::of(euros(4250)).unwrap();
    let create = intents::create(&attempt, amount, &of("pm_card_visa"), &account.dialect);
    assert_eq!(create.path, "/v1/payment_intents");
    assert!(create.key.unwrap().starts_with("pi_create-2-"));
    assert_eq!(
        create.body,
        "amount=4250&currency=eur&payment_method=pm_card_visa&payment_method_types[0]=card&confirm=false\
         &metadata[request_id]=req_01J00000000000000000000000&metadata[attempt]=2\
         &description=Invoice+4711+%26+more"
    );
    let confirm = intents::confirm(&attempt, "pi_1C", &account.dialect);
    assert_eq!(confirm.path, "/v1/payment_intents/pi_1C/confirm");
    assert!(confirm.key.unwrap().starts_with("pi_confirm-2-"));
    assert_eq!(
        confirm.body,
        "expand[0]=latest_charge&return_url=https%3A%2F%2Fpay.example.com%2Fc%2Fpage%3Fdone%3D1"
    );
    assert_eq!(confirm.timeout.as_secs(), 25);
    let read = intents::read("pi_1C", &account.dialect);
    assert_eq!(read.path, "/v1/payment_intents/pi_1C?expand%5B0%5D=latest_charge");
}

#[test]
fn saved_card_is_charged_with_its_customer_on_session() {
    let kept = r#"{"customer":"cus_1A","payment_method":"pm_1B"}"#;
    let (ask, account) = (payment(), account(&json!({})));
    let authorization = authorization(CredentialKind::SavedCard, kept);
    let attempt = used(&ask, &authorization);
    let StripeSavedCard { customer, payment_method } = StripeSavedCard::read(kept).unwrap();
    let method = ChargeMethod { id: payment_method, customer: Some(customer) };
    let create = intents::create(
        &attempt,
        StripeAmount::of(euros(4250)).unwrap(),
        &method,
        &account.dialect,
    );
    assert!(create.body.starts_with(
        "amount=4250&currency=eur&payment_method=pm_1B&customer=cus_1A&payment_method_types[0]=card&confirm=false"
    ));
    let confirm = intents::confirm(&attempt, "pi_1C", &account.dialect);
    assert!(!format!("{}{}", create.body, confirm.body).contains("off_session"));
}

#[test]
fn card_is_saved_for_a_customer_known_by_hash_only() {
    let (ask, visa, account) = (keeping(), visa(), account(&json!({})));
    let attempt = used(&ask, &visa);
    let customer = methods::customer(&attempt);
    assert_eq!(customer.path, "/v1/customers");
    assert!(customer.key.unwrap().starts_with("cus_create-2-"));
    assert_eq!(customer.body, format!("metadata[customer]=c0ffee&metadata[request_id]={REQUEST}"));
    let create = setups::create(&attempt, "pm_card_visa", "cus_1A", &account.dialect);
    assert_eq!(create.path, "/v1/setup_intents");
    assert!(create.key.unwrap().starts_with("seti_create-2-"));
    assert_eq!(
        create.body,
        "customer=cus_1A&payment_method=pm_card_visa&payment_method_types[0]=card&usage=off_session\
         &metadata[request_id]=req_01J00000000000000000000000&metadata[attempt]=2&description=Card+for+later"
    );
    let confirm = setups::confirm(&attempt, "seti_1C", &account.dialect);
    assert_eq!(confirm.path, "/v1/setup_intents/seti_1C/confirm");
    assert!(confirm.key.unwrap().starts_with("seti_confirm-2-"));
    assert_eq!(
        confirm.body,
        "expand[0]=payment_method&return_url=https%3A%2F%2Fpay.example.com%2Fc%2Fpage%3Fdone%3D1"
    );
    assert_eq!(setups::cancel("seti_1C").path, "/v1/setup_intents/seti_1C/cancel");
}

#[test]
fn checkout_session_calls_match_the_documentation() {
    let (ask, account) = (payment(), account(&json!({})));
    let hosted = Authorization::Hosted;
    let attempt = used(&ask, &hosted);
    let create =
        checkout::create(&attempt, Some(StripeAmount::of(euros(4250)).unwrap()), &account.dialect);
    assert_eq!(create.path, "/v1/checkout/sessions");
    assert!(create.key.unwrap().starts_with("cs_create-2-"));
    assert_eq!(
        create.body,
        "mode=payment&success_url=https%3A%2F%2Fpay.example.com%2Fc%2Fpage%3Fdone%3D1\
         &cancel_url=https%3A%2F%2Fpay.example.com%2Fc%2Fpage%3Fback%3D1\
         &client_reference_id=req_01J00000000000000000000000&expires_at=1767228300\
         &metadata[request_id]=req_01J00000000000000000000000&metadata[attempt]=2&payment_method_types[0]=card\
         &adaptive_pricing[enabled]=false&line_items[0][quantity]=1&line_items[0][price_data][currency]=eur\
         &line_items[0][price_data][unit_amount]=4250\
         &line_items[0][price_data][product_data][name]=Invoice+4711+%26+more\
         &payment_intent_data[metadata][request_id]=req_01J00000000000000000000000\
         &payment_intent_data[metadata][attempt]=2&payment_intent_data[description]=Invoice+4711+%26+more"
    );
    let read = checkout::read(&attempt, "cs_test_a1", &account.dialect);
    assert_eq!(
        read.path,
        "/v1/checkout/sessions/cs_test_a1?expand%5B0%5D=payment_intent.latest_charge"
    );
    assert_eq!(checkout::expire("cs_test_a1").path, "/v1/checkout/sessions/cs_test_a1/expire");

    let ask = keeping();
    let attempt = used(&ask, &hosted);
    let create = checkout::create(&attempt, None, &account.dialect);
    assert!(create.body.starts_with("mode=setup&success_url="));
    assert!(create.body.ends_with(
        "&payment_method_types[0]=card&customer_creation=always\
         &setup_intent_data[metadata][request_id]=req_01J00000000000000000000000\
         &setup_intent_data[metadata][attempt]=2&setup_intent_data[description]=Card+for+later"
    ));
    let read = checkout::read(&attempt, "cs_test_a1", &account.dialect);
    assert!(read.path.ends_with("?expand%5B0%5D=setup_intent.payment_method"));
}

#[test]
fn confirm_when_3ds_is_refused_errors_on_requires_action() {
    let (ask, visa) = (payment(), visa());
    let account = account(&json!({ "three_d_secure": "refuse" }));
    let attempt = used(&ask, &visa);
    let confirm = intents::confirm(&attempt, "pi_1C", &account.dialect);
    assert_eq!(confirm.body, "expand[0]=latest_charge&error_on_requires_action=true");
    let confirm = setups::confirm(&attempt, "seti_1C", &account.dialect);
    assert_eq!(confirm.body, "expand[0]=payment_method");
}

#[test]
fn calls_with_omitted_parameters_leave_them_out() {
    let (ask, visa) = (payment(), visa());
    let account = account(&json!({
        "omit": ["adaptive_pricing", "description", "error_on_requires_action", "expand", "return_url"],
        "payment_method_types": "allowed_payment_method_types",
    }));
    let attempt = used(&ask, &visa);
    let amount = StripeAmount::of(euros(4250)).unwrap();
    let create = intents::create(&attempt, amount, &of("pm_x"), &account.dialect);
    assert!(!create.body.contains("description"));
    assert!(create.body.contains("&allowed_payment_method_types[0]=card&"));
    assert_eq!(intents::confirm(&attempt, "pi_1C", &account.dialect).body, "");
    assert_eq!(intents::read("pi_1C", &account.dialect).path, "/v1/payment_intents/pi_1C");
    assert_eq!(setups::confirm(&attempt, "seti_1", &account.dialect).body, "");
    let session = checkout::create(&attempt, Some(amount), &account.dialect);
    assert!(!session.body.contains("adaptive_pricing"));
    assert!(session.body.contains("&allowed_payment_method_types[0]=card&"));
    let read = checkout::read(&attempt, "cs_1", &account.dialect);
    assert_eq!(read.path, "/v1/checkout/sessions/cs_1");
}

#[test]
fn apple_pay_token_is_sent_unchanged() {
    let secret = r#"{"paymentData":{"version":"EC_v1","data":"b+/="},
        "paymentMethod":{"displayName":"Visa 1234","network":"Visa","type":"debit"},
        "transactionIdentifier":"f7f1"}"#;
    let apple = ApplePayToken::read(secret).unwrap();
    let (ask, token) = (payment(), authorization(CredentialKind::ApplePay, secret));
    let attempt = used(&ask, &token);
    assert_eq!(
        methods::token(&attempt, &apple).body,
        "pk_token=%7B%22version%22%3A%22EC_v1%22%2C%22data%22%3A%22b%2B%2F%3D%22%7D\
         &pk_token_instrument_name=Visa+1234&pk_token_payment_network=Visa&pk_token_transaction_id=f7f1"
    );
    let call = methods::payment_method(&attempt, "tok_1A");
    assert_eq!(call.body, "type=card&card[token]=tok_1A");
    assert!(call.key.unwrap().starts_with("pm_create-2-"));
}

fn labelled_account() -> StripeAccount {
    account(&json!({ "labels": {
        "metadata": ["order", "branch"], "session_id": true, "statement": { "metadata": "order" },
    } }))
}

/// Exactly the labels that the settings name go to Stripe, and nothing else of the requester's words.
#[test]
fn labels_of_the_settings_go_to_each_object() {
    let metadata = [("order", "W-4711"), ("phone", "+15551230001"), ("branch", "")];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (ask, visa, account) = (payment(), visa(), labelled_account());
    let labels = RequestLabels { metadata: &metadata, session: "CA123" };
    let attempt = AttemptContext { labels, ..used(&ask, &visa) };
    let amount = StripeAmount::of(euros(4250)).unwrap();
    let create = intents::create(&attempt, amount, &of("pm_card_visa"), &account.dialect);
    let own = format!("&metadata[request_id]={REQUEST}&metadata[attempt]=2");
    let sent = "&metadata[order]=W-4711&metadata[session_id]=CA123&statement_descriptor_suffix=W-4711&description=";
    assert!(create.body.contains(&format!("{own}{sent}")), "{}", create.body);
    let hosted = Authorization::Hosted;
    let attempt = AttemptContext { labels, ..used(&ask, &hosted) };
    let create = checkout::create(&attempt, Some(amount), &account.dialect).body;
    for part in [
        "&metadata[order]=W-4711&metadata[session_id]=CA123&",
        "&payment_intent_data[metadata][order]=W-4711&payment_intent_data[metadata][session_id]=CA123\
         &payment_intent_data[statement_descriptor_suffix]=W-4711&payment_intent_data[description]=",
    ] {
        assert!(create.contains(part), "{part} in {create}");
    }
    let ask = keeping();
    let attempt = AttemptContext { labels, ..used(&ask, &hosted) };
    let create = checkout::create(&attempt, None, &account.dialect).body;
    assert!(create.contains("&setup_intent_data[metadata][order]=W-4711"), "{create}");
    assert!(!create.contains("statement_descriptor"), "{create}");
    let setup = setups::create(&attempt, "pm_x", "cus_1A", &account.dialect).body;
    assert!(setup.contains("&metadata[order]=W-4711&metadata[session_id]=CA123&"), "{setup}");
    for body in [create, setup] {
        assert!(!body.contains("1555") && !body.contains("branch"), "{body}");
    }
}

#[test]
fn statement_text_is_judged_with_the_prefix() {
    let text = |text: &str, prefix: Option<&str>| {
        let labels = json!({ "statement": { "text": text }, "statement_prefix": prefix });
        let settings = json!({ "secret_key": "sk_test_a", "labels": labels });
        let settings = settings.as_object().unwrap().clone().into();
        StripeAccount::read(domain::brand::Mode::Test, &settings).is_ok()
    };
    for (words, prefix, fits) in [
        ("ORDER 4711", None, true),
        ("ORDER 47110", None, false),
        ("OCT MARATHON!", Some("RUNCLUB"), true),
        ("OCT MARATHON!!", Some("RUNCLUB"), false),
        ("ORDER NUMBER 4711", Some("AC"), true),
        ("A", Some("A"), false),
        ("A", Some("ACME COMPAN"), false),
        ("4711", None, false),
        ("", None, false),
        (" A", None, false),
        ("A*1", None, false),
        ("A\"1", None, false),
        ("ÄRGER", None, false),
    ] {
        assert_eq!(text(words, prefix), fits, "{words} {prefix:?}");
    }
}

#[test]
fn connected_account_is_named_in_the_wallet_and_the_settings() {
    let settings = |id: &str| {
        let google = json!({ "country": "DE", "merchant_id": "1" });
        json!({ "secret_key": "sk_test_a", "connected_account": id, "google_pay": google,
            "publishable_key": "pk_test_a" })
    };
    let read = |id: &str| {
        let settings = settings(id).as_object().unwrap().clone().into();
        StripeAccount::read(domain::brand::Mode::Test, &settings)
    };
    for bad in ["", "acct_", "pi_1", "acct_1/2", "acct_1\r\n"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let account = read("acct_1A").ok().unwrap();
    let options = account.offer.payment_options(&payment());
    let key = options.iter().find_map(|option| match option {
        PaymentOption::GooglePay(google) => google.gateway.get("stripe:publishableKey"),
        PaymentOption::Nothing
        | PaymentOption::TestCard
        | PaymentOption::ApplePay(_)
        | PaymentOption::Hosted => None,
    });
    assert_eq!(key.map(String::as_str), Some("pk_test_a/acct_1A"));
}
