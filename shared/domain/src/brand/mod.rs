//! A brand and its one secret.
//!
//! The secret is JSON, documented in `functions/brand-secret.md`. Unknown fields are refused, so that a misspelt setting is
//! found when the secret is read.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::api_key::KeySettings;
use crate::branding::Branding;
pub use crate::policy::{Countries, Policy};
pub use crate::seal_keys::{PublicKey, PublicKeyRing};
pub use crate::settings::{InvalidSettings, Settings};
use crate::values::country::Country;
use crate::values::language::Language;
use crate::values::money::Currency;
use crate::values::name::{BrandName, ChannelName, ProcessorName};
use crate::values::text::DisplayText;
use crate::values::time_zone::TimeZone;
pub use crate::webhook_endpoint::{Destination, EventBus, WebhookEndpoint};

/// Characters with which a name imitates the mark of a verified sender: ticks, ticked boxes and locks.
const VERIFICATION_MARKS: [char; 10] = [
    '\u{2713}',
    '\u{2714}',
    '\u{2705}',
    '\u{2611}',
    '\u{237B}',
    '\u{1F5F8}',
    '\u{1F5F9}',
    '\u{1F512}',
    '\u{1F510}',
    '\u{1F6E1}',
];

/// The mode of keys and requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Test: no real money moves.
    Test,
    /// Live: real money moves.
    Live,
}

impl Mode {
    /// Returns the mode as keys, settings and the API name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

/// A brand in one of its modes: nothing that is kept for one mode counts in the other.
#[derive(Clone, Copy, Debug)]
pub struct BrandScope<'a> {
    /// The brand's name, as its secret gives it.
    pub brand: &'a BrandName,
    /// Test or live.
    pub mode: Mode,
}

/// A brand, as its secret describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The version of the secret's text: `"1"`.
    pub version: SecretVersion,
    /// The brand's name in keys and URLs; the same as in the secret's own name.
    pub name: BrandName,
    /// The legal name that customers read as the payee.
    pub display_name: DisplayText<60>,
    /// The language of prompts where the customer's language is unknown or not supported.
    #[serde(default)]
    pub language: Language,
    /// The country whose numbers agents type without its code; `None` for that of the brand's own numbers.
    #[serde(default)]
    pub country: Option<Country>,
    /// The currency that most asks are in; `None` where no one is.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// The time zone of times in messages; `None` writes none there, since each chat shows its own.
    #[serde(default)]
    pub time_zone: Option<TimeZone>,
    /// The API keys in force, each known by its digest.
    pub keys: Vec<KeySettings>,
    /// The private keys that open authorizations; `None` in a function that may not read them.
    #[serde(default)]
    pub sealing: Option<KeyRing>,
    /// The public keys that authorizations are sealed to; `None` in a function that seals none.
    #[serde(default)]
    pub sealing_public: Option<PublicKeyRing>,
    /// The keys that seal released claims; `None` in a function that may not read them.
    #[serde(default)]
    pub claims: Option<KeyRing>,
    /// The keys that sign consents; `None` in a function that may not read them.
    #[serde(default)]
    pub consent: Option<KeyRing>,
    /// The key of address hashes: 32 bytes in base64.
    pub address_key: Key32,
    /// The key of consent links and nonces: 32 bytes in base64.
    pub link_key: Key32,
    /// The setup of test mode.
    #[serde(default)]
    pub test: Setup,
    /// The setup of live mode.
    #[serde(default)]
    pub live: Setup,
    /// The brand's policy.
    #[serde(default)]
    pub policy: Policy,
    /// What customers see of the brand beside its name.
    #[serde(default)]
    pub branding: Branding,
}

/// The version of the secret's text.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum SecretVersion {
    /// Version 1.
    #[serde(rename = "1")]
    V1,
}

/// Keys by id. New items use the current one; old ones are opened or verified with theirs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRing {
    /// The id of the key in use.
    pub current: String,
    /// Every key that may still be needed, 32 bytes each, in base64.
    pub keys: BTreeMap<String, Key32>,
}

