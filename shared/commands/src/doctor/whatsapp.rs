//! WhatsApp through Meta's Cloud API.
//!
//! The fields of a phone number: <https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-phone-number/whatsapp-business-account-phone-number-api>,
//! read 2026-11-26 (v23.0). UNVERIFIED: the fields of `debug_token`, `message_templates` and `subscribed_apps`, and the code
//! of a wrong `appsecret_proof`. Run the doctor once with a test number, and with one wrong setting at a time.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::Connection;
use super::calls::{Answer, ProviderCalls};
use super::report::{Fault, Report};

/// Lets the token send messages.
const MESSAGING: &str = "whatsapp_business_messaging";
/// Lets the token read templates and subscriptions.
const MANAGEMENT: &str = "whatsapp_business_management";

/// The access token, as Meta describes it.
struct Token {
    app: String,
    /// The business accounts that it may manage; empty where it may manage none.
    accounts: Vec<String>,
}

/// Examines the token, the number, the templates and the webhook.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    let token = match token(calls, connection).await {
        Ok(token) => token,
        Err(fault) => return report.fault(fault),
    };
    report.works("credentials", "Meta takes the token");
    let number = number(calls, connection).await;
    let is_known = number.is_ok();
    report.record("number", number);
    if !is_known {
        return;
    }
    if token.accounts.is_empty() {
        report.unchecked(
            "templates",
            "the token may not read them; it needs the permission whatsapp_business_management",
        );
        return;
    }
    report.record("templates", templates(calls, connection, &token).await);
    report.record("subscription", subscription(calls, connection, &token).await);
    if connection.callback.is_none() {
        report.unchecked("webhook", "name the public address with --public-url");
    }
}

async fn get(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    path: &str,
) -> Result<Answer, Fault> {
    let version = connection.text("api_version").unwrap_or("v25.0");
    let url = format!("{}/{version}/{path}", connection.base("https://graph.facebook.com"));
    let bearer = format!("Bearer {}", connection.secret("access_token"));
    calls.get(&url, &[("authorization", &bearer)]).await
}

fn code(answer: &Answer) -> u64 {
    answer.value.pointer("/error/code").and_then(Value::as_u64).unwrap_or_default()
}

fn refused_token() -> Fault {
    Fault::new(
        "credentials",
        "Meta refuses `access_token`",
        "make a token of a system user in Business settings, System users, and enter it",
    )
}

