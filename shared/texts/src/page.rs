//! The texts of the consent page.

use domain::ask::CLAIMS;

use crate::plural_text::PluralText;

/// The consent page's texts in one language. Texts about the payee stand beside the payee's name.
#[derive(Debug)]
pub struct PageTexts {
    /// The BCP 47 tag of the language.
    pub tag: &'static str,
    /// The direction of the script, `ltr` or `rtl`.
    pub dir: &'static str,
    /// The notice of test mode.
    pub test_mode: &'static str,

    /// After the payee, in the preview of a link.
    pub preview: &'static str,
    /// Before the payee, where an AI agent of the business asks.
    pub asked_by_assistant: &'static str,
    /// After the payee: asks for a payment, the amount follows.
    pub asks_payment: &'static str,
    /// After the payee: asks to save a card.
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
    /// Beside the saved card that would be charged.
    pub pays_with: &'static str,
    /// Beside the claims that would be shared.
    pub shares: &'static str,
    /// The names of the claims, in the order of [`domain::ask::CLAIMS`].
    pub claims: [&'static str; CLAIMS.len()],
    /// The effect of approving a payment.
    pub on_yes_payment: &'static str,
    /// The effect of approving a saved card.
    pub on_yes_payment_method: &'static str,
    /// The effect of approving claims.
    pub on_yes_identity: &'static str,
    /// The fixed warning.
    pub warning: &'static str,

    /// Above the choices of the session code.
    pub pick_code: &'static str,
    /// Above the field of a session code that is typed.
    pub type_code: &'static str,
    /// Below the choices or the field of the session code.
    pub pick_code_hint: &'static str,
    /// Beside the test cards.
    pub test_card: &'static str,
    /// The button that approves, in a message; at most 20 characters.
    pub approve: &'static str,
    /// The button that pays `{money}`; without the amount at most 20 characters.
    pub pay: &'static str,
    /// The button that saves a card; at most 20 characters.
    pub save_card: &'static str,
    /// The button that shares the claims; at most 20 characters.
    pub share: &'static str,
    /// The button that denies; at most 20 characters.
    pub deny: &'static str,
    /// The link to the page that reports a wrong person; at most 20 characters.
    pub not_me: &'static str,
    /// The heading of the page that reports a wrong person.
    pub not_me_question: &'static str,
    /// The effect of the report, and the steps that the customer should take.
    pub not_me_hint: &'static str,
    /// The button that reports a wrong person.
    pub not_me_confirm: &'static str,
    /// The link back to the request.
    pub not_me_back: &'static str,

    /// The button that approves and continues to the card page.
    pub go_on_card: &'static str,
    /// The button that approves and continues to the sign-in.
    pub go_on_identity: &'static str,
    /// Where a card is entered.
    pub hosted_card: &'static str,
    /// Where the customer signs in.
    pub hosted_identity: &'static str,
    /// When the page has only wallets, and the device has none of them.
    pub no_wallet: &'static str,
    /// When no payment option works here.
    pub no_way: &'static str,
    /// When a wallet did not work.
    pub wallet_failed: &'static str,

    /// When less than a minute is left.
    pub left_seconds: &'static str,
    /// When `{n}` minutes are left.
    pub left_minutes: PluralText,
    /// When `{n}` hours are left.
    pub left_hours: PluralText,
    /// When `{n}` days are left.
    pub left_days: PluralText,
    /// The button that asks for more time.
    pub extend: &'static str,

    /// When the card was declined and the customer may try again.
    pub refused: &'static str,
    /// When the identity provider did not confirm and the customer may try again.
    pub refused_identity: &'static str,

    /// The heading before the hosted page.
    pub hosted_page: &'static str,
    /// The text when the page redirects by itself.
    pub hosted_page_going: &'static str,
    /// The text when the customer must follow the link.
    pub hosted_page_hint: &'static str,
    /// The link to the hosted page.
    pub hosted_page_open: &'static str,
    /// The button that asks for another payment option.
    pub hosted_page_back: &'static str,

    /// The heading while the processor works.
    pub working: &'static str,
    /// The text while the processor works.
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
    /// Beside the time of the success.
    pub time: &'static str,
    /// The button that prints the receipt; at most 20 characters.
    pub print_receipt: &'static str,
    /// Before the brand's support phone or link.
    pub support: &'static str,
    /// The link to the brand's terms.
    pub terms: &'static str,
    /// The link to the brand's privacy notice.
    pub privacy: &'static str,
    /// Beside the name under which the payment is on the customer's statement.
    pub statement: &'static str,
    /// Before a card is kept on file: its use.
    pub keep_use: &'static str,
    /// Before a card is kept on file: the way to have it removed.
    pub keep_cancel: &'static str,
    /// Before a card is kept on file: the way in which the customer learns of changes.
    pub keep_changes: &'static str,
    /// The heading after a denial.
    pub denied: &'static str,
    /// The text after a denial.
    pub denied_hint: &'static str,
    /// The heading after the deadline.
    pub expired: &'static str,
    /// The text after the deadline.
    pub expired_hint: &'static str,
    /// The heading when the requester withdrew the request.
    pub cancelled: &'static str,
    /// The text when the requester withdrew the request.
    pub cancelled_hint: &'static str,
    /// The heading after a failure.
    pub failed: &'static str,
    /// The text after a failure.
    pub failed_hint: &'static str,
    /// The heading when another number than the agent's was picked.
    pub wrong_code: &'static str,
    /// The text when another number than the agent's was picked.
    pub wrong_code_hint: &'static str,
    /// The heading when the customer returns in another browser, above the session code.
    pub other_browser: &'static str,
    /// The text when the customer returns in another browser and types the session code.
    pub other_browser_code: &'static str,
    /// The text when the customer returns in another browser and there is no session code.
    pub other_browser_hint: &'static str,
    /// The button that sends the typed session code.
    pub other_browser_send: &'static str,
    /// The heading of a return that cannot be used.
    pub return_failed: &'static str,
    /// The text of a return that cannot be used.
    pub return_failed_hint: &'static str,
    /// The heading of a return that ended without an answer for the business.
    pub return_ended: &'static str,
    /// The text of a return that ended without an answer for the business.
    pub return_ended_hint: &'static str,
    /// Below the claims: the provider's phone number is compared.
    pub compares_phone_number: &'static str,
    /// The heading of a link that is no longer in force.
    pub used: &'static str,
    /// The text of a link that is no longer in force.
    pub used_hint: &'static str,
    /// The heading of an unknown link.
    pub unknown: &'static str,
    /// The text of an unknown link.
    pub unknown_hint: &'static str,
    /// After the payee, in the subject of a mail. It names no amount.
    pub email_subject: &'static str,
    /// The link of a mail and the button that unsubscribe; also the heading above the button.
    pub unsubscribe: &'static str,
    /// The effect of the button that unsubscribes.
    pub unsubscribe_hint: &'static str,
    /// The heading after unsubscribing.
    pub unsubscribed: &'static str,
    /// The text after unsubscribing.
    pub unsubscribed_hint: &'static str,
    /// The button that takes the wish back; also the heading after it.
    pub resubscribe: &'static str,
    /// The text after the wish was taken back.
    pub resubscribed_hint: &'static str,
}

#[cfg(test)]
mod tests {
    use crate::TextLanguage;

