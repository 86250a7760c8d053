//! Maps Adyen's `refusalReasonCode` to an answer.
//!
//! <https://docs.adyen.com/development-resources/refusal-reasons>, read 2026-11-26 for codes 0 to 22. UNVERIFIED: 23, 24,
//! 25, 27, 31 and 38. Trigger each with `RequestedTestAcquirerResponseCode` in the test environment before going live.

use crate::object_state::ObjectState;

/// The answer to every suspicion of fraud, loss or theft. A person with a stolen card must not learn what the bank knows.
const DECLINED: ObjectState = ObjectState::HardDeclined { code: "card_declined" };

/// Returns the answer for a refusal code. An unlisted code is a plain refusal.
pub(super) fn refusal(code: Option<&str>) -> ObjectState {
    let refused = |code| ObjectState::SoftDeclined { code };
    match code.unwrap_or_default() {
        // Fraud, found by Adyen, by the issuer or by the risk engine.
        "14" | "20" | "22" | "31" => DECLINED,
        "6" => refused("expired_card"),
        "8" | "24" => refused("card_data_incorrect"),
        "9" => refused("try_again_later"),
        "12" => refused("insufficient_funds"),
        "23" | "25" => refused("card_not_supported"),
        "38" => refused("authentication_required"),
        // 2 refused, 5 blocked card, 27 refused without a reason, and every unlisted code.
        _ => refused("card_declined"),
    }
}
