//! `GET /v1/statistics`: the requests that ended on some days, by day, kind and channel.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::ask::AskKind;
use domain::problem::Problem;
use domain::statistics::{Counts, CountsRow, Day, DayCounts, Times};
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode};
use ports::StoreError;
use records::authentication::Requester;
use records::statistics;
use serde_json::{Map, Value, json};

use crate::filters::{kind, parameter};
use crate::operation::Operation;
use crate::read::{Query, wrong};
use crate::{Intake, json};

/// The most days of one call: a quarter.
const DAYS_MAX: i64 = 93;
/// The days of a call that names none.
const DAYS: i64 = 30;
/// The days that are counted at once.
const AT_ONCE: usize = 10;
/// The ends of a request, in the order of the answer.
const STATES: [&str; 6] =
    ["fulfilled", "denied", "failed", "expired", "cancelled", "undeliverable"];

/// The parts by which a call can group its counts, in the order of a row's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Day,
    Kind,
    Channel,
}

impl Part {
    const ALL: [Self; 3] = [Self::Day, Self::Kind, Self::Channel];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Kind => "kind",
            Self::Channel => "channel",
        }
    }
}

/// The days, the filters and the groups of a call.
struct Selection {
    first: Day,
    last: Day,
    kind: Option<AskKind>,
    channel: Option<ChannelName>,
    groups: Vec<Part>,
}

impl Selection {
    fn read(query: &str, now: Timestamp) -> Result<Self, Problem> {
        let query = Query::read(query, &["from", "to", "kind", "channel", "group_by"])?;
        let today = Day::of(now);
        let first = parameter(&query, "from", str::parse::<Day>)?;
        // A day that is still to come has no ends yet.
        let until = first.map_or(today, |first| today.max(first));
        let last = parameter(&query, "to", str::parse::<Day>)?.unwrap_or(until);
        let first = first.unwrap_or_else(|| last.after(1_i64.saturating_sub(DAYS)));
        if last < first {
            return Err(wrong("to", "value", "`to` is not before `from`"));
        }
        if first.after(DAYS_MAX) <= last {
            let detail =
                format!("a call reads at most {DAYS_MAX} days; bring `from` closer to `to`");
            return Err(wrong("from", "value", &detail));
        }
        if first.after(statistics::KEPT_DAYS) < today {
            let detail = format!("statistics are kept for {} days", statistics::KEPT_DAYS);
            return Err(wrong("from", "value", &detail));
        }
        let kind = parameter(&query, "kind", kind)?;
        let channel = parameter(&query, "channel", str::parse::<ChannelName>)?;
        let groups = parameter(&query, "group_by", groups)?.unwrap_or_else(|| vec![Part::Day]);
        Ok(Self { first, last, kind, channel, groups })
    }

    fn has(&self, row: &CountsRow) -> bool {
        let is_of_channel = |channel| row.channel.as_ref() == Some(channel);
        self.kind.is_none_or(|kind| row.kind == kind)
            && self.channel.as_ref().is_none_or(is_of_channel)
    }

    /// Returns the group of a row, as the fields of the answer.
    fn group(&self, day: Day, row: &CountsRow) -> Vec<Value> {
        let value = |part: &Part| match part {
            Part::Day => json!(day.to_string()),
            Part::Kind => json!(row.kind),
            Part::Channel => json!(row.channel),
        };
        self.groups.iter().map(value).collect()
    }
}

fn groups(text: &str) -> Result<Vec<Part>, &'static str> {
    let named: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split(',').collect() };
    let known = |name: &&str| Part::ALL.iter().any(|part| part.as_str() == *name);
    let are_distinct = named
        .iter()
        .enumerate()
        .all(|(place, name)| named.iter().take(place).all(|before| before != name));
    if !named.iter().all(known) || !are_distinct {
        return Err(
            "the parameter has `day`, `kind` and `channel`, each at most once, with commas",
        );
    }
    Ok(Part::ALL.into_iter().filter(|part| named.contains(&part.as_str())).collect())
}

impl Intake {
    /// `GET /v1/statistics`: the brand's requests of this mode that ended on some days, in groups and in total.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn statistics(
        &self,
        headers: &HeaderMap,
        query: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadStatistics).await?;
        let selection = Selection::read(query, self.ports.clock.now())?;
        let days = self.days(&requester, selection.first, selection.last).await?;
        Ok(json(StatusCode::OK, &answer(&selection, &days)))
    }

    /// Counts the ends of each day from the first to the last.
    pub(crate) async fn days(
        &self,
        requester: &Requester,
        first: Day,
        last: Day,
    ) -> Result<Vec<(Day, DayCounts)>, StoreError> {
        let (store, scope, now) =
            (self.ports.store.as_ref(), requester.scope(), self.ports.clock.now());
        let stored = statistics::stored_days(store, scope, first, last).await?;
        let mut days = Vec::new();
        for some in stored.chunks(AT_ONCE) {
            let counted = some
                .iter()
                .map(|day| async { Ok((day.day(), day.clone().count(store, scope, now).await?)) });
            let counted = join_all(counted).await.into_iter();
            days.extend(counted.collect::<Result<Vec<_>, StoreError>>()?);
        }
        Ok(days)
    }
}

