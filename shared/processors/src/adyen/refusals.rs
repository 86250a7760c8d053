//! How payments are refused: Adyen's `refusalReasonCode` as an answer of ours [M: the numbers].

use crate::object_state::ObjectState;

/// A thief must not learn what the bank knows: one code for all of these, and no other card.
const DECLINED: ObjectState = ObjectState::HardDeclined { code: "card_declined" };

/// What a refusal means. What is not written down is a plain no.
pub(super) fn refusal(code: Option<&str>) -> ObjectState {
    let refused = |code| ObjectState::SoftDeclined { code };
    match code.unwrap_or_default() {
        // Fraud, by Adyen's rules, the issuer's or the risk engine's.
        "14" | "20" | "22" | "31" => DECLINED,
        "6" => refused("expired_card"),
        "8" | "24" => refused("card_data_incorrect"),
        "9" => refused("try_again_later"),
        "12" => refused("insufficient_funds"),
        "23" | "25" => refused("card_not_supported"),
        "38" => refused("authentication_required"),
        // 2 refused, 5 blocked card, 27 refused without a reason, and whatever else.
        _ => refused("card_declined"),
    }
}
