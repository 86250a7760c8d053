//! The accent colour of a brand, and its contrast on the page in light and dark.

use serde::{Deserialize, Deserializer};

/// The page's background behind the button, in light and dark. `templates/page.css` of consent-callback has the same.
const SHEETS: [Colour; 2] = [Colour([0xff, 0xff, 0xff]), Colour([0x1a, 0x21, 0x2a])];
/// The least contrast of a control against its background (WCAG 2.2, 1.4.11).
const CONTROL_MIN: f64 = 3.0;
/// The least contrast of a text (WCAG 2.2, 1.4.3).
const TEXT_MIN: f64 = 4.5;

/// A colour, as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    const WHITE: Self = Self([0xff, 0xff, 0xff]);
    const BLACK: Self = Self([0, 0, 0]);

    /// Reads `#rrggbb`.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let mut bytes = [0; 3];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Returns `#rrggbb`, as style sheets have it.
    #[must_use]
    pub fn hex(self) -> String {
        format!("#{}", hex::encode(self.0))
    }

    /// Returns the relative luminance (<https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>).
    #[expect(clippy::float_arithmetic, reason = "the standard defines it so; no money is computed")]
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126_f64.mul_add(red, 0.7152_f64.mul_add(green, 0.0722 * blue))
    }

    /// Returns the contrast ratio, from 1 to 21 (<https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>).
    #[expect(clippy::float_arithmetic, reason = "the standard defines it so; no money is computed")]
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// Returns the colour of a text on this one: white, or black where white is hard to read.
    #[must_use]
    pub fn text(self) -> Self {
        if self.contrast(Self::WHITE) >= TEXT_MIN { Self::WHITE } else { Self::BLACK }
    }
}

/// The accent colour in light and in dark. Each is easy to see on the page, and its text easy to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccentColours {
    /// The colour on a light page.
    pub light: Colour,
    /// The colour on a dark page.
    pub dark: Colour,
}

impl AccentColours {
    /// Returns the style sheet that sets `--accent` and `--on-accent`, in light and dark.
    #[must_use]
    pub fn style_sheet(self) -> String {
        let [light, dark] = [self.light, self.dark].map(|colour| {
            format!(":root{{--accent:{};--on-accent:{}}}", colour.hex(), colour.text().hex())
        });
        format!("{light}@media (prefers-color-scheme:dark){{{dark}}}")
    }
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum AccentSettings {
    Both(String),
    Each { light: String, dark: String },
}

impl<'de> Deserialize<'de> for AccentColours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let form = "an accent is \"#rrggbb\", or {\"light\": \"#rrggbb\", \"dark\": \"#rrggbb\"}";
        let settings =
            AccentSettings::deserialize(deserializer).map_err(|_unread| D::Error::custom(form))?;
        let (light, dark) = match &settings {
            AccentSettings::Both(both) => (both, both),
            AccentSettings::Each { light, dark } => (light, dark),
        };
        let colours = [light, dark].map(|text| Colour::parse(text));
        let [Some(light), Some(dark)] = colours else { return Err(D::Error::custom(form)) };
        let named = ["light", "dark"];
        for ((colour, sheet), name) in [light, dark].into_iter().zip(SHEETS).zip(named) {
            let contrast = colour.contrast(sheet);
            if contrast < CONTROL_MIN {
                return Err(D::Error::custom(format!(
                    "the accent has a contrast of {contrast:.1} on the {name} page and needs 3.0 \
                     (WCAG 2.2 AA); give a colour each for `light` and `dark`"
                )));
            }
            let readable = colour.contrast(colour.text());
            if readable < TEXT_MIN {
                return Err(D::Error::custom(format!(
                    "text on the accent has a contrast of {readable:.1} and needs 4.5 (WCAG 2.2 AA)"
                )));
            }
        }
        Ok(Self { light, dark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AccentColours, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Ratios of <https://webaim.org/resources/contrastchecker/>, read 2026-11-26.
    #[test]
    fn contrast_is_that_of_the_standard() {
        let ratio = |one, two| {
            let (one, two) = (Colour::parse(one).unwrap(), Colour::parse(two).unwrap());
            format!("{:.2}", one.contrast(two))
        };
        assert_eq!(ratio("#000000", "#ffffff"), "21.00");
        assert_eq!(ratio("#777777", "#ffffff"), "4.48");
        assert_eq!(ratio("#ff0000", "#ffffff"), "4.00");
        assert_eq!(ratio("#0000ff", "#FFFFFF"), "8.59");
    }

    #[test]
    fn accent_without_contrast_is_refused_with_its_ratio() {
        let pair = read(r##"{"light": "#003366", "dark": "#6fa8ff"}"##).unwrap();
        assert_eq!((pair.light.text(), pair.dark.text()), (Colour::WHITE, Colour::BLACK));
        assert_eq!(pair.light.hex(), "#003366");
        assert!(read("\"#157a4d\"").is_ok());
        let navy = read("\"#003366\"").unwrap_err();
        assert!(navy.contains("a contrast of 1.3 on the dark page and needs 3.0"), "{navy}");
        let yellow = read("\"#ffee00\"").unwrap_err();
        assert!(yellow.contains("on the light page"), "{yellow}");
        for wrong in ["\"#fff\"", "\"red\"", "\"#00336g\"", "7", r##"{"light": "#003366"}"##] {
            assert!(read(wrong).unwrap_err().contains("an accent is"), "{wrong}");
        }
    }
}
