//! Stripe's rules for labels.
//!
//! <https://docs.stripe.com/api/metadata>, read 2026-11-26. Metadata has 50 entries, names of 40 characters without square
//! brackets, and values of 500 characters.

use crate::labels::LabelRules;

/// Stripe's rules. Some of the 50 entries are ours.
pub(crate) static RULES: LabelRules = LabelRules {
    entries_max: 40,
    name_max: 40,
    value_max: 500,
    is_name: |name| !name.contains(['[', ']']),
    statement: "the text on a statement has a letter, none of <>\\'\"*, and 22 characters with the prefix and `* `",
    is_statement,
    has_prefix: true,
    order_max: None,
};

/// The most characters of the text on a statement, together with the account's prefix, an asterisk and a space.
///
/// <https://docs.stripe.com/get-started/account/statement-descriptors>, read 2026-11-26. A prefix has 2 to 10 characters.
const STATEMENT_MAX: usize = 22;
/// The longest prefix, where the settings name none.
const PREFIX_MAX: usize = 10;

fn is_statement(text: &str, prefix: Option<usize>) -> bool {
    let most = STATEMENT_MAX.saturating_sub(prefix.unwrap_or(PREFIX_MAX).saturating_add(2));
    let is_taken =
        |byte: u8| (byte == b' ' || byte.is_ascii_graphic()) && !b"<>\\'\"*".contains(&byte);
    (1..=most).contains(&text.len())
        && text.bytes().all(is_taken)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.trim() == text
}
