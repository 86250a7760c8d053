//! Query parameters of a callback URL.

use ports::CallbackError;

/// Returns the value of a parameter; `None` if the URL has none of that name.
///
/// # Errors
///
/// [`CallbackError::Forged`] for a parameter that occurs twice.
pub(super) fn parameter(url: &str, name: &str) -> Result<Option<String>, CallbackError> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        return Err(CallbackError::Forged);
    }
    Ok(value)
}
