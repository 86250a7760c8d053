//! Reads settings from the environment, once, before the first event.

use domain::brand_documents::Document;

/// All settings that are missing, so that one deploy mends them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing settings: {}", .0.join(", "))]
pub struct MissingSettings(Vec<&'static str>);

/// Reads the named settings, in their order.
///
/// # Errors
/// [`MissingSettings`] names every setting that is absent or empty.
pub(crate) fn settings<const N: usize>(
    names: [&'static str; N],
) -> Result<[String; N], MissingSettings> {
    settings_from(names, environment)
}

fn settings_from<const N: usize>(
    names: [&'static str; N],
    read: impl Fn(&str) -> Option<String>,
) -> Result<[String; N], MissingSettings> {
    let found = names.map(|name| (name, read(name)));
    let missing = found.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name);
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        Ok(found.map(|(_, value)| value.unwrap_or_default()))
    } else {
        Err(MissingSettings(missing))
    }
}

/// Returns the setting with the prefix of a document's secrets.
const fn prefix_setting(document: Document) -> &'static str {
    match document {
        Document::Channels => "CHANNELS_SECRET_PREFIX",
        Document::Claims => "CLAIMS_SECRET_PREFIX",
        Document::Consent => "CONSENT_SECRET_PREFIX",
        Document::Processors => "PROCESSORS_SECRET_PREFIX",
    }
}

/// Reads the prefixes of the secrets with these documents.
///
/// # Errors
/// [`MissingSettings`] names every setting that is absent or empty.
pub(crate) fn prefixes(documents: &[Document]) -> Result<Vec<(Document, String)>, MissingSettings> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for document in documents {
        let name = prefix_setting(*document);
        match environment(name) {
            Some(prefix) => found.push((*document, prefix)),
            None => missing.push(name),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(MissingSettings(missing)) }
}

/// Joins two readings, so that one deploy mends what is missing in either.
pub(crate) fn both<A, B>(
    one: Result<A, MissingSettings>,
    other: Result<B, MissingSettings>,
) -> Result<(A, B), MissingSettings> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(MissingSettings([one.0, other.0].concat())),
        (Err(missing), Ok(_)) | (Ok(_), Err(missing)) => Err(missing),
    }
}

/// Returns a setting; `None` when it is absent or empty.
#[expect(clippy::disallowed_methods, reason = "this is where settings are read")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_missing_names_all_of_them() {
        let read = |name: &str| (name == "TABLE").then(|| "assent".to_owned());
        let missing = settings_from(["TABLE", "SANDBOX", "PROMPTS_QUEUE_URL"], read).unwrap_err();
        assert_eq!(missing.to_string(), "missing settings: SANDBOX, PROMPTS_QUEUE_URL");
        assert_eq!(settings_from(["TABLE"], read), Ok(["assent".to_owned()]));
    }

    #[test]
    fn both_missing_names_the_settings_of_each() {
        let read = |_: &str| None;
        let (one, other) = (settings_from(["TABLE"], read), settings_from(["SANDBOX"], read));
        let missing = both(one, other).unwrap_err();
        assert_eq!(missing.to_string(), "missing settings: TABLE, SANDBOX");
    }
}
