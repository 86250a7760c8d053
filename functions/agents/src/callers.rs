//! The platforms that invoke the function, and the brand that each belongs to.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::api_key::CallerArn;
use domain::values::name::BrandName;

/// The setting of a function that no platform invokes.
const OFF: &str = "off";

/// The brand of each platform that may invoke the function. The brand's secret must list the platform, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers(BTreeMap<String, BrandName>);

/// A setting that names no platforms.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("callers are `off`, or `<brand>=<ARN>` separated by commas, with each ARN once")]
pub struct InvalidCallers;

impl Callers {
    /// Returns the brand of a platform; `None` for an unknown one.
    #[must_use]
    pub fn brand(&self, arn: &str) -> Option<&BrandName> {
        self.0.get(arn)
    }
}

impl FromIterator<(String, BrandName)> for Callers {
    /// Collects ARNs with their brands. Of one ARN, the last brand counts.
    fn from_iter<I: IntoIterator<Item = (String, BrandName)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl FromStr for Callers {
    type Err = InvalidCallers;

    fn from_str(text: &str) -> Result<Self, InvalidCallers> {
        let mut brands = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            if entry == OFF {
                continue;
            }
            let (brand, arn) = entry.split_once('=').ok_or(InvalidCallers)?;
            let arn: CallerArn = arn.trim().parse().map_err(|_not_an_arn| InvalidCallers)?;
            let brand = brand.trim().parse().map_err(|_not_a_name| InvalidCallers)?;
            if brands.insert(arn.to_string(), brand).is_some() {
                return Err(InvalidCallers);
            }
        }
        Ok(Self(brands))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_name_the_brand_of_each_arn() {
        let instance = "arn:aws:connect:eu-west-1:123456789012:instance/a";
        let bot = "arn:aws:lex:eu-west-1:123456789012:bot-alias/B/A";
        let callers: Callers = format!("acme={instance}, other={bot}").parse().unwrap();
        assert_eq!(callers.brand(instance).map(BrandName::as_str), Some("acme"));
        assert_eq!(callers.brand(bot).map(BrandName::as_str), Some("other"));
        assert_eq!(callers.brand("arn:aws:connect:eu-west-1:123456789012:instance/b"), None);
        assert_eq!("off".parse::<Callers>(), Ok(Callers::default()));
        assert_eq!("".parse::<Callers>(), Ok(Callers::default()));
        let twice = format!("acme={instance},other={instance}");
        for bad in ["acme", "acme=", &format!("Acme Ltd={instance}"), &twice, "acme=arn:aws:s3:::a"]
        {
            assert_eq!(bad.parse::<Callers>(), Err(InvalidCallers), "{bad}");
        }
    }
}
