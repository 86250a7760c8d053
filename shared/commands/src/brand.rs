//! `brand new` and `brand check`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::brand::{Brand, Mode};
use domain::brand_documents::Document;
use domain::digest::digest_hex;
use domain::random::Random;
use domain::values::address;
use domain::values::name::BrandName;
use serde_json::{Map, Value, json};

use crate::arguments::{BrandCommand, Keeper, NewBrand, Place};
use crate::documents::{self, Documents};
use crate::failure::{Exit, Failure};
use crate::keys;
use crate::{Adapters, Context};

/// The end of the issuer of the sandbox's OpenID provider.
pub const SANDBOX_IDENTITY: &str = "/sandbox/identity";

/// The address of a machine before it has a port.
pub const OWN_ADDRESS: &str = "http://127.0.0.1";

/// The properties of a brand that is drawn.
#[derive(Clone, Copy, Debug)]
pub struct DrawnBrand<'a> {
    /// The name in keys and addresses.
    pub name: &'a str,
    /// The payee that customers read.
    pub display_name: &'a str,
    /// The language of prompts.
    pub language: &'a str,
    /// The text of its test key, of which the brand holds the digest.
    pub key: &'a str,
    /// Whether one person tries everything with one number, which needs wide limits.
    pub is_trial: bool,
    /// The address of the installation, whose sandbox is then a provider of identity claims; `None` for none.
    pub base: Option<&'a str>,
}

/// Draws a brand with new keys, the sandbox and one test key, as one document.
#[must_use]
pub fn draw(random: &dyn Random, brand: DrawnBrand<'_>) -> Value {
    let secret = || secret(random);
    // The sandbox sends nothing, so that every number can be tried.
    let mut policy = json!({ "countries": "all", "service_numbers": true });
    if brand.is_trial {
        policy = json!({
            "countries": "all",
            "service_numbers": true,
            "open_max": 10,
            "prompts_per_ten_minutes": 20,
            "prompts_per_day": 200,
            "denials_per_ten_minutes": 10,
            "report_cooldown_seconds": 300,
        });
    }
    let mut processors = vec![json!({ "name": "sandbox", "kind": "sandbox" })];
    if let Some(base) = brand.base {
        processors.push(json!({
            "name": "identity",
            "kind": "openid",
            "settings": {
                "issuer": format!("{}{SANDBOX_IDENTITY}", base.trim_end_matches('/')),
                "client_id": brand.name,
                "client_secret": "sandbox",
            },
        }));
    }
    json!({
        "version": "1",
        "name": brand.name,
        "display_name": brand.display_name,
        "language": brand.language,
        "keys": [{ "mode": "test", "sha256": digest_hex(brand.key.as_bytes()) }],
        "sealing": { "current": "k1", "keys": { "k1": secret() } },
        "consent": { "current": "k1", "keys": { "k1": secret() } },
        "address_key": secret(),
        "link_key": secret(),
        "test": {
            "channels": [
                { "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } },
                { "name": "whatsapp", "kind": "sandbox", "settings": { "style": "whatsapp" } },
                { "name": "apple", "kind": "sandbox", "settings": { "style": "apple" } },
                { "name": "sms", "kind": "sandbox", "settings": { "style": "sms" } },
                { "name": "link", "kind": "link" },
            ],
            "processors": processors,
            "webhooks": { "url": "", "secrets": [format!("whsec_{}", secret())] },
        },
        "policy": policy,
    })
}

/// Draws 32 bytes, in base64.
pub(crate) fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// Runs a command on a brand.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(context: &Context, command: BrandCommand) -> Result<Exit, Failure> {
    match command {
        BrandCommand::New(arguments) => create(context, arguments).await,
        BrandCommand::Check(place) => check(context, &place).await,
    }
}

async fn create(context: &Context, arguments: NewBrand) -> Result<Exit, Failure> {
    let name: BrandName = arguments.name.parse().map_err(|error| {
        Failure::usage(format!("the name `{}` is not valid: {error}", arguments.name))
    })?;
    let place = Place { brand: Some(name.as_str().to_owned()), ..arguments.place };
    let key = keys::draw(context.random.as_ref(), "sk", Mode::Test, name.as_str());
    let base = match (&arguments.api, place.secrets) {
        (Some(api), Keeper::Folder | Keeper::Aws) => Some(installation(api)?),
        // One machine enters its own address as it starts.
        (None, Keeper::Folder) => Some(OWN_ADDRESS),
        (None, Keeper::Aws) => None,
    };
    let whole = draw(
        context.random.as_ref(),
        DrawnBrand {
            name: name.as_str(),
            display_name: arguments.display_name.as_deref().unwrap_or(name.as_str()),
            language: &arguments.language,
            key: &key,
            is_trial: place.secrets == Keeper::Folder,
            base,
        },
    );
    let documents = split(whole, &secret(context.random.as_ref()), place.secrets)?;
    let brand = documents.assemble()?;
    documents::create(context, &place, &documents).await?;
    let next = match place.secrets {
        Keeper::Folder => {
            // The machine's own desk calls with this key.
            let path = place.data.join("test-key");
            documents::replace(&path, &key)
                .map_err(|error| Failure::file("write", &path, &error))?;
            format!("Serve it with `--data {}`, then ask with the key.", place.data.display())
        }
        Keeper::Aws => format!("The functions read it under the prefix `{}`.", place.prefix),
    };
    let text = format!(
        "The brand `{}` is made: the documents brand, channels, claims, consent and processors.\n\n  Test key  {key}\n\n\
         The documents hold the key's digest only, so keep the key. {next}",
        brand.name
    );
    let documents = ["brand", "channels", "claims", "consent", "processors"];
    context.output.result(
        &text,
        &json!({ "brand": brand.name, "key": key, "mode": "test", "documents": documents }),
    )?;
    Ok(Exit::Done)
}

