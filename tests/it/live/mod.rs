//! The surroundings of a running `local`: the requester, its webhook endpoint, and customers' phones.

pub(crate) mod crowd;
pub(crate) mod endpoint;
pub(crate) mod folder;
pub(crate) mod killing;
pub(crate) mod requester;
