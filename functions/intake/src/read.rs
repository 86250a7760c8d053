//! Reads one request, with a wait for its next version.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use domain::brand::Brand;
use domain::outcome::{Details, Outcome};
use domain::problem::{Code, FieldError, Problem};
use domain::released_claims::ReleasedClaims;
use domain::request::{Request, State};
use domain::seal_binding::Binding;
use domain::{keys, seal, view};
use http::{HeaderMap, Response, StatusCode};
use records::authentication::Requester;
use records::claims;
use records::storage::VersionedRequest;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::brief;
use crate::operation::Operation;
use crate::{Intake, json};

/// The longest wait of a read, in seconds.
const WAIT_MAX: u64 = 20;
/// The largest version that a caller can name: the largest integer that every JSON reader keeps (RFC 8259, section 6).
const AFTER_MAX: u64 = 9_007_199_254_740_991;
/// The requests on a page of a list: the default and the most.
const LIMIT: u64 = 20;
const LIMIT_MAX: u64 = 100;
pub(crate) const FOREIGN_CURSOR: &str =
    "the cursor is not a `next_cursor` of this list with these filters";
/// The time between the first two reads of the store during a wait, and the most between two.
const POLL: Duration = Duration::from_millis(250);
const POLL_MAX: Duration = Duration::from_secs(1);

/// The parameters of a query string: all known, each at most once.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(query: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if !known.contains(&name.as_str()) || parameters.iter().any(|(seen, _)| *seen == name) {
                return Err(wrong(&name, "unknown", "the parameter is unknown or repeated"));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the size of a page: `limit`, or the default.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.number("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT);
        Ok(usize::try_from(limit).unwrap_or(100))
    }

    /// Returns the place after which a page of a list begins; `None` for the first page.
    ///
    /// An empty cursor is the first page, as templates of URLs write it.
    pub(crate) fn place(
        &self,
        requester: &Requester,
        list: &str,
    ) -> Result<Option<String>, Problem> {
        let Some(cursor) = self.text("cursor").filter(|cursor| !cursor.is_empty()) else {
            return Ok(None);
        };
        let place = keys::cursor_place(&requester.brand, requester.mode, list, cursor);
        place.map(Some).ok_or_else(|| wrong("cursor", "value", FOREIGN_CURSOR))
    }

    fn view(&self) -> Result<View, Problem> {
        match self.text("view") {
            None => Ok(View::Whole),
            Some("brief") => Ok(View::Brief),
            Some(_) => Err(wrong("view", "value", "the parameter is `brief` or left out")),
        }
    }

    pub(crate) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            Ok(_) | Err(_) => {
                let (least, most) = (range.start(), range.end());
                let detail = format!("the parameter is a whole number, {least} to {most}");
                Err(wrong(name, "value", &detail))
            }
        }
    }
}

/// The part of a request that a read shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    /// Everything.
    Whole,
    /// A flat summary, for surfaces that take no more.
    Brief,
}

impl View {
    /// Returns whether nothing that the view shows can change any more.
    fn is_final(self, request: &Request) -> bool {
        match self {
            Self::Whole => request.is_over(),
            Self::Brief => request.is_closed(),
        }
    }
}

pub(crate) fn wrong(name: &str, code: &'static str, detail: &str) -> Problem {
    Problem::fields(vec![FieldError::in_parameter(name, code, detail)])
}

impl Intake {
    /// `GET /v1/requests/{id}`: the request. With `wait`, the answer comes once its version passes `after`, or at the wait's
    /// end.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn read(
        &self,
        headers: &HeaderMap,
        id: &str,
        query: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadRequest).await?;
        self.read_for(&requester, id, query).await
    }

    /// Reads a request of the requester's.
    pub(crate) async fn read_for(
        &self,
        requester: &Requester,
        id: &str,
        query: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let query = Query::read(query, &["view", "wait", "after"])?;
        let view = query.view()?;
        let wait = query.number("wait", 0..=WAIT_MAX)?.unwrap_or(0);
        let after = query.number("after", 0..=AFTER_MAX)?;
        let until = self.ports.clock.now().after(Duration::from_secs(wait));
        let mut loaded = self.owned(requester, id).await?;
        let after = after.unwrap_or(loaded.version);
        let mut poll = POLL;
        while wait > 0 && loaded.version <= after && !view.is_final(&loaded.request) {
            let left = self.ports.clock.now().until(until);
            if left.is_zero() {
                break;
            }
            self.ports.clock.wait(left.min(poll)).await;
            // Most answers come late: each read costs, and a second more is not noticed by then.
            poll = poll.saturating_mul(3).checked_div(2).unwrap_or(POLL_MAX).min(POLL_MAX);
            loaded = self.owned(requester, id).await?;
        }
        match view {
            View::Brief => {
                let language = &requester.brand.language;
                let brief = brief::request(&loaded.request, loaded.version, language, wait);
                Ok(json(StatusCode::OK, &brief))
            }
            View::Whole => self.whole(requester, &loaded).await,
        }
    }

    /// Answers with the whole request.
    async fn whole(
        &self,
        requester: &Requester,
        loaded: &VersionedRequest,
    ) -> Result<Response<Bytes>, Problem> {
        let mut shown = view::request(&loaded.request, loaded.version);
        self.add_link(&mut shown, requester, &loaded.request, self.ports.clock.now());
        if let Some(claims) = self.claims(&requester.brand, &loaded.request).await?
            && let Some(identity) = shown.pointer_mut("/outcome/identity")
            && let Some(identity) = identity.as_object_mut()
        {
            identity.insert("claims".to_owned(), claims);
        }
        Ok(json(StatusCode::OK, &shown))
    }

    /// Loads the claims that an identity request was fulfilled with, while they are kept. Only a read of this one request
    /// shows them; lists and webhook events do not.
    async fn claims(&self, brand: &Brand, request: &Request) -> Result<Option<Value>, Problem> {
        let State::Closed { outcome: Outcome::Fulfilled { receipt, .. }, .. } = &request.state
        else {
            return Ok(None);
        };
        match receipt {
            Details::Payment(_) | Details::Card { .. } => return Ok(None),
            Details::Claims(_) => {}
        }
        let now = self.ports.clock.now();
        let Some(sealed) = claims::load(self.ports.store.as_ref(), request.id, now).await? else {
            return Ok(None);
        };
        let opened = seal::open(brand, &Binding::request(request), &sealed);
        let ReleasedClaims(claims) = opened.map_err(|error| {
            tracing::error!(request.id = %request.id, error = %error, "failed to open the claims");
            Problem::new(
                Code::Internal,
                "failed to open the claims; check `claims` in the brand's secrets",
            )
        })?;
        let claims: Option<Map<String, Value>> = serde_json::from_str(claims.expose_secret()).ok();
        Ok(claims.map(Value::Object))
    }
}
