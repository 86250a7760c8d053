//! `key new`, `key list` and `key revoke`.

use domain::api_key::{KeyId, KeySettings, Right, Visibility};
use domain::brand::{Brand, Mode};
use domain::digest::digest_hex;
use domain::random::Random;
use domain::values::money::Currency;
use serde_json::{Map, Value, json};

use crate::Context;
use crate::arguments::{KeyCommand, NewKey, Place, RevokeKey};
use crate::documents::{self, Documents, WriteOrder};
use crate::failure::{Exit, Failure};

/// Draws the text of a key.
pub(crate) fn draw(random: &dyn Random, start: &str, mode: Mode, brand: &str) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    format!("{start}_{}_{brand}_{}", mode.as_str(), hex::encode(bytes))
}

/// Runs a command on keys.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(context: &Context, command: KeyCommand) -> Result<Exit, Failure> {
    match command {
        KeyCommand::New(arguments) => create(context, &arguments).await,
        KeyCommand::List(place) => list(context, &place).await,
        KeyCommand::Revoke(arguments) => revoke(context, &arguments).await,
    }
}

async fn create(context: &Context, arguments: &NewKey) -> Result<Exit, Failure> {
    let kept = documents::read(context, &arguments.place).await?;
    let brand = kept.documents.assemble()?;
    let mode = Mode::from(arguments.mode);
    let settings = settings(arguments)?;
    let start = if arguments.may.is_empty() { "sk" } else { "rk" };
    let key = draw(context.random.as_ref(), start, mode, brand.name.as_str());
    let digest = digest_hex(key.as_bytes());
    let mut entry = settings;
    entry.insert("mode".to_owned(), json!(mode.as_str()));
    entry.insert("sha256".to_owned(), json!(digest));
    let mut documents = kept.documents.clone();
    list_of(&mut documents)?.push(Value::Object(entry));
    let brand = kept.write(&documents, WriteOrder::Adding).await?;
    let made = brand.keys.iter().find(|known| known.sha256 == digest);
    let id = made.map(|known| known.id().as_str().to_owned()).unwrap_or_default();
    let text = format!(
        "The key `{id}` is made.\n\n  Key  {key}\n\nThe documents hold its digest only, so keep the key."
    );
    context.output.result(&text, &json!({ "id": id, "key": key, "mode": mode.as_str() }))?;
    Ok(Exit::Done)
}

/// Returns the settings that the arguments name. The documents are checked as a whole before they are written.
fn settings(arguments: &NewKey) -> Result<Map<String, Value>, Failure> {
    let mut settings = Map::new();
    if let Some(id) = &arguments.id {
        let id: KeyId = id.parse().map_err(|error| Failure::usage(format!("--id: {error}")))?;
        settings.insert("id".to_owned(), json!(id.as_str()));
    }
    let texts = [
        ("label", &arguments.label),
        ("kind", &arguments.kind),
        ("expires_at", &arguments.expires_at),
    ];
    for (name, text) in texts {
        settings.extend(text.as_ref().map(|text| (name.to_owned(), json!(text))));
    }
    let lists =
        [("may", &arguments.may), ("asks", &arguments.asks), ("channels", &arguments.channels)];
    for (name, list) in lists {
        settings.extend((!list.is_empty()).then(|| (name.to_owned(), json!(list))));
    }
    let ceilings =
        [("amount_max", &arguments.amount_max), ("amount_per_day", &arguments.amount_per_day)];
    for (name, amounts) in ceilings {
        if !amounts.is_empty() {
            settings.insert(name.to_owned(), ceiling(amounts)?);
        }
    }
    settings.extend(arguments.asks_per_hour.map(|most| ("asks_per_hour".to_owned(), json!(most))));
    if arguments.own_sessions {
        settings.insert("sessions".to_owned(), json!("own"));
    }
    Ok(settings)
}

