//! The sandbox's OpenID provider in a world: its settings, and a customer who signs in there.

use http::Method;
use serde_json::{Value, json};

use super::{Answer, Core, PUBLIC_BASE, WorldBuilder};

impl WorldBuilder {
    /// Adds the sandbox's OpenID provider to the brand's processors, in test mode.
    #[must_use]
    pub fn with_sandbox_identity(mut self) -> Self {
        let processors = self.secret.pointer_mut("/test/processors").and_then(Value::as_array_mut);
        processors.expect("the place is there").push(json!({
            "name": "identity",
            "kind": "openid",
            "settings": {
                "issuer": format!("{PUBLIC_BASE}/sandbox/identity"),
                "client_id": "demo",
                "client_secret": "sandbox",
            },
        }));
        self
    }
}

impl Core {
    /// Approves the newest prompt, signs in at the sandbox's OpenID provider as this person, and returns.
    ///
    /// Gives the answer to the return.
    pub fn signs_in(&self, person: &str) -> Answer {
        let url = self.goes_to_sign_in();
        let form = [("person", person)];
        let call = self.call(Method::POST, &url).key(None).idempotency(None).form(&form);
        let back = call.send().ok(303).header("location").replacen(PUBLIC_BASE, "", 1);
        let answer = self.call(Method::GET, &back).key(None).send();
        self.run_until_idle();
        answer
    }

    /// Approves the newest prompt. Returns the path and query of the provider's page.
    #[must_use]
    pub fn goes_to_sign_in(&self) -> String {
        let page = self.customer().approves_hosted();
        let html = self.customer().opens(&format!("{page}?go=1")).ok(200).text();
        let (_, rest) = html.split_once("content=\"0;url=").expect("the page redirects");
        let url = rest.split('"').next().unwrap_or_default().replace("&#38;", "&");
        url.replacen(PUBLIC_BASE, "", 1)
    }
}
