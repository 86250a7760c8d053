//! Each error code that Meta documents for messages, with its reaction.
//!
//! Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>, by third-party
//! copies of 2025-12 and 2026-05, read 2026-11-26. UNVERIFIED: the meaning of some codes is second hand, and codes that Meta
//! added later are missing. Before going live, compare the table with the page.

use std::ops::RangeInclusive;

use ports::OUTSIDE_WINDOW;

use ports::OPTED_OUT;

use crate::answers::Reaction;

/// The codes of a missing permission.
pub(super) const PERMISSIONS: RangeInclusive<u32> = 200..=299;

/// The documented codes, sorted: as the answer to a call, or in a later status.
pub(super) const ERRORS: &[(u32, Reaction)] = &[
    (0, Reaction::Misconfigured("credentials")),
    (2, Reaction::Again),
    (3, Reaction::Misconfigured("permission")),
    (4, Reaction::Again),
    (10, Reaction::Misconfigured("permission")),
    (17, Reaction::Again),
    (33, Reaction::Misconfigured("sender")),
    (100, Reaction::Misconfigured("rejected")),
    (190, Reaction::Misconfigured("credentials")),
    (368, Reaction::Misconfigured("suspended")),
    (80_007, Reaction::Again),
    (80_008, Reaction::Again),
    (130_429, Reaction::Again),
    (130_472, Reaction::Unreachable("withheld")),
    (130_497, Reaction::Unreachable("country")),
    (131_000, Reaction::Again),
    (131_005, Reaction::Misconfigured("permission")),
    (131_008, Reaction::Misconfigured("rejected")),
    (131_009, Reaction::Misconfigured("rejected")),
    (131_016, Reaction::Again),
    (131_021, Reaction::Unreachable("unreachable")),
    (131_026, Reaction::Unreachable("not_on_channel")),
    (131_030, Reaction::Misconfigured("sandboxed")),
    (131_031, Reaction::Misconfigured("suspended")),
    (131_037, Reaction::Misconfigured("registration")),
    (131_042, Reaction::Misconfigured("billing")),
    (131_043, Reaction::Unreachable("expired")),
    (131_045, Reaction::Misconfigured("registration")),
    (131_046, Reaction::Misconfigured("registration")),
    // More than 24 hours passed since the customer's last message, so Meta takes only a template.
    (131_047, Reaction::Unreachable(OUTSIDE_WINDOW)),
    (131_048, Reaction::Again),
    (131_049, Reaction::Unreachable("withheld")),
    (131_050, Reaction::Unreachable(OPTED_OUT)),
    (131_051, Reaction::Misconfigured("rejected")),
    (131_052, Reaction::Misconfigured("rejected")),
    (131_053, Reaction::Misconfigured("rejected")),
    (131_054, Reaction::Misconfigured("rejected")),
    (131_055, Reaction::Misconfigured("rejected")),
    (131_056, Reaction::Again),
    (131_057, Reaction::Again),
    (131_063, Reaction::Unreachable("country")),
    (132_000, Reaction::Misconfigured("template")),
    (132_001, Reaction::Misconfigured("template")),
    (132_005, Reaction::Misconfigured("template")),
    (132_007, Reaction::Misconfigured("template")),
    (132_008, Reaction::Misconfigured("template")),
    (132_012, Reaction::Misconfigured("template")),
    (132_015, Reaction::Misconfigured("template")),
    (132_016, Reaction::Misconfigured("template")),
    (132_018, Reaction::Misconfigured("template")),
    (132_068, Reaction::Misconfigured("template")),
    (132_069, Reaction::Again),
    (133_004, Reaction::Again),
    (133_010, Reaction::Misconfigured("registration")),
    (134_101, Reaction::Misconfigured("template")),
    (134_102, Reaction::Misconfigured("template")),
    (135_000, Reaction::Misconfigured("rejected")),
    (137_000, Reaction::Misconfigured("rejected")),
];

/// Looks a documented error code up.
pub(super) fn reaction(code: u32) -> Option<Reaction> {
    if PERMISSIONS.contains(&code) {
        return Some(Reaction::Misconfigured("permission"));
    }
    ERRORS.iter().find(|(known, _)| *known == code).map(|(_, reaction)| *reaction)
}
