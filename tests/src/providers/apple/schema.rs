//! Apple's documented messages and merchant sessions. A field that is not named here is refused, and so is
//! anything the facts leave open.

use serde::Deserialize;
use serde_json::Value;

use super::{DOMAIN, MERCHANT};

/// The extension that shows interactive messages.
pub(super) const BID: &str = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:\
    com.apple.icloud.apps.messages.business.extension";
const MESSAGE_BYTES: usize = 10 * 1024;
const TEXT: usize = 3_000;
const TITLE: usize = 85;
const LABEL: usize = 24;

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct SentMessage {
    /// Its id, which its sender chose.
    pub id: String,
    /// The customer it went to.
    pub to: String,
    /// `text`, `quick-reply`, `list-picker` or `apple-pay`.
    pub kind: &'static str,
    /// All its text, as the phone shows it.
    pub text: String,
    /// Its buttons: what they say, and what they bring back.
    pub buttons: Vec<(String, String)>,
    /// What names it in a reply.
    pub request_identifier: String,
    /// The payment it asks for.
    pub asked: Option<PaymentSheet>,
}

/// A payment that is asked for.
#[derive(Clone, Debug)]
pub struct PaymentSheet {
    /// Where the token goes.
    pub gateway: String,
    /// What opens where Apple Pay does not work.
    pub fallback: String,
    /// How much, with its currency.
    pub amount: String,
    /// The merchant session.
    pub session: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message {
    v: u8,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    source_id: String,
    destination_id: String,
    body: Option<String>,
    interactive_data: Option<Interactive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Interactive {
    bid: String,
    received_message: Option<Bubble>,
    reply_message: Option<Bubble>,
    data: Data,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bubble {
    title: String,
    subtitle: Option<String>,
    #[serde(rename = "style")]
    _style: Style,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Style {
    Icon,
    Small,
    Large,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Data {
    version: String,
    request_identifier: String,
    #[serde(rename = "quick-reply")]
    quick_reply: Option<QuickReply>,
    list_picker: Option<ListPicker>,
    payment: Option<Payment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QuickReply {
    summary_text: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    identifier: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListPicker {
    sections: Vec<Section>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Section {
    title: String,
    order: u32,
    multiple_selection: bool,
    items: Vec<ListItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListItem {
    identifier: String,
    title: String,
    order: u32,
    #[serde(rename = "style")]
    _style: Style,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Payment {
    payment_request: PaymentRequest,
    merchant_session: Value,
    endpoints: Endpoints,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PaymentRequest {
    country_code: String,
    currency_code: String,
    line_items: Vec<LineItem>,
    total: LineItem,
    apple_pay: Wallet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineItem {
    label: String,
    amount: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wallet {
    merchant_identifier: String,
    supported_networks: Vec<String>,
    merchant_capabilities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Endpoints {
    payment_gateway_url: String,
    fallback_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SessionRequest {
    merchant_identifier: String,
    domain_name: String,
    display_name: String,
    initiative: String,
    initiative_context: String,
}

fn sized(what: &str, text: &str, most: usize) -> Result<(), String> {
    match text.chars().count() {
        0 => Err(format!("a {what} that is empty")),
        length if length > most => Err(format!("a {what} of {length} characters")),
        _ => Ok(()),
    }
}

fn holds(so: bool, complaint: &str) -> Result<(), String> {
    if so { Ok(()) } else { Err(complaint.to_owned()) }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(digits)
}

/// Reads a message.
///
/// # Errors
/// What Apple would refuse, or would show otherwise than it was meant.
pub(super) fn read(body: &[u8]) -> Result<SentMessage, String> {
    holds(body.len() <= MESSAGE_BYTES, "a message that has to go by reference")?;
    let message: Message =
        serde_json::from_slice(body).map_err(|error| format!("no message: {error}"))?;
    holds(message.v == 1, "a message of another version")?;
    holds(is_uuid(&message.id), "an id that is no UUID")?;
    holds(message.source_id == super::BUSINESS, "a message of another business")?;
    holds(message.destination_id.starts_with("urn:mbid:"), "a message without a recipient")?;
    let sent = SentMessage {
        id: message.id,
        to: message.destination_id,
        kind: "text",
        text: String::new(),
        buttons: Vec::new(),
        request_identifier: String::new(),
        asked: None,
    };
    match (message.kind.as_str(), message.body, message.interactive_data) {
        ("text", Some(text), None) => {
            sized("text", &text, TEXT)?;
            Ok(SentMessage { text, ..sent })
        }
        ("interactive", None, Some(data)) => interactive(sent, data),
        (kind, ..) => Err(format!("a message of type {kind} with what belongs to another")),
    }
}

fn interactive(sent: SentMessage, interactive: Interactive) -> Result<SentMessage, String> {
    holds(interactive.bid == BID, "another extension")?;
    let Data { version, request_identifier, quick_reply, list_picker, payment } = interactive.data;
    holds(version == "1.0" && is_uuid(&request_identifier), "data without its name")?;
    let bubbles = (interactive.received_message, interactive.reply_message);
    let text = match &bubbles {
        (None, None) => String::new(),
        (Some(received), Some(reply)) => {
            sized("reply's title", &reply.title, TITLE)?;
            sized("title", &received.title, TITLE)?;
            format!("{}\n{}", received.title, received.subtitle.as_deref().unwrap_or_default())
        }
        (Some(_), None) | (None, Some(_)) => return Err("one bubble without the other".to_owned()),
    };
    let sent = SentMessage { request_identifier, ..sent };
    match (quick_reply, list_picker, payment, bubbles.0) {
        (Some(quick), None, None, None) => quick_replies(sent, quick),
        (None, Some(list), None, Some(_)) => lists(SentMessage { text, ..sent }, &list),
        (None, None, Some(payment), Some(_)) => pays(SentMessage { text, ..sent }, payment),
        _ => Err("other than one thing to show, or its bubble missing".to_owned()),
    }
}

fn button(identifier: &str, title: &str) -> Result<(String, String), String> {
    sized("label", title, LABEL)?;
    sized("identifier", identifier, 256)?;
    Ok((title.to_owned(), identifier.to_owned()))
}

fn quick_replies(sent: SentMessage, quick: QuickReply) -> Result<SentMessage, String> {
    sized("summary", &quick.summary_text, TEXT)?;
    holds((2..=5).contains(&quick.items.len()), "other than two to five quick replies")?;
    let buttons = quick.items.iter().map(|item| button(&item.identifier, &item.title));
    let buttons = buttons.collect::<Result<_, _>>()?;
    Ok(SentMessage { kind: "quick-reply", text: quick.summary_text, buttons, ..sent })
}

fn lists(sent: SentMessage, list: &ListPicker) -> Result<SentMessage, String> {
    let [section] = list.sections.as_slice() else { return Err("other than one list".to_owned()) };
    sized("list's title", &section.title, TITLE)?;
    holds(section.order == 0 && !section.multiple_selection, "a list for several choices")?;
    holds(!section.items.is_empty(), "a list of nothing")?;
    let ordered = section.items.iter().zip(0..).all(|(item, place)| item.order == place);
    holds(ordered, "a list out of order")?;
    let buttons = section.items.iter().map(|item| button(&item.identifier, &item.title));
    let buttons = buttons.collect::<Result<_, _>>()?;
    Ok(SentMessage { kind: "list-picker", buttons, ..sent })
}

fn pays(sent: SentMessage, payment: Payment) -> Result<SentMessage, String> {
    let PaymentRequest { country_code, currency_code, line_items, total, apple_pay } =
        payment.payment_request;
    let upper = |code: &str| code.bytes().all(|byte| byte.is_ascii_uppercase());
    holds(country_code.len() == 2 && upper(&country_code), "no country")?;
    holds(currency_code.len() == 3 && upper(&currency_code), "no currency")?;
    for line in line_items.iter().chain([&total]) {
        sized("line's label", &line.label, 64)?;
        holds(line.kind == "final", "a price that is not final")?;
        let (whole, part) = line.amount.split_once('.').unwrap_or((&line.amount, "00"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        holds(digits(whole) && digits(part), "an invalid amount")?;
    }
    holds(line_items.len() == 1 && line_items[0].amount == total.amount, "a sum that is wrong")?;
    holds(apple_pay.merchant_identifier == MERCHANT, "merchant identifier mismatch")?;
    holds(!apple_pay.supported_networks.is_empty(), "no network")?;
    holds(apple_pay.merchant_capabilities.iter().any(|can| can == "supports3DS"), "no 3-D Secure")?;
    let Endpoints { payment_gateway_url: gateway, fallback_url: fallback } = payment.endpoints;
    holds(gateway.starts_with(&format!("https://{DOMAIN}/")), "another domain's gateway")?;
    holds(fallback.starts_with("https://"), "a fallback that is no page")?;
    let amount = format!("{} {currency_code}", total.amount);
    let asked = PaymentSheet { gateway, fallback, amount, session: payment.merchant_session };
    Ok(SentMessage { kind: "apple-pay", asked: Some(asked), ..sent })
}

/// Reads what a merchant session is asked for with, and answers with what it is for.
///
/// # Errors
/// What Apple would refuse.
pub(super) fn session(body: &[u8]) -> Result<String, String> {
    let asked: SessionRequest =
        serde_json::from_slice(body).map_err(|error| format!("no session's request: {error}"))?;
    holds(asked.merchant_identifier == MERCHANT, "merchant identifier mismatch")?;
    holds(asked.domain_name == DOMAIN, "another domain")?;
    holds(asked.initiative == "messaging", "another initiative")?;
    sized("display name", &asked.display_name, 64)?;
    let context = asked.initiative_context;
    holds(context.starts_with("https://"), "did not provide payment URL in initiative context")?;
    Ok(context)
}
