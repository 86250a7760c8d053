//! Node's `oidc-provider` and its flow of backchannel authentication: the request, the approval and the token.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use ports::{Http, Reach};
use serde_json::Value;
use tests::measured::MeasuredProcess;

const WAIT_MAX: Duration = Duration::from_secs(60);
/// The credentials of `tests/openid/ciba.mjs`: `benchmark:secret`.
const AUTHORIZATION: &str = "Basic YmVuY2htYXJrOnNlY3JldA==";

/// The running provider.
pub(crate) struct Provider {
    pub(crate) process: MeasuredProcess,
    http: https::Client,
    issuer: String,
}

impl Provider {
    /// Starts `program` with this `node`.
    pub(crate) fn start(node: &str, program: &Path) -> Self {
        let process = MeasuredProcess::start(Command::new(node).arg(program)).unwrap();
        let issuer = process.said("issuer");
        Self { process, http: https::Client::new().unwrap(), issuer }
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let call = http::Request::post(format!("{}{path}", self.issuer))
            .header("authorization", AUTHORIZATION)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        let answer = self.http.call(call, Reach::Configured, WAIT_MAX).await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// Serves one customer: the request, the approval and the token.
    pub(crate) async fn serve(&self) {
        let asked = self.post("/backchannel", &[("scope", "openid"), ("login_hint", "ada")]).await;
        let id = ("auth_req_id", asked["auth_req_id"].as_str().unwrap());
        self.post("/approve", &[id]).await;
        let grant = ("grant_type", "urn:openid:params:grant-type:ciba");
        let token = self.post("/token", &[grant, id]).await;
        assert!(token["id_token"].is_string(), "{token}");
    }
}
