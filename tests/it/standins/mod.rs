//! The stand-ins take what their providers document, and refuse what those do not allow.

mod aws_messaging;
