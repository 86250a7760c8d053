//! The surroundings of a running `local`: the requester, its webhook endpoint, and customers' phones.

pub(crate) mod conversations;
pub(crate) mod endpoint;
pub(crate) mod folder;
pub(crate) mod killable_machine;
pub(crate) mod requester;