impl KeyRing {
    /// Returns whether the current key is among the keys.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.keys.contains_key(&self.current)
    }
}

/// A secret key of 32 bytes.
#[derive(Clone)]
pub struct Key32(Zeroizing<[u8; 32]>);

impl Key32 {
    /// Makes a key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32(…)")
    }
}

impl<'de> Deserialize<'de> for Key32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let Ok(bytes) = STANDARD.decode(text.as_bytes()).map(Zeroizing::new) else {
            return Err(serde::de::Error::custom("a key is 32 bytes in base64"));
        };
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Self::new(bytes)),
            Err(_) => Err(serde::de::Error::custom("a key is 32 bytes in base64")),
        }
    }
}

/// The channels, processors and webhook endpoint of one mode.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The channels, best first.
    pub channels: Vec<ChannelSetup>,
    /// The processors; the first that takes an ask is used.
    pub processors: Vec<ProcessorSetup>,
    /// The webhook endpoint; `None` delivers no webhooks.
    pub webhooks: Option<WebhookEndpoint>,
}

/// One channel of a brand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSetup {
    /// The name in the API, such as `sms`.
    pub name: ChannelName,
    /// The adapter's kind.
    pub kind: String,
    /// The adapter's settings.
    #[serde(default)]
    pub settings: Settings,
}

/// One processor of a brand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessorSetup {
    /// The name in the API, such as `stripe`.
    pub name: ProcessorName,
    /// The adapter's kind.
    pub kind: String,
    /// The adapter's settings.
    #[serde(default)]
    pub settings: Settings,
}

impl Brand {
    /// Parses a secret's text.
    ///
    /// # Errors
    /// [`InvalidBrand`] with the place of the fault. It never quotes the text.
    pub fn parse(text: &str) -> Result<Self, InvalidBrand> {
        let brand: Self = read(text)?;
        if brand.sealing.is_none() {
            return Err(InvalidBrand::Missing("sealing"));
        }
        brand.with_derived_keys().checked()
    }

    /// Checks what the types of the fields cannot.
    pub(crate) fn checked(self) -> Result<Self, InvalidBrand> {
        self.check_seal_keys()?;
        let name = self.display_name.as_str();
        if DisplayText::<60>::new(name).is_err() || name.contains(VERIFICATION_MARKS) {
            return Err(InvalidBrand::DisplayName);
        }
        if let Some(place) = self.keys.iter().position(KeySettings::lacks_rights) {
            return Err(InvalidBrand::KeyWithoutRights(place));
        }
        if let Some(place) = self.keys.iter().position(KeySettings::lacks_proof) {
            return Err(InvalidBrand::KeyWithoutDigest(place));
        }
        let mut callers: Vec<_> = self.keys.iter().flat_map(|key| &key.callers).collect();
        callers.sort_unstable();
        if callers.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return Err(InvalidBrand::SharedCaller);
        }
        let mut ids: Vec<_> = self.keys.iter().map(|key| (key.mode, key.id())).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return Err(InvalidBrand::SharedKeyId);
        }
        match self.shared_name() {
            Some(name) => Err(InvalidBrand::SharedName(name.clone())),
            None => Ok(self),
        }
    }

    /// Returns the name of a processor that is also a channel's. Both would have the same callback address, in both modes.
    fn shared_name(&self) -> Option<&ProcessorName> {
        let setups = [&self.test, &self.live];
        let is_channel = |name: &ProcessorName| {
            let mut channels = setups.iter().flat_map(|setup| &setup.channels);
            channels.any(|channel| channel.name.as_str() == name.as_str())
        };
        let mut processors = setups.iter().flat_map(|setup| &setup.processors);
        processors.find(|processor| is_channel(&processor.name)).map(|processor| &processor.name)
    }

    /// Returns the paths of the settings that cannot be used, though the rest of the secret can.
    ///
    /// They are bad webhook addresses and signing secrets. The reader of the secret logs them. No value is quoted.
    #[must_use]
    pub fn unusable_settings(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for (mode, name) in [(Mode::Live, "live"), (Mode::Test, "test")] {
            let Some(webhooks) = &self.setup(mode).webhooks else { continue };
            let unusable = webhooks.unusable_settings(mode).into_iter();
            paths.extend(unusable.map(|setting| format!("{name}.webhooks.{setting}")));
        }
        paths
    }

    /// Returns a processor's settings; `None` where the mode has no processor of that name.
    #[must_use]
    pub fn processor(&self, mode: Mode, name: &ProcessorName) -> Option<&Settings> {
        let mut setups = self.setup(mode).processors.iter();
        setups.find(|setup| setup.name == *name).map(|setup| &setup.settings)
    }

    /// Returns the setup of a mode.
    #[must_use]
    pub const fn setup(&self, mode: Mode) -> &Setup {
        match mode {
            Mode::Test => &self.test,
            Mode::Live => &self.live,
        }
    }
}

