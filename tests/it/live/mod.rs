//! What lives around a running `local`: the requester's system with its notice endpoint, and customers with their phones.

pub(crate) mod crowd;
pub(crate) mod endpoint;
pub(crate) mod folder;
pub(crate) mod killing;
pub(crate) mod requester;
