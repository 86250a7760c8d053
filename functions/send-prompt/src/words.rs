//! The prompt's words: from a stored request to what a channel is given.

use domain::ask::Ask;
use domain::brand::Brand;
use domain::keys;
use domain::ports::{Prompt, PromptRef};
use domain::request::{PromptRecord, Request};
use domain::texts::{self, Wanted, WantedKind};
use domain::values::time::Timestamp;

/// The prompt, as a pure function of what is stored.
pub(crate) fn prompt(
    request: &Request,
    record: &PromptRecord,
    brand: &Brand,
    public_base: &str,
    now: Timestamp,
) -> Prompt {
    let token = keys::link_token(&brand.link_key, record.id);
    let link = format!("{public_base}/c/{token}");
    let language = request.customer.language.as_ref().unwrap_or(&brand.language);
    let money = request.ask.money().map(|money| texts::amount(language, &brand.language, money));
    let kind = match &request.ask {
        Ask::Payment { .. } => WantedKind::Payment,
        Ask::PaymentMethod { .. } => WantedKind::PaymentMethod,
        Ask::Identity { .. } => WantedKind::Identity,
    };
    let wanted = Wanted {
        payee: &request.payee,
        money: money.as_deref(),
        description: request.ask.description(),
        kind,
        link: &link,
        code: None,
    };
    let say = if record.reminder { texts::reminder } else { texts::prompt };
    let texts = say(language, &brand.language, &wanted);
    Prompt {
        reference: PromptRef { request: request.id, prompt: record.id },
        to: request.customer.phone.clone(),
        language: language.clone(),
        payee: request.payee.clone(),
        title: texts.title,
        body: texts.body,
        text: texts.text,
        labels: texts.labels,
        money: request.ask.money(),
        callback: format!("{public_base}/callbacks/{}/{}", request.brand, record.channel),
        expires_at: request.expires_at,
        now,
        link,
    }
}
