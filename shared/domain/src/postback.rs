//! The postback of a button: the prompt, the action, and a MAC. It never holds an amount, a currency or a payee.

use crate::brand::Key32;
use crate::digest::to_hex;
use crate::guards;
use crate::guards::Guard;
use crate::keys;
use crate::values::id::{PromptId, RequestId};
use crate::values::prompt_ref::PromptRef;

/// The first byte, which a later format changes.
const VERSION: u8 = 1;
/// The bytes under the MAC: version, action, request, prompt.
const SIGNED: usize = 34;
/// The bytes of the MAC that are carried: 112 bits.
const MAC: usize = 14;

/// The action of a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Approves.
    Approve,
    /// Approves with the session code at this index (0, 1 or 2) of the choices.
    Pick(u8),
    /// Denies.
    Deny,
    /// Denies with the reason "this is not me". A second one confirms the report.
    NotMe,
    /// Opens the consent page. It never approves.
    Open,
}

/// A postback whose MAC verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Postback {
    /// The request and its prompt.
    pub reference: PromptRef,
    /// The action that the MAC covers.
    pub action: Action,
}

impl Action {
    const fn code(self) -> u8 {
        match self {
            Self::Approve => b'y',
            Self::Pick(place) => b'0'.saturating_add(place),
            Self::Deny => b'n',
            Self::NotMe => b'x',
            Self::Open => b'o',
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            b'y' => Some(Self::Approve),
            b'0'..=b'2' => Some(Self::Pick(code.saturating_sub(b'0'))),
            b'n' => Some(Self::Deny),
            b'x' => Some(Self::NotMe),
            b'o' => Some(Self::Open),
            _ => None,
        }
    }
}

impl Postback {
    /// Returns the button's text: 96 lower-case hexadecimal digits.
    ///
    /// The text is also canonical base64 and safe in a URL, so that it survives every encoding of a channel.
    #[must_use]
    pub fn write(self, key: &Key32) -> String {
        let signed = self.signed();
        let mac = keys::postback_mac(key, &signed);
        to_hex(&[signed.as_slice(), mac.get(..MAC).unwrap_or_default()].concat())
    }

    /// Parses a postback, plain or in one more layer of base64; `None` where the MAC does not verify.
    ///
    /// UNVERIFIED: one channel is said to add the base64. Check with a real device before going live.
    #[must_use]
    pub fn read(text: &str, key: &Key32) -> Option<Self> {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        if let Some(read) = Self::plain(text, key) {
            return Some(read);
        }
        let inner = (text.len() <= 256).then(|| STANDARD.decode(text).ok()).flatten()?;
        Self::plain(std::str::from_utf8(&inner).ok()?, key)
    }

    fn plain(text: &str, key: &Key32) -> Option<Self> {
        let sized = text.len() == 2 * (SIGNED + MAC);
        let bytes = sized.then(|| hex::decode(text).ok()).flatten()?;
        let (signed, mac) = bytes.split_at_checked(SIGNED)?;
        let (head, ids) = signed.split_at_checked(2)?;
        let (request, prompt) = ids.split_at_checked(16)?;
        let read = Self {
            reference: PromptRef {
                request: RequestId::from_bytes(request.try_into().ok()?),
                prompt: PromptId::from_bytes(prompt.try_into().ok()?),
            },
            action: Action::of(*head.get(1)?)?,
        };
        let right = keys::postback_mac(key, &read.signed());
        let proven = guards::is_disabled(Guard::PostbackSignature)
            || keys::same_bytes(mac, right.get(..MAC).unwrap_or_default());
        (proven && head.first() == Some(&VERSION)).then_some(read)
    }

    fn signed(self) -> [u8; SIGNED] {
        let mut bytes = [0; SIGNED];
        let ids =
            self.reference.request.to_bytes().into_iter().chain(self.reference.prompt.to_bytes());
        let all = [VERSION, self.action.code()].into_iter().chain(ids);
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::values::time::Timestamp;

    fn postback(action: Action) -> Postback {
        let at = Timestamp::from_millis(1_767_225_600_000);
        let reference =
            PromptRef { request: RequestId::new(at, [3; 10]), prompt: PromptId::new(at, [4; 10]) };
        Postback { reference, action }
    }

    #[test]
    fn postback_round_trips_plain_and_in_base64() {
        let key = Key32::new([7; 32]);
        let picks = (0..3).map(Action::Pick);
        for action in
            [Action::Approve, Action::Deny, Action::NotMe, Action::Open].into_iter().chain(picks)
        {
            let text = postback(action).write(&key);
            assert_eq!(text.len(), 96);
            assert_eq!(Postback::read(&text, &key), Some(postback(action)));
            assert_eq!(Postback::read(&STANDARD.encode(&text), &key), Some(postback(action)));
            let through = STANDARD.encode(STANDARD.decode(&text).unwrap());
            assert_eq!(through, text, "canonical base64 survives a decoding and an encoding");
        }
    }

    #[test]
    fn postback_with_any_changed_bit_is_refused() {
        let key = Key32::new([7; 32]);
        let text = postback(Action::Approve).write(&key);
        let bytes = hex::decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Postback::read(&hex::encode(changed), &key), None, "bit {bit}");
        }
        assert_eq!(Postback::read(&text, &Key32::new([8; 32])), None);
        for bad in ["", "yes", &text[1..], &format!("{text}00"), &"\u{e9}".repeat(48)] {
            assert_eq!(Postback::read(bad, &key), None, "{bad}");
        }
    }
}
