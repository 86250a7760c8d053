//! Uses the authorization and tells the requester.
