//! The operations on tokens, payment methods and customers.

use super::StandIn;
use crate::calls::{ApiCall, ApiError, ApiReply, Form};
use crate::cards;
use crate::ids::id;
use crate::ledger::{Entry, SandboxObject};
use crate::objects::method::{Customer, PaymentMethod, Token};

/// Returns the test card behind a token. A token that is not Stripe's own has a good card.
fn card_of(token: &str) -> String {
    let named = token.strip_prefix("tok_").map(|name| format!("pm_card_{name}"));
    let named = named.filter(|name| cards::card(name).is_some());
    named.unwrap_or_else(|| "pm_card_visa".to_owned())
}

impl StandIn {
    /// Serves `POST /v1/tokens`. Any encrypted payment data counts as a card.
    pub(crate) async fn make_token(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let form = Form::of(call.body);
        self.creates(call, "tok_", |id| {
            if form.text("pk_token_transaction_id").is_empty() {
                return Err(ApiReply::invalid(400, "parameter_missing"));
            }
            Ok(SandboxObject::Token(Token { id, wallet: "apple_pay".to_owned(), spent_by: None }))
        })
        .await
    }

    /// Serves `POST /v1/payment_methods`. A token works once, except Stripe's test tokens.
    pub(crate) async fn make_method(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let token = Form::of(call.body).text("card[token]");
        if !token.starts_with("tok_") {
            return Ok(ApiReply::invalid(400, "parameter_missing"));
        }
        let method = id("pm_", call.key);
        let entry = self.ledger.read(&token).await?;
        let known = match &entry {
            Some(Entry { object: SandboxObject::Token(token), .. }) => Some(token),
            Some(_) | None => None,
        };
        if known.and_then(|token| token.spent_by.as_ref()).is_some_and(|by| *by != method) {
            return Ok(ApiReply::invalid(400, "token_already_used"));
        }
        let for_tests = cards::card(&token.replacen("tok_", "pm_card_", 1)).is_some();
        let wallet = match known {
            Some(token) => Some(token.wallet.clone()),
            None if for_tests => None,
            None => Some("google_pay".to_owned()),
        };
        let spent = wallet.clone().map(|wallet| {
            let spent_by = Some(method);
            let object = SandboxObject::Token(Token { id: token.clone(), wallet, spent_by });
            match entry {
                Some(entry) => Entry { object, ..entry },
                None => self.entry(object),
            }
        });
        self.creates_with(call, "pm_", spent, |id| {
            Ok(SandboxObject::Method(PaymentMethod {
                id,
                card: card_of(&token),
                wallet,
                customer: None,
            }))
        })
        .await
    }

    /// Serves `POST /v1/customers`.
    pub(crate) async fn make_customer(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        self.creates(call, "cus_", |id| Ok(SandboxObject::Customer(Customer::new(id, None)))).await
    }

    /// Serves `GET /v1/payment_methods/{id}`. It names its customer while it is saved.
    pub(crate) async fn read_method(&self, id: &str) -> Result<ApiReply, ApiError> {
        let Some(method) = self.method(id).await? else { return Ok(ApiReply::missing()) };
        let customer = match &method.customer {
            Some(customer) if self.keeps(customer, id).await? => Some(customer.as_str()),
            Some(_) | None => None,
        };
        Ok(ApiReply::new(200, &method.to_json(customer)))
    }

    /// Serves `POST /v1/payment_methods/{id}/detach`. A method that is not saved is refused without a code, as by Stripe.
    pub(crate) async fn detach_method(&self, id: &str) -> Result<ApiReply, ApiError> {
        let Some(method) = self.method(id).await? else { return Ok(ApiReply::missing()) };
        let mut entry = match &method.customer {
            Some(customer) => self.ledger.find(customer).await?,
            None => None,
        };
        if let Some(entry) = &mut entry
            && let SandboxObject::Customer(customer) = &mut entry.object
            && customer.detach(id)
        {
            self.ledger.write(&[&*entry]).await?;
            return Ok(ApiReply::new(200, &method.to_json(None)));
        }
        Ok(ApiReply::error(400, "invalid_request_error", None))
    }

    /// Reads a payment method. Each test card is one too.
    pub(crate) async fn method(&self, id: &str) -> Result<Option<PaymentMethod>, ApiError> {
        if cards::card(id).is_some() {
            let (id, card) = (id.to_owned(), id.to_owned());
            return Ok(Some(PaymentMethod { id, card, wallet: None, customer: None }));
        }
        Ok(match self.ledger.find(id).await?.map(|entry| entry.object) {
            Some(SandboxObject::Method(method)) => Some(method),
            Some(
                SandboxObject::Intent(_)
                | SandboxObject::Setup(_)
                | SandboxObject::Session(_)
                | SandboxObject::Customer(_)
                | SandboxObject::Token(_),
            )
            | None => None,
        })
    }
}