async fn token(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<Token, Fault> {
    let text = connection.secret("access_token");
    let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let answer = get(calls, connection, &format!("debug_token?input_token={text}")).await?;
    let is_valid = answer.value.pointer("/data/is_valid").and_then(Value::as_bool);
    if code(&answer) == 190 || is_valid == Some(false) {
        return Err(refused_token());
    }
    if answer.status != 200 {
        return Err(answer.unexpected("credentials", "Meta"));
    }
    let scopes = answer.list("/data/scopes");
    if !scopes.iter().any(|scope| scope == MESSAGING) {
        return Err(Fault::new(
            "permission",
            "the token lacks the permission whatsapp_business_messaging",
            "make a token of the system user again, and tick whatsapp_business_messaging",
        ));
    }
    if answer.value.pointer("/data/expires_at").and_then(Value::as_i64).unwrap_or_default() > 0 {
        return Err(Fault::new(
            "expiry",
            "the token ends by itself",
            "make a token of a system user with the expiry `never`, and enter it",
        ));
    }
    let granular = answer.list("/data/granular_scopes").iter();
    let managed =
        granular.filter(|scope| scope.get("scope").is_some_and(|name| name == MANAGEMENT));
    let accounts = managed
        .filter_map(|scope| scope.get("target_ids").and_then(Value::as_array))
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    Ok(Token { app: answer.text("/data/app_id").to_owned(), accounts })
}

async fn number(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<&'static str, Fault> {
    let id = connection.text("phone_number_id").unwrap_or_default();
    let fields = "display_phone_number,name_status,status,webhook_configuration";
    let proof = proof(connection.secret("access_token"), connection.secret("app_secret"));
    let answer =
        get(calls, connection, &format!("{id}?fields={fields}&appsecret_proof={proof}")).await?;
    if answer.status != 200 {
        return Err(match code(&answer) {
            190 => refused_token(),
            100 if answer.text("/error/message").contains("appsecret_proof") => Fault::new(
                "app_secret",
                "`app_secret` is not the secret of the token's app, so that no webhook verifies",
                "copy it from the app dashboard, App settings, Basic",
            ),
            100 => Fault::new(
                "number",
                "Meta knows no number `phone_number_id` that this token may use",
                "copy the phone number ID from the app dashboard, WhatsApp, API Setup",
            ),
            3 | 10 | 200..=299 => Fault::new(
                "permission",
                "the system user may not use this number",
                "assign the WhatsApp account to the system user in Business settings, with full control",
            ),
            _ => answer.unexpected("number", "Meta"),
        });
    }
    let (status, name) = (answer.text("/status"), answer.text("/name_status"));
    if !status.is_empty() && status != "CONNECTED" {
        return Err(Fault {
            check: "number",
            says: format!("the number is {status}, so that it sends nothing"),
            mend: "register the number in WhatsApp Manager, under Phone numbers".to_owned(),
        });
    }
    if matches!(name, "DECLINED" | "EXPIRED") {
        return Err(Fault {
            check: "sender",
            says: format!("the display name of the number is {name}"),
            mend: "submit a display name for review in WhatsApp Manager, under Phone numbers"
                .to_owned(),
        });
    }
    webhook(connection, &answer)?;
    Ok("the number is connected")
}

/// Proves to Meta that the caller has the app's secret. A wrong one is refused.
fn proof(token: &str, secret: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn webhook(connection: &Connection, answer: &Answer) -> Result<(), Fault> {
    let Some(callback) = &connection.callback else { return Ok(()) };
    let places = ["phone_number", "whatsapp_business_account", "application"];
    let mut urls =
        places.map(|place| answer.text(&format!("/webhook_configuration/{place}"))).into_iter();
    if urls.find(|url| !url.is_empty()) == Some(callback.as_str()) {
        return Ok(());
    }
    Err(Fault {
        check: "webhook",
        says: "Meta calls another address, so that no answer of a customer arrives".to_owned(),
        mend: format!(
            "enter {callback} and the verify token in the app dashboard, WhatsApp, Configuration"
        ),
    })
}

async fn templates(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    token: &Token,
) -> Result<&'static str, Fault> {
    let mut known = Vec::new();
    for account in &token.accounts {
        let path = format!("{account}/message_templates?fields=name,language,status&limit=250");
        let answer = get(calls, connection, &path).await?;
        if answer.status != 200 {
            return Err(answer.unexpected("templates", "Meta"));
        }
        known.extend(answer.list("/data").to_vec());
    }
    let wanted = connection.settings.get("templates").and_then(Value::as_array);
    for template in wanted.into_iter().flatten() {
        let name = template.get("name").and_then(Value::as_str).unwrap_or_default();
        let languages = template.get("languages").and_then(Value::as_object);
        for language in languages.into_iter().flat_map(|languages| languages.values()) {
            let language = language.as_str().unwrap_or_default();
            let is_it = |one: &&Value| {
                one.get("name").is_some_and(|is| is == name)
                    && one.get("language").is_some_and(|is| is == language)
            };
            let status = known.iter().find(is_it).map(|one| one.get("status"));
            let says = match status {
                Some(Some(status)) if status == "APPROVED" => continue,
                Some(status) => {
                    let status = status.and_then(Value::as_str).unwrap_or("not approved");
                    format!("the template `{name}` in {language} is {status}")
                }
                None => format!("there is no template `{name}` in {language}"),
            };
            let mend =
                "create it in WhatsApp Manager, Message templates, and wait for its approval";
            return Err(Fault { check: "templates", says, mend: mend.to_owned() });
        }
    }
    Ok("every template is approved")
}

async fn subscription(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    token: &Token,
) -> Result<&'static str, Fault> {
    for account in &token.accounts {
        let answer = get(calls, connection, &format!("{account}/subscribed_apps")).await?;
        let apps = answer.list("/data").iter();
        let mut ids = apps.filter_map(|app| app.pointer("/whatsapp_business_api_data/id"));
        if ids.any(|id| id == token.app.as_str()) {
            return Ok("the app receives the account's webhooks");
        }
    }
    Err(Fault::new(
        "subscription",
        "the app is not subscribed to the WhatsApp account, so that no webhook comes",
        "in the app dashboard, WhatsApp, Configuration, subscribe to the field `messages`",
    ))
}
