//! Adyen's books, which are compared at the end.

use domain::outcome::Outcome;
use domain::request::State;

use super::RequestRecord;
use crate::sim::Environment;

impl Environment {
    /// Compares Adyen's books with the requests, once all its webhooks came.
    pub(in crate::sim) fn compare_adyen(&mut self) {
        let mut wrong: Vec<String> = self.adyen.complaints().to_vec();
        for RequestRecord { request, .. } in self.oracle.requests.values() {
            let State::Closed { outcome, .. } = &request.state else { continue };
            let due: Vec<u64> = match outcome {
                Outcome::Fulfilled { .. } => {
                    request.ask.money().map(|m| m.amount()).into_iter().collect()
                }
                Outcome::Denied { .. }
                | Outcome::Expired
                | Outcome::Cancelled
                | Outcome::Undeliverable { .. }
                | Outcome::Failed { .. } => Vec::new(),
            };
            let names = (1..=request.attempts.len()).map(|no| format!("{}.{no}", request.id));
            let charged: Vec<u64> = names
                .flat_map(|name| self.adyen.charges(&name))
                .map(|charge| charge.amount)
                .collect();
            if request.processor.as_str() == "adyen" && charged != due {
                let state = outcome.state_name();
                wrong.push(format!("C2: {} is {state}, and Adyen charged {charged:?}", request.id));
            }
        }
        self.oracle.broken.extend(wrong);
    }
}
