//! The labels of a request that a processor may be told.

use std::fmt;

use domain::ask::Metadata;

static NO_METADATA: Metadata = Metadata::new();

/// The requester's own words about a request. They may be personal, so a processor gets only what the brand's settings name.
#[derive(Clone, Copy)]
pub struct RequestLabels<'a> {
    /// The request's metadata.
    pub metadata: &'a Metadata,
    /// The requester's own id of the session; empty where it is unknown.
    pub session: &'a str,
}

impl RequestLabels<'static> {
    /// No label at all.
    pub const NONE: Self = Self { metadata: &NO_METADATA, session: "" };
}

impl fmt::Debug for RequestLabels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLabels").finish_non_exhaustive()
    }
}

/// A label that a processor cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedLabel {
    /// The label's place in the body of `POST /v1/requests`, as a JSON pointer.
    pub pointer: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl UnsupportedLabel {
    /// A metadata value that breaks a rule.
    #[must_use]
    pub fn metadata(name: &str, rule: &'static str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("/metadata/{name}"), rule }
    }
}