fn answer(selection: &Selection, days: &[(Day, DayCounts)]) -> Value {
    let mut total = Counts::default();
    // A group's text sorts as the group does: days first, and requests without a channel behind the others.
    let mut groups: BTreeMap<String, (Vec<Value>, Counts)> = BTreeMap::new();
    for (day, counts) in days {
        for row in counts.rows.iter().filter(|row| selection.has(row)) {
            total.merge(&row.counts);
            let group = selection.group(*day, row);
            let place = groups.entry(Value::from(group.clone()).to_string());
            place.or_insert_with(|| (group, Counts::default())).1.merge(&row.counts);
        }
    }
    // Without groups there is the total alone.
    groups.retain(|_, (group, _)| !group.is_empty());
    let rows = groups.into_values().map(|(group, counts)| {
        let mut row = Map::new();
        let names = selection.groups.iter().map(|part| part.as_str().to_owned());
        row.extend(names.zip(group));
        row.extend(fields(&counts));
        Value::Object(row)
    });
    json!({
        "from": selection.first.to_string(),
        "to": selection.last.to_string(),
        "rows": rows.collect::<Vec<_>>(),
        "total": Value::Object(fields(&total)),
    })
}

/// Returns the fields of counts.
fn fields(counts: &Counts) -> Map<String, Value> {
    let mut fields = Map::new();
    let steps = [
        ("asked", counts.asked),
        ("delivered", counts.delivered),
        ("opened", counts.opened),
        ("approved", counts.approved),
    ];
    let ends = STATES.map(|state| (state, counts.ends.get(state).copied().unwrap_or(0)));
    fields
        .extend(steps.into_iter().chain(ends).map(|(name, count)| (name.to_owned(), json!(count))));
    let reasons = counts.reasons.iter().flat_map(|(state, reasons)| {
        reasons
            .iter()
            .map(move |(reason, count)| json!({ "state": state, "reason": reason, "count": count }))
    });
    fields.insert("reasons".to_owned(), reasons.collect());
    fields.insert("declines".to_owned(), by_reason(&counts.declines));
    fields.insert("seconds_to_fulfilled".to_owned(), times(&counts.times));
    fields
}

/// Returns counts by reason as a list.
pub(crate) fn by_reason(counts: &BTreeMap<String, u64>) -> Value {
    counts.iter().map(|(reason, count)| json!({ "reason": reason, "count": count })).collect()
}

fn times(times: &Times) -> Value {
    let buckets = times.buckets().map(|(up_to, count)| json!({ "up_to": up_to, "count": count }));
    json!({
        "median": times.percentile(50),
        "p90": times.percentile(90),
        "buckets": buckets.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn refused(query: &str) -> bool {
        Selection::read(query, at("2026-11-27T10:00:00Z")).is_err()
    }

    #[test]
    fn selection_without_days_is_the_last_thirty() {
        let read = Selection::read("", at("2026-11-27T10:00:00Z")).unwrap();
        assert_eq!(read.first.to_string(), "2026-10-29");
        assert_eq!(read.last.to_string(), "2026-11-27");
        assert_eq!(read.groups, [Part::Day]);
    }

    #[test]
    fn selection_of_too_many_or_no_days_is_refused() {
        assert!(!refused("from=2026-08-27&to=2026-11-27"));
        assert!(refused("from=2026-08-26&to=2026-11-27"));
        assert!(!refused("from=2026-11-27&to=2026-11-27"));
        assert!(refused("from=2026-11-28&to=2026-11-27"));
        assert!(!refused("from=2025-10-23&to=2025-10-24"));
        assert!(refused("from=2025-10-22&to=2025-10-24"));
        for wrong in ["from=yesterday", "to=2026-11-31", "kind=cheque", "channel=A", "days=3"] {
            assert!(refused(wrong), "{wrong}");
        }
    }

    #[test]
    fn groups_are_named_once_in_any_order() {
        assert_eq!(groups("channel,day").unwrap(), [Part::Day, Part::Channel]);
        assert_eq!(groups("").unwrap(), []);
        for wrong in ["day,day", "hour", "day;kind", ",", "day,"] {
            assert!(groups(wrong).is_err(), "{wrong}");
        }
    }
}
