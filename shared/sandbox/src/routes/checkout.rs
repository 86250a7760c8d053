//! The hosted page of the sandbox processor over HTTP, where its customers pay.

use std::sync::Arc;

use bytes::Bytes;
use domain::brand::Brand;
use domain::problem::{Code, Problem};
use http::{Response, StatusCode};
use ports::Ports;
use records::storage;

use crate::page_response::respond;
use crate::{Sandbox, SandboxVisit};

/// Returns the brand whose customer visits the processor's checkout; `None` on every other page.
async fn brand_of(
    sandbox: &Sandbox,
    ports: &Ports,
    id: &str,
) -> Result<Option<Arc<Brand>>, Problem> {
    let Some(request) = sandbox.request_of(id).await? else { return Ok(None) };
    let Some(loaded) = storage::load(ports.store.as_ref(), request).await? else {
        return Ok(None);
    };
    Ok(Some(ports.secrets.brand(&loaded.request.brand).await?))
}

/// Serves a visit, with the look of the brand. `form` is the posted form, `None` for a `GET`.
///
/// A browser has no key to show. The id is derived from the request's id, which only the brand and the redirected
/// customer know.
///
/// # Errors
/// A [`Problem`]; [`Code::NotFound`] when there is no such page.
pub(super) async fn serve(
    sandbox: &Sandbox,
    ports: &Ports,
    id: &str,
    form: Option<&[u8]>,
) -> Result<Response<Bytes>, Problem> {
    let absent = || Problem::new(Code::NotFound, "no sandbox page has this URL");
    let brand = brand_of(sandbox, ports, id).await?;
    let branding = brand.as_ref().map(|brand| &brand.branding);
    let page = sandbox.page(&SandboxVisit { id, form, branding }).await?;
    respond(page.ok_or_else(absent)?, StatusCode::OK)
}
