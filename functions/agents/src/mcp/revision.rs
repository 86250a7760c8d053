//! The revisions of the protocol, and what each wants of a call's headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Value, json};

use super::message::{Call, RpcError};

/// The metadata that each call of the newest revision carries.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The headers of a call.
const VERSION_HEADER: &str = "mcp-protocol-version";
const METHOD_HEADER: &str = "mcp-method";
const NAME_HEADER: &str = "mcp-name";
/// The extension by which an answer may be a task.
pub(crate) const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A revision of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Revision {
    V20250326,
    V20250618,
    V20251125,
    /// Each call stands alone; there is no `initialize`.
    V20260728,
}

impl Revision {
    /// Every revision that is served, the oldest first.
    pub(crate) const ALL: [Self; 4] =
        [Self::V20250326, Self::V20250618, Self::V20251125, Self::V20260728];

    /// Returns the revision's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V20250326 => "2025-03-26",
            Self::V20250618 => "2025-06-18",
            Self::V20251125 => "2025-11-25",
            Self::V20260728 => "2026-07-28",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.name() == name)
    }

    /// Returns whether calls stand alone, with their version and capabilities in each.
    pub(crate) const fn stands_alone(self) -> bool {
        matches!(self, Self::V20260728)
    }

    /// Returns the revision that `initialize` agrees on: the wanted one, or else the newest that has `initialize`.
    pub(crate) fn agreed(wanted: &str) -> Self {
        Self::named(wanted).filter(|revision| !revision.stands_alone()).unwrap_or(Self::V20251125)
    }

    /// Finds the revision of a call, and checks its headers against its body.
    ///
    /// # Errors
    /// An [`RpcError`], as the revision that the call claims wants it.
    pub(crate) fn of(call: &Call, headers: &HeaderMap) -> Result<Self, RpcError> {
        let header = single(headers, VERSION_HEADER)?;
        // With the metadata of the newest revision, it is a method that this revision removed.
        if call.method == "initialize" && call.meta(VERSION).is_none() {
            let wanted = call.text("protocolVersion").unwrap_or_default();
            if header.is_some_and(|header| header != wanted) {
                let message = "the MCP-Protocol-Version header differs from protocolVersion";
                return Err(RpcError::new(RpcError::INVALID_REQUEST, message));
            }
            if single(headers, METHOD_HEADER)?.is_some_and(|method| method != call.method) {
                return Err(mismatch("the Mcp-Method header differs from the method"));
            }
            return Ok(Self::agreed(wanted));
        }
        let claimed = call.meta(VERSION).and_then(Value::as_str);
        let newest = Self::V20260728.name();
        // Names are dates, which sort as texts do.
        let is_claimed = header.is_some_and(|header| header >= newest);
        if claimed.is_none() && call.method != "server/discover" && !is_claimed {
            // Without a header, it is the oldest revision over Streamable HTTP.
            let named = header.map_or(Some(Self::V20250326), Self::named);
            return named.ok_or_else(|| unsupported(header.unwrap_or_default()));
        }
        if header.is_some_and(|header| header >= newest) {
            check_routing(call, headers)?;
        }
        let Some(claimed) = claimed else { return Err(missing(VERSION)) };
        match header {
            None => return Err(mismatch("the MCP-Protocol-Version header is missing")),
            Some(header) if header != claimed => {
                return Err(mismatch("the MCP-Protocol-Version header differs from `_meta`"));
            }
            Some(_) => {}
        }
        let revision = Self::named(claimed).ok_or_else(|| unsupported(claimed))?;
        if !call.meta(CAPABILITIES).is_some_and(Value::is_object) {
            return Err(missing(CAPABILITIES));
        }
        Ok(revision)
    }
}

/// Returns whether the client of a call takes tasks for answers.
pub(crate) fn takes_tasks(call: &Call) -> bool {
    let extensions = call.meta(CAPABILITIES).and_then(|offered| offered.get("extensions"));
    extensions.and_then(|extensions| extensions.get(TASKS)).is_some_and(Value::is_object)
}

/// Checks the headers by which a gateway routes a call without reading its body.
fn check_routing(call: &Call, headers: &HeaderMap) -> Result<(), RpcError> {
    match single(headers, METHOD_HEADER)? {
        None => return Err(mismatch("the Mcp-Method header is missing")),
        Some(method) if method != call.method => {
            return Err(mismatch("the Mcp-Method header differs from the method"));
        }
        Some(_) => {}
    }
    let parameter = match call.method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => return Ok(()),
    };
    // A parameter that is missing is the method's own fault to report.
    let Some(named) = call.text(parameter) else { return Ok(()) };
    let Some(header) = single(headers, NAME_HEADER)? else {
        return Err(mismatch("the Mcp-Name header is missing"));
    };
    if decoded(header).as_deref() == Some(named) {
        Ok(())
    } else {
        Err(mismatch("the Mcp-Name header differs from the body"))
    }
}

/// Decodes a header's value, which is `=?base64?…?=` where it is not plain ASCII.
fn decoded(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix("=?base64?") else { return Some(value.to_owned()) };
    let bytes = STANDARD.decode(rest.strip_suffix("?=")?).ok()?;
    String::from_utf8(bytes).ok()
}

/// Returns a header that may be there once; `None` without it.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, RpcError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        (Ok(_) | Err(_), _) => Err(mismatch(&format!("the {name} header is not one plain text"))),
    }
}

fn mismatch(message: &str) -> RpcError {
    RpcError::new(RpcError::HEADER_MISMATCH, message)
}

fn missing(name: &str) -> RpcError {
    let message = format!("`_meta` has no valid `{name}`");
    RpcError { is_malformed: true, ..RpcError::new(RpcError::INVALID_PARAMS, message) }
}

fn unsupported(requested: &str) -> RpcError {
    let data = json!({ "supported": Revision::ALL.map(Revision::name), "requested": requested });
    RpcError::new(RpcError::UNSUPPORTED_VERSION, "the protocol version is not supported")
        .with_data(data)
}