    #[test]
    fn page_texts_are_complete_in_every_language() {
        for spoken in TextLanguage::ALL {
            let shown = format!("{:?}", spoken.page());
            // No text contains a quote, so two in a row show an empty text.
            assert!(!shown.contains("\"\"") && !shown.contains("\\\""), "{shown}");
            let page = spoken.page();
            for counted in [page.left_minutes, page.left_hours, page.left_days] {
                for (_, text) in counted.forms() {
                    assert!(text.len() > 3 && !text.contains(char::is_numeric), "{text}");
                }
                // A form for several numbers says which. Those for one or two say it in a word.
                let counts = |n| counted.form(n).1.contains("{n}");
                assert!([3, 5, 11, 20, 21, 100, 101].into_iter().all(counts), "{counted:?}");
            }
            assert!(page.pay.contains("{money}"), "{}", page.pay);
            for label in [
                page.approve,
                page.pay,
                page.save_card,
                page.share,
                page.deny,
                page.not_me,
                page.print_receipt,
            ] {
                assert!((1..=20).contains(&label.chars().count()), "{label}");
            }
        }
    }

    #[test]
    fn page_texts_differ_between_languages() {
        let sentences = TextLanguage::ALL.map(|spoken| {
            let page = spoken.page();
            [
                page.warning,
                page.preview,
                page.not_me_hint,
                page.asked_by_assistant,
                page.pick_code,
                page.type_code,
                page.other_browser_code,
                page.return_failed_hint,
                page.compares_phone_number,
                page.refused,
                page.expired_hint,
                page.failed_hint,
                page.unknown_hint,
                page.hosted_page_hint,
                page.hosted_card,
                page.no_wallet,
                page.keep_use,
                page.keep_cancel,
                page.keep_changes,
                page.email_subject,
                page.unsubscribe_hint,
                page.unsubscribed_hint,
                page.resubscribed_hint,
            ]
        });
        for (position, these) in sentences.iter().enumerate() {
            for those in sentences.iter().skip(position + 1) {
                assert!(these.iter().zip(those).all(|(this, that)| this != that));
            }
        }
    }
}
