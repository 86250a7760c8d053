//! The link with which a customer begins a conversation.

use serde::Deserialize;

/// The settings of the link.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EntryLink {
    /// The department of the business, which Apple returns as `group`.
    group: Option<String>,
    /// The text that the conversation opens with. The customer still has to send it.
    body: Option<String>,
}

/// Returns the link to `business_id`. Apple returns `intent` with the customer's first message.
///
/// UNVERIFIED: the names of the parameters are from memory. Before going live, open the link on an iPhone, send the text,
/// and check `intent` and `group` in the callback.
pub(super) fn link(business_id: &str, settings: &EntryLink, intent: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("biz-intent-id", intent);
    let rest = [("biz-group-id", &settings.group), ("body", &settings.body)];
    for (name, value) in rest {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    // A form writes a space as "+", which the phone may show as a plus sign.
    let query = query.finish().replace('+', "%20");
    format!("https://bcrw.apple.com/urn:biz:{business_id}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_carries_intent_group_and_body() {
        let id = "a884eddf-0000-0000-0000-000000000000";
        let plain = link(id, &EntryLink::default(), "0179ab");
        assert_eq!(plain, format!("https://bcrw.apple.com/urn:biz:{id}?biz-intent-id=0179ab"));
        let settings = EntryLink {
            group: Some("billing".to_owned()),
            body: Some("Pay my bill: a+b & c".to_owned()),
        };
        let whole = link(id, &settings, "x&y=z");
        let query = "biz-intent-id=x%26y%3Dz&biz-group-id=billing&body=Pay%20my%20bill%3A%20a%2Bb%20%26%20c";
        assert_eq!(whole, format!("https://bcrw.apple.com/urn:biz:{id}?{query}"));
    }
}
