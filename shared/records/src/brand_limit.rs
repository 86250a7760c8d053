//! The prompts of a brand in a clock hour.

use std::time::Duration;

use domain::brand::{BrandScope, Policy};
use domain::guards;
use domain::guards::Guard;
use domain::rate_limits::Quota;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Store, StoreError, Write};

use crate::storage::{decode, encode};

const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MILLIS: i64 = 3_600_000;
/// How long a counter is kept after its hour.
const KEPT: Duration = Duration::from_secs(86_400);

/// One more prompt of a brand in this hour.
#[derive(Clone, Debug)]
pub struct BrandPrompt {
    /// What is left of the hour's prompts, this one counted.
    pub quota: Quota,
    /// The write that counts the prompt; `None` where the limit is reached.
    pub write: Option<Write>,
}

/// Returns the key of a brand's prompts in this hour.
#[must_use]
pub fn key(scope: BrandScope<'_>, now: Timestamp) -> Key {
    let BrandScope { brand, mode } = scope;
    let begun = now.as_millis().div_euclid(HOUR_MILLIS);
    Key { pk: format!("PROMPTS#{brand}#{mode:?}#{begun}"), sk: "PROMPTS".to_owned() }
}

/// Counts one more prompt of a brand; `None` where the brand has no limit.
///
/// The write expects the count that was read. So two calls at once never pass the limit together.
///
/// # Errors
/// [`StoreError`].
pub async fn count(
    store: &dyn Store,
    scope: BrandScope<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<BrandPrompt>, StoreError> {
    let most = policy.prompts_per_hour;
    if most == 0 {
        return Ok(None);
    }
    let begun = now.as_millis().div_euclid(HOUR_MILLIS);
    let ends = Timestamp::from_millis(begun.saturating_add(1).saturating_mul(HOUR_MILLIS));
    let key = key(scope, now);
    let known = store.read(&key).await?;
    let before: u32 = known.as_ref().map_or(Ok(0), |item| decode(&item.body))?;
    let quota =
        |left| Quota { name: "brand-hour", most, window: HOUR, left, reset: now.until(ends) };
    let counted = before.saturating_add(1);
    if before >= most {
        return Ok(Some(BrandPrompt { quota: quota(0), write: None }));
    }
    let version = known.as_ref().map(|item| item.version);
    let item = Item {
        key,
        version: version.unwrap_or(0).saturating_add(1),
        body: encode(counted)?,
        expires_at: Some(ends.after(KEPT)),
        index: None,
    };
    let expect = match version {
        _ if guards::is_disabled(Guard::BrandPromptLimit) => Expect::Any,
        Some(version) => Expect::Version(version),
        None => Expect::Absent,
    };
    let write = Some(Write::Put { item, expect });
    Ok(Some(BrandPrompt { quota: quota(most.saturating_sub(counted)), write }))
}
