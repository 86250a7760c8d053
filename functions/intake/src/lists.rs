//! `GET /v1/requests`: the brand's requests in this mode by filters, newest first.
//!
//! The narrowest list that the filters name is read in steps, and the other filters apply to its entries. One call examines a
//! bounded share of the list, so that it costs the same however many requests are stored. A page that finds little in its share
//! returns that, with a cursor to go on.

use bytes::Bytes;
use domain::api_key::ClientScope;
use domain::keys;
use domain::problem::Problem;
use domain::values::id::RequestId;
use domain::view;
use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode};
use ports::StoreError;
use records::authentication::Requester;
use records::request_lists;
use records::request_lists::{Known, ListEntry, ListPage};
use records::storage;
use records::storage::VersionedRequest;
use serde_json::{Value, json};

use crate::filters::Filters;
use crate::operation::Operation;
use crate::read::{FOREIGN_CURSOR, Query, wrong};
use crate::{Intake, json};

/// The most entries of a list that one call examines.
const EXAMINED_MAX: usize = 1_000;
/// The most requests that one call loads.
const LOADED_MAX: usize = 200;
/// The requests that are loaded at once.
const AT_ONCE: usize = 20;
/// The most entries that one step reads.
const STEP_MAX: usize = 100;

/// The requests that a call found, and what it did for them.
struct Search<'a> {
    requester: &'a Requester,
    filters: &'a Filters,
    limit: usize,
    found: Vec<VersionedRequest>,
    /// The last entry that was examined.
    place: Option<RequestId>,
    examined: usize,
    loaded: usize,
}

impl Search<'_> {
    const fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }

    const fn has_done_its_share(&self) -> bool {
        self.examined >= EXAMINED_MAX || self.loaded >= LOADED_MAX
    }

    /// Returns how many entries the next step reads: a page, and more once filters left some out.
    const fn step(&self) -> usize {
        if self.examined == 0 { self.limit } else { STEP_MAX }
    }

    /// Examines the next entry, with its request unless that cannot pass or is gone.
    fn examine(&mut self, entry: &ListEntry, request: Option<VersionedRequest>) {
        self.place = Some(entry.id);
        self.examined = self.examined.saturating_add(1);
        let is_loaded = request.is_some() && !matches!(entry.known, Known::Whole(_));
        self.loaded = self.loaded.saturating_add(usize::from(is_loaded));
        let passes = |loaded: &VersionedRequest| {
            let request = &loaded.request;
            // The index lags, so that it may still have a request whose customer was erased.
            let is_listed = request.erased_at.is_none() && self.requester.sees(request);
            is_listed && self.filters.pass(request)
        };
        self.found.extend(request.filter(passes));
    }
}

impl Intake {
    /// `GET /v1/requests`: the brand's requests in this mode that pass the filters, newest first.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn list(&self, headers: &HeaderMap, query: &str) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ListRequests).await?;
        let query = Query::read(query, &Filters::parameters())?;
        let filters = Filters::read(&query, &requester)?;
        let (limit, list) = (query.limit()?, filters.cursor_list());
        let place = query.place(&requester, &list)?;
        let place = place.map(|place| place.parse()).transpose();
        let place = place.map_err(|_not_an_id| wrong("cursor", "value", FOREIGN_CURSOR))?;
        let mut search = Search {
            requester: &requester,
            filters: &filters,
            limit,
            found: Vec::new(),
            place: place.or(filters.made_before().map(request_lists::place_before)),
            examined: 0,
            loaded: 0,
        };
        let more = self.search(&mut search).await?;
        let (brand, mode) = (&requester.brand, requester.mode);
        let next = search.place.filter(|_| more);
        let next = next.map(|place| keys::cursor(brand, mode, &list, &place.to_string()));
        let shown = search.found.iter().map(|found| view::request(&found.request, found.version));
        let requests: Vec<Value> = shown.collect();
        Ok(json(StatusCode::OK, &json!({ "requests": requests, "next_cursor": next })))
    }

    /// Collects the requests of a page. Returns whether the list goes on after it.
    async fn search(&self, search: &mut Search<'_>) -> Result<bool, StoreError> {
        let from = search.filters.made_from();
        loop {
            let ListPage { mut entries, more } = self.entries(search).await?;
            let count = entries.len();
            entries.retain(|entry| from.is_none_or(|from| entry.id.made_at() >= from));
            let ends = entries.len() < count || !more;
            for some in entries.chunks(AT_ONCE) {
                if search.is_full() || search.has_done_its_share() {
                    return Ok(true);
                }
                let requests = some.iter().map(|entry| self.whole_request(search.filters, entry));
                for (entry, request) in some.iter().zip(join_all(requests).await) {
                    if search.is_full() {
                        return Ok(true);
                    }
                    search.examine(entry, request?);
                }
            }
            if ends || search.is_full() || search.has_done_its_share() {
                return Ok(!ends);
            }
        }
    }

    /// Reads the next entries of the list.
    async fn entries(&self, search: &Search<'_>) -> Result<ListPage, StoreError> {
        if let Some(ClientScope::Request(id)) = &search.requester.client {
            let is_new = search.place.is_none_or(|place| *id < place);
            let entries = is_new.then_some(ListEntry { id: *id, known: Known::Id });
            return Ok(ListPage { entries: entries.into_iter().collect(), more: false });
        }
        let (store, scope) = (self.ports.store.as_ref(), search.requester.scope());
        let list = search.filters.list();
        request_lists::list(store, scope, list, search.place, search.step()).await
    }

    /// Returns the request of an entry; `None` where it cannot pass the filters, or is gone.
    async fn whole_request(
        &self,
        filters: &Filters,
        entry: &ListEntry,
    ) -> Result<Option<VersionedRequest>, StoreError> {
        match &entry.known {
            Known::Whole(whole) => Ok(Some(whole.as_ref().clone())),
            Known::Facts(facts) if !filters.may_pass(facts) => Ok(None),
            Known::Facts(_) | Known::Id => storage::load(self.ports.store.as_ref(), entry.id).await,
        }
    }
}
