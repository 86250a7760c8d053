//! The paths of one machine: the three HTTP functions as they are, and the phone.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::values::name::BrandName;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use intake::Intake;
use ports::{Clock, Secrets};
use serde_json::json;
use texts::TextLanguage;
use tower::ServiceExt;

use crate::invocations::{INVOKE_PATH, InvokedMachine};
use crate::{Machine, ReceivedWebhooks, pages};

/// The path that takes the machine's own webhook events.
pub(crate) const WEBHOOKS_PATH: &str = "/local/webhooks";
const WEBHOOK_MAX: usize = 256 * 1024;
/// The time for the body of a webhook event.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// The data of the machine's own pages.
pub struct Site {
    /// The address of the API.
    pub api: String,
    /// The test key.
    pub key: String,
    /// The name of the demo brand.
    pub brand: BrandName,
    /// The number the phone shows when none is named.
    pub phone: String,
    /// The brand's secrets, for verifying webhook events.
    pub secrets: Arc<dyn Secrets>,
    /// The clock, for the age of webhook events.
    pub clock: Arc<dyn Clock>,
    /// The webhook events received so far.
    pub received: ReceivedWebhooks,
}

struct Routers {
    intake: Router,
    consent: Router,
    agents: Router,
    api: Arc<Intake>,
    site: Site,
}

/// Returns the router of all paths of the machine.
pub fn router(machine: &Machine, site: Site) -> Router {
    let routers = Routers {
        intake: intake::router(Arc::clone(&machine.intake)),
        consent: consent_callback::router(Arc::clone(&machine.consent_callback)),
        agents: agents::router(machine.agents()),
        api: Arc::clone(&machine.intake),
        site,
    };
    Router::new().fallback(dispatch).with_state(Arc::new(routers))
}

/// Hands a call to the function that serves its path, as the gateway in front of Lambda does.
async fn dispatch(State(routers): State<Arc<Routers>>, request: Request) -> Response {
    // DNS rebinding: a foreign page whose name resolves to this machine would otherwise read the key.
    if !is_local(&request) {
        return (
            StatusCode::MISDIRECTED_REQUEST,
            "this machine is called by 127.0.0.1 or localhost",
        )
            .into_response();
    }
    let path = request.uri().path().to_owned();
    if is_from_elsewhere(&request) {
        return (StatusCode::FORBIDDEN, "pages of other sites may not call this machine")
            .into_response();
    }
    let answered = match path.split('/').nth(1).unwrap_or_default() {
        "c" | "callbacks" | "reports" | "sandbox" | "u" => {
            routers.consent.clone().oneshot(request).await
        }
        "agents" | "mcp" => routers.agents.clone().oneshot(request).await,
        "" => Ok(Redirect::temporary("/desk").into_response()),
        "local" if path == INVOKE_PATH && request.method() == Method::POST => {
            let Site { api, key, brand, secrets, .. } = &routers.site;
            let (intake, secrets) = (&routers.api, secrets.as_ref());
            Ok(InvokedMachine { intake, api, key, brand, secrets }.invoke(request).await)
        }
        "local" => Ok(own(&routers.site, &path, request).await),
        "phone" | "assets" => match pages::file(&path) {
            Some(file) => Ok(file.map(Body::from)),
            None => routers.intake.clone().oneshot(request).await,
        },
        _ => routers.intake.clone().oneshot(request).await,
    };
    let mut answered = answered.unwrap_or_else(|never| match never {});
    // A page of another site may neither read what this machine answers nor embed it.
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    answered.headers_mut().insert(policy, HeaderValue::from_static("same-origin"));
    answered
}

/// Returns whether a browser makes this call for a page of another site.
///
/// Such a page may send the customer here, and its form may return them to a callback. It may not call the pages' own
/// paths. The API's callers prove themselves by key, and the providers by signature.
fn is_from_elsewhere(request: &Request) -> bool {
    let path = request.uri().path();
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let root = path.split('/').nth(1).unwrap_or_default();
    let is_own = matches!(root, "" | "assets" | "local" | "phone" | "sandbox");
    let is_visit = request.method() == Method::GET
        && root != "local"
        && header("sec-fetch-mode") == Some("navigate");
    if !is_own || is_visit {
        return false;
    }
    let is_foreign_site =
        header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let host = header("host").unwrap_or_default();
    // The form of a page that sends no referrer, as the sandbox's pages, has the origin `null`.
    let is_own_form = header("sec-fetch-site") == Some("same-origin");
    let is_foreign_origin = header("origin").is_some_and(|origin| {
        origin != format!("http://{host}") && !(origin == "null" && is_own_form)
    });
    is_foreign_site || is_foreign_origin
}

fn is_local(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    name.is_none_or(|name| matches!(name, "127.0.0.1" | "localhost" | "[::1]"))
}

async fn own(site: &Site, path: &str, request: Request) -> Response {
    match (request.method(), path) {
        (&Method::GET, "/local/config.json") => json_answer(&json!({
            "api": site.api,
            "key": site.key,
            "brand": site.brand,
            "phone_default": site.phone,
            "languages": TextLanguage::ALL.map(TextLanguage::tag),
        })),
        (&Method::GET, "/local/webhooks.json") => json_answer(&json!(site.received.list())),
        (&Method::POST, WEBHOOKS_PATH) => take_webhook(site, request).await,
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn json_answer(body: &serde_json::Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")],
        body.to_string(),
    )
        .into_response()
}

async fn take_webhook(site: &Site, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = tokio::time::timeout(BODY_WAIT, to_bytes(body, WEBHOOK_MAX)).await else {
        return StatusCode::REQUEST_TIMEOUT.into_response();
    };
    let (Ok(body), Ok(brand)) = (body, site.secrets.brand(&site.brand).await) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if site.received.take(&brand, &parts.headers, &body, site.clock.now()) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}
