//! OpenID providers: the discovery document, and whether the token endpoint takes the client.
//!
//! OpenID Connect Discovery 1.0, section 4; RFC 6749, sections 4.1.3 and 5.2. A token call with a made-up code is refused
//! with `invalid_grant` where the client is right. A wrong client gets `invalid_client`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::Connection;
use super::calls::{Answer, Login, ProviderCalls};
use super::report::{Fault, Report};

/// The code of no sign-in.
const NO_CODE: &str = "assent-doctor";

/// Examines the issuer and the client.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    let copied = connection.text("token_endpoint");
    let (token_endpoint, document) = match copied {
        Some(endpoint) if connection.text("authorization_endpoint").is_some() => {
            report.unchecked("issuer", "the addresses are copied, so that no document is read");
            (endpoint.to_owned(), None)
        }
        Some(_) | None => match discovered(calls, connection).await {
            Ok(answer) => {
                report.works("issuer", "the discovery document names this issuer");
                let found = answer.text("/token_endpoint").to_owned();
                (copied.map_or(found, str::to_owned), Some(answer))
            }
            Err(fault) => return report.fault(fault),
        },
    };
    let method = method(connection, document.as_ref());
    if let Some(fault) = document.as_ref().and_then(|answer| unsupported(answer, method)) {
        return report.fault(fault);
    }
    if !matches!(method, "client_secret_basic" | "client_secret_post") {
        return report
            .unchecked("client", "a client that signs is tried by the first sign-in only");
    }
    match client(calls, connection, &token_endpoint, method).await {
        Ok(Some(says)) => report.works("client", says),
        Ok(None) => {
            report.unchecked("client", "the provider does not say whether it takes the client");
        }
        Err(fault) => report.fault(fault),
    }
}

async fn discovered(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<Answer, Fault> {
    let issuer = connection.text("issuer").unwrap_or_default();
    let usual = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let answer = calls.get(connection.text("discovery_url").unwrap_or(&usual), &[]).await?;
    if answer.status != 200 || !answer.value.is_object() {
        return Err(Fault {
            check: "issuer",
            says: format!("there is no discovery document (status {})", answer.status),
            mend: "copy the issuer from the provider's console, or set `discovery_url`".to_owned(),
        });
    }
    if answer.text("/issuer") != issuer {
        return Err(Fault {
            check: "issuer",
            says: "the discovery document names another issuer".to_owned(),
            mend: format!("set `issuer` to exactly {}", answer.text("/issuer")),
        });
    }
    for endpoint in ["authorization_endpoint", "token_endpoint"] {
        if answer.text(&format!("/{endpoint}")).is_empty() && connection.text(endpoint).is_none() {
            return Err(Fault {
                check: "endpoints",
                says: format!("the discovery document has no {endpoint}"),
                mend: format!("copy the address from the provider's console into `{endpoint}`"),
            });
        }
    }
    Ok(answer)
}

/// Returns how the client proves itself, as the adapter chooses it.
fn method(connection: &Connection, document: Option<&Answer>) -> &'static str {
    match connection.text("client_auth") {
        Some("post") => "client_secret_post",
        Some("basic") => "client_secret_basic",
        Some(_) => "private_key_jwt",
        None if connection.settings.contains_key("private_key") => "private_key_jwt",
        None => {
            let methods = document
                .map_or(&[][..], |answer| answer.list("/token_endpoint_auth_methods_supported"));
            let has = |name: &str| methods.iter().any(|method| method == name);
            if has("client_secret_post") && !has("client_secret_basic") {
                "client_secret_post"
            } else {
                "client_secret_basic"
            }
        }
    }
}

fn unsupported(answer: &Answer, method: &str) -> Option<Fault> {
    let is_without = |list: &str, wanted: &str| {
        let listed = answer.list(list);
        !listed.is_empty() && !listed.iter().any(|one| one == wanted)
    };
    if is_without("/code_challenge_methods_supported", "S256") {
        return Some(Fault::new(
            "pkce",
            "the provider does not take PKCE with S256",
            "turn PKCE on in the provider's console, or choose another provider",
        ));
    }
    // Apple's document lists what its own secret, a signed token, is sent as.
    if method != "private_key_jwt" && is_without("/token_endpoint_auth_methods_supported", method) {
        return Some(Fault {
            check: "client_auth",
            says: format!("the provider does not take {method}"),
            mend: "set `client_auth` to a method of the discovery document".to_owned(),
        });
    }
    None
}

async fn client(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    endpoint: &str,
    method: &str,
) -> Result<Option<&'static str>, Fault> {
    let (id, secret) =
        (connection.text("client_id").unwrap_or_default(), connection.secret("client_secret"));
    let redirect = connection.callback.as_deref().unwrap_or("https://localhost/");
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", NO_CODE)
        .append_pair("redirect_uri", redirect)
        // A provider with PKCE refuses a call without one, before it looks at the code (RFC 7636, section 4.1).
        .append_pair("code_verifier", &"a".repeat(43));
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic =
        format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))));
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    if method == "client_secret_post" {
        form.append_pair("client_id", id).append_pair("client_secret", secret);
    } else {
        headers.push(("authorization", &basic));
    }
    let request = Request::post(endpoint).extension(Login);
    let answer = calls.call(request, &headers, Bytes::from(form.finish())).await?;
    match answer.value.get("error").and_then(Value::as_str) {
        Some("invalid_client" | "unauthorized_client") => Err(Fault::new(
            "client",
            "the provider refuses `client_id` or `client_secret`",
            "copy both from the provider's console, where the client is registered",
        )),
        Some("invalid_grant") => Ok(Some("the provider takes the client")),
        Some("redirect_uri_mismatch") => Err(Fault {
            check: "redirect",
            says: "the provider does not know the redirect URI".to_owned(),
            mend: format!("register {redirect} as a redirect URI of the client"),
        }),
        Some(_) | None => Ok(None),
    }
}
