//! `POST /v1/capabilities`: which routes could reach this customer now, best first.

use bytes::Bytes;
use domain::caller::Requester;
use domain::contact::{self, Place};
use domain::ports::{Capability, ReceiptKinds};
use domain::problem::Problem;
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use domain::{keys, storage};
use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::{Intake, json, wanted};

#[derive(Serialize)]
struct RouteView {
    channel: ChannelName,
    #[serde(flatten)]
    capability: Capability,
}

impl Intake {
    /// Answers for all of the brand's channels at once.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn capabilities(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers).await?;
        let phone = wanted::capabilities(body)?.customer.phone;
        let address = keys::address_hash(&requester.brand.address_key, &phone);
        let stop = storage::stop_key(&requester.brand.name, &address);
        let stopped = self.store.read(&stop).await?.is_some();
        let channels = &requester.brand.setup(requester.mode).channels;
        let to = (&phone, address.as_str());
        let asked = channels.iter().map(|channel| self.route(&requester, &channel.name, to));
        let asked: Result<_, Problem> = join_all(asked).await.into_iter().collect();
        let mut routes: Vec<RouteView> = asked?;
        if stopped {
            for route in &mut routes {
                route.capability.reachable = false;
                route.capability.reason = Some("opted_out");
            }
        }
        // Stable: those that can be reached keep the brand's own order among themselves.
        routes.sort_by_key(|route| !route.capability.reachable);
        Ok(json(StatusCode::OK, &json!({ "routes": routes })))
    }

    async fn route(
        &self,
        requester: &Requester,
        name: &ChannelName,
        (phone, address): (&Phone, &str),
    ) -> Result<RouteView, Problem> {
        let now = self.clock.now();
        let place = Place { brand: &requester.brand.name, mode: requester.mode, channel: name };
        let (contact, _) = contact::load(self.store.as_ref(), place, address, now).await?;
        let capability = match self.channels.open(&requester.brand, requester.mode, name) {
            Ok(channel) => channel.capability(phone, &contact, now).await,
            Err(error) => {
                tracing::error!(channel.name = %name, error = %error, "a channel cannot be opened");
                Capability {
                    reachable: false,
                    rich: false,
                    wallets: Vec::new(),
                    receipts: ReceiptKinds { delivered: false, read: false },
                    reason: Some("channel_settings"),
                }
            }
        };
        Ok(RouteView { channel: name.clone(), capability })
    }
}
