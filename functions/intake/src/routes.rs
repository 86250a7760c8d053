//! The order in which a request's channels are tried.

use domain::ask::Customer;
use domain::brand::ChannelSetup;
use domain::problem::{Code, Problem};
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use futures_util::future::join_all;
use records::authentication::Requester;
use records::capability;
use records::contact::ChannelScope;

use crate::Intake;
use crate::channel_use::ChannelUse;
use crate::key_ceilings::require_channel;
use crate::params::CreateRequestParams;

/// The most channels that one request tries.
const ROUTES_MAX: usize = 8;

impl Intake {
    /// Returns the channels to try: the ones the caller named, or all that the brand has, best first.
    pub(crate) async fn routes(
        &self,
        requester: &Requester,
        params: &CreateRequestParams,
        address: &str,
        now: Timestamp,
    ) -> Result<Vec<ChannelName>, Problem> {
        let mut routes: Vec<ChannelName> = Vec::new();
        let channel_use = ChannelUse { session: params.session.kind, ask: &params.ask };
        match params.channels.as_deref() {
            None => {
                let setups = requester.brand.setup(requester.mode).channels.iter();
                let has_address =
                    |setup: &&ChannelSetup| params.customer.email.is_some() || !setup.is_email();
                let setups = setups.filter(|setup| channel_use.allows(requester, setup));
                let setups = setups.filter(has_address);
                let names = setups.map(|setup| setup.name.clone()).collect();
                routes = self.best_first(requester, names, address, now).await?;
            }
            Some(named) => {
                for name in named {
                    require_configured(requester, name)?;
                    require_channel(requester, name)?;
                    channel_use.require(requester, name)?;
                    require_address(requester, name, &params.customer)?;
                    if !routes.contains(name) {
                        routes.push(name.clone());
                    }
                }
            }
        }
        if routes.is_empty() {
            let detail = "the brand has no channel in this mode";
            return Err(Problem::new(Code::ChannelNotConfigured, detail));
        }
        routes.truncate(ROUTES_MAX);
        Ok(routes)
    }

    /// Returns the channels in their order. Those that said within the last minute that they cannot reach this
    /// customer come last. No channel is asked, because the customer is waiting.
    async fn best_first(
        &self,
        requester: &Requester,
        mut names: Vec<ChannelName>,
        address: &str,
        now: Timestamp,
    ) -> Result<Vec<ChannelName>, Problem> {
        names.retain(|name| requester.key.may_use(name));
        if names.len() < 2 {
            return Ok(names);
        }
        let cached = names.iter().map(|channel| async move {
            let scope =
                ChannelScope { brand: &requester.brand.name, mode: requester.mode, channel };
            let known = capability::load(self.ports.store.as_ref(), scope, address, now).await?;
            Ok(known.filter(|known| !known.reachable).map(|_| channel.clone()))
        });
        let cached: Result<Vec<Option<ChannelName>>, Problem> =
            join_all(cached).await.into_iter().collect();
        let unreachable: Vec<ChannelName> = cached?.into_iter().flatten().collect();
        names.sort_by_key(|name| unreachable.contains(name));
        Ok(names)
    }
}

/// Refuses a channel that sends mail, for a customer without an e-mail address.
fn require_address(
    requester: &Requester,
    name: &ChannelName,
    customer: &Customer,
) -> Result<(), Problem> {
    if customer.email.is_some() || !requester.brand.is_email_channel(requester.mode, name) {
        return Ok(());
    }
    let detail = format!("the channel `{name}` sends mail, so it needs `customer.email`");
    Err(Problem::new(Code::ChannelNotConfigured, detail))
}

/// Refuses a channel that the brand does not have in this mode.
pub(crate) fn require_configured(requester: &Requester, name: &ChannelName) -> Result<(), Problem> {
    let configured = &requester.brand.setup(requester.mode).channels;
    if configured.iter().any(|channel| channel.name == *name) {
        return Ok(());
    }
    Err(Problem::new(
        Code::ChannelNotConfigured,
        format!("the brand has no channel named {name} in this mode"),
    ))
}
