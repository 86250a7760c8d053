//! The limits of a message on each kind of channel, for the adapters and for the kinds of other crates.

/// The limits of one message. Lengths are in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLimits {
    /// The heading; `0` if the channel has none.
    pub title_max: usize,
    /// The text below the heading.
    pub body_max: usize,
    /// The small line below the text; `0` if the channel has none.
    pub footer_max: usize,
    /// The number of buttons.
    pub buttons_max: usize,
    /// The label of one button.
    pub label_max: usize,
    /// Whether one message may have buttons that reply and a button that opens a page.
    pub mixes_links: bool,
}

/// A standalone rich card, at Google and at AWS alike. Google's guide allows four buttons, its client's comment ten.
///
/// Source: <https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-rcs.html>, read 2026-11-26.
pub const RCS: MessageLimits = MessageLimits {
    title_max: 200,
    body_max: 2_000,
    footer_max: 0,
    buttons_max: 4,
    label_max: 25,
    mixes_links: true,
};

/// A free-form message with reply buttons, or with one button that opens a page (`cta_url`), but never both.
///
/// UNVERIFIED: before going live, compare the numbers with
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages>.
pub const WHATSAPP: MessageLimits = MessageLimits {
    title_max: 60,
    body_max: 1_024,
    footer_max: 60,
    buttons_max: 3,
    label_max: 20,
    mixes_links: false,
};

/// An interactive message. Apple documents two to five quick replies.
///
/// A text has at most 3,000 characters at one provider: <https://infobip.com/docs/apple-messages-for-business/message-types>,
/// read 2026-11-26. UNVERIFIED: titles of 85 and labels of 24 characters are from memory. Before going live, send longer
/// ones to a test device.
pub const APPLE: MessageLimits = MessageLimits {
    title_max: 85,
    body_max: 3_000,
    footer_max: 0,
    buttons_max: 5,
    label_max: 24,
    mixes_links: false,
};

/// A text with the link in it. Both providers take up to 1,600 characters, by their SDKs of 2026.
pub const SMS: MessageLimits = MessageLimits {
    title_max: 0,
    body_max: 1_600,
    footer_max: 0,
    buttons_max: 0,
    label_max: 0,
    mixes_links: false,
};

/// A mail with a link. It has no limits that a prompt could reach.
pub const EMAIL: MessageLimits = MessageLimits {
    title_max: 200,
    body_max: 4_000,
    footer_max: 0,
    buttons_max: 0,
    label_max: 0,
    mixes_links: false,
};

/// Shortens `text` to `max` characters, the last of which is then an ellipsis.
///
/// ```
/// use channels::message_limits::cut;
///
/// assert_eq!(cut("Zoë pays", 8), "Zoë pays");
/// assert_eq!(cut("Zoë pays", 7), "Zoë pa…");
/// ```
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    let ellipsis = if max == 0 { "" } else { "…" };
    format!("{}{ellipsis}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character_with_an_ellipsis() {
        assert_eq!(cut("Zoë pays", 8), "Zoë pays");
        assert_eq!(cut("Zoë pays", 7), "Zoë pa…");
        assert_eq!(cut("Zoë pays", 5), "Zoë…", "without the space before the ellipsis");
        assert_eq!(cut("Zoë pays", 1), "…");
        assert_eq!(cut("Zoë pays", 0), "");
    }

    #[test]
    fn button_limits_fit_every_label() {
        for limits in [RCS, WHATSAPP, APPLE] {
            assert!(limits.label_max >= 20 && limits.buttons_max >= 3, "{limits:?}");
        }
    }
}
