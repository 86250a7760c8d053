//! Documents as secrets of AWS Secrets Manager: `<prefix>/brand/<name>` and the four beside it.
//!
//! The calls are written by hand, as an AWS SDK would double the build of the program. Source:
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html>, read 2026-11-26.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::brand_documents::Document;
use domain::values::name::BrandName;
use http::Request;
use http::header::CONTENT_TYPE;
use ports::Reach;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Documents, missing, name_of};
use crate::Context;
use crate::arguments::Place;
use crate::failure::{Exit, Failure};

const SERVICE: &str = "secretsmanager";
const TIMEOUT: Duration = Duration::from_secs(10);

/// The secrets of one brand.
pub(super) struct SecretsManager<'a> {
    context: &'a Context,
    prefix: String,
    brand: BrandName,
    region: String,
    url: String,
    /// The version of each document as it was read.
    versions: BTreeMap<Option<Document>, String>,
}

/// The answer of Secrets Manager.
enum Answer {
    Done(Value),
    /// The type of the error, such as `ResourceNotFoundException`.
    Refused(String),
}

impl<'a> SecretsManager<'a> {
    /// Opens the secrets of the brand that the arguments name. It makes no call.
    pub(super) fn open(context: &'a Context, place: &Place) -> Result<Self, Failure> {
        let brand = place.brand.as_ref();
        let brand = brand.ok_or_else(|| Failure::usage("--secrets aws needs --brand NAME"))?;
        let brand = brand.parse().map_err(|error| Failure::usage(format!("--brand: {error}")))?;
        let variable = |name| (context.variable)(name).filter(|value: &String| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.ok_or_else(|| {
            Failure::usage("--secrets aws needs the variable AWS_REGION, such as eu-west-1")
        })?;
        let url = variable("AWS_ENDPOINT_URL_SECRETS_MANAGER");
        let url = url.or_else(|| variable("AWS_ENDPOINT_URL"));
        let url = url.unwrap_or_else(|| format!("https://{SERVICE}.{region}.amazonaws.com"));
        let url = format!("{}/", url.trim_end_matches('/'));
        let prefix = place.prefix.trim_end_matches('/').to_owned();
        Ok(Self { context, prefix, brand, region, url, versions: BTreeMap::new() })
    }

    fn id(&self, document: Option<Document>) -> String {
        format!("{}/{}/{}", self.prefix, name_of(document), self.brand)
    }

    /// Reads the five documents.
    pub(super) async fn read(&mut self) -> Result<Documents, Failure> {
        let mut texts = BTreeMap::new();
        let all = Document::ALL.into_iter().map(Some);
        for document in std::iter::once(None).chain(all) {
            let (text, version) = self.get(document).await?;
            texts.insert(document, text);
            self.versions.insert(document, version);
        }
        Documents::parse(&texts)
    }

    async fn get(
        &self,
        document: Option<Document>,
    ) -> Result<(Zeroizing<String>, String), Failure> {
        let id = self.id(document);
        match self.call("GetSecretValue", &json!({ "SecretId": id })).await? {
            Answer::Done(value) => {
                let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
                match (text("SecretString"), text("VersionId")) {
                    (Some(secret), Some(version)) => Ok((Zeroizing::new(secret), version)),
                    (Some(_) | None, Some(_) | None) => {
                        Err(Failure::new("invalid-brand", format!("the secret {id} holds no text")))
                    }
                }
            }
            Answer::Refused(kind) if kind == "ResourceNotFoundException" => {
                Err(missing(document).with_exit(Exit::Refused))
            }
            Answer::Refused(kind) => Err(refused("read", &id, &kind)),
        }
    }

    /// Replaces a document, unless its version is another by now.
    pub(super) async fn replace(
        &self,
        document: Option<Document>,
        text: &str,
    ) -> Result<(), Failure> {
        let id = self.id(document);
        let (_, version) = self.get(document).await?;
        if self.versions.get(&document) != Some(&version) {
            let message = format!("another process changed the secret {id} in the meantime");
            return Err(Failure::new("changed-meanwhile", message)
                .with_exit(Exit::Refused)
                .with_remedy("repeat the command"));
        }
        let body =
            json!({ "SecretId": id, "SecretString": text, "ClientRequestToken": self.token() });
        match self.call("PutSecretValue", &body).await? {
            Answer::Done(_) => Ok(()),
            Answer::Refused(kind) => Err(refused("write", &id, &kind)),
        }
    }

    /// Makes the secrets of a new brand. None of them may exist.
    pub(super) async fn create(
        &self,
        texts: &[(Option<Document>, Zeroizing<String>)],
    ) -> Result<(), Failure> {
        for (document, _) in texts {
            match self.get(*document).await {
                Ok(_) => return Err(exists(&self.id(*document))),
                Err(failure) if failure.code == "document-missing" => {}
                Err(failure) => return Err(failure),
            }
        }
        for (document, text) in texts {
            let id = self.id(*document);
            let body = json!({
                "Name": id, "SecretString": text.as_str(), "ClientRequestToken": self.token(),
            });
            match self.call("CreateSecret", &body).await? {
                Answer::Done(_) => {}
                Answer::Refused(kind) if kind == "ResourceExistsException" => {
                    return Err(exists(&id));
                }
                Answer::Refused(kind) => return Err(refused("create", &id, &kind)),
            }
        }
        Ok(())
    }

    /// Draws a token, by which a repeated call makes no second version.
    fn token(&self) -> String {
        let mut bytes = [0; 16];
        self.context.random.fill(&mut bytes);
        hex::encode(bytes)
    }

    async fn call(&self, operation: &str, body: &Value) -> Result<Answer, Failure> {
        let signer = self.context.signer.as_ref().ok_or_else(|| {
            Failure::usage("--secrets aws needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        })?;
        let request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{SERVICE}.{operation}"))
            .body(Bytes::from(body.to_string()))?;
        let signed = signer.sign(request, SERVICE, &self.region).await;
        let signed = signed.map_err(|error| Failure::new("credentials", error.to_string()))?;
        let answer = self.context.http.call(signed, Reach::Configured, TIMEOUT).await;
        let answer = answer.map_err(|error| Failure::no_answer(&self.url, &error))?;
        let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if answer.status().is_success() {
            return Ok(Answer::Done(value));
        }
        let kind = value.get("__type").and_then(Value::as_str).unwrap_or_default();
        let kind = kind.rsplit('#').next().unwrap_or_default();
        let status = answer.status();
        let kind = if kind.is_empty() { status.as_str() } else { kind };
        Ok(Answer::Refused(kind.to_owned()))
    }
}

fn exists(id: &str) -> Failure {
    Failure::new("brand-exists", format!("the secret {id} exists already"))
        .with_exit(Exit::Refused)
        .with_remedy("choose another name or prefix, or delete the secret first")
}

fn refused(action: &str, id: &str, kind: &str) -> Failure {
    let failure =
        Failure::new("secrets-manager", format!("failed to {action} the secret {id}: {kind}"));
    let failure = failure.with_exit(Exit::Refused);
    match kind {
        "AccessDeniedException" => failure.with_remedy(
            "allow secretsmanager:GetSecretValue, PutSecretValue and CreateSecret on this secret",
        ),
        "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException" => {
            failure.with_remedy("renew the AWS credentials of the environment")
        }
        "InvalidRequestException" => {
            failure.with_remedy("restore the secret, which is being deleted")
        }
        _ => failure,
    }
}
