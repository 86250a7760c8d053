//! `rotate` adds a new key and uses it. The old ones stay until they are retired.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::brand::{Key32, Mode, PublicKey};
use domain::brand_documents::Document;
use serde_json::{Map, Value, json};

use crate::Context;
use crate::arguments::{RotateArguments, RotationTarget};
use crate::brand;
use crate::documents::{self, Documents, WriteOrder};
use crate::failure::{Exit, Failure};

/// The result of a rotation.
struct Rotation {
    /// The id of the key in use; `None` for webhook secrets, which have none.
    current: Option<String>,
    /// How many old ones stay.
    old: usize,
}

impl RotationTarget {
    const fn name(self) -> &'static str {
        match self {
            Self::Sealing => "sealing key",
            Self::Webhook => "webhook secret",
            Self::Consent => "consent key",
            Self::Claims => "claims key",
        }
    }

    /// Returns a hint for how long the old ones are needed.
    const fn advice(self) -> &'static str {
        match self {
            Self::Sealing => "Keep the old keys while cards are in use that were saved under them.",
            Self::Webhook => {
                "Give your receiver the new secret, then retire the old one. Until then both sign."
            }
            Self::Consent => {
                "Retire the old keys when the requests approved under them have ended, a day later."
            }
            Self::Claims => "Retire the old keys when the claims sealed under them are gone.",
        }
    }
}

/// Runs a rotation.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run(context: &Context, arguments: &RotateArguments) -> Result<Exit, Failure> {
    if arguments.retire_old && arguments.what == RotationTarget::Sealing && !arguments.yes {
        return Err(Failure::usage(
            "cards that were saved under an old sealing key are lost with it",
        )
        .with_remedy("repeat the command with --yes once no such card is in use"));
    }
    let kept = documents::read(context, &arguments.place).await?;
    let mut documents = kept.documents.clone();
    let order = if arguments.retire_old { WriteOrder::Removing } else { WriteOrder::Adding };
    let done = match arguments.what {
        RotationTarget::Webhook => rotate_webhook(context, &mut documents, arguments)?,
        RotationTarget::Sealing | RotationTarget::Consent | RotationTarget::Claims => {
            rotate_ring(context, &mut documents, arguments)?
        }
    };
    kept.write(&documents, order).await?;
    let name = arguments.what.name();
    let id = done.current.as_ref().map_or(String::new(), |id| format!(" `{id}`"));
    let text = if arguments.retire_old {
        format!("The old {name}s are removed. The {name}{id} stays in use.")
    } else {
        let old = done.old;
        format!("A new {name}{id} is in use; {old} old ones stay. {}", arguments.what.advice())
    };
    let what = name.split(' ').next();
    context.output.result(
        &text,
        &json!({ "rotated": what, "current": done.current, "old": done.old, "retired": arguments.retire_old }),
    )?;
    Ok(Exit::Done)
}

fn rotate_ring(
    context: &Context,
    documents: &mut Documents,
    arguments: &RotateArguments,
) -> Result<Rotation, Failure> {
    let (document, field) = match arguments.what {
        RotationTarget::Consent => (Document::Consent, "consent"),
        RotationTarget::Claims => (Document::Claims, "claims"),
        RotationTarget::Sealing | RotationTarget::Webhook => (Document::Processors, "sealing"),
    };
    let holder = documents.holder(document);
    let is_absent = !holder.contains_key(field);
    if is_absent {
        return Err(Failure::new("no-such-key", format!("the brand has no setting `{field}`"))
            .with_remedy("a brand in one document derives these keys from its sealing key"));
    }
    if arguments.retire_old {
        let current = retire(holder, field)?;
        if arguments.what == RotationTarget::Sealing {
            let consent = documents.holder(Document::Consent);
            if consent.contains_key("sealing_public") {
                retire(consent, "sealing_public")?;
            }
        }
        return Ok(Rotation { current: Some(current), old: 0 });
    }
    let mut bytes = [0; 32];
    context.random.fill(&mut bytes);
    let id = free_id(context, holder, field);
    let old = add(holder, field, &id, STANDARD.encode(bytes))?;
    if arguments.what == RotationTarget::Sealing {
        let public = PublicKey::of(&Key32::new(bytes));
        let consent = documents.holder(Document::Consent);
        if consent.contains_key("sealing_public") {
            add(consent, "sealing_public", &id, STANDARD.encode(public.bytes()))?;
        }
    }
    Ok(Rotation { current: Some(id), old })
}

