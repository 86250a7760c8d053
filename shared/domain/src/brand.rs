//! A brand and everything it keeps in its one secret.
//!
//! The secret is JSON; the README documents its shape, and unknown fields are refused so that a misspelt setting is
//! found when it is read and not when it is missed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

pub use crate::settings::{InvalidSettings, Settings};
use crate::values::language::Language;
use crate::values::name::{BrandName, ChannelName, ProcessorName};
use crate::values::text::DisplayText;

/// Whether money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing real happens.
    Test,
    /// Everything is real.
    Live,
}

/// A brand in one of its modes: nothing that is kept for one mode counts in the other.
#[derive(Clone, Copy, Debug)]
pub struct BrandScope<'a> {
    /// The brand.
    pub brand: &'a BrandName,
    /// The mode.
    pub mode: Mode,
}

/// A brand, as its secret describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The text's version: `"1"`.
    pub version: SecretVersion,
    /// The brand's name in keys and URLs; the same as in the secret's own name.
    pub name: BrandName,
    /// The legal name customers read as payee.
    pub display_name: DisplayText<60>,
    /// The language of prompts to customers whose language is not known or not spoken here.
    #[serde(default)]
    pub language: Language,
    /// The digests of the API keys in force.
    pub keys: Vec<KeyDigest>,
    /// The keys authorizations are sealed with.
    pub sealing: SealingKeys,
    /// 32 bytes in base64: keys the hashes that stand for addresses.
    pub address_key: Key32,
    /// 32 bytes in base64: keys the consent page's links and nonces.
    pub link_key: Key32,
    /// What is used in test mode.
    #[serde(default)]
    pub test: Setup,
    /// What is used in live mode.
    #[serde(default)]
    pub live: Setup,
    /// The brand's own rules.
    #[serde(default)]
    pub policy: Policy,
}

/// The version of the secret's text.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum SecretVersion {
    /// The first.
    #[serde(rename = "1")]
    V1,
}

/// An API key in force, known by its digest only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDigest {
    /// Test or live; the same as in the key's own text.
    pub mode: Mode,
    /// SHA-256 of the whole key's text, in lower-case hexadecimal.
    pub sha256: String,
}

/// The sealing keys by id; new authorizations are sealed with the current one, old ones are opened with theirs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealingKeys {
    /// The id of the key in use.
    pub current: String,
    /// Every key that may still be needed, 32 bytes each, in base64.
    pub keys: BTreeMap<String, Key32>,
}

/// A secret key of 32 bytes.
#[derive(Clone)]
pub struct Key32(Zeroizing<[u8; 32]>);

impl Key32 {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
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

/// The channels, processors and notice endpoint of one mode.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The channels, best first.
    pub channels: Vec<ChannelSetup>,
    /// The processors; the first is used.
    pub processors: Vec<ProcessorSetup>,
    /// Where notices go, if anywhere.
    pub webhooks: Option<WebhookEndpoint>,
}

/// One channel of a brand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSetup {
    /// What the API calls it: `sms`, `rcs`, `sandbox`.
    pub name: ChannelName,
    /// Which adapter it is.
    pub kind: String,
    /// What that adapter documents.
    #[serde(default)]
    pub settings: Settings,
}

/// One processor of a brand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessorSetup {
    /// What the API calls it: `stripe`, `sandbox`.
    pub name: ProcessorName,
    /// Which adapter it is.
    pub kind: String,
    /// What that adapter documents.
    #[serde(default)]
    pub settings: Settings,
}

/// The endpoint notices are sent to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpoint {
    /// The address: `https` and public, except on a local machine.
    pub url: String,
    /// The signing secrets, `whsec_` and base64: every one of them signs, so that a rotation needs no moment.
    pub secrets: Vec<SecretString>,
}

/// A brand's own rules. Everything has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Whether payments carry a session code.
    pub session_code: bool,
    /// Whether a text that plainly says yes or no is an answer, for asks that are no payments.
    pub text_replies: bool,
    /// How long a silent route is waited for, in seconds; 5 at least.
    pub fallback_seconds: u32,
    /// The deadline of a request that names none, in seconds.
    pub expires_in_seconds: u32,
    /// How many requests may be open for one address at once.
    pub open_max: u32,
    /// How many prompts one address may get in ten minutes.
    pub prompts_per_ten_minutes: u32,
    /// How many prompts one address may get in 24 hours.
    pub prompts_per_day: u32,
    /// How many times a customer may say no in ten minutes before the address is left in peace.
    pub denials_per_ten_minutes: u32,
    /// For how long it is then left in peace, in seconds.
    pub cooldown_seconds: u32,
    /// For how long after "this is not me", in seconds.
    pub report_cooldown_seconds: u32,
    /// How many times a customer may try again after a card was refused.
    pub attempts_max: u32,
    /// For how long a closed request is kept, in days.
    pub retention_days: u32,
    /// For how long facts of an identity ask can be read, in seconds.
    pub claims_retention_seconds: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_code: true,
            text_replies: false,
            fallback_seconds: 12,
            expires_in_seconds: 300,
            open_max: 3,
            prompts_per_ten_minutes: 5,
            prompts_per_day: 20,
            denials_per_ten_minutes: 2,
            cooldown_seconds: 1_800,
            report_cooldown_seconds: 86_400,
            attempts_max: 5,
            retention_days: 90,
            claims_retention_seconds: 3_600,
        }
    }
}

impl Policy {
    /// How long a silent route is waited for.
    #[must_use]
    pub fn fallback(&self) -> Duration {
        Duration::from_secs(u64::from(self.fallback_seconds.max(5)))
    }

    /// For how long the facts of an identity ask can be read.
    #[must_use]
    pub fn claims_retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.claims_retention_seconds))
    }

    /// For how long a closed request is kept.
    #[must_use]
    pub fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention_days) * 86_400)
    }
}

impl Brand {
    /// Reads a secret's text.
    ///
    /// # Errors
    /// [`InvalidBrand`], which says where the fault is and never quotes the text.
    pub fn parse(text: &str) -> Result<Self, InvalidBrand> {
        let brand: Self = serde_json::from_str(text)
            .map_err(|error| InvalidBrand::Shape { line: error.line(), column: error.column() })?;
        if !brand.sealing.keys.contains_key(&brand.sealing.current) {
            return Err(InvalidBrand::Sealing);
        }
        Ok(brand)
    }

    /// The settings of the processor of that name in that mode.
    #[must_use]
    pub fn processor(&self, mode: Mode, name: &ProcessorName) -> Option<&Settings> {
        let mut setups = self.setup(mode).processors.iter();
        setups.find(|setup| setup.name == *name).map(|setup| &setup.settings)
    }

    /// What is used in that mode.
    #[must_use]
    pub const fn setup(&self, mode: Mode) -> &Setup {
        match mode {
            Mode::Test => &self.test,
            Mode::Live => &self.live,
        }
    }
}

/// A brand's secret that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBrand {
    /// The text is not the documented shape.
    #[error("the brand's secret is not the documented shape (line {line}, column {column})")]
    Shape {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, from 1.
        column: usize,
    },
    /// The current sealing key is not among the keys.
    #[error("the brand's current sealing key is not among its keys")]
    Sealing,
}

impl WebhookEndpoint {
    /// The signing secrets' texts.
    pub fn secret_texts(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(ExposeSecret::expose_secret)
    }
}
