//! `GET /v1/brand`: the brand as a caller may know it, without a setting's value.

use bytes::Bytes;
use domain::api_key::Right;
use domain::brand::{Brand, Setup};
use domain::problem::Problem;
use domain::values::country::Country;
use http::{HeaderMap, Response, StatusCode};
use records::authentication::Requester;
use serde_json::{Value, json};
use texts::TextLanguage;

use crate::number_policy::own_regions;
use crate::operation::Operation;
use crate::{Intake, json};

impl Intake {
    /// `GET /v1/brand`: the brand's names, its own country and currency, what the mode has, and the caller's key.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn brand(&self, headers: &HeaderMap) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadBrand).await?;
        Ok(json(StatusCode::OK, &view(&requester)))
    }
}

fn view(requester: &Requester) -> Value {
    let (brand, key) = (requester.brand.as_ref(), &requester.key);
    let setup = brand.setup(requester.mode);
    let rights = Right::ALL.iter().filter(|right| key.has(**right));
    json!({
        "name": brand.name,
        "display_name": brand.display_name,
        "mode": requester.mode,
        "language": brand.language,
        "languages": TextLanguage::ALL.map(TextLanguage::tag),
        "country": country(brand, setup),
        "currency": brand.currency,
        "channels": named(setup.channels.iter().map(|one| (one.name.as_str(), &one.kind))),
        "processors": named(setup.processors.iter().map(|one| (one.name.as_str(), &one.kind))),
        "webhooks": setup.webhooks.is_some(),
        "key": {
            "id": key.id(),
            "kind": key.kind,
            "label": key.label,
            "may": rights.map(|right| right.as_str()).collect::<Vec<_>>(),
        },
    })
}

/// Returns the brand's country: the one in its settings, or that of its own numbers where they have one alone.
fn country(brand: &Brand, setup: &Setup) -> Option<Country> {
    let of_numbers = || {
        let regions = own_regions(&setup.channels);
        let only = regions.first().filter(|_| regions.len() == 1)?;
        only.parse().ok()
    };
    brand.country.clone().or_else(of_numbers)
}

fn named<'a>(parts: impl Iterator<Item = (&'a str, &'a String)>) -> Value {
    parts.map(|(name, kind)| json!({ "name": name, "kind": kind })).collect()
}
