//! The event of a bot's code hook, version 1.0. Fields that are not needed are not read, since more come over time.

use serde::Deserialize;
use serde_json::{Map, Value};

/// An event of a bot. Its attributes may hold a phone number, so it has no debug form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LexEvent {
    pub(super) session_id: String,
    /// The hook that was invoked: `DialogCodeHook` or `FulfillmentCodeHook`.
    #[serde(default)]
    pub(super) invocation_source: Option<String>,
    #[serde(default)]
    pub(super) input_mode: Option<String>,
    pub(super) bot: Bot,
    pub(super) session_state: SessionState,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bot {
    pub(super) id: String,
    pub(super) alias_id: String,
    /// The language, as `en_US`.
    #[serde(default)]
    pub(super) locale_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionState {
    #[serde(default)]
    pub(super) session_attributes: Option<Map<String, Value>>,
    pub(super) intent: Intent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Intent {
    pub(super) name: String,
    /// The slots, which the answer repeats as they came.
    #[serde(default)]
    pub(super) slots: Value,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) confirmation_state: Option<String>,
}

impl Intent {
    /// Returns whether the customer said no when Lex asked to confirm.
    pub(super) fn is_denied(&self) -> bool {
        self.confirmation_state.as_deref() == Some("Denied")
    }
}
