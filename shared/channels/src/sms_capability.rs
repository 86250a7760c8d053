//! The capability of a phone by SMS, at every provider.

use ports::{Capability, ReceiptKinds};

/// Returns what any phone can do by SMS. Only a sent text shows whether the number is a phone at all.
pub(crate) fn capability(receipts: ReceiptKinds) -> Capability {
    Capability {
        reachable: true,
        rich: false,
        wallets: Vec::new(),
        receipts,
        reason: Some("not_checked"),
    }
}
