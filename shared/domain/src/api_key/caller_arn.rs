//! The ARN of a platform that calls a function itself. It is an instance of Amazon Connect, or an alias of a Lex bot.

use std::fmt;
use std::str::FromStr;

use crate::values::json_text::parse_from_json;

/// The ARN of an instance of Amazon Connect or of an alias of a Lex V2 bot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallerArn(String);

/// A text that is not such an ARN.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a caller is `arn:aws:connect:<region>:<account>:instance/<id>` or `arn:aws:lex:<region>:<account>:bot-alias/<bot>/<alias>`"
)]
pub struct InvalidCallerArn;

impl CallerArn {
    /// Returns the ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a resource of this service may call, by its last part.
    fn is_resource(service: &str, resource: &str) -> bool {
        let is_id = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let parts: Vec<_> = resource.split('/').collect();
        match (service, parts.as_slice()) {
            ("connect", ["instance", id]) => is_id(id),
            ("lex", ["bot-alias", bot, alias]) => is_id(bot) && is_id(alias),
            _ => false,
        }
    }
}

impl FromStr for CallerArn {
    type Err = InvalidCallerArn;

    fn from_str(text: &str) -> Result<Self, InvalidCallerArn> {
        let is_plain = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let parts: Vec<_> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, service, region, account, resource]
                if partition.starts_with("aws")
                    && is_plain(partition)
                    && is_plain(region)
                    && account.len() == 12
                    && account.bytes().all(|byte| byte.is_ascii_digit())
                    && Self::is_resource(service, resource) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidCallerArn),
        }
    }
}

impl fmt::Display for CallerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CallerArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

parse_from_json!(CallerArn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_is_an_instance_or_an_alias_of_a_bot() {
        for good in [
            "arn:aws:connect:eu-west-1:123456789012:instance/0c3e1f6a-6a1b-4d2f-9d1e-1f2a3b4c5d6e",
            "arn:aws-us-gov:connect:us-gov-west-1:123456789012:instance/a",
            "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/TSTALIASID",
        ] {
            assert_eq!(good.parse::<CallerArn>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "arn:aws:connect:eu-west-1:123456789012:instance/",
            "arn:aws:connect:eu-west-1:123456789012:instance/a/contact-flow/b",
            "arn:aws:connect:eu-west-1:12345:instance/a",
            "arn:aws:connect:*:123456789012:instance/*",
            "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ",
            "arn:aws:lambda:us-east-1:123456789012:function:agents",
            "arn:other:connect:eu-west-1:123456789012:instance/a",
        ] {
            assert_eq!(bad.parse::<CallerArn>(), Err(InvalidCallerArn), "{bad}");
        }
    }
}
