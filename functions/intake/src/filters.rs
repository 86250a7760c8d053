//! The filters of `GET /v1/requests`.

use std::time::Duration;

use domain::api_key::{ClientScope, KeyId, Visibility};
use domain::ask::AskKind;
use domain::keys;
use domain::problem::Problem;
use domain::request::{LIFETIME_MAX, Request, State};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use records::authentication::Requester;
use records::request_lists::{ListedEnd, ListedFacts, RequestList};

use crate::params::token;
use crate::read::{Query, wrong};

/// The parameters of a list that are no filter.
const PAGING: [&str; 2] = ["cursor", "limit"];
/// The filters, in the order in which a cursor names them.
const NAMES: [&str; 12] = [
    "state",
    "kind",
    "phone",
    "session",
    "agent",
    "key",
    "transaction_code",
    "reference",
    "created_from",
    "created_before",
    "ended_from",
    "ended_before",
];

/// The states that a request can be in, as the API names them, and whether it has ended there.
const STATES: [(&str, bool); 10] = [
    ("pending", false),
    ("prompted", false),
    ("authorized", false),
    ("processing", false),
    ("fulfilled", true),
    ("denied", true),
    ("expired", true),
    ("cancelled", true),
    ("undeliverable", true),
    ("failed", true),
];

/// How long after its deadline a request may still end: then it is no longer kept.
const END_MAX: Duration = Duration::from_secs(30 * 86_400);

/// A filter by state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StateFilter {
    /// Every open state.
    Open,
    /// This open state.
    In(&'static str),
    /// This end.
    Ended(&'static str),
}

/// A span of time: from its first point on, before its last. `None` has no bound.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    from: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Span {
    fn has(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.before.is_none_or(|end| time < end)
    }

    const fn is_bounded(self) -> bool {
        self.from.is_some() || self.before.is_some()
    }
}

/// The filters of a call. A request must pass them all.
pub(crate) struct Filters {
    state: Option<StateFilter>,
    kind: Option<AskKind>,
    /// The keyed hash of the customer's number.
    address: Option<String>,
    session: Option<String>,
    agent: Option<String>,
    key: Option<KeyId>,
    transaction_code: Option<String>,
    reference: Option<String>,
    created: Span,
    ended: Span,
    /// The key whose requests alone the caller sees; `None` where the caller sees those of all keys.
    own: Option<KeyId>,
    /// The filters as a text, for the cursor.
    text: String,
}

impl Filters {
    /// Reads the filters of a query, for what the caller may see.
    pub(crate) fn read(query: &Query, requester: &Requester) -> Result<Self, Problem> {
        let texts = |name| parameter(query, name, token);
        let phone = parameter(query, "phone", |text| {
            text.parse::<Phone>().map_err(|error| error.to_string())
        })?;
        let mut session = texts("session")?;
        if let (None, Some(ClientScope::Session(id))) = (&session, &requester.client) {
            session = Some(id.clone());
        }
        let own = match requester.key.sessions {
            Visibility::Own => Some(requester.key.id()),
            Visibility::All => None,
        };
        Ok(Self {
            state: parameter(query, "state", state)?,
            kind: parameter(query, "kind", kind)?,
            address: phone.map(|phone| keys::address_hash(&requester.brand.address_key, &phone)),
            session,
            agent: texts("agent")?,
            key: parameter(query, "key", |text| text.parse().map_err(|_not_an_id| KEY))?,
            // People read the code aloud, and its letters are capitals.
            transaction_code: texts("transaction_code")?.map(|code| code.to_ascii_uppercase()),
            reference: texts("reference")?,
            created: span(query, "created_from", "created_before")?,
            ended: span(query, "ended_from", "ended_before")?,
            own,
            text: text(query),
        })
    }

