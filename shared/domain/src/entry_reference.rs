//! The reference of an entry link. It ties a customer who writes first to the request that the link is of.
//!
//! On some channels only customers can begin a conversation. The link opens one, and the first message returns the reference.

use crate::brand::Brand;
use crate::digest::to_hex;
use crate::keys;
use crate::request::Request;
use crate::values::id::RequestId;
use crate::values::name::ChannelName;

/// The bytes of the MAC that are carried: 112 bits.
const MAC: usize = 14;
/// The bytes of a request's id.
const ID: usize = 16;

/// Writes the reference of a request on a channel: 60 lower-case hexadecimal digits.
///
/// The key is the brand's `address_key`, since intake shows the link. So it proves that a function made the reference, and says
/// nothing of who uses it.
#[must_use]
pub fn write(brand: &Brand, request: &Request, channel: &ChannelName) -> String {
    let mac = keys::entry_mac(&brand.address_key, request, channel);
    let mac = mac.iter().take(MAC).copied();
    to_hex(&request.id.to_bytes().into_iter().chain(mac).collect::<Vec<u8>>())
}

/// Returns the request that a reference claims to be of; `None` for any other text.
///
/// [`verifies`] says whether it is.
#[must_use]
pub fn claimed(text: &str) -> Option<RequestId> {
    let bytes = (text.len() == 2 * (ID + MAC)).then(|| hex::decode(text).ok()).flatten()?;
    let (id, _) = bytes.split_at_checked(ID)?;
    Some(RequestId::from_bytes(id.try_into().ok()?))
}

/// Returns whether the reference is of this request on this channel.
#[must_use]
pub fn verifies(text: &str, brand: &Brand, request: &Request, channel: &ChannelName) -> bool {
    keys::same(text, &write(brand, request, channel))
}