/// Reads JSON in the documented format.
pub(crate) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, InvalidBrand> {
    let no_json = |error: &serde_json::Error| InvalidBrand::NoJson {
        line: error.line(),
        column: error.column(),
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            InvalidBrand::Field(InvalidSettings::of_own_types(&error))
        } else {
            no_json(error.inner())
        }
    })?;
    json.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

/// Reads a JSON value in the documented format.
pub(crate) fn read_value<T: serde::de::DeserializeOwned>(
    value: serde_json::Value,
) -> Result<T, InvalidBrand> {
    let read = serde_path_to_error::deserialize(value);
    read.map_err(|error| InvalidBrand::Field(InvalidSettings::of_own_types(&error)))
}

/// A brand's secret that cannot be parsed. No message quotes a value.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBrand {
    /// The text is not JSON.
    #[error("the brand's secret is not JSON (line {line}, column {column})")]
    NoJson {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, from 1.
        column: usize,
    },
    /// A field is absent.
    #[error("setting `{0}` is missing")]
    Missing(&'static str),
    /// A field is not in the documented format.
    #[error(transparent)]
    Field(InvalidSettings),
    /// A processor has the name of a channel, in the same mode or in the other.
    #[error("the processor `{0}` has the name of a channel; rename one of them")]
    SharedName(ProcessorName),
    /// A key at this place has a limit and no list of rights.
    #[error("setting `keys[{0}].may` is missing: a key with limits or callers lists its rights")]
    KeyWithoutRights(usize),
    /// A key at this place has neither a digest nor an id with callers.
    #[error("setting `keys[{0}].sha256` is missing; only a key with `id` and `callers` needs none")]
    KeyWithoutDigest(usize),
    /// A platform would act as two keys.
    #[error("an ARN stands twice in the `callers` of `keys`")]
    SharedCaller,
    /// Two keys of one mode have the same id, or are the same.
    #[error("two keys of `keys` have the same id or digest in one mode")]
    SharedKeyId,
    /// The display name has characters that are not seen, or one that imitates a verification mark.
    #[error("the brand's display_name has invisible characters or imitates a verification mark")]
    DisplayName,
    /// The current sealing key is not among the keys.
    #[error("the brand's current sealing key is not among its keys")]
    Sealing,
    /// The current consent key is not among the keys.
    #[error("the brand's current consent key is not among its keys")]
    Consent,
    /// The current claims key is not among the keys.
    #[error("the brand's current claims key is not among its keys")]
    Claims,
    /// The current public sealing key is not among the keys.
    #[error("the brand's current public sealing key is not among its keys")]
    SealingPublic,
    /// A public sealing key is not the half of the private key of its id.
    #[error("the public sealing key `{0}` does not belong to a private key of that id")]
    SealingPair(String),
}

#[cfg(test)]
mod tests;
