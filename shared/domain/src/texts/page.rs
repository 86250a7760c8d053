//! The words of the consent page.

use crate::ask::CLAIMS;

/// What the consent page says in one language. Where a payee is named, the text is what stands beside the name.
#[derive(Debug)]
pub struct PageTexts {
    /// The BCP 47 tag of the language.
    pub tag: &'static str,
    /// The direction of its script, `ltr` or `rtl`.
    pub dir: &'static str,
    /// Says that nothing real happens.
    pub test_mode: &'static str,

    /// After the payee: asks for a payment, the amount follows.
    pub asks_payment: &'static str,
    /// After the payee: asks for a card to keep.
    pub asks_payment_method: &'static str,
    /// After the payee: asks who the customer is.
    pub asks_identity: &'static str,
    /// Beside the description.
    pub purpose: &'static str,
    /// Beside the amount.
    pub amount: &'static str,
    /// Beside the payee's name.
    pub payee: &'static str,
    /// Before the payee, in a voice session, human or IVR.
    pub session_voice: &'static str,
    /// Before the payee, in a chat.
    pub session_chat: &'static str,
    /// Before the payee, at a counter.
    pub session_in_person: &'static str,
    /// Beside the card on file that would be charged.
    pub pays_with: &'static str,
    /// Beside the facts that would be shared.
    pub shares: &'static str,
    /// What those facts are called, in the order of [`crate::ask::CLAIMS`].
    pub claims: [&'static str; CLAIMS.len()],
    /// What a yes to a payment does.
    pub on_yes_payment: &'static str,
    /// What a yes to keeping a card does.
    pub on_yes_payment_method: &'static str,
    /// What a yes to sharing does.
    pub on_yes_identity: &'static str,
    /// The fixed warning.
    pub warning: &'static str,

    /// Above the choices of the session code.
    pub pick_code: &'static str,
    /// Below that.
    pub pick_code_hint: &'static str,
    /// Beside the test cards.
    pub test_card: &'static str,
    /// The yes; at most 20 characters.
    pub approve: &'static str,
    /// The no; at most 20 characters.
    pub deny: &'static str,
    /// The no that is also a report; at most 20 characters.
    pub not_me: &'static str,

    /// The yes that goes on to where a card is entered.
    pub go_on_card: &'static str,
    /// The yes that goes on to where the customer signs in.
    pub go_on_identity: &'static str,
    /// Where a card is entered.
    pub hosted_card: &'static str,
    /// Where the customer signs in.
    pub hosted_identity: &'static str,
    /// When the page has wallets only, and none of them is here.
    pub no_wallet: &'static str,
    /// When there is no way at all to say yes.
    pub no_way: &'static str,
    /// When a wallet did not work.
    pub wallet_failed: &'static str,

    /// Before the time of the deadline.
    pub answer_by: &'static str,
    /// When less than a minute is left.
    pub left_seconds: &'static str,
    /// When a minute is left.
    pub left_minute: &'static str,
    /// When `{n}` minutes are left.
    pub left_minutes: &'static str,
    /// The button that asks for more time.
    pub extend: &'static str,

    /// The processor refused the card and the customer may try again.
    pub refused: &'static str,
    /// Whoever was to say who the customer is did not, and the customer may try again.
    pub refused_identity: &'static str,

    /// The heading when the customer has to go on to the processor's own page.
    pub hosted_page: &'static str,
    /// The text when this page goes there by itself.
    pub hosted_page_going: &'static str,
    /// The text when it does not.
    pub hosted_page_hint: &'static str,
    /// The link there.
    pub hosted_page_open: &'static str,
    /// The button that asks for another way instead.
    pub hosted_page_back: &'static str,

    /// The heading while the processor is at it.
    pub working: &'static str,
    /// The text while the processor is at it.
    pub working_hint: &'static str,
    /// The link for browsers that do not reload by themselves.
    pub working_again: &'static str,
    /// The heading when the payment is made.
    pub paid: &'static str,
    /// The heading when another ask is fulfilled.
    pub done: &'static str,
    /// The text when the ask is fulfilled.
    pub done_hint: &'static str,
    /// Beside the transaction code.
    pub transaction_code: &'static str,
    /// The heading after a no.
    pub denied: &'static str,
    /// The text after a no.
    pub denied_hint: &'static str,
    /// The heading after the deadline.
    pub expired: &'static str,
    /// The text after the deadline.
    pub expired_hint: &'static str,
    /// The heading when the requester withdrew the request.
    pub cancelled: &'static str,
    /// The text when the requester withdrew the request.
    pub cancelled_hint: &'static str,
    /// The heading when it did not work for good.
    pub failed: &'static str,
    /// The text when it did not work for good.
    pub failed_hint: &'static str,
    /// The heading when another number than the agent's was picked.
    pub wrong_code: &'static str,
    /// The text when another number than the agent's was picked.
    pub wrong_code_hint: &'static str,
    /// The heading of a link that is no longer in force.
    pub used: &'static str,
    /// The text of a link that is no longer in force.
    pub used_hint: &'static str,
    /// The heading of a link that never was one.
    pub unknown: &'static str,
    /// The text of a link that never was one.
    pub unknown_hint: &'static str,
}

#[cfg(test)]
mod tests {
    use crate::texts::TextLanguage;

    #[test]
    fn every_language_has_every_text() {
        for spoken in TextLanguage::ALL {
            let shown = format!("{:?}", spoken.page());
            // No text has a quote in it, so an empty one shows as two in a row.
            assert!(!shown.contains("\"\"") && !shown.contains("\\\""), "{shown}");
            let page = spoken.page();
            assert!(page.left_minutes.contains("{n}"), "{}", page.left_minutes);
            for label in [page.approve, page.deny, page.not_me] {
                assert!((1..=20).contains(&label.chars().count()), "{label}");
            }
        }
    }

    #[test]
    fn languages_differ_in_every_sentence() {
        let sentences = TextLanguage::ALL.map(|spoken| {
            let page = spoken.page();
            [
                page.warning,
                page.pick_code,
                page.refused,
                page.expired_hint,
                page.failed_hint,
                page.unknown_hint,
                page.hosted_page_hint,
                page.hosted_card,
                page.no_wallet,
            ]
        });
        for (position, these) in sentences.iter().enumerate() {
            for those in sentences.iter().skip(position + 1) {
                assert!(these.iter().zip(those).all(|(this, that)| this != that));
            }
        }
    }
}
