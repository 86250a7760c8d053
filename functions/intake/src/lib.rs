//! Accepts a requester's request.
