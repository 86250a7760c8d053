//! What a prompt may measure on each kind of channel: one table for the adapters and for the sandbox phone that imitates them.

/// What one message may hold. Lengths are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLimits {
    /// The heading; `0` where there is none.
    pub title_max: usize,
    /// The text below it.
    pub body_max: usize,
    /// The small line below that; `0` where there is none.
    pub footer_max: usize,
    /// How many buttons.
    pub buttons_max: usize,
    /// What one button says.
    pub label_max: usize,
    /// Whether a button that opens a page may stand beside those that reply.
    pub mixes_links: bool,
}

/// A standalone rich card, at Google and at AWS alike. The guide says four suggestions, a comment in the client ten: four.
pub const RCS: MessageLimits = MessageLimits {
    title_max: 200,
    body_max: 2_000,
    footer_max: 0,
    buttons_max: 4,
    label_max: 25,
    mixes_links: true,
};

/// A free-form message with reply buttons, or with the one button that opens a page (`cta_url`): never both.
pub const WHATSAPP: MessageLimits = MessageLimits {
    title_max: 60,
    body_max: 1_024,
    footer_max: 60,
    buttons_max: 3,
    label_max: 20,
    mixes_links: false,
};

/// An interactive message. Apple documents two to five quick replies and recommends titles of 85 and labels of 24
/// characters [M]; a text goes up to about 3,000 according to a provider [S].
pub const APPLE: MessageLimits = MessageLimits {
    title_max: 85,
    body_max: 3_000,
    footer_max: 0,
    buttons_max: 5,
    label_max: 24,
    mixes_links: false,
};

/// Plain text with the link in it: both providers take up to 1,600 characters.
pub const SMS: MessageLimits = MessageLimits {
    title_max: 0,
    body_max: 1_600,
    footer_max: 0,
    buttons_max: 0,
    label_max: 0,
    mixes_links: false,
};

/// The text as it is, or its beginning and an ellipsis: never more than `max` characters.
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
    fn a_text_is_cut_at_a_character_and_says_so() {
        assert_eq!(cut("Zoë pays", 8), "Zoë pays");
        assert_eq!(cut("Zoë pays", 7), "Zoë pa…");
        assert_eq!(cut("Zoë pays", 5), "Zoë…", "without the space before the ellipsis");
        assert_eq!(cut("Zoë pays", 1), "…");
        assert_eq!(cut("Zoë pays", 0), "");
    }

    #[test]
    fn every_label_of_ours_fits_wherever_there_are_buttons() {
        for look in [RCS, WHATSAPP, APPLE] {
            assert!(look.label_max >= 20 && look.buttons_max >= 3, "{look:?}");
        }
    }
}
