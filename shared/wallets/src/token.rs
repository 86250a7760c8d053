//! What a wallet token holds once it is opened.

use std::fmt;

use domain::values::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::Refused;

/// A genuine token for us, for this ask and in time, of which only the caller's store knows whether it was used before.
pub struct Unclaimed {
    pub(crate) id: String,
    pub(crate) keep_until: Timestamp,
    pub(crate) token: NetworkToken,
}

impl Unclaimed {
    /// What is unique to this token: 64 hexadecimal digits of Apple's, or a text of Google's choosing.
    ///
    /// Write it, with the request it is used for, on condition that it is not there for another request; the same request
    /// may come again. If it is there, the token is being replayed: do what [`Refused::OtherAsk`] says.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Until when the written id must be kept: after that the token itself is refused as expired.
    #[must_use]
    pub const fn keep_until(&self) -> Timestamp {
        self.keep_until
    }

    /// The token, to be used once. Only to be called after the conditional write of [`Unclaimed::id`].
    #[must_use]
    pub fn claimed(self) -> NetworkToken {
        self.token
    }
}

impl fmt::Debug for Unclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unclaimed").finish_non_exhaustive()
    }
}

/// What stands in a token's place of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// A number that stands for the card on one device and pays only with a cryptogram.
    Device,
    /// The real card number.
    Card,
}

/// A card as a processor takes it in plain text. All of it is wiped when dropped, and `Debug` shows none of it.
pub struct NetworkToken {
    kind: Number,
    number: SecretString,
    year: Zeroizing<u16>,
    month: Zeroizing<u8>,
    cryptogram: Option<SecretString>,
    eci: Option<SecretString>,
}

/// What a [`NetworkToken`] is made of.
pub(crate) struct Parts {
    pub(crate) kind: Number,
    pub(crate) number: SecretString,
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) cryptogram: Option<SecretString>,
    pub(crate) eci: Option<SecretString>,
}

impl NetworkToken {
    /// Checks what every processor would refuse.
    pub(crate) fn new(parts: Parts) -> Result<Self, Refused> {
        let Parts { kind, number, year, month, cryptogram, eci } = parts;
        let (year, month) = (Zeroizing::new(year), Zeroizing::new(month));
        let digits = |text: &SecretString| text.expose_secret().bytes().all(|b| b.is_ascii_digit());
        let long = |text: &SecretString| text.expose_secret().len();
        let printed = |text: &SecretString| {
            text.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) && long(text) > 0
        };
        let sound = digits(&number)
            && (12..=19).contains(&long(&number))
            && (2000..=2099).contains(&*year)
            && (1..=12).contains(&*month)
            && cryptogram.as_ref().is_none_or(printed)
            && eci.as_ref().is_none_or(|eci| digits(eci) && (1..=2).contains(&long(eci)))
            && (kind == Number::Card || cryptogram.is_some());
        if !sound {
            return Err(Refused::Malformed);
        }
        Ok(Self { kind, number, year, month, cryptogram, eci })
    }

    /// Whether [`NetworkToken::number`] is the card's or stands for it.
    #[must_use]
    pub const fn kind(&self) -> Number {
        self.kind
    }

    /// 12 to 19 digits.
    #[must_use]
    pub const fn number(&self) -> &SecretString {
        &self.number
    }

    /// The year it expires in, such as 2030.
    #[must_use]
    pub fn expiry_year(&self) -> u16 {
        *self.year
    }

    /// The month at whose end it expires, 1 to 12.
    #[must_use]
    pub fn expiry_month(&self) -> u8 {
        *self.month
    }

    /// The cryptogram of this one payment, in base64; a [`Number::Device`] always has one.
    #[must_use]
    pub const fn cryptogram(&self) -> Option<&SecretString> {
        self.cryptogram.as_ref()
    }

    /// The electronic commerce indicator, one or two digits, where the network gave one.
    #[must_use]
    pub const fn eci(&self) -> Option<&SecretString> {
        self.eci.as_ref()
    }
}

impl fmt::Debug for NetworkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::ZeroizeOnDrop;

    fn parts() -> Parts {
        Parts {
            kind: Number::Device,
            number: "4895370012003478".into(),
            year: 2030,
            month: 12,
            cryptogram: Some("AgAAAAAABk4DWZ4C28yUQAAAAAA=".into()),
            eci: Some("07".into()),
        }
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let token = NetworkToken::new(parts()).unwrap();
        assert_eq!(format!("{token:?}"), "NetworkToken { .. }");
        let keep_until = Timestamp::EPOCH;
        let unclaimed = Unclaimed { id: "f7f1".to_owned(), keep_until, token };
        assert_eq!(format!("{unclaimed:?}"), "Unclaimed { .. }");
    }

    #[test]
    fn every_part_of_it_is_wiped_when_dropped() {
        fn wiped<T: ZeroizeOnDrop>(_: &T) {}
        let token = NetworkToken::new(parts()).unwrap();
        // Without `..`: a new part has to be named here.
        let NetworkToken {
            kind: Number::Device | Number::Card,
            number,
            year,
            month,
            cryptogram,
            eci,
        } = &token;
        wiped(number);
        wiped(year);
        wiped(month);
        wiped(cryptogram.as_ref().unwrap());
        wiped(eci.as_ref().unwrap());
    }

    #[test]
    fn what_no_processor_would_take_is_no_token() {
        let bad: [fn(&mut Parts); 13] = [
            |parts| parts.number = "".into(),
            |parts| parts.number = "48953700120".into(),
            |parts| parts.number = "48953700120034781234".into(),
            |parts| parts.number = "4895 3700 1200 3478".into(),
            |parts| parts.year = 30,
            |parts| parts.year = 2100,
            |parts| parts.month = 0,
            |parts| parts.month = 13,
            |parts| parts.cryptogram = None,
            |parts| parts.cryptogram = Some("".into()),
            |parts| parts.cryptogram = Some("Ag AA".into()),
            |parts| parts.eci = Some("".into()),
            |parts| parts.eci = Some("7a".into()),
        ];
        for (case, change) in bad.iter().enumerate() {
            let mut parts = parts();
            change(&mut parts);
            assert_eq!(NetworkToken::new(parts).unwrap_err(), Refused::Malformed, "{case}");
        }
        let card = Parts { kind: Number::Card, cryptogram: None, eci: None, ..parts() };
        assert_eq!(NetworkToken::new(card).unwrap().kind(), Number::Card);
    }
}
