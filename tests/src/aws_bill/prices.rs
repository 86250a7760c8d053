//! List prices, in ten-thousandths of a millionth of a dollar, so that a sum is exact.

use std::fmt;

use super::meter::{MeteredCall, Operation};

/// The price sheet. The run time of the functions is not in it.
///
/// UNVERIFIED: the prices stand in copies of these pages of aws.amazon.com. The pages themselves were not read.
pub const SHEET: &str = "list prices of us-east-1 (2026-11-26, from copies of aws.amazon.com/dynamodb/pricing/on-demand, \
                         /sqs/pricing, /lambda/pricing and /api-gateway/pricing)";

/// DynamoDB on demand: $0.125 a million read units. This is half a unit.
const HALF_READ: u64 = 625;
/// DynamoDB on demand: $0.625 a million write units.
const WRITE: u64 = 6_250;
/// SQS, a standard queue: $0.40 a million calls.
const QUEUE_CALL: u64 = 4_000;
/// Lambda: $0.20 a million invocations.
const INVOCATION: u64 = 2_000;
/// HTTP API: $1.00 a million calls.
const HTTP_CALL: u64 = 10_000;

/// An amount of money for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub u64);

impl fmt::Display for Cost {
    /// Writes the dollars for a thousand requests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths_of_a_cent = self.0.div_ceil(1_000);
        write!(f, "${}.{:04}", hundredths_of_a_cent / 10_000, hundredths_of_a_cent % 10_000)
    }
}

/// The price of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Price {
    /// The table: units of read and write.
    pub table: Cost,
    /// The queues: our sends, and a receive and a delete of each message by Lambda.
    pub queues: Cost,
    /// Lambda's invocations, and the HTTP API's calls.
    pub calls: Cost,
}

impl Price {
    /// Returns the sum.
    #[must_use]
    pub const fn total(&self) -> Cost {
        Cost(self.table.0 + self.queues.0 + self.calls.0)
    }
}

/// The numbers that a price is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amounts {
    pub(super) half_reads: u64,
    pub(super) writes: u64,
    pub(super) sends: u64,
    /// The messages that were handled.
    pub(super) messages: u64,
    /// The calls of the HTTP API that were answered.
    pub(super) served: u64,
}

impl Amounts {
    pub(super) fn count(&mut self, call: &MeteredCall) {
        self.half_reads += call.half_reads;
        self.writes += call.writes;
        let is_send =
            matches!(call.operation, Operation::SendMessage | Operation::SendMessageBatch);
        self.sends += u64::from(is_send);
    }

    pub(super) const fn price(&self) -> Price {
        Price {
            table: Cost(self.half_reads * HALF_READ + self.writes * WRITE),
            queues: Cost((self.sends + 2 * self.messages) * QUEUE_CALL),
            calls: Cost((self.messages + self.served) * INVOCATION + self.served * HTTP_CALL),
        }
    }
}
