//! `/v1/customers/{phone}`: what is kept of a customer, and its erasure.

use std::time::Duration;

use bytes::Bytes;
use domain::ask::Ask;
use domain::brand::BrandScope;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::message::Task;
use domain::problem::{Code, FieldError, Problem};
use domain::values::email::Email;
use domain::values::phone::Phone;
use http::{HeaderMap, Response, StatusCode};
use ports::StoreError;
use records::authentication::Requester;
use records::contact::ChannelScope;
use records::customers::{CustomerItem, CustomerScope};
use records::effects::send_task;
use records::erasures::Erasure;
use records::limits::AddressLimits;
use records::update::retry_conflicts;
use records::{claims, contact, customers, erasures, limits, opt_outs, saved_cards, storage};
use serde_json::{Value, json};

use crate::operation::Operation;
use crate::payment_methods::card_view;
use crate::start_error::StartError;
use crate::{CALL_MAX, Intake, json};

/// The most requests that an answer lists.
const REQUESTS_MAX: usize = 100;

/// Reads the number of a path.
fn number(text: &str) -> Result<Phone, Problem> {
    text.parse().map_err(|error: domain::values::phone::InvalidPhone| {
        Problem::fields(vec![FieldError::in_parameter("phone", "value", error.to_string())])
    })
}

/// The content of a page of a customer's items, beside what the address alone names.
#[derive(Default)]
struct CustomerItems {
    cards: Vec<Value>,
    /// The e-mail addresses of the listed requests, each once.
    emails: Vec<Email>,
    handles: Vec<Value>,
    requests: Vec<Value>,
    /// Whether more requests are kept than are listed.
    more: bool,
}

