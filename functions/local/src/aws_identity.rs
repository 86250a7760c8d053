//! Signs calls to AWS with the credentials of the environment, so that its channels open on one machine too.
//!
//! Signature Version 4, for calls without a query. Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, read 2026-11-26.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::digest::digest_hex;
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::header::{HOST, HeaderValue};
use ports::{Clock, SignError, Signer};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Credentials of an AWS account.
///
/// ```
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use embedded::SystemClock;
/// use local::AwsIdentity;
/// use ports::Signer;
///
/// let variable = |name: &str| Some(format!("the {name}"));
/// let identity = AwsIdentity::from_variables(variable, Arc::new(SystemClock)).unwrap();
/// let request = http::Request::post("https://sms-voice.eu-west-1.amazonaws.com/").body(Bytes::new());
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let signed = runtime.block_on(identity.sign(request.unwrap(), "sms-voice", "eu-west-1")).unwrap();
/// assert!(signed.headers().contains_key("authorization"));
/// ```
pub struct AwsIdentity {
    access_key_id: String,
    secret_access_key: SecretString,
    session_token: Option<SecretString>,
    clock: Arc<dyn Clock>,
}

/// A call that this signer does not sign.
#[derive(Debug, thiserror::Error)]
enum UnsignableCall {
    #[error("the call has a query, a repeated header or a header that is no text")]
    Shape,
    #[error("the time is not a date")]
    Time,
}

impl AwsIdentity {
    /// Reads the credentials from variables named as AWS's own tools name them; `None` where there are none.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        Some(Self {
            access_key_id: variable("AWS_ACCESS_KEY_ID")?,
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?.into(),
            session_token: variable("AWS_SESSION_TOKEN").map(Into::into),
            clock,
        })
    }

    fn sign_at(
        &self,
        mut request: Request<Bytes>,
        scope: ServiceScope<'_>,
        now: Timestamp,
    ) -> Result<Request<Bytes>, SignError> {
        let shape = || SignError(UnsignableCall::Shape.into());
        let ServiceScope { service, region } = scope;
        let (date, time) =
            date_and_time(now).ok_or_else(|| SignError(UnsignableCall::Time.into()))?;
        let host = request.uri().authority().ok_or_else(shape)?.as_str().to_owned();
        let mut added = vec![("x-amz-date", time.clone())];
        if let Some(token) = &self.session_token {
            added.push(("x-amz-security-token", token.expose_secret().to_owned()));
        }
        for (name, value) in added {
            let mut value =
                HeaderValue::try_from(value).map_err(|error| SignError(error.into()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        let mut headers = BTreeMap::from([(HOST.as_str().to_owned(), host)]);
        for (name, value) in request.headers() {
            let value = value.to_str().map_err(|error| SignError(error.into()))?;
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            if headers.insert(name.as_str().to_owned(), value).is_some() {
                return Err(shape());
            }
        }
        if request.uri().query().is_some() {
            return Err(shape());
        }
        let signed: Vec<&str> = headers.keys().map(String::as_str).collect();
        let signed = signed.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!(
            "{}\n{}\n\n{lines}\n{signed}\n{}",
            request.method(),
            request.uri().path(),
            digest_hex(request.body()),
        );
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let text =
            format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", digest_hex(canonical.as_bytes()));
        let start = format!("AWS4{}", self.secret_access_key.expose_secret()).into_bytes();
        let key = [date.as_str(), region, service, "aws4_request"]
            .into_iter()
            .try_fold(start, |key, part| mac(&key, part))
            .ok_or_else(shape)?;
        let signature = mac(&key, &text).map(hex::encode).ok_or_else(shape)?;
        let credential = &self.access_key_id;
        let header = format!(
            "AWS4-HMAC-SHA256 Credential={credential}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        let mut header = HeaderValue::try_from(header).map_err(|error| SignError(error.into()))?;
        header.set_sensitive(true);
        request.headers_mut().insert(http::header::AUTHORIZATION, header);
        Ok(request)
    }
}

/// The service and region that a signature is for.
#[derive(Clone, Copy)]
struct ServiceScope<'a> {
    service: &'a str,
    region: &'a str,
}

/// Returns the date and the time as AWS writes them: `20150830` and `20150830T123600Z`.
fn date_and_time(now: Timestamp) -> Option<(String, String)> {
    let text = now.to_string();
    let (seconds, _) = text.split_once('.')?;
    let time: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let date = time.split_once('T')?.0.to_owned();
    Some((date, format!("{time}Z")))
}

fn mac(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

#[async_trait]
impl Signer for AwsIdentity {
    async fn sign(
        &self,
        request: Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<Request<Bytes>, SignError> {
        self.sign_at(request, ServiceScope { service, region }, self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use embedded::SystemClock;

    use super::*;

    fn identity(token: Option<&str>) -> Option<AwsIdentity> {
        let variable = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKIDEXAMPLE".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            _ => token.map(str::to_owned),
        };
        AwsIdentity::from_variables(variable, Arc::new(SystemClock))
    }

    fn signed(identity: &AwsIdentity, request: Request<Bytes>) -> Request<Bytes> {
        let scope = ServiceScope { service: "service", region: "us-east-1" };
        identity.sign_at(request, scope, "2015-08-30T12:36:00Z".parse().unwrap()).unwrap()
    }

    /// The examples `get-vanilla` and `post-vanilla` that AWS publishes for Signature Version 4.
    #[test]
    fn signer_reproduces_the_published_examples() {
        let identity = identity(None).unwrap();
        for (request, signature) in [
            (
                Request::get("https://example.amazonaws.com/"),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                Request::post("https://example.amazonaws.com/"),
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
        ] {
            let signed = signed(&identity, request.body(Bytes::new()).unwrap());
            assert_eq!(signed.headers()["x-amz-date"], "20150830T123600Z");
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            );
            assert_eq!(signed.headers()["authorization"], expected);
        }
    }

    #[test]
    fn session_token_is_signed_too() {
        let identity = identity(Some("a-session")).unwrap();
        let request = Request::post("https://example.amazonaws.com/").body(Bytes::new()).unwrap();
        let signed = signed(&identity, request);
        assert_eq!(signed.headers()["x-amz-security-token"], "a-session");
        let header = signed.headers()["authorization"].to_str().unwrap();
        assert!(header.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{header}");
        assert!(!format!("{:?}", signed.headers()).contains("a-session"));
    }

    #[test]
    fn environment_without_credentials_has_no_identity() {
        for missing in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let variable = |name: &str| (name != missing).then(|| "x".to_owned());
            assert!(AwsIdentity::from_variables(variable, Arc::new(SystemClock)).is_none());
        }
        let empty = |_: &str| Some(String::new());
        assert!(AwsIdentity::from_variables(empty, Arc::new(SystemClock)).is_none());
    }
}