fn damaged(field: &str) -> Failure {
    Failure::new("invalid-brand", format!("setting `{field}` is no ring of keys"))
}

fn keys_of<'a>(
    holder: &'a mut Map<String, Value>,
    field: &str,
) -> Result<&'a mut Map<String, Value>, Failure> {
    let ring = holder.get_mut(field).and_then(|ring| ring.get_mut("keys"));
    ring.and_then(Value::as_object_mut).ok_or_else(|| damaged(field))
}

/// Adds a key to a ring and names it the current one. Returns how many were there before.
fn add(
    holder: &mut Map<String, Value>,
    field: &str,
    id: &str,
    key: String,
) -> Result<usize, Failure> {
    let keys = keys_of(holder, field)?;
    let old = keys.len();
    keys.insert(id.to_owned(), Value::String(key));
    let ring = holder.get_mut(field).and_then(Value::as_object_mut);
    let ring = ring.ok_or_else(|| damaged(field))?;
    ring.insert("current".to_owned(), json!(id));
    Ok(old)
}

/// Removes all keys of a ring but the current one, whose id is returned.
fn retire(holder: &mut Map<String, Value>, field: &str) -> Result<String, Failure> {
    let current = holder.get(field).and_then(|ring| ring.get("current")).and_then(Value::as_str);
    let current = current.ok_or_else(|| damaged(field))?.to_owned();
    keys_of(holder, field)?.retain(|id, _| *id == current);
    Ok(current)
}

/// Returns today's date as an id, with a number where the ring has it already.
fn free_id(context: &Context, holder: &mut Map<String, Value>, field: &str) -> String {
    let now = context.clock.now().to_string();
    let day = now.split('T').next().unwrap_or_default().to_owned();
    let keys = keys_of(holder, field).ok().map(|keys| keys.clone()).unwrap_or_default();
    let numbered = (2..).map(|number: u64| format!("{day}-{number}"));
    let mut ids = std::iter::once(day.clone()).chain(numbered);
    ids.find(|id| !keys.contains_key(id)).unwrap_or(day)
}

fn rotate_webhook(
    context: &Context,
    documents: &mut Documents,
    arguments: &RotateArguments,
) -> Result<Rotation, Failure> {
    let mode = Mode::from(arguments.mode).as_str();
    let none = || {
        Failure::new("no-such-key", format!("the brand has no setting `{mode}.webhooks.secrets`"))
            .with_remedy(
                "add `webhooks` to the documents first; functions/brand-secret.md shows how",
            )
    };
    let path = "/webhooks/secrets";
    let is_referred = documents
        .shared()
        .get(mode)
        .and_then(|setup| setup.pointer(path))
        .is_some_and(|secrets| secrets.get("in").is_some());
    let holder =
        if is_referred { documents.holder(Document::Processors) } else { documents.shared_mut() };
    let secrets = holder.get_mut(mode).and_then(|setup| setup.pointer_mut(path));
    let secrets = secrets.and_then(Value::as_array_mut).ok_or_else(none)?;
    if arguments.retire_old {
        secrets.truncate(1);
    } else {
        let secret = format!("whsec_{}", brand::secret(context.random.as_ref()));
        secrets.insert(0, json!(secret));
    }
    Ok(Rotation { current: None, old: secrets.len().saturating_sub(1) })
}
