//! The parts of Stripe that `emulate` lacks: prices that come with a session, and its result.
//!
//! Nothing here is money: whether a session was paid, is open or expired is what the stand-in says.

use http::Method;
use ports::HttpError;
use serde_json::{Value, json};

use super::{Answer, IncomingCall, State, lock};

/// The details of a session that the stand-in does not tell.
#[derive(Clone)]
pub(super) struct Session {
    /// Its id there. Those of Stripe have no hyphens.
    pub(super) id: String,
    /// Its price, for a payment; read back from the stand-in.
    pub(super) price: Option<(u64, String)>,
    closes_at: String,
    reference: String,
    /// Whose card it keeps, where it keeps one.
    customer: Option<String>,
}

/// What one item of a session's costs, and in what.
const AMOUNT: &str = "line_items[0][price_data][unit_amount]";
const CURRENCY: &str = "line_items[0][price_data][currency]";
const NAME: &str = "line_items[0][price_data][product_data][name]";

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An id as Stripe might write it.
fn plain(id: &str) -> String {
    id.replace('-', "0")
}

impl State {
    pub(super) async fn create_session(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let field = |name: &str| arrived.field(name).unwrap_or_default();
        let mut form = vec![
            ("mode".to_owned(), field("mode")),
            ("success_url".to_owned(), field("success_url")),
            ("cancel_url".to_owned(), field("cancel_url")),
            ("metadata[request_id]".to_owned(), field("metadata[request_id]")),
        ];
        let mut session = Session {
            id: String::new(),
            price: None,
            closes_at: field("expires_at"),
            reference: field("client_reference_id"),
            customer: None,
        };
        if field("mode") == "payment" {
            let product = self.makes("/v1/products", &[("name", &field(NAME))]).await?;
            let (amount, currency) = (field(AMOUNT), field(CURRENCY));
            let of = text(&product, "id");
            let price = [("product", &*of), ("unit_amount", &amount), ("currency", &currency)];
            let price = self.makes("/v1/prices", &price).await?;
            form.push(("line_items[0][price]".to_owned(), text(&price, "id")));
            form.push(("line_items[0][quantity]".to_owned(), "1".to_owned()));
            let amount = price.get("unit_amount").and_then(Value::as_u64).unwrap_or_default();
            session.price = Some((amount, text(&price, "currency")));
        } else {
            let customer = self.makes("/v1/customers", &[]).await?;
            session.customer = Some(plain(&text(&customer, "id")));
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let bare = IncomingCall { body: body.into(), ..arrived.clone() };
        let answer = self.forward(&self.checkout, &bare).await?;
        session.id = text(&answer.json(), "id");
        lock(&self.sessions).insert(plain(&session.id), session);
        Ok(self.whole(answer))
    }

    /// Reads or closes a session.
    pub(super) async fn about_session(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let id = arrived.id();
        let known = lock(&self.sessions).get(&id).map(|session| session.id.clone());
        let path = arrived.path_and_query.replace(&id, &known.unwrap_or_else(|| id.clone()));
        let there = IncomingCall { path_and_query: path, ..arrived.clone() };
        let answer = self.forward(&self.checkout, &there).await?;
        Ok(self.whole(answer))
    }

    async fn makes(&self, path: &str, form: &[(&str, &str)]) -> Result<Value, HttpError> {
        let call = IncomingCall::own(Method::POST, path, form);
        Ok(self.forward(&self.checkout, &call).await?.json())
    }

    /// A session with what Stripe would tell of it. How a card that was kept looks is recorded.
    fn whole(&self, answer: Answer) -> Answer {
        let mut session = answer.json();
        let id = plain(&text(&session, "id"));
        let known = lock(&self.sessions).get(&id).cloned();
        let complete = text(&session, "status") == "complete";
        let (Some(known), Some(fields)) = (known, session.as_object_mut()) else { return answer };
        fields.insert("id".to_owned(), json!(id));
        fields.insert("client_reference_id".to_owned(), json!(known.reference));
        fields.insert("expires_at".to_owned(), json!(known.closes_at.parse::<i64>().ok()));
        match &known.price {
            Some((amount, currency)) => {
                fields.insert("amount_total".to_owned(), json!(amount));
                fields.insert("currency".to_owned(), json!(currency));
                let intent = complete.then(|| id.replacen("cs_", "pi_", 1));
                fields.insert("payment_intent".to_owned(), json!(intent));
            }
            None if complete => {
                fields.insert("setup_intent".to_owned(), kept(&id, known.customer.as_deref()));
            }
            None => {}
        }
        Answer { body: session.to_string().into(), ..answer }
    }
}

/// A SetupIntent that succeeded, as Stripe's `OpenAPI` fixtures have it, with its card expanded.
fn kept(session: &str, customer: Option<&str>) -> Value {
    json!({
        "id": session.replacen("cs_", "seti_", 1),
        "object": "setup_intent",
        "status": "succeeded",
        "usage": "off_session",
        "customer": customer,
        "payment_method": {
            "id": session.replacen("cs_", "pm_", 1),
            "object": "payment_method",
            "type": "card",
            "card": { "brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030, "wallet": null },
        },
    })
}
