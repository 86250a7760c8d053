//! The checks of the Cloud API: the members of each call, their lengths, and the approved templates.

use std::collections::BTreeSet;

use http::request::Parts;
use serde_json::Value;

use super::{Answer, Button, ButtonAction, HOST, NUMBER_ID, refusal};

/// A message as it is shown: its kind, its text, its buttons.
type ShownMessage = (String, String, Vec<Button>);

/// Holds a call to its documented form, and reads its body.
pub(super) fn call(parts: &Parts, body: &[u8]) -> Value {
    assert_eq!(parts.method, "POST");
    assert_eq!(parts.uri.scheme_str(), Some("https"));
    assert_eq!(parts.uri.host(), Some(HOST));
    assert_eq!(parts.uri.query(), None);
    let path: Vec<&str> = parts.uri.path().split('/').collect();
    let ["", version, NUMBER_ID, "messages"] = path[..] else { panic!("{path:?}") };
    let number = version.strip_prefix('v').and_then(|version| version.strip_suffix(".0"));
    let number: u32 = number.and_then(|number| number.parse().ok()).expect("v<number>.0");
    assert!((20..=25).contains(&number), "{version} is not served");
    assert_eq!(parts.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(body).expect("the body is JSON");
    let kind = text(&body, "type", 11);
    assert!(matches!(kind, "interactive" | "template" | "text"), "{kind}");
    let known = ["messaging_product", "recipient_type", "to", "type", "biz_opaque_callback_data"];
    members(&body, &[known.as_slice(), &[kind]].concat(), &["context"]);
    if let Some(context) = body.get("context") {
        members(context, &["message_id"], &[]);
        assert_ne!(kind, "template", "a template quotes nothing");
    }
    assert_eq!(body["messaging_product"], "whatsapp");
    assert_eq!(body["recipient_type"], "individual");
    text(&body, "biz_opaque_callback_data", 512);
    body
}

/// The number a message goes to, as Meta writes numbers.
pub(super) fn recipient(body: &Value) -> String {
    let to = text(body, "to", 16);
    let digits = to.strip_prefix('+').expect("a number with its +");
    assert!(digits.len() >= 7 && digits.bytes().all(|byte| byte.is_ascii_digit()), "a number");
    digits.to_owned()
}

/// An object of exactly these members, and perhaps those.
fn members(value: &Value, must: &[&str], may: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let there: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    let lacking: Vec<_> = must.iter().filter(|name| !there.contains(*name)).collect();
    let unknown: Vec<_> =
        there.iter().filter(|name| !must.contains(name) && !may.contains(name)).collect();
    assert!(lacking.is_empty() && unknown.is_empty(), "{lacking:?} {unknown:?} in {value}");
}

/// A text of one character at least and `max` at most.
fn text<'a>(value: &'a Value, name: &str, max: usize) -> &'a str {
    let text = value[name].as_str().unwrap_or_else(|| panic!("{name} is no text: {value}"));
    let length = text.chars().count();
    assert!(!text.trim().is_empty() && length <= max, "{name} has {length} of {max}: {text}");
    text
}

fn is_one_line(text: &str) -> bool {
    !text.contains(['\n', '\r', '\t']) && !text.contains("    ")
}

/// Holds a free-form message to its form, and shows it.
pub(super) fn interactive(message: &Value) -> ShownMessage {
    members(message, &["type", "body", "action"], &["header", "footer"]);
    let mut shown = String::new();
    if let Some(header) = message.get("header") {
        members(header, &["type", "text"], &[]);
        assert_eq!(header["type"], "text");
        let title = text(header, "text", 60);
        assert!(is_one_line(title), "{title}");
        shown = format!("{title}\n");
    }
    members(&message["body"], &["text"], &[]);
    shown.push_str(text(&message["body"], "text", 1_024));
    if let Some(footer) = message.get("footer") {
        members(footer, &["text"], &[]);
        shown = format!("{shown}\n{}", text(footer, "text", 60));
    }
    let (kind, action) = (text(message, "type", 7), &message["action"]);
    let buttons = match kind {
        "button" => replies(action),
        "cta_url" => vec![page(action)],
        other => panic!("{other} is not sent"),
    };
    (kind.to_owned(), shown, buttons)
}

/// Holds a text to its form, and shows it.
pub(super) fn text_message(message: &Value) -> ShownMessage {
    members(message, &["body"], &["preview_url"]);
    ("text".to_owned(), text(message, "body", 4_096).to_owned(), Vec::new())
}

fn replies(action: &Value) -> Vec<Button> {
    members(action, &["buttons"], &[]);
    let buttons = action["buttons"].as_array().expect("a list of buttons");
    assert!((1..=3).contains(&buttons.len()), "{} buttons", buttons.len());
    let shown: Vec<Button> = buttons.iter().map(reply).collect();
    let labels: BTreeSet<&str> = shown.iter().map(|button| button.label.as_str()).collect();
    let ids: BTreeSet<&str> =
        buttons.iter().map(|button| text(&button["reply"], "id", 256)).collect();
    assert!(labels.len() == shown.len() && ids.len() == shown.len(), "buttons are told apart");
    shown
}

fn reply(button: &Value) -> Button {
    members(button, &["type", "reply"], &[]);
    assert_eq!(button["type"], "reply");
    members(&button["reply"], &["id", "title"], &[]);
    let id = text(&button["reply"], "id", 256);
    assert_eq!(id, id.trim());
    let label = text(&button["reply"], "title", 20);
    Button { label: label.to_owned(), action: ButtonAction::Reply(id.to_owned()) }
}