/// Reads amounts such as `EUR=50000`.
fn ceiling(amounts: &[String]) -> Result<Value, Failure> {
    let mut ceiling = Map::new();
    for text in amounts {
        let parts = text.split_once('=');
        let read = parts.and_then(|(currency, amount)| {
            Some((currency.parse::<Currency>().ok()?, amount.parse::<u64>().ok()?))
        });
        let (currency, amount) = read.ok_or_else(|| {
            Failure::usage(format!("`{text}` is not a currency and an amount, such as EUR=50000"))
        })?;
        ceiling.insert(currency.code().to_owned(), json!(amount));
    }
    Ok(Value::Object(ceiling))
}

async fn list(context: &Context, place: &Place) -> Result<Exit, Failure> {
    let brand = documents::read(context, place).await?.documents.assemble()?;
    let now = context.clock.now();
    let described: Vec<Value> = brand.keys.iter().map(describe).collect();
    let mut lines =
        vec![format!("{:<28} {:<5} {:<9} {:<44} {}", "id", "mode", "kind", "rights", "ends")];
    for key in &brand.keys {
        let ends = match key.expires_at {
            Some(end) if !key.is_in_force(now) => format!("ended {end}"),
            Some(end) => end.to_string(),
            None => "never".to_owned(),
        };
        let kind = json!(key.kind);
        let kind = kind.as_str().unwrap_or_default();
        let label =
            key.label.as_ref().map_or(String::new(), |label| format!("  {}", label.as_str()));
        let (id, mode) = (key.id(), key.mode.as_str());
        lines.push(format!(
            "{:<28} {mode:<5} {kind:<9} {:<44} {ends}{label}",
            id.as_str(),
            rights(key)
        ));
    }
    context.output.result(&lines.join("\n"), &json!({ "brand": brand.name, "keys": described }))?;
    Ok(Exit::Done)
}

fn rights(key: &KeySettings) -> String {
    match &key.may {
        None => "all".to_owned(),
        Some(may) => may.iter().map(|right| right.as_str()).collect::<Vec<&str>>().join(","),
    }
}

/// Describes a key without its digest.
fn describe(key: &KeySettings) -> Value {
    let may: Option<Vec<&str>> =
        key.may.as_ref().map(|may| may.iter().map(|right: &Right| right.as_str()).collect());
    let sessions = match key.sessions {
        Visibility::All => "all",
        Visibility::Own => "own",
    };
    json!({
        "id": key.id().as_str(),
        "label": key.label.as_ref().map(domain::values::text::DisplayText::as_str),
        "kind": key.kind, "mode": key.mode.as_str(), "may": may, "sessions": sessions,
        "asks_per_hour": key.asks_per_hour, "expires_at": key.expires_at,
    })
}

async fn revoke(context: &Context, arguments: &RevokeKey) -> Result<Exit, Failure> {
    let kept = documents::read(context, &arguments.place).await?;
    let brand = kept.documents.assemble()?;
    let revoked: Vec<String> = digests(&brand, &arguments.id);
    if revoked.is_empty() {
        return Err(Failure::new("no-such-key", format!("no key has the id `{}`", arguments.id))
            .with_remedy("`key list` shows the ids"));
    }
    let mut documents = kept.documents.clone();
    list_of(&mut documents)?.retain(|entry| {
        let text = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        // A key of platforms has no digest, and always an id.
        let is_named = text("id") == arguments.id;
        !is_named && !revoked.iter().any(|revoked| revoked == text("sha256") && !revoked.is_empty())
    });
    let brand = kept.write(&documents, WriteOrder::Removing).await?;
    let (id, left) = (&arguments.id, brand.keys.len());
    let text = format!(
        "The key `{id}` is revoked; {left} are left. A deployed function follows within a minute."
    );
    context.output.result(&text, &json!({ "revoked": id, "keys_left": left }))?;
    Ok(Exit::Done)
}

/// Returns the digests of the keys with this id. There may be one in each mode.
fn digests(brand: &Brand, id: &str) -> Vec<String> {
    let known = brand.keys.iter().filter(|key| key.id().as_str() == id);
    known.map(|key| key.sha256.clone()).collect()
}

fn list_of(documents: &mut Documents) -> Result<&mut Vec<Value>, Failure> {
    let keys = documents.shared_mut().get_mut("keys").and_then(Value::as_array_mut);
    keys.ok_or_else(|| Failure::new("invalid-brand", "setting `keys` is missing"))
}
