//! The form of Stripe's ids.

/// Returns whether a text is an id with this prefix. Only such texts go into a path.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    text.len() <= 255
        && text.len() > prefix.len()
        && text.starts_with(prefix)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
