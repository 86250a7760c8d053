//! The request behind a charge, by the processor's id of it. A processor's dispute names nothing else.

use std::time::Duration;

use domain::processor_result::Reference;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::name::ProcessorName;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};

use crate::storage::decode;
use crate::writes::overwrite;
use domain::brand::BrandScope;

fn key(scope: BrandScope<'_>, processor: &ProcessorName, charge: &Reference) -> Key {
    let BrandScope { brand, mode } = scope;
    let pk = format!("CHARGE#{brand}#{mode:?}#{processor}#{}", charge.0);
    Key { pk, sk: "CHARGE".to_owned() }
}

/// Returns the write that remembers the request of a charge for as long as the request is kept.
///
/// # Errors
/// [`StoreError::Damaged`] when the request's id cannot be encoded.
pub fn put(request: &Request, charge: &Reference, now: Timestamp) -> Result<Write, StoreError> {
    let scope = BrandScope { brand: &request.brand, mode: request.mode };
    let kept = Duration::from_secs(request.retention_seconds);
    overwrite(key(scope, &request.processor, charge), request.id, Some(now.after(kept)))
}

/// Returns the request of a charge; `None` where there is no such charge, or it is no longer kept.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    scope: BrandScope<'_>,
    processor: &ProcessorName,
    charge: &Reference,
) -> Result<Option<RequestId>, StoreError> {
    let item = store.read(&key(scope, processor, charge)).await?;
    item.map(|item| decode(&item.body)).transpose()
}
