//! Each error code that Twilio documents for messages, with its reaction.
//!
//! Source: Twilio's error dictionary, <https://www.twilio.com/docs/api/errors>, in third-party copies of 2023-05 and
//! 2025-02, read 2026-11-26. UNVERIFIED: codes that Twilio added later are missing. Before going live, compare the table with
//! the dictionary. A code that only other calls than a send can answer is left out, and so is a warning.

use ports::OPTED_OUT;

use crate::answers::Reaction;

/// The documented codes, sorted: as the answer to a call, or in a later status.
pub(super) const ERRORS: &[(u32, Reaction)] = &[
    (14_107, Reaction::Again),
    (20_003, Reaction::Misconfigured("credentials")),
    (20_005, Reaction::Misconfigured("suspended")),
    (20_006, Reaction::Misconfigured("permission")),
    (20_008, Reaction::Misconfigured("credentials")),
    (20_010, Reaction::Misconfigured("suspended")),
    (20_403, Reaction::Misconfigured("permission")),
    (20_404, Reaction::Misconfigured("credentials")),
    (20_429, Reaction::Again),
    (20_503, Reaction::Again),
    (21_201, Reaction::Unreachable("not_a_mobile")),
    (21_211, Reaction::Unreachable("not_a_mobile")),
    (21_212, Reaction::Misconfigured("sender")),
    (21_214, Reaction::Unreachable("unreachable")),
    (21_217, Reaction::Unreachable("not_a_mobile")),
    (21_219, Reaction::Misconfigured("sandboxed")),
    (21_265, Reaction::Unreachable("not_a_mobile")),
    (21_266, Reaction::Misconfigured("rejected")),
    (21_267, Reaction::Misconfigured("sender")),
    (21_268, Reaction::Unreachable("not_a_mobile")),
    (21_407, Reaction::Misconfigured("sender")),
    (21_408, Reaction::Unreachable("country")),
    (21_601, Reaction::Misconfigured("sender")),
    (21_602, Reaction::Misconfigured("rejected")),
    (21_603, Reaction::Misconfigured("sender")),
    (21_604, Reaction::Unreachable("not_a_mobile")),
    (21_605, Reaction::Misconfigured("rejected")),
    (21_606, Reaction::Misconfigured("sender")),
    (21_607, Reaction::Misconfigured("sender")),
    (21_608, Reaction::Misconfigured("sandboxed")),
    (21_609, Reaction::Misconfigured("public_base")),
    (21_610, Reaction::Unreachable(OPTED_OUT)),
    (21_611, Reaction::Again),
    (21_612, Reaction::Misconfigured("sender")),
    (21_614, Reaction::Unreachable("not_a_mobile")),
    (21_616, Reaction::Misconfigured("sender")),
    (21_617, Reaction::Misconfigured("rejected")),
    (21_618, Reaction::Misconfigured("filtered")),
    (21_619, Reaction::Misconfigured("rejected")),
    (21_621, Reaction::Misconfigured("sender")),
    (21_624, Reaction::Misconfigured("rejected")),
    (21_626, Reaction::Misconfigured("public_base")),
    (21_627, Reaction::Misconfigured("rejected")),
    (21_635, Reaction::Unreachable("not_a_mobile")),
    (21_654, Reaction::Misconfigured("template")),
    (21_655, Reaction::Misconfigured("template")),
    (21_656, Reaction::Misconfigured("template")),
    (21_657, Reaction::Misconfigured("sender")),
    (21_658, Reaction::Misconfigured("rejected")),
    (21_659, Reaction::Misconfigured("sender")),
    (21_660, Reaction::Misconfigured("sender")),
    (21_661, Reaction::Misconfigured("sender")),
    (21_701, Reaction::Misconfigured("sender")),
    (21_703, Reaction::Misconfigured("sender")),
    (21_704, Reaction::Misconfigured("sender")),
    (21_705, Reaction::Misconfigured("sender")),
    (21_708, Reaction::Misconfigured("sender")),
    (21_709, Reaction::Misconfigured("sender")),
    (21_711, Reaction::Misconfigured("sender")),
    (21_712, Reaction::Misconfigured("sender")),
    (21_717, Reaction::Misconfigured("registration")),
    (21_730, Reaction::Again),
    (21_731, Reaction::Misconfigured("suspended")),
    (21_733, Reaction::Misconfigured("sender")),
    (21_910, Reaction::Misconfigured("sender")),
    (30_001, Reaction::Again),
    (30_002, Reaction::Misconfigured("suspended")),
    (30_003, Reaction::Unreachable("unreachable")),
    (30_004, Reaction::Unreachable("blocked")),
    (30_005, Reaction::Unreachable("unknown_number")),
    (30_006, Reaction::Unreachable("not_a_mobile")),
    (30_007, Reaction::Misconfigured("filtered")),
    (30_008, Reaction::Unreachable("undelivered")),
    (30_010, Reaction::Misconfigured("price")),
    (30_011, Reaction::Misconfigured("rejected")),
    (30_017, Reaction::Again),
    (30_018, Reaction::Misconfigured("registration")),
    (30_019, Reaction::Misconfigured("rejected")),
    (30_020, Reaction::Again),
    (30_021, Reaction::Again),
    (30_022, Reaction::Again),
    (30_023, Reaction::Misconfigured("limit")),
    (30_024, Reaction::Misconfigured("sender")),
    (30_027, Reaction::Misconfigured("limit")),
    (30_028, Reaction::Misconfigured("rejected")),
    (30_029, Reaction::Misconfigured("rejected")),
    (30_030, Reaction::Misconfigured("rejected")),
    (30_031, Reaction::Misconfigured("rejected")),
    (30_032, Reaction::Misconfigured("registration")),
    (30_033, Reaction::Misconfigured("suspended")),
    (30_034, Reaction::Misconfigured("registration")),
    (30_035, Reaction::Misconfigured("registration")),
    (30_036, Reaction::Unreachable("expired")),
    (30_037, Reaction::Misconfigured("suspended")),
    (30_038, Reaction::Misconfigured("filtered")),
    (30_039, Reaction::Misconfigured("filtered")),
    (30_040, Reaction::Misconfigured("registration")),
    (30_041, Reaction::Misconfigured("registration")),
    (30_042, Reaction::Misconfigured("sender")),
    (30_043, Reaction::Misconfigured("sender")),
    (30_044, Reaction::Misconfigured("rejected")),
    (30_410, Reaction::Again),
    (30_450, Reaction::Misconfigured("filtered")),
    (30_453, Reaction::Misconfigured("filtered")),
    (30_454, Reaction::Misconfigured("limit")),
    (30_485, Reaction::Misconfigured("filtered")),
    (30_500, Reaction::Again),
    (30_610, Reaction::Misconfigured("filtered")),
    (30_615, Reaction::Misconfigured("filtered")),
    (30_620, Reaction::Misconfigured("filtered")),
    (30_630, Reaction::Unreachable(OPTED_OUT)),
    (63_001, Reaction::Misconfigured("credentials")),
    (63_002, Reaction::Misconfigured("sender")),
    (63_003, Reaction::Unreachable("not_on_channel")),
    (63_005, Reaction::Misconfigured("rejected")),
    (63_006, Reaction::Misconfigured("rejected")),
    (63_007, Reaction::Misconfigured("sender")),
    (63_008, Reaction::Misconfigured("sender")),
    (63_009, Reaction::Again),
    (63_010, Reaction::Again),
    (63_011, Reaction::Misconfigured("rejected")),
    (63_012, Reaction::Again),
    (63_013, Reaction::Misconfigured("filtered")),
    (63_014, Reaction::Unreachable("blocked")),
    (63_015, Reaction::Misconfigured("sandboxed")),
    (63_016, Reaction::Unreachable("outside_window")),
    (63_017, Reaction::Again),
    (63_018, Reaction::Again),
    (63_019, Reaction::Misconfigured("rejected")),
    (63_020, Reaction::Misconfigured("suspended")),
    (63_021, Reaction::Misconfigured("rejected")),
    (63_022, Reaction::Misconfigured("registration")),
    (63_023, Reaction::Unreachable("undelivered")),
    (63_024, Reaction::Unreachable("not_on_channel")),
    (63_025, Reaction::Misconfigured("rejected")),
    (63_026, Reaction::Misconfigured("filtered")),
    (63_027, Reaction::Misconfigured("template")),
    (63_028, Reaction::Misconfigured("template")),
    (63_029, Reaction::Unreachable("undelivered")),
    (63_030, Reaction::Misconfigured("rejected")),
    (63_031, Reaction::Misconfigured("rejected")),
    (63_032, Reaction::Unreachable("withheld")),
    (63_033, Reaction::Unreachable(OPTED_OUT)),
    (63_034, Reaction::Misconfigured("rejected")),
    (63_035, Reaction::Misconfigured("sandboxed")),
    (63_036, Reaction::Unreachable("not_on_channel")),
    (63_037, Reaction::Misconfigured("rejected")),
    (63_038, Reaction::Misconfigured("limit")),
    (63_040, Reaction::Misconfigured("template")),
    (63_041, Reaction::Misconfigured("template")),
    (63_042, Reaction::Misconfigured("template")),
    (63_049, Reaction::Unreachable("withheld")),
    (63_051, Reaction::Misconfigured("suspended")),
    (63_052, Reaction::Misconfigured("template")),
    (63_106, Reaction::Unreachable("not_on_channel")),
    (63_112, Reaction::Misconfigured("suspended")),
];

