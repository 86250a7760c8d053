//! The Http port over TLS.
