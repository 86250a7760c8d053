//! A brand's logo: a small picture that can do nothing but be seen.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::{png, svg};

/// The most bytes of a logo. The brand's secret has 64 KB for everything.
const BYTES_MAX: usize = 12 * 1024;

/// The format of a logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoFormat {
    /// PNG.
    Png,
    /// SVG with plain shapes alone.
    Svg,
}

impl LogoFormat {
    /// Returns the media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// A logo that was checked when it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    format: LogoFormat,
    bytes: Vec<u8>,
}

/// The reason why a logo is refused. No message quotes the logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLogo {
    /// It is no data URL of one of the two formats.
    #[error("a logo is `data:image/png;base64,…` or `data:image/svg+xml;base64,…`")]
    Form,
    /// It has too many bytes.
    #[error("a logo has at most 12 KiB before base64")]
    Size,
    /// It is no PNG of plain pixels.
    #[error(
        "a PNG logo has 16 to 1,024 pixels a side, and no chunks but pixels, palette and colour space"
    )]
    Png,
    /// It is no SVG of plain shapes.
    #[error(
        "an SVG logo has a viewBox and plain shapes alone: no script, style, text, link, picture, comment or entity"
    )]
    Svg,
}

impl Logo {
    /// Reads a data URL.
    ///
    /// # Errors
    /// [`InvalidLogo`] with the rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidLogo> {
        let formats = [LogoFormat::Png, LogoFormat::Svg];
        let read = |format: LogoFormat| {
            let start = format!("data:{};base64,", format.media_type());
            text.strip_prefix(&start).map(|rest| (format, rest))
        };
        let (format, rest) = formats.into_iter().find_map(read).ok_or(InvalidLogo::Form)?;
        if rest.len() > BYTES_MAX.div_ceil(3) * 4 {
            return Err(InvalidLogo::Size);
        }
        let bytes = STANDARD.decode(rest).map_err(|_not_base64| InvalidLogo::Form)?;
        match format {
            _ if bytes.len() > BYTES_MAX => Err(InvalidLogo::Size),
            LogoFormat::Png if !png::is_plain(&bytes) => Err(InvalidLogo::Png),
            LogoFormat::Svg if !svg::is_plain(&bytes) => Err(InvalidLogo::Svg),
            LogoFormat::Png | LogoFormat::Svg => Ok(Self { format, bytes }),
        }
    }

    /// Returns the format.
    #[must_use]
    pub const fn format(&self) -> LogoFormat {
        self.format
    }

    /// Returns the bytes of the picture.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the picture as a data URL.
    #[must_use]
    pub fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.format.media_type(), STANDARD.encode(&self.bytes))
    }

    /// Returns a name that changes with the picture, for caches.
    #[must_use]
    pub fn digest(&self) -> String {
        let digest = Sha256::digest(&self.bytes);
        URL_SAFE_NO_PAD.encode(digest.get(..9).unwrap_or_default())
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.format.media_type(), self.bytes.len())
    }
}

impl<'de> Deserialize<'de> for Logo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