impl Intake {
    /// `GET /v1/customers/{phone}`: what is kept of a customer, and how far their erasure is. No secret is shown.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn customer(
        &self,
        headers: &HeaderMap,
        phone: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadCustomer).await?;
        let phone = number(phone)?;
        let address = keys::address_hash(&requester.brand.address_key, &phone);
        let of = requester.scope();
        let customer = CustomerScope { of, address: &address };
        let view = self.customer_view(&requester, customer, &phone).await?;
        Ok(json(StatusCode::OK, &view))
    }

    /// `DELETE /v1/customers/{phone}`: erases a customer. `202` and what is under way. A repeat changes nothing, and hands
    /// a lost erasure over again.
    ///
    /// # Errors
    /// A [`Problem`]; [`Code::CustomerHasOpenRequests`] while a request of the customer is open.
    pub async fn erase_customer(
        &self,
        headers: &HeaderMap,
        phone: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::EraseCustomer).await?;
        let phone = number(phone)?;
        let address = keys::address_hash(&requester.brand.address_key, &phone);
        let of = requester.scope();
        let customer = CustomerScope { of, address: &address };
        let (brand, queue) = (requester.brand.name.clone(), self.ports.queue.as_ref());
        let task = Task::EraseCustomer { brand, mode: of.mode, address: address.clone() };
        // The task goes ahead of the write, so that a crash in between loses nothing.
        send_task(queue, task.clone(), CALL_MAX).await?;
        retry_conflicts(|| self.start_erasure(customer)).await?;
        send_task(queue, task, Duration::ZERO).await?;
        tracing::info!(brand.name = %requester.brand.name, "customer is being erased");
        let view = self.customer_view(&requester, customer, &phone).await?;
        Ok(json(StatusCode::ACCEPTED, &view))
    }

    /// Records that a customer is to be erased, unless that is recorded or a request of theirs is open.
    ///
    /// A new request writes the customer's limits, and so does this. Of the two, one decides again.
    async fn start_erasure(&self, customer: CustomerScope<'_>) -> Result<(), StartError> {
        let store = self.ports.store.as_ref();
        let (known, base) = limits::load(store, customer.of, customer.address).await?;
        let before = erasures::load(store, customer).await?;
        if before.as_ref().is_some_and(|(erasure, _)| erasure.done_at.is_none()) {
            return Ok(());
        }
        let now = self.ports.clock.now();
        let open = customers::open_request(store, customer, None, now).await?;
        if let Some(open) = open.filter(|_| !guards::is_disabled(Guard::NoErasureDuringRequest)) {
            let detail = format!("{open} is open");
            return Err(Problem::new(Code::CustomerHasOpenRequests, detail).into());
        }
        let barred = AddressLimits { erasing_since: Some(now), asks: Vec::new(), ..known };
        let writes = vec![
            limits::put(customer.of, customer.address, &barred, base, now)?,
            erasures::put(customer, &Erasure::asked(now), before.map(|(_, version)| version))?,
        ];
        Ok(store.write(writes).await?)
    }

    async fn customer_view(
        &self,
        requester: &Requester,
        customer: CustomerScope<'_>,
        phone: &Phone,
    ) -> Result<Value, Problem> {
        let store = self.ports.store.as_ref();
        let kept = self.kept(customer).await?;
        let erasure = erasures::load(store, customer).await?.map(|(erasure, _)| erasure);
        let (known, _) = limits::load(store, customer.of, customer.address).await?;
        let (words, _) = opt_outs::load(store, customer.of, customer.address).await?;
        let now = self.ports.clock.now();
        let device = storage::device_wallets(store, customer.of, customer.address, now).await?;
        Ok(json!({
            "phone": phone.masked(),
            "erasure": erasure.as_ref().map(erasure_view),
            "opt_out": { "opted_out": words.is_opted_out(), "stopped_at": words.stopped_at,
                "started_at": words.started_at },
            "cooldown_until": known.cooldown_until.filter(|until| *until > now),
            "prompts_in_24_hours": known.prompts.iter().filter(|at| at.after(DAY) > now).count(),
            "cards": kept.cards,
            "contacts": self.contacts(requester, customer).await?,
            "handles": kept.handles,
            "emails": self.email_views(requester, &kept.emails).await?,
            "device": device.map(|device| json!({ "wallets": device.wallets, "at": device.at })),
            "requests": kept.requests,
            "more_requests": kept.more,
        }))
    }

    /// Shows the e-mail addresses of a customer, and whether their reader unsubscribed.
    async fn email_views(
        &self,
        requester: &Requester,
        emails: &[Email],
    ) -> Result<Vec<Value>, StoreError> {
        let mut views = Vec::new();
        for email in emails {
            let address = keys::email_hash(&requester.brand.address_key, email);
            let (store, scope) = (self.ports.store.as_ref(), requester.scope());
            let (words, _) = opt_outs::load(store, scope, &address).await?;
            let stopped_at = words.stopped_at;
            views.push(json!({ "email": email.masked(), "opted_out": words.is_opted_out(), "stopped_at": stopped_at }));
        }
        Ok(views)
    }

    /// Reads what the customer's items name, page by page.
    async fn kept(&self, customer: CustomerScope<'_>) -> Result<CustomerItems, StoreError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let (mut kept, mut after) = (CustomerItems::default(), None);
        loop {
            let page = customers::list(store, customer, after, now).await?;
            for item in page.items {
                self.add(&mut kept, customer, item).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(kept);
            }
        }
    }

    async fn add(
        &self,
        kept: &mut CustomerItems,
        customer: CustomerScope<'_>,
        item: CustomerItem,
    ) -> Result<(), StoreError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let BrandScope { brand, mode } = customer.of;
        match item {
            CustomerItem::Handle { channel, .. } => {
                kept.handles.push(json!({ "channel": channel }));
            }
            CustomerItem::Card { card } => {
                let known = saved_cards::load(store, brand, mode, card).await?;
                kept.cards.extend(known.map(|known| card_view(card, &known)));
            }
            CustomerItem::Request { .. } if kept.requests.len() >= REQUESTS_MAX => kept.more = true,
            CustomerItem::Request { request } => {
                let Some(loaded) = storage::load(store, request).await? else { return Ok(()) };
                if let Some(email) = &loaded.request.customer.email
                    && kept.emails.iter().all(|known| known.folded() != email.folded())
                {
                    kept.emails.push(email.clone());
                }
                let has_claims = matches!(loaded.request.ask, Ask::Identity { .. })
                    && claims::load(store, request, now).await?.is_some();
                kept.requests.push(json!({
                    "id": request,
                    "kind": loaded.request.ask.kind(),
                    "state": loaded.request.state_name(),
                    "created_at": loaded.request.created_at,
                    "claims": has_claims,
                }));
            }
        }
        Ok(())
    }

    /// Reads the customer's contact on each channel of the brand.
    async fn contacts(
        &self,
        requester: &Requester,
        customer: CustomerScope<'_>,
    ) -> Result<Vec<Value>, StoreError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let BrandScope { brand, mode } = customer.of;
        let mut contacts = Vec::new();
        for setup in &requester.brand.setup(mode).channels {
            let at = ChannelScope { brand, mode, channel: &setup.name };
            let (contact, version) = contact::load(store, at, customer.address, now).await?;
            if version.is_none() {
                continue;
            }
            contacts.push(json!({
                "channel": setup.name,
                "last_message_at": contact.last_inbound,
                "device_features": contact.features,
                "has_handle": contact.handle.is_some(),
            }));
        }
        Ok(contacts)
    }
}

const DAY: Duration = Duration::from_secs(86_400);

fn erasure_view(erasure: &Erasure) -> Value {
    let state = if erasure.done_at.is_some() { "done" } else { "under_way" };
    json!({
        "state": state,
        "asked_at": erasure.asked_at,
        "done_at": erasure.done_at,
        "waits_for": erasure.waits_for,
    })
}
