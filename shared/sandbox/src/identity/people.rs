//! The people who sign in at the sandbox's OpenID provider. Each plays one case.

use serde_json::{Map, Value, json};

/// The claims that the provider has of each person.
pub(super) const CLAIMS: [&str; 11] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "birthdate",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// The claims of each scope (OpenID Connect Core 1.0, section 5.4).
pub(super) const SCOPES: [(&str, &[&str]); 4] = [
    ("profile", &["name", "given_name", "family_name", "middle_name", "birthdate", "updated_at"]),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// The course of a person's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInScript {
    /// The person releases the claims.
    Releases,
    /// The person releases the claims, and has another phone number than the one that was asked.
    OtherNumber,
    /// The person releases the first claim alone.
    ReleasesOne,
    /// The person signs in and releases no claim.
    ReleasesNone,
    /// The person returns with this error.
    Fails(&'static str),
    /// The return names another issuer.
    ReturnsFromElsewhere,
    /// The code is refused.
    CodeRefused,
    /// The ID token names another issuer.
    OtherIssuer,
    /// The ID token has the nonce of another sign-in.
    OtherNonce,
    /// The ID token ended an hour ago.
    Expired,
    /// The sign-in was a day ago, and not in the way that was asked for.
    OldSignIn,
    /// User info is of another person.
    OtherSubject,
}

/// A person, by the magic value.
pub(super) struct Person {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) conduct: SignInScript,
}

/// The people on the authorization page.
pub(super) const PEOPLE: [Person; 13] = [
    person("grace", "Grace Hopper, who shares it", SignInScript::Releases),
    person("zoe", "Zoë Brontë, who has another phone number", SignInScript::OtherNumber),
    person("shares_one", "Shares one thing only", SignInScript::ReleasesOne),
    person("shares_nothing", "Signs in and shares nothing", SignInScript::ReleasesNone),
    person("denies", "Denies", SignInScript::Fails("access_denied")),
    person(
        "unavailable",
        "The provider has a fault",
        SignInScript::Fails("temporarily_unavailable"),
    ),
    person("wrong_return", "Returns from another provider", SignInScript::ReturnsFromElsewhere),
    person("code_refused", "The code is refused", SignInScript::CodeRefused),
    person("wrong_issuer", "The ID token names another issuer", SignInScript::OtherIssuer),
    person("wrong_nonce", "The ID token is of another sign-in", SignInScript::OtherNonce),
    person("expired", "The ID token ended an hour ago", SignInScript::Expired),
    person("old_sign_in", "Signed in a day ago", SignInScript::OldSignIn),
    person("wrong_subject", "User info is of another person", SignInScript::OtherSubject),
];

const fn person(id: &'static str, label: &'static str, conduct: SignInScript) -> Person {
    Person { id, label, conduct }
}

impl Person {
    /// Returns the person with this magic value.
    pub(super) fn find(id: &str) -> Option<&'static Self> {
        PEOPLE.iter().find(|person| person.id == id)
    }

    /// Returns the person's id at the provider.
    pub(super) fn subject(&self) -> String {
        format!("sandbox-{}", self.id)
    }

    /// Returns the claims among these that the person releases.
    pub(super) fn released(&self, asked: &[String]) -> Map<String, Value> {
        let count = match self.conduct {
            SignInScript::ReleasesNone => 0,
            SignInScript::ReleasesOne => 1,
            SignInScript::Releases
            | SignInScript::OtherNumber
            | SignInScript::Fails(_)
            | SignInScript::ReturnsFromElsewhere
            | SignInScript::CodeRefused
            | SignInScript::OtherIssuer
            | SignInScript::OtherNonce
            | SignInScript::Expired
            | SignInScript::OldSignIn
            | SignInScript::OtherSubject => asked.len(),
        };
        let mut all = self.claims();
        let released = asked.iter().take(count);
        released.filter_map(|name| all.remove_entry(name)).collect()
    }

    fn claims(&self) -> Map<String, Value> {
        let is_other = self.conduct == SignInScript::OtherNumber;
        let (first, middle, last, born) = if is_other {
            ("Zoë", "Maria", "Brontë", "1848-02-29")
        } else {
            ("Grace", "Brewster", "Hopper", "1906-12-09")
        };
        let place = json!({
            "formatted": "12 St James's Square\nLondon SW1Y 4JH\nUnited Kingdom",
            "street_address": "12 St James's Square",
            "locality": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        });
        let claims = json!({
            "name": format!("{first} {last}"),
            "given_name": first,
            "middle_name": middle,
            "family_name": last,
            "birthdate": born,
            "email": format!("{}@example.com", self.id),
            "email_verified": true,
            // The number that the sandbox phone shows first.
            "phone_number": if is_other { "+15551230002" } else { "+15551230001" },
            "phone_number_verified": true,
            "address": place,
            "updated_at": 1_795_651_200,
        });
        match claims {
            Value::Object(claims) => claims,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        }
    }
}
