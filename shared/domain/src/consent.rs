//! The customer's approval with its evidence, and the session code that ties it to the conversation.

use serde::{Deserialize, Serialize};

use crate::ask::AskHash;
use crate::brand::Brand;
use crate::code_policy::CodeEntry;
use crate::keys::{consent_mac, same};
use crate::random::Random;
use crate::request::Request;
use crate::sound_alike::sound_alike;
use crate::values::id::{ConsentId, PromptId};
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// A recorded approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The consent's id.
    pub id: ConsentId,
    /// When the customer approved.
    pub at: Timestamp,
    /// The digest of the ask that was approved.
    pub ask_hash: AskHash,
    /// The prompt that was answered.
    pub prompt: PromptId,
    /// The channel of that prompt.
    pub channel: ChannelName,
    /// How the customer approved.
    pub method: ApprovalMethod,
    /// Whether a session code was required and matched.
    pub code_matched: bool,
    /// The signature by consent-callback; `None` for a consent from before there were signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ConsentSignature>,
}

/// The signature of a consent: who writes the table cannot make one without a consent key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentSignature {
    /// The id of the key.
    pub key_id: String,
    /// HMAC-SHA-256 in unpadded base64url.
    pub mac: String,
}

/// A consent cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignConsentError {
    /// The brand has no consent keys, or this function may not read them.
    #[error("the brand has no consent keys")]
    NoKeys,
}

impl Consent {
    /// Signs the consent to `request` with the brand's current consent key.
    ///
    /// # Errors
    /// [`SignConsentError`].
    pub fn sign(mut self, brand: &Brand, request: &Request) -> Result<Self, SignConsentError> {
        let keys = brand.consent.as_ref().ok_or(SignConsentError::NoKeys)?;
        let key = keys.keys.get(&keys.current).ok_or(SignConsentError::NoKeys)?;
        let mac = consent_mac(key, &self.signed_text(request));
        self.signature = Some(ConsentSignature { key_id: keys.current.clone(), mac });
        Ok(self)
    }

    /// Returns whether one of the brand's consent keys signed exactly this consent to `request`.
    ///
    /// # Errors
    /// [`SignConsentError`] when this function has no consent keys, so that it cannot tell.
    pub fn is_signed(&self, brand: &Brand, request: &Request) -> Result<bool, SignConsentError> {
        let keys = brand.consent.as_ref().ok_or(SignConsentError::NoKeys)?;
        let Some(signature) = &self.signature else { return Ok(false) };
        let Some(key) = keys.keys.get(&signature.key_id) else { return Ok(false) };
        let mac = consent_mac(key, &self.signed_text(request));
        Ok(same(&mac, &signature.mac))
    }

    /// Returns the text that is signed: one field a line, so that no two consents have the same text.
    ///
    /// The mode and the number are the request's. A consent on the sandbox's phone says nothing of a live request. One
    /// customer's consent says nothing of a request that was turned to another.
    fn signed_text(&self, request: &Request) -> String {
        let Self { id, at, ask_hash, prompt, channel, method, code_matched, signature: _ } = self;
        let (ask_hash, method) = (ask_hash.as_str(), method.as_str());
        let Request { id: request_id, brand, mode, customer, .. } = request;
        let phone = customer.phone.as_str();
        format!(
            "{brand}\n{mode:?}\n{request_id}\n{phone}\n{id}\n{at}\n{ask_hash}\n{prompt}\n{channel}\n{method}\n{code_matched}"
        )
    }
}

/// The means by which a customer answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMethod {
    /// A form posted from the consent page.
    Page,
    /// A tap on the sandbox phone.
    SandboxTap,
    /// A tap on a button in the message itself.
    Tap,
    /// A payment in the channel's own sheet, which carried its authorization.
    Paid,
    /// A free-text reply.
    Reply,
}

impl ApprovalMethod {
    /// Returns the method's stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::SandboxTap => "sandbox_tap",
            Self::Tap => "tap",
            Self::Paid => "paid",
            Self::Reply => "reply",
        }
    }
}

