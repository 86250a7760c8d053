//! Renders a stored request as the prompt that a channel sends.

use domain::ask::AskKind;
use domain::brand::Brand;
use domain::card_name::CardName;
use domain::contact::Contact;
use domain::email_channel::Unsubscription;
use domain::keys;
use domain::postback::{Action, Postback};
use domain::request::{PromptRecord, Request};
use domain::values::language::Language;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use ports::{Button, ButtonAction, Labels, MailParts, Prompt};
use texts::PromptContent;

/// Renders a prompt from what is stored alone.
#[must_use]
pub fn prompt(
    request: &Request,
    record: &PromptRecord,
    brand: &Brand,
    public_base: &str,
    now: Timestamp,
) -> Prompt {
    let token = brand.link_token(request.mode, &record.channel, record.id);
    let link = format!("{public_base}/c/{token}");
    let language = request.customer.language.as_ref().unwrap_or(&brand.language);
    let money = request.ask.money().map(|money| texts::amount(language, &brand.language, money));
    let content = PromptContent {
        payee: &request.payee,
        by_assistant: request.is_by_assistant(),
        money: money.as_deref(),
        card: request.card.as_deref(),
        description: request.ask.description(),
        describes: brand.policy.description_in_texts,
        kind: AskKind::of(&request.ask),
        link: &link,
        code: None,
        picks: request.by_tap && has_picks(request),
    };
    let render = if record.reminder { texts::reminder } else { texts::prompt };
    let texts = render(language, &brand.language, &content);
    Prompt {
        reference: PromptRef { request: request.id, prompt: record.id },
        to: request.customer.phone.clone(),
        mail: mail(request, brand, public_base, language),
        language: language.clone(),
        payee: request.payee.clone(),
        title: texts.title,
        body: texts.body,
        text: texts.text,
        buttons: buttons(request, record, brand, &texts.labels, &link),
        labels: texts.labels,
        contact: Contact::default(),
        money: request.ask.money(),
        card: request.card.as_deref().and_then(CardName::dotted),
        callback: format!("{public_base}/callbacks/{}/{}", request.brand, record.channel),
        expires_at: request.delivers_by(record),
        now,
        link,
    }
}

/// Renders what a mail has beside the texts; `None` without an e-mail address.
fn mail(
    request: &Request,
    brand: &Brand,
    public_base: &str,
    language: &Language,
) -> Option<MailParts> {
    let to = request.customer.email.clone()?;
    let texts = texts::page(language, &brand.language);
    let address = keys::email_hash(&brand.address_key, &to);
    let wish = Unsubscription { brand: request.brand.clone(), mode: request.mode, address };
    Some(MailParts {
        to,
        subject: format!("{}: {}", request.payee, texts.email_subject),
        unsubscribe_label: texts.unsubscribe.to_owned(),
        unsubscribe: format!("{public_base}/u/{}", wish.write(&brand.link_key)),
    })
}

/// Returns whether the customer picks a session code.
fn has_picks(request: &Request) -> bool {
    request.session_code.as_ref().is_some_and(|code| code.picks().is_some())
}

/// Returns the buttons, most important first.
///
/// The customer approves by a tap only where nothing else is needed of them. Where the request has a code, they tap the
/// right one of three. Otherwise the first button leads to the page.
fn buttons(
    request: &Request,
    record: &PromptRecord,
    brand: &Brand,
    labels: &Labels,
    link: &str,
) -> Vec<Button> {
    let reference = PromptRef { request: request.id, prompt: record.id };
    let postback = |action| Postback { reference, action }.write(&brand.link_key);
    let reply = |label: &str, action| Button {
        label: label.to_owned(),
        action: ButtonAction::Reply { postback: postback(action) },
    };
    let open = Button {
        label: labels.open.clone(),
        action: ButtonAction::Open { url: link.to_owned(), postback: postback(Action::Open) },
    };
    let deny = reply(&labels.deny, Action::Deny);
    let not_me = reply(&labels.not_me, Action::NotMe);
    match &request.session_code {
        _ if !request.by_tap => vec![open, deny, not_me],
        None => vec![reply(&labels.approve, Action::Approve), deny, not_me, open],
        // A code that is typed is typed on the page.
        Some(code) if code.typed => vec![open, deny, not_me],
        Some(code) => {
            let picks = code.choices.iter().zip(0..);
            let picks = picks.map(|(choice, place)| reply(choice, Action::Pick(place)));
            picks.chain([deny, not_me]).collect()
        }
    }
}
