//! `AgentMessage` as Google's published client has it, with the limits its guide states. A field that is not named
//! here is refused: the platform's own fields, and those without a use here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// The whole message, as text.
const MESSAGE_BYTES: usize = 250_000;
const TITLE: usize = 200;
const DESCRIPTION: usize = 2_000;
const SUGGESTIONS: usize = 4;
const LABEL: usize = 25;
const LONG: usize = 2_048;
const LIFE_SECONDS: std::ops::RangeInclusive<u64> = 10..=1_296_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AgentMessage {
    content_message: ContentMessage,
    #[serde(rename = "messageTrafficType")]
    traffic_type: TrafficType,
    ttl: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TrafficType {
    Authentication,
    Transaction,
    Promotion,
    ServiceRequest,
    Acknowledgement,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContentMessage {
    rich_card: RichCard,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RichCard {
    standalone_card: StandaloneCard,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StandaloneCard {
    /// Without it the platform does not know how to lay a card out.
    #[serde(rename = "cardOrientation")]
    _orientation: Orientation,
    card_content: CardContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Orientation {
    Horizontal,
    Vertical,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardContent {
    title: Option<String>,
    description: Option<String>,
    #[serde(default)]
    suggestions: Vec<Suggestion>,
}

/// Exactly one of the two.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Suggestion {
    Reply(Reply),
    Action(Action),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reply {
    text: String,
    postback_data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Action {
    text: String,
    postback_data: String,
    fallback_url: Option<String>,
    open_url_action: OpenUrl,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpenUrl {
    url: String,
    application: Option<Application>,
    webview_view_mode: Option<ViewMode>,
    description: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Application {
    Browser,
    Webview,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ViewMode {
    Full,
    Half,
    Tall,
}

/// The content of the message's card, and for how many seconds it lives.
///
/// # Errors
/// What Google would refuse, or would show otherwise than it was meant.
pub(super) fn check(body: &[u8]) -> Result<(Value, u64), String> {
    if body.len() > MESSAGE_BYTES {
        return Err(format!("a message of {} bytes", body.len()));
    }
    let no_message = |error: serde_json::Error| format!("no AgentMessage: {error}");
    let message: AgentMessage = serde_json::from_slice(body).map_err(no_message)?;
    let sent: Value = serde_json::from_slice(body).map_err(no_message)?;
    if matches!(message.traffic_type, TrafficType::Promotion) {
        return Err("a prompt that is a promotion".to_owned());
    }
    card(&message.content_message.rich_card.standalone_card.card_content)?;
    let card = &sent["contentMessage"]["richCard"]["standaloneCard"]["cardContent"];
    Ok((card.clone(), life(&message.ttl)?))
}

fn card(card: &CardContent) -> Result<(), String> {
    let CardContent { title, description, suggestions } = card;
    length("title", title.as_deref().unwrap_or_default(), 0, TITLE)?;
    length("description", description.as_deref().unwrap_or_default(), 0, DESCRIPTION)?;
    if title.is_none() && description.is_none() {
        return Err("a card with nothing on it".to_owned());
    }
    if suggestions.len() > SUGGESTIONS {
        return Err(format!("{} suggestions in a card", suggestions.len()));
    }
    suggestions.iter().try_for_each(|suggestion| match suggestion {
        Suggestion::Reply(reply) => button(&reply.text, &reply.postback_data),
        Suggestion::Action(action) => {
            button(&action.text, &action.postback_data)?;
            action.fallback_url.iter().try_for_each(|fallback| url(fallback))?;
            opens(&action.open_url_action)
        }
    })
}

fn opens(open: &OpenUrl) -> Result<(), String> {
    url(&open.url)?;
    let web_view = open.application == Some(Application::Webview);
    if !web_view && (open.webview_view_mode.is_some() || open.description.is_some()) {
        return Err("a web view's look without a web view".to_owned());
    }
    Ok(())
}

/// The reference calls the postback base64, the guide's samples are plain: what is both comes back unchanged.
fn button(label: &str, postback: &str) -> Result<(), String> {
    length("a suggestion's text", label, 1, LABEL)?;
    length("postbackData", postback, 1, LONG)?;
    let round = STANDARD.decode(postback).map(|bytes| STANDARD.encode(bytes));
    if round.as_deref() == Ok(postback) { Ok(()) } else { Err("no canonical base64".to_owned()) }
}

fn url(text: &str) -> Result<(), String> {
    length("a URL", text, 1, LONG)?;
    let uri = text.parse::<http::Uri>().map_err(|error| format!("no URI: {error}"))?;
    let absolute = uri.scheme_str() == Some("https") && uri.host().is_some();
    if absolute { Ok(()) } else { Err("a URL that is not https".to_owned()) }
}

fn length(what: &str, text: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        Ok(())
    } else {
        Err(format!("{what} has {length} characters"))
    }
}

fn life(ttl: &str) -> Result<u64, String> {
    let seconds = ttl.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
    seconds.filter(|life| LIFE_SECONDS.contains(life)).ok_or_else(|| format!("a ttl of {ttl}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> Value {
        let postback = "0a".repeat(48);
        json!({
            "contentMessage": {"richCard": {"standaloneCard": {
                "cardOrientation": "VERTICAL",
                "cardContent": {"title": "Pay?", "description": "Acme asks.", "suggestions": [
                    {"reply": {"text": "Yes", "postbackData": postback}},
                    {"action": {"text": "Open", "postbackData": postback, "fallbackUrl": "https://a.example/c",
                                "openUrlAction": {"url": "https://a.example/c", "application": "BROWSER"}}},
                ]},
            }}},
            "messageTrafficType": "SERVICEREQUEST", "ttl": "300s",
        })
    }

    #[test]
    fn a_message_is_taken_only_as_it_is_documented() {
        let checked = check(message().to_string().as_bytes()).unwrap();
        assert_eq!((checked.0["title"].as_str(), checked.1), (Some("Pay?"), 300));
        let card = "/contentMessage/richCard/standaloneCard/cardContent";
        let of = |place: &str| format!("{card}{place}");
        let one = message().pointer(&of("/suggestions/0")).unwrap().clone();
        for (place, value) in [
            ("/ttl".to_owned(), json!("9s")),
            ("/ttl".to_owned(), json!("1296001s")),
            ("/ttl".to_owned(), json!(300)),
            ("/messageTrafficType".to_owned(), json!("PROMOTION")),
            ("/messageTrafficType".to_owned(), json!("SERVICE_REQUEST")),
            ("/contentMessage".to_owned(), json!({ "text": "Pay?" })),
            (of("/title"), json!("x".repeat(201))),
            (of("/description"), json!("x".repeat(2_001))),
            (of("/suggestions"), json!([one, one, one, one, one])),
            (of("/suggestions/0"), json!({})),
            (of("/suggestions/0/reply/text"), json!("")),
            (of("/suggestions/0/reply/text"), json!("x".repeat(26))),
            (of("/suggestions/0/reply/postbackData"), json!("confirm:me@x")),
            (of("/suggestions/0/reply/postbackData"), json!("A".repeat(2_052))),
            (of("/suggestions/1/action/fallbackUrl"), json!("http://a.example/c")),
            (of("/suggestions/1/action/openUrlAction/url"), json!("/c")),
            (of("/suggestions/1/action/openUrlAction/application"), json!("TAB")),
            (
                of("/suggestions/1/action/openUrlAction"),
                json!({ "url": "https://a.example", "webviewViewMode": "TALL" }),
            ),
        ] {
            let mut changed = message();
            *changed.pointer_mut(&place).unwrap() = value;
            assert!(check(changed.to_string().as_bytes()).is_err(), "{changed}");
        }
        for place in
            ["", "/contentMessage", card, &of("/suggestions/0"), &of("/suggestions/0/reply")]
        {
            let mut changed = message();
            changed.pointer_mut(place).unwrap()["name"] = json!("phones/+1/agentMessages/x");
            assert!(check(changed.to_string().as_bytes()).is_err(), "{changed}");
        }
    }
}
