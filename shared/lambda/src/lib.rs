//! Start-up, settings, events in and answers out on AWS Lambda.