/// The two digits that the agent reads out and the customer picks among three.
///
/// The person on the line may be an attacker who knows the customer's number. An approval needs the agent's screen and the
/// customer's phone together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCode {
    /// The code that the agent reads out.
    pub code: String,
    /// The codes that the customer picks from, the right one among them.
    pub choices: [String; 3],
    /// Whether the customer types the code and is shown no choices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub typed: bool,
}

impl SessionCode {
    /// Draws a code and two others. No two of the three sound alike.
    #[must_use]
    pub fn draw(random: &dyn Random, entry: CodeEntry) -> Self {
        let first = below(random, NUMBERS);
        let second = other(random, &[first]);
        let third = other(random, &[first, second]);
        let mut choices = [first, second, third].map(|number| format!("{number:02}"));
        let code = format!("{first:02}");
        choices.rotate_left(usize::from(below(random, 3)));
        if below(random, 2) == 1 {
            choices.reverse();
        }
        Self { code, choices, typed: entry == CodeEntry::Typed }
    }

    /// Returns the codes to pick from; `None` where the customer types.
    #[must_use]
    pub fn picks(&self) -> Option<&[String; 3]> {
        (!self.typed).then_some(&self.choices)
    }
}

/// The numbers of two digits, from 00.
const NUMBERS: u8 = 100;

/// Draws a number that sounds like none of `taken`.
fn other(random: &dyn Random, taken: &[u8]) -> u8 {
    let differs = |number: &u8| !taken.iter().any(|known| sound_alike(*known, *number));
    let left: Vec<u8> = (0..NUMBERS).filter(differs).collect();
    // A number sounds like at most eight, itself included, so that most are left.
    let count = u8::try_from(left.len()).unwrap_or(NUMBERS);
    left.get(usize::from(below(random, count.max(1)))).copied().unwrap_or_default()
}

/// Returns a uniform number below `bound`. Draws that would favour small numbers are repeated.
fn below(random: &dyn Random, bound: u8) -> u8 {
    let fair = u8::MAX - u8::MAX % bound;
    loop {
        let mut byte = [0_u8; 1];
        random.fill(&mut byte);
        let [drawn] = byte;
        if drawn < fair {
            return drawn % bound;
        }
    }
}

const READABLE: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Draws a code to read aloud, such as `7F3K-92QD`: eight letters and digits that are hard to confuse.
#[must_use]
pub fn transaction_code(random: &dyn Random) -> String {
    let mut code = String::with_capacity(9);
    for position in 0..8 {
        if position == 4 {
            code.push('-');
        }
        let drawn = usize::from(below(random, 30));
        code.push(READABLE.get(drawn).copied().map_or('2', char::from));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                let n =
                    self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(6_364_136_223_846_793_005);
                *byte = n.to_be_bytes()[0];
            }
        }
    }

    #[test]
    fn session_code_choices_differ_and_hold_the_code_anywhere() {
        let random = Counting(AtomicU64::new(1));
        let mut places = [0; 3];
        for _ in 0..2_000 {
            let drawn = SessionCode::draw(&random, CodeEntry::Picked);
            let place = drawn.choices.iter().position(|choice| *choice == drawn.code).unwrap();
            places[place] += 1;
            let mut sorted = drawn.choices.to_vec();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), 3);
            assert!(sorted.iter().all(|choice| choice.len() == 2));
        }
        assert!(places.iter().all(|count| *count > 400), "{places:?}");
    }

    #[test]
    fn session_code_choices_never_sound_alike() {
        let random = Counting(AtomicU64::new(1));
        for _ in 0..2_000 {
            let drawn = SessionCode::draw(&random, CodeEntry::Picked);
            let [a, b, c] = drawn.choices.map(|choice| choice.parse().unwrap());
            assert!(![(a, b), (b, c), (a, c)].iter().any(|(x, y)| sound_alike(*x, *y)));
        }
    }

    #[test]
    fn transaction_code_is_two_groups_of_four() {
        let code = transaction_code(&Counting(AtomicU64::new(9)));
        assert_eq!(code.len(), 9);
        assert_eq!(code.as_bytes()[4], b'-');
    }
}