/// Looks a documented error code up.
pub(super) fn reaction(code: u32) -> Option<Reaction> {
    ERRORS.iter().find(|(known, _)| *known == code).map(|(_, reaction)| *reaction)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use ports::SendError;
    use serde_json::json;

    use super::*;
    use crate::twilio::wire;

    #[test]
    fn documented_code_has_one_reaction_in_an_answer() {
        for (code, reaction) in ERRORS {
            let more = format!("https://www.twilio.com/docs/errors/{code}");
            let body = json!({ "code": code, "message": "m", "more_info": more, "status": 400 });
            let sent = wire::accepted(StatusCode::BAD_REQUEST, body.to_string().as_bytes());
            let error = sent.unwrap_err();
            let same = match (reaction, &error) {
                (Reaction::Again, SendError::Again(_)) => true,
                (Reaction::Unreachable(own), SendError::Unreachable { reason }) => own == reason,
                (Reaction::Misconfigured(own), SendError::Misconfigured { reason }) => {
                    own == reason
                }
                _ => false,
            };
            assert!(same, "{code}: {error:?}");
        }
        let codes: Vec<u32> = ERRORS.iter().map(|(code, _)| *code).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "each code occurs once");
        let reason = |code| match reaction(code) {
            Some(Reaction::Misconfigured(reason) | Reaction::Unreachable(reason)) => reason,
            Some(Reaction::Again) => "again",
            None => "none",
        };
        for (reactions, codes) in [
            ("registration", &[30_018, 30_032, 30_034, 30_040][..]),
            ("limit", &[30_023, 30_027, 30_454, 63_038]),
            ("sender", &[21_606, 21_703, 21_704, 21_705, 30_024, 63_007]),
            ("blocked", &[30_004, 63_014]),
            ("not_on_channel", &[63_003, 63_024, 63_036, 63_106]),
            ("opted_out", &[21_610, 30_630, 63_033]),
            ("again", &[20_429, 21_611, 30_001, 30_017, 30_022, 30_500, 63_018]),
            ("none", &[99_999]),
        ] {
            for code in codes {
                assert_eq!(reason(*code), reactions, "{code}");
            }
        }
    }
}