    /// Returns the names of all parameters of the list.
    pub(crate) fn parameters() -> Vec<&'static str> {
        NAMES.into_iter().chain(PAGING).collect()
    }

    /// Returns the list that a cursor is of. It has a space, as no id of a session has.
    pub(crate) fn cursor_list(&self) -> String {
        format!("requests {}", self.text)
    }

    /// Returns the narrowest list that has every request that passes.
    pub(crate) fn list(&self) -> RequestList<'_> {
        let ended = match self.state {
            Some(StateFilter::Ended(state)) => Some(RequestList::Ended(state)),
            Some(StateFilter::Open | StateFilter::In(_)) | None => None,
        };
        let open = match self.state {
            Some(StateFilter::Open | StateFilter::In(_)) => Some(RequestList::Open),
            Some(StateFilter::Ended(_)) | None => None,
        };
        // A caller who sees its own requests alone reads no list of others' requests where its own list does.
        let own = self.own.as_ref().map(RequestList::Key);
        let code = self.transaction_code.as_deref().map(RequestList::TransactionCode);
        code.or(self.reference.as_deref().map(RequestList::Reference))
            .or(self.session.as_deref().map(RequestList::Session))
            .or(self.address.as_deref().map(RequestList::Customer))
            .or(own)
            .or(open)
            .or(self.agent.as_deref().map(RequestList::Agent))
            .or(self.key.as_ref().map(RequestList::Key))
            .or(ended)
            .unwrap_or(RequestList::All)
    }

    /// Returns the time before which each request that passes was made; `None` for no bound.
    pub(crate) fn made_before(&self) -> Option<Timestamp> {
        // What ended before a time was made before it.
        self.created.before.into_iter().chain(self.ended.before).min()
    }

    /// Returns the time from which each request that passes was made; `None` for no bound.
    pub(crate) fn made_from(&self) -> Option<Timestamp> {
        let ended = self.ended.from.map(|from| from.before(LIFETIME_MAX).before(END_MAX));
        self.created.from.into_iter().chain(ended).max()
    }

    /// Returns whether a request with these facts may pass. The facts are as old as its list.
    pub(crate) fn may_pass(&self, facts: &ListedFacts) -> bool {
        let end = facts.end.as_ref();
        let by_state = match (self.state, end) {
            (None, _) | (Some(StateFilter::Open | StateFilter::In(_)), None) => true,
            (Some(StateFilter::Ended(state)), Some(end)) => end.state == state,
            (Some(StateFilter::Open | StateFilter::In(_)), Some(_)) => false,
            // It may have ended since the list was read.
            (Some(StateFilter::Ended(_)), None) => true,
        };
        let in_span = |end: &ListedEnd| self.ended.has(end.at);
        by_state
            && end.is_none_or(in_span)
            && self.kind.is_none_or(|kind| facts.kind == kind)
            && self.agent.as_ref().is_none_or(|agent| facts.agent.as_ref() == Some(agent))
            && self.key.as_ref().is_none_or(|key| facts.key.as_ref() == Some(key))
    }

    /// Returns whether a request passes.
    pub(crate) fn pass(&self, request: &Request) -> bool {
        let ended_at = match &request.state {
            State::Closed { at, .. } => Some(*at),
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => None,
        };
        let by_state = match self.state {
            None => true,
            Some(StateFilter::Open) => ended_at.is_none(),
            Some(StateFilter::In(state) | StateFilter::Ended(state)) => {
                request.state_name() == state
            }
        };
        let outcome = request.outcome();
        let code = outcome.and_then(|outcome| outcome.transaction_code());
        let reference = outcome.and_then(|outcome| outcome.reference());
        let is = |wanted: &Option<String>, text: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| text == Some(wanted))
        };
        by_state
            && (!self.ended.is_bounded() || ended_at.is_some_and(|at| self.ended.has(at)))
            && self.created.has(request.created_at)
            && self.kind.is_none_or(|kind| AskKind::of(&request.ask) == kind)
            && self
                .key
                .as_ref()
                .is_none_or(|key| request.key.as_ref().is_some_and(|made| made.id == *key))
            && is(&self.address, Some(&request.address))
            && is(&self.session, Some(&request.session.id))
            && is(&self.agent, request.session.agent.as_deref())
            && is(&self.transaction_code, code)
            && is(&self.reference, reference.map(|reference| reference.0.as_str()))
    }
}

const KEY: &str = "the parameter is the id of a key, such as `key_desk`";

/// Reads a parameter; `None` where it is left out.
pub(crate) fn parameter<T, E: ToString>(
    query: &Query,
    name: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let parsed = query.text(name).map(parse).transpose();
    parsed.map_err(|detail| wrong(name, "value", &detail.to_string()))
}

fn state(text: &str) -> Result<StateFilter, String> {
    if text == "open" {
        return Ok(StateFilter::Open);
    }
    match STATES.iter().find(|(name, _)| *name == text) {
        Some((name, false)) => Ok(StateFilter::In(name)),
        Some((name, true)) => Ok(StateFilter::Ended(name)),
        None => {
            let names: Vec<&str> = STATES.iter().map(|(name, _)| *name).collect();
            Err(format!("the parameter is `open` or one of {}", names.join(", ")))
        }
    }
}

/// Reads a kind of ask.
pub(crate) fn kind(text: &str) -> Result<AskKind, &'static str> {
    match text {
        "payment" => Ok(AskKind::Payment),
        "payment_method" => Ok(AskKind::PaymentMethod),
        "identity" => Ok(AskKind::Identity),
        _ => Err("the parameter is `payment`, `payment_method` or `identity`"),
    }
}

fn span(query: &Query, from: &str, before: &str) -> Result<Span, Problem> {
    let time = |text: &str| {
        text.parse::<Timestamp>().map_err(|error| format!("{error}; a `+` in it is written `%2B`"))
    };
    Ok(Span { from: parameter(query, from, time)?, before: parameter(query, before, time)? })
}

/// Returns the filters of a query as a text, the same for the same filters in any order.
fn text(query: &Query) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for name in NAMES {
        if let Some(value) = query.text(name) {
            text.append_pair(name, value);
        }
    }
    text.finish()
}
