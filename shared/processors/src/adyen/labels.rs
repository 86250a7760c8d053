//! Adyen's rules for labels, and where they go.
//!
//! <https://github.com/Adyen/adyen-openapi>, Checkout v72, read 2026-11-26: `metadata`, `shopperStatement` and
//! `merchantOrderReference` of a payment and of a payment link.

use ports::AttemptContext;
use serde_json::{Map, Value, json};

use crate::labels::{LabelRules, Labels, SESSION_ID};

/// Adyen's rules. Some of the 20 entries are ours.
pub(super) static RULES: LabelRules = LabelRules {
    entries_max: 16,
    name_max: 20,
    value_max: 80,
    // Adyen puts the link's id there.
    is_name: |name| name != "checkout.linkId",
    statement: "the text on a statement has at most 22 letters, digits, spaces and characters of .,'_-?+*/",
    is_statement: |text, _| {
        let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || b" .,'_-?+*/".contains(&byte);
        (1..=22).contains(&text.len()) && text.bytes().all(is_taken) && text.trim() == text
    },
    has_prefix: false,
    order_max: Some(1_000),
};

/// Adds the labels of a request to the body of a payment or of a payment link.
///
/// Each attempt at one order has the same order number, so that Adyen links them. An order number is for one order only.
pub(super) fn add(body: &mut Map<String, Value>, attempt: &AttemptContext<'_>, labels: &Labels) {
    let session = labels.session(attempt.labels).map(|id| (SESSION_ID, id));
    let named = labels.metadata(attempt.labels).chain(session);
    let named: Vec<(&str, &str)> = named.collect();
    if !named.is_empty() {
        let metadata = body.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.extend(named.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        }
    }
    if let Some(text) = labels.statement(attempt.labels).filter(|_| attempt.money().is_some()) {
        body.insert("shopperStatement".to_owned(), json!(text));
    }
    if let Some(number) = labels.order_reference(attempt.labels) {
        body.insert("merchantOrderReference".to_owned(), json!(number));
    }
}
