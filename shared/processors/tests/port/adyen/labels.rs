//! Tests of the labels that go to Adyen: metadata, the text on the statement, an order number.

use domain::authorization::Authorization;
use domain::brand::Mode;
use pollster::block_on;
use ports::{AttemptContext, RequestLabels};
use serde_json::{Value, json};

use super::{apple, base, open};
use crate::doubles::{Doubles, ScriptedReply, charge, save_card};

fn labels() -> Value {
    json!({
        "metadata": ["order", "branch"], "session_id": true, "statement": { "text": "ACME ORDER" },
        "order_reference": "order",
    })
}

/// Returns the body of the call that a step sends.
fn sent(doubles: &Doubles) -> String {
    doubles.http.taken().remove(0).replace("\\\"", "\"")
}

#[test]
fn labels_of_the_settings_go_to_payments_and_links() {
    let metadata = [("order", "W-4711"), ("phone", "+15551230001")];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let labels_of = RequestLabels { metadata: &metadata, session: "CA123" };
    let doubles = Doubles::default();
    let settings = json!({ "labels": labels(), "keep_cards": { "currency": "EUR" } });
    let processor = open(&doubles, &settings);
    assert_eq!(processor.account(), Some("AcmeECOM"));
    doubles.http.play([ScriptedReply::Lost]);
    let (hosted, apple) = (Authorization::Hosted, apple());
    let link = AttemptContext { labels: labels_of, ..charge(&hosted, 4250, 1) };
    block_on(processor.create(&link));
    let link = sent(&doubles);
    let wallet = AttemptContext { labels: labels_of, ..charge(&apple, 4250, 1) };
    let name = domain::processor_result::Reference(super::NAME.to_owned());
    block_on(processor.confirm(&wallet, &name));
    let payment = sent(&doubles);
    for body in [&link, &payment] {
        for part in [
            r#""order":"W-4711""#,
            r#""session_id":"CA123""#,
            r#""shopperStatement":"ACME ORDER""#,
            r#""merchantOrderReference":"W-4711""#,
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
        assert!(!body.contains("1555") && !body.contains("branch"), "{body}");
    }
    assert!(payment.contains(r#""request_id":"req_01J00000000000000000000000""#), "{payment}");
    // A card that is saved is on no statement.
    let card = save_card();
    let keeps = AttemptContext { labels: labels_of, ask: &card, ..charge(&hosted, 4250, 1) };
    block_on(processor.create(&keeps));
    assert!(!sent(&doubles).contains("shopperStatement"));
    // Without settings nothing of them goes there.
    let plain = open(&doubles, &json!({}));
    block_on(plain.create(&AttemptContext { labels: labels_of, ..charge(&hosted, 4250, 1) }));
    let body = sent(&doubles);
    for part in ["W-4711", "CA123", "metadata", "shopperStatement", "merchantOrderReference"] {
        assert!(!body.contains(part), "{part} in {body}");
    }
}

#[test]
fn label_beyond_adyens_limits_is_named_before_the_ask() {
    let doubles = Doubles::default();
    let named =
        json!({ "metadata": ["a/b"], "session_id": true, "statement": { "metadata": "text" } });
    let processor = open(&doubles, &json!({ "labels": named }));
    let judged = |name: &str, value: &str, session: &str| {
        let metadata = [(name.to_owned(), value.to_owned())].into();
        let labels = RequestLabels { metadata: &metadata, session };
        processor.check_labels(labels).err().map(|refused| refused.pointer)
    };
    let long = "x".repeat(81);
    assert_eq!(judged("a/b", &"x".repeat(80), "CA123"), None);
    assert_eq!(judged("a/b", &long, "CA123").as_deref(), Some("/metadata/a~1b"));
    assert_eq!(judged("other", &long, "CA123"), None);
    assert_eq!(judged("other", "", &long).as_deref(), Some("/session/id"));
    assert_eq!(judged("text", "Order 7, A+B?", "CA123"), None);
    for bad in ["Order #7", "x".repeat(23).as_str(), "Ä", " A"] {
        assert_eq!(judged("text", bad, "CA123").as_deref(), Some("/metadata/text"), "{bad}");
    }
    assert_eq!(judged("text", "", "CA123"), None);
}

#[test]
fn labels_that_cannot_be_sent_are_refused_in_the_settings() {
    let names: Vec<String> = (0..17).map(|number| format!("name{number}")).collect();
    for (labels, is_refused) in [
        (labels(), false),
        (json!({}), false),
        (json!({ "metadata": names.get(..16) }), false),
        (json!({ "metadata": names }), true),
        (json!({ "metadata": ["request_id"] }), true),
        (json!({ "metadata": ["session_id"] }), true),
        (json!({ "metadata": ["checkout.linkId"] }), true),
        (json!({ "metadata": ["x".repeat(21)] }), true),
        (json!({ "metadata": [""] }), true),
        (json!({ "statement": { "text": "N3ver *Sh0wn* #" } }), true),
        (json!({ "statement": { "metadata": "" } }), true),
        (json!({ "statement_prefix": "ACME" }), true),
        (json!({ "order_reference": "" }), true),
        (json!({ "N3verSh0wn": 1 }), true),
    ] {
        let doubles = Doubles::default();
        let mut settings = base();
        settings["labels"] = labels.clone();
        let opened = doubles.open(Mode::Test, "adyen", &settings);
        assert_eq!(opened.is_err(), is_refused, "{labels}");
        if let Err(error) = opened {
            let source = std::error::Error::source(&error).unwrap();
            assert!(!format!("{error} {error:?} {source} {source:?}").contains("N3ver"));
        }
    }
}