fn page(action: &Value) -> Button {
    members(action, &["name", "parameters"], &[]);
    assert_eq!(action["name"], "cta_url");
    let parameters = &action["parameters"];
    members(parameters, &["display_text", "url"], &[]);
    let url = text(parameters, "url", 2_000);
    assert!(url.starts_with("https://"), "{url}");
    let label = text(parameters, "display_text", 20);
    Button { label: label.to_owned(), action: ButtonAction::Open(url.to_owned()) }
}

/// A template as it was approved, in each of the languages.
struct ApprovedTemplate {
    name: &'static str,
    header: Option<&'static str>,
    body: &'static str,
    buttons: &'static [(&'static str, Kind)],
}

/// The kind of a template's button.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    QuickReply,
    /// What stands before the place its address ends with.
    Url(&'static str),
    PhoneNumber,
}

const LANGUAGES: [&str; 2] = ["en_US", "de"];
const PAGE: Kind = Kind::Url("https://pay.example.com/c/");
const APPROVED: [ApprovedTemplate; 3] = [
    ApprovedTemplate {
        name: "approve_payment_v1",
        header: Some("{{1}}"),
        body: "{{1}} asks you for {{2}}. {{3}}",
        buttons: &[
            ("Approve", Kind::QuickReply),
            ("Decline", Kind::QuickReply),
            ("This is not me", Kind::QuickReply),
        ],
    },
    ApprovedTemplate {
        name: "view_payment_v1",
        header: None,
        body: "{{1}} asks you for {{2}}. If you did not expect this, decline.",
        buttons: &[
            ("View request", PAGE),
            ("Call us", Kind::PhoneNumber),
            ("Decline", Kind::QuickReply),
        ],
    },
    ApprovedTemplate {
        name: "view_request_v1",
        header: None,
        body: "{{1}} You can say no there, too.",
        buttons: &[("View request", PAGE), ("Decline", Kind::QuickReply)],
    },
];

/// Holds a template message to the template that was approved, and shows it.
pub(super) fn template(template: &Value) -> Result<ShownMessage, Answer> {
    members(template, &["name", "language", "components"], &[]);
    members(&template["language"], &["code"], &[]);
    let (name, code) = (text(template, "name", 512), text(&template["language"], "code", 10));
    let approved = APPROVED.iter().find(|approved| approved.name == name);
    let approved = approved.filter(|_| LANGUAGES.contains(&code));
    let approved = approved.ok_or_else(|| refusal(404, 132_001, "Template name does not exist"))?;
    let mut components = template["components"].as_array().expect("a list").iter();
    let mut shown = String::new();
    if let Some(header) = approved.header {
        shown = filled(header, components.next(), "header", 60)?;
        shown.push('\n');
    }
    shown.push_str(&filled(approved.body, components.next(), "body", 1_024)?);
    assert!(shown.chars().count() <= 60 + 1 + 1_024, "{shown}");
    let mut given: Vec<&Value> = components.collect();
    let mut buttons = Vec::new();
    for (index, (label, kind)) in approved.buttons.iter().enumerate() {
        let number = index.to_string();
        let place = given.iter().position(|component| component["index"] == number.as_str());
        let component = place.map(|place| given.remove(place));
        buttons
            .push(Button { label: (*label).to_owned(), action: button(*kind, label, component)? });
    }
    assert!(given.is_empty(), "components of no button: {given:?}");
    Ok((name.to_owned(), shown, buttons))
}

fn mismatch() -> Answer {
    refusal(400, 132_000, "Number of parameters does not match the expected number of params")
}

fn filled(
    places: &str,
    component: Option<&Value>,
    kind: &str,
    max: usize,
) -> Result<String, Answer> {
    let component = component.filter(|component| component["type"] == kind).ok_or_else(mismatch)?;
    members(component, &["type", "parameters"], &[]);
    let parameters = component["parameters"].as_array().expect("a list of parameters");
    if parameters.len() != places.matches("{{").count() {
        return Err(mismatch());
    }
    let mut shown = places.to_owned();
    for (number, parameter) in (1..).zip(parameters) {
        members(parameter, &["type", "text"], &[]);
        assert_eq!(parameter["type"], "text");
        let text = text(parameter, "text", max);
        assert!(is_one_line(text), "{text}");
        shown = shown.replace(&format!("{{{{{number}}}}}"), text);
    }
    Ok(shown)
}

fn button(kind: Kind, label: &str, component: Option<&Value>) -> Result<ButtonAction, Answer> {
    let parameter = match component {
        Some(component) => {
            members(component, &["type", "sub_type", "index", "parameters"], &[]);
            assert_eq!(component["type"], "button");
            let wanted = match kind {
                Kind::QuickReply => "quick_reply",
                Kind::Url(_) => "url",
                Kind::PhoneNumber => panic!("{label} takes no parameter"),
            };
            assert_eq!(component["sub_type"], wanted, "{label}");
            let [parameter] = component["parameters"].as_array().expect("a list").as_slice() else {
                return Err(mismatch());
            };
            Some(parameter)
        }
        None => None,
    };
    match (kind, parameter) {
        (Kind::QuickReply, Some(parameter)) => {
            members(parameter, &["type", "payload"], &[]);
            assert_eq!(parameter["type"], "payload");
            Ok(ButtonAction::QuickReply(text(parameter, "payload", 256).to_owned()))
        }
        // Without a payload of ours, what the button says comes back.
        (Kind::QuickReply, None) => Ok(ButtonAction::QuickReply(label.to_owned())),
        (Kind::Url(prefix), Some(parameter)) => {
            members(parameter, &["type", "text"], &[]);
            assert_eq!(parameter["type"], "text");
            Ok(ButtonAction::Open(format!("{prefix}{}", text(parameter, "text", 2_000))))
        }
        (Kind::Url(_), None) => Err(mismatch()),
        (Kind::PhoneNumber, _) => Ok(ButtonAction::Call),
    }
}
