//! Payment methods on file: they are read and detached.

use serde_json::{Value, json};

use super::status::Status;
use super::{Stripe, fault};
use crate::providers::Answer;

impl Stripe {
    /// Takes a card off file. One that is off file is refused, without a code.
    pub(crate) fn detach(&mut self, method: &str) -> Answer {
        let (status, answer) = self.read_method(method);
        if status != 200 {
            return (status, answer);
        }
        if !self.detached.insert(method.to_owned()) {
            return (400, json!({ "error": { "type": "invalid_request_error" } }));
        }
        self.read_method(method)
    }

    /// Returns a payment method, with the customer whose it is.
    pub(crate) fn read_method(&self, method: &str) -> Answer {
        let setup = method.strip_prefix("pm_kept_").and_then(|id| self.setups.get(id));
        let Some(setup) = setup.filter(|setup| setup.status == Status::Succeeded) else {
            return fault(404, "invalid_request_error", "resource_missing");
        };
        let is_off_file = self.detached.contains(method);
        let customer = if is_off_file { Value::Null } else { json!(setup.customer) };
        (200, json!({ "id": method, "object": "payment_method", "customer": customer }))
    }
}
