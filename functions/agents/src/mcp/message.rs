//! The messages of JSON-RPC 2.0: one call in a body, and its answer.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

/// The name of a call's metadata.
const META: &str = "_meta";

/// A call that wants an answer.
pub(crate) struct Call {
    /// The caller's id of the call: a text or a number.
    pub(crate) id: Value,
    /// The name of the method, such as `tools/call`.
    pub(crate) method: String,
    /// The parameters by name, the metadata among them.
    pub(crate) params: Map<String, Value>,
}

/// One message of a client.
pub(crate) enum Message {
    /// A call that wants an answer.
    Call(Call),
    /// A notification, which gets none.
    Notification,
}

/// An error of the protocol. A model does not see it.
pub(crate) struct RpcError {
    /// The code of JSON-RPC or of the protocol.
    pub(crate) code: i64,
    /// The explanation for a person.
    pub(crate) message: String,
    /// What the code defines beside it.
    pub(crate) data: Option<Value>,
    /// Whether the whole call is malformed, which is `400` in the revision without `initialize`.
    pub(crate) is_malformed: bool,
}

impl RpcError {
    pub(crate) const PARSE: i64 = -32_700;
    pub(crate) const INVALID_REQUEST: i64 = -32_600;
    pub(crate) const METHOD_NOT_FOUND: i64 = -32_601;
    pub(crate) const INVALID_PARAMS: i64 = -32_602;
    pub(crate) const INTERNAL: i64 = -32_603;
    pub(crate) const HEADER_MISMATCH: i64 = -32_020;
    pub(crate) const MISSING_CAPABILITY: i64 = -32_021;
    pub(crate) const UNSUPPORTED_VERSION: i64 = -32_022;

    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        let is_malformed = matches!(
            code,
            Self::PARSE
                | Self::INVALID_REQUEST
                | Self::HEADER_MISMATCH
                | Self::MISSING_CAPABILITY
                | Self::UNSUPPORTED_VERSION
        );
        Self { code, message: message.into(), data: None, is_malformed }
    }

    pub(crate) fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// Returns the HTTP status in the revision without `initialize`.
    const fn status(&self) -> StatusCode {
        if self.is_malformed {
            StatusCode::BAD_REQUEST
        } else if self.code == Self::METHOD_NOT_FOUND {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::OK
        }
    }
}

impl Message {
    /// Reads a body. A batch is refused, as every revision since 2025-06-18 wants it.
    pub(crate) fn read(body: &[u8]) -> Result<Self, (Value, Box<RpcError>)> {
        let failed =
            |id: Value, code: i64, message: &str| (id, Box::new(RpcError::new(code, message)));
        let invalid = |id: Value, message: &str| failed(id, RpcError::INVALID_REQUEST, message);
        let value: Value = serde_json::from_slice(body)
            .map_err(|_not_json| failed(Value::Null, RpcError::PARSE, "the body is not JSON"))?;
        let Value::Object(mut fields) = value else {
            return Err(invalid(Value::Null, "send one message; batches are not supported"));
        };
        let id = fields.remove("id");
        let known = id.clone().filter(is_id).unwrap_or_default();
        if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid(known, "`jsonrpc` must be \"2.0\""));
        }
        let Some(method) = fields.get("method").and_then(Value::as_str).map(str::to_owned) else {
            return Err(invalid(known, "`method` is missing; no answers are expected here"));
        };
        let params = match fields.remove("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                let message = "`params` must be an object";
                return Err(failed(known, RpcError::INVALID_PARAMS, message));
            }
        };
        match id {
            None => Ok(Self::Notification),
            Some(id) if is_id(&id) => Ok(Self::Call(Call { id, method, params })),
            Some(_) => Err(invalid(Value::Null, "`id` must be a text or a whole number")),
        }
    }
}

/// Returns whether a value is the id of a call.
fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

impl Call {
    /// Returns a value of the call's metadata.
    pub(crate) fn meta(&self, name: &str) -> Option<&Value> {
        self.params.get(META)?.get(name)
    }

    /// Returns a parameter that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }
}

/// Renders the answer to a call.
pub(crate) fn answer(id: &Value, result: &Map<String, Value>) -> Response<Bytes> {
    json_answer(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// Renders an error. `in_band` is for revisions whose errors have the status `200`.
pub(crate) fn failure(id: &Value, error: &RpcError, in_band: bool) -> Response<Bytes> {
    let mut body = json!({ "code": error.code, "message": error.message });
    if let (Some(fields), Some(data)) = (body.as_object_mut(), &error.data) {
        fields.insert("data".to_owned(), data.clone());
    }
    let status = if in_band { StatusCode::OK } else { error.status() };
    json_answer(status, &json!({ "jsonrpc": "2.0", "id": id, "error": body }))
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
