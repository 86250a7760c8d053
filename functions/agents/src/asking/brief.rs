//! A request and a route, as surfaces learn of them.

use serde::{Deserialize, Serialize};

/// A request in brief, as `GET /v1/requests/{id}?view=brief` answers it. An empty text means none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// The request's id.
    pub id: String,
    /// The state, as the API names it.
    pub state: String,
    /// Whether the state is terminal.
    pub over: bool,
    /// The version, for the next wait.
    pub version: String,
    /// One sentence to speak.
    pub say: String,
    /// The language of that sentence.
    pub say_language: String,
    /// The session code to read out, while it is wanted.
    pub code: String,
    /// The reason of the terminal state.
    pub reason: String,
    /// The transaction code of a fulfilled request.
    pub transaction_code: String,
    /// The last four digits of the card.
    pub last4: String,
    /// The seconds that the caller may wait next.
    pub next_wait: String,
}

/// A channel, with what it can do for a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The channel's name.
    pub channel: String,
    /// Whether it can reach the customer now.
    pub reachable: bool,
    /// Whether it shows buttons.
    #[serde(default)]
    pub rich: bool,
    /// Why it cannot reach the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
