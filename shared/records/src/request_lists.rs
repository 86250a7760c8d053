//! The lists of a brand's requests in a mode, each in the order of the requests' ids.
//!
//! A list is a partition `LIST#<brand>#<mode>#<list>`, and a request's item in it has the request's id as its sort key. An
//! id begins with its time. The items are written in the transaction that makes or ends their request. An item of the end tells
//! it. One that is written when the request is made does not, and is not written again. They are kept at least as long as
//! their request, and go when its customer is erased.
//!
//! No list is split by time. DynamoDB limits what one partition key has only where a table has local secondary indexes.
//! What a caller names is hashed, so that no text of theirs is a key. The requests of a customer are in
//! [`crate::customers`], those of a session in the index.

use domain::api_key::KeyId;
use domain::ask::AskKind;
use domain::brand::BrandScope;
use domain::digest::digest_hex;
use domain::request::{Change, LIFETIME_MAX, Request, State};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Item, Key, Order, Range, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::customers::CustomerScope;
use crate::storage;
use crate::storage::{GRACE, VersionedRequest, decode};
use crate::writes::overwrite;

/// The hexadecimal digits of a digest that name a list.
const NAME_DIGITS: usize = 32;

/// A list of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestList<'a> {
    /// All of the brand's in the mode.
    All,
    /// The open ones.
    Open,
    /// Those that ended in this state.
    Ended(&'a str),
    /// Those that this key made.
    Key(&'a KeyId),
    /// Those of this agent.
    Agent(&'a str),
    /// The one with this transaction code.
    TransactionCode(&'a str),
    /// The one with this reference of its processor.
    Reference(&'a str),
    /// Those of the customer with this keyed hash of their address.
    Customer(&'a str),
    /// Those of this session.
    Session(&'a str),
}

/// The facts of a request that its items repeat. A list is narrowed by them, without a read of each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFacts {
    /// The kind of its ask.
    pub kind: AskKind,
    /// The key that made it; `None` for a request of an older release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The requester's id of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Its end; `None` where it was open when the item was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<ListedEnd>,
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedEnd {
    /// The state, as the API names it.
    pub state: String,
    /// When it ended.
    pub at: Timestamp,
}

/// An entry of a list.
#[derive(Clone, Debug)]
pub struct ListEntry {
    /// The request's id.
    pub id: RequestId,
    /// What the list has of the request.
    pub known: Known,
}

/// The part of a request that a list has.
#[derive(Clone, Debug)]
pub enum Known {
    /// Its id alone.
    Id,
    /// Some facts.
    Facts(ListedFacts),
    /// All of it.
    Whole(Box<VersionedRequest>),
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The entries, newest first.
    pub entries: Vec<ListEntry>,
    /// Whether more follow.
    pub more: bool,
}

impl RequestList<'_> {
    /// Returns the last part of the list's partition key. No item is ever in the last two, see [`list`].
    fn name(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Open => "open".to_owned(),
            Self::Ended(state) => format!("ended#{state}"),
            Self::Key(key) => format!("key#{key}"),
            Self::Agent(agent) => format!("agent#{}", hashed(agent)),
            Self::TransactionCode(code) => format!("code#{}", hashed(code)),
            Self::Reference(reference) => format!("reference#{}", hashed(reference)),
            Self::Customer(address) => format!("customer#{address}"),
            Self::Session(session) => format!("session#{}", hashed(session)),
        }
    }

    fn partition(self, scope: BrandScope<'_>) -> String {
        format!("LIST#{}#{}#{}", scope.brand, scope.mode.as_str(), self.name())
    }
}

/// Returns a name of bounded length for a text of a caller or a processor.
fn hashed(text: &str) -> String {
    digest_hex(text.as_bytes()).chars().take(NAME_DIGITS).collect()
}

fn key(request: &Request, list: RequestList<'_>) -> Key {
    let scope = BrandScope { brand: &request.brand, mode: request.mode };
    Key { pk: list.partition(scope), sk: request.id.to_string() }
}

/// Returns the keys of a request's items that are written once, when it is made.
fn keys_from_the_start(request: &Request) -> Vec<Key> {
    let mut keys = vec![key(request, RequestList::All)];
    keys.extend(request.key.iter().map(|made| key(request, RequestList::Key(&made.id))));
    let agent = request.session.agent.iter();
    keys.extend(agent.map(|agent| key(request, RequestList::Agent(agent))));
    keys
}

/// Returns the keys of an ended request's items that its end adds.
fn keys_of_the_end(request: &Request) -> Vec<Key> {
    let State::Closed { outcome, .. } = &request.state else { return Vec::new() };
    let mut keys = vec![key(request, RequestList::Ended(outcome.state_name()))];
    let code = outcome.transaction_code().into_iter();
    keys.extend(code.map(|code| key(request, RequestList::TransactionCode(code))));
    let reference = outcome.reference().into_iter();
    keys.extend(reference.map(|reference| key(request, RequestList::Reference(&reference.0))));
    keys
}

fn facts(request: &Request) -> ListedFacts {
    let end = match &request.state {
        State::Closed { outcome, at } => {
            Some(ListedEnd { state: outcome.state_name().to_owned(), at: *at })
        }
        State::Pending | State::Prompted | State::Authorized { .. } | State::Processing { .. } => {
            None
        }
    };
    ListedFacts {
        kind: AskKind::of(&request.ask),
        key: request.key.as_ref().map(|key| key.id.clone()),
        agent: request.session.agent.clone(),
        end,
    }
}

/// Returns the writes of a change in the lists. There are some where the request is made, ends or is erased.
///
/// An erased request is in no list any more.
pub(crate) fn writes(change: &Change, is_new: bool) -> Result<Vec<Write>, StoreError> {
    let request = &change.request;
    let open = || Write::Delete { key: key(request, RequestList::Open) };
    match request.erased_at {
        Some(at) if at == change.at => {
            let keys = keys_from_the_start(request).into_iter().chain(keys_of_the_end(request));
            return Ok(keys.map(|key| Write::Delete { key }).chain([open()]).collect());
        }
        None if is_new || change.ends_request() => {}
        Some(_) | None => return Ok(Vec::new()),
    }
    // An open request may still be extended, and its items are not written again for that, nor for its end.
    let made_until = storage::part_kept_until(request, request.created_at).after(LIFETIME_MAX);
    let facts = facts(request);
    let mut writes = Vec::new();
    if is_new {
        for key in keys_from_the_start(request) {
            writes.push(overwrite(key, &facts, Some(made_until))?);
        }
    }
    if request.is_closed() {
        for key in keys_of_the_end(request) {
            writes.push(overwrite(key, &facts, Some(storage::kept_until(request)))?);
        }
        if !is_new {
            writes.push(open());
        }
    } else {
        let until = request.created_at.after(LIFETIME_MAX).after(GRACE);
        writes.push(overwrite(key(request, RequestList::Open), &facts, Some(until))?);
    }
    Ok(writes)
}

/// Lists a page of requests, newest first, after the request `after`.
///
/// A request of the page may have ended or gone since it was listed.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    store: &dyn Store,
    scope: BrandScope<'_>,
    list: RequestList<'_>,
    after: Option<RequestId>,
    limit: usize,
) -> Result<ListPage, StoreError> {
    match list {
        RequestList::Session(session) => {
            let after = after.map(|id| storage::session_place(id.made_at(), id));
            let page = storage::of_session(store, scope, session, after, limit).await?;
            let whole = |item: &Item| {
                let request: Request = decode(&item.body)?;
                let id = request.id;
                let whole = Box::new(VersionedRequest { request, version: item.version });
                Ok(ListEntry { id, known: Known::Whole(whole) })
            };
            let entries: Result<_, StoreError> = page.items.iter().map(whole).collect();
            Ok(ListPage { entries: entries?, more: page.more })
        }
        RequestList::Customer(address) => {
            let Key { pk, .. } = CustomerScope { of: scope, address }.key("CUST", "");
            let after = after.map(|id| format!("REQ#{id}"));
            let order = Order::Descending;
            let range = Range { pk, prefix: "REQ#".to_owned(), after, limit, order };
            let page = store.list(&range).await?;
            let ids = page.items.iter().map(|item| {
                let id = storage::parse_id(item.key.sk.trim_start_matches("REQ#"))?;
                Ok(ListEntry { id, known: Known::Id })
            });
            Ok(ListPage { entries: ids.collect::<Result<_, StoreError>>()?, more: page.more })
        }
        RequestList::All
        | RequestList::Open
        | RequestList::Ended(_)
        | RequestList::Key(_)
        | RequestList::Agent(_)
        | RequestList::TransactionCode(_)
        | RequestList::Reference(_) => {
            let pk = list.partition(scope);
            let after = after.map(|id| id.to_string());
            let order = Order::Descending;
            let range = Range { pk, prefix: String::new(), after, limit, order };
            let page = store.list(&range).await?;
            let known = page.items.iter().map(|item| {
                let (id, facts) = (storage::parse_id(&item.key.sk)?, decode(&item.body)?);
                Ok(ListEntry { id, known: Known::Facts(facts) })
            });
            Ok(ListPage { entries: known.collect::<Result<_, StoreError>>()?, more: page.more })
        }
    }
}

/// Returns the place in a list above all requests that were made before a time.
#[must_use]
pub fn place_before(time: Timestamp) -> RequestId {
    RequestId::new(time, [0; 10])
}