/// Checks that an address can be that of an installation in test mode.
fn installation(api: &str) -> Result<&str, Failure> {
    let is_address = address::is_allowed(api, Mode::Test) && !api.contains('?');
    if is_address { Ok(api) } else { Err(Failure::usage(format!("`{api}` is not an address"))) }
}

/// Splits a brand's one document into the five of which each function reads only what it needs.
fn split(whole: Value, claims_key: &str, keeper: Keeper) -> Result<Documents, Failure> {
    let damaged = || Failure::new("invalid-brand", "the new brand is not complete");
    let public = Brand::parse(&whole.to_string()).map_err(|error| {
        Failure::usage(error.to_string()).with_remedy("see --display-name and --language")
    })?;
    let public = public.sealing_public.ok_or_else(damaged)?;
    let public_keys: Map<String, Value> = public
        .keys
        .iter()
        .map(|(id, key)| (id.clone(), json!(STANDARD.encode(key.bytes()))))
        .collect();
    let Value::Object(mut brand) = whole else { return Err(damaged()) };
    let head = [("version", brand.get("version").cloned()), ("name", brand.get("name").cloned())];
    let head: Map<String, Value> =
        head.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let mut take = |name: &str| brand.remove(name).ok_or_else(damaged);
    let (link_key, consent, sealing) = (take("link_key")?, take("consent")?, take("sealing")?);
    let setup = brand.get_mut("test").and_then(Value::as_object_mut).ok_or_else(damaged)?;
    let webhooks = setup.get_mut("webhooks").and_then(Value::as_object_mut).ok_or_else(damaged)?;
    let mut processors = json!({ "sealing": sealing });
    match keeper {
        Keeper::Folder => {
            let secrets = webhooks.insert("secrets".to_owned(), json!({ "in": "processors" }));
            processors = json!({
                "sealing": sealing, "test": { "webhooks": { "secrets": secrets } },
            });
        }
        // Nothing receives webhooks before their address is known.
        Keeper::Aws => drop(setup.remove("webhooks")),
    }
    let part = |content: Value| {
        let mut part = head.clone();
        if let Value::Object(content) = content {
            part.extend(content);
        }
        part
    };
    Ok(Documents::new(BTreeMap::from([
        (None, brand.clone()),
        (Some(Document::Channels), part(json!({ "link_key": link_key }))),
        (
            Some(Document::Claims),
            part(json!({ "claims": { "current": "k1", "keys": { "k1": claims_key } } })),
        ),
        (
            Some(Document::Consent),
            part(json!({
                "link_key": link_key, "consent": consent,
                "sealing_public": { "current": public.current, "keys": public_keys },
            })),
        ),
        (Some(Document::Processors), part(processors)),
    ])))
}

/// A fault of a brand's documents.
struct Fault {
    place: String,
    message: String,
}

async fn check(context: &Context, place: &Place) -> Result<Exit, Failure> {
    let kept = documents::read(context, place).await?;
    let brand = match kept.documents.assemble() {
        Ok(brand) => brand,
        Err(failure) => return Err(failure.with_exit(Exit::FaultFound)),
    };
    let adapters = (context.adapters)(context, &context.http);
    let adapters = adapters.map_err(|error| Failure::new("adapters", error.to_string()))?;
    let faults = faults(&adapters, &brand);
    let lines: Vec<String> =
        faults.iter().map(|fault| format!("  {}: {}", fault.place, fault.message)).collect();
    let listed: Vec<Value> = faults
        .iter()
        .map(|fault| json!({ "place": fault.place, "message": fault.message }))
        .collect();
    let text = if faults.is_empty() {
        format!("The documents of the brand `{}` are valid.", brand.name)
    } else {
        format!("The brand `{}` has settings to mend:\n{}", brand.name, lines.join("\n"))
    };
    let ok = faults.is_empty();
    context.output.result(&text, &json!({ "brand": brand.name, "ok": ok, "faults": listed }))?;
    Ok(if ok { Exit::Done } else { Exit::FaultFound })
}

/// Opens every channel and processor as the functions do, and collects what cannot be used.
fn faults(adapters: &Adapters, brand: &Brand) -> Vec<Fault> {
    let unusable = brand.unusable_settings().into_iter();
    let mut faults: Vec<Fault> = unusable
        .filter(|place| place != "test.webhooks.url" || !has_own_webhooks(brand))
        .map(|place| Fault { place, message: "the setting cannot be used".to_owned() })
        .collect();
    for mode in [Mode::Test, Mode::Live] {
        let setup = brand.setup(mode);
        for channel in &setup.channels {
            if let Some(message) = adapters.channel_fault(brand, mode, &channel.name) {
                let place = format!("{}.channels.{}", mode.as_str(), channel.name);
                faults.push(Fault { place, message });
            }
        }
        for processor in &setup.processors {
            if let Some(message) = adapters.processor_fault(brand, mode, &processor.name) {
                let place = format!("{}.processors.{}", mode.as_str(), processor.name);
                faults.push(Fault { place, message });
            }
        }
    }
    faults
}

/// Returns whether one machine enters its own address for test webhooks as it starts.
pub(crate) fn has_own_webhooks(brand: &Brand) -> bool {
    brand.test.webhooks.as_ref().is_some_and(|webhooks| webhooks.url.as_deref() == Some(""))
}
