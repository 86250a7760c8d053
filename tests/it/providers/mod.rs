//! The stand-ins accept calls that their providers document, and reject all others.

mod aws_messaging;
