//! Claims from a third-party OpenID provider, with a customer who signs in at its pages.
//!
//! `tests/run.py` starts `tests/openid/provider.mjs` and puts its address into the environment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::Authorization;
use domain::brand::{Brand, Mode};
use domain::processor_result::{Reference, ReportedResult};
use domain::values::text::DisplayText;
use embedded::SystemClock;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, Response};
use ports::{
    AttemptContext, Confirmed, Created, Fulfillment, Http, Processor, ProcessorEvent, Processors,
    Proof, Reach, RedirectUrl, Rejection, Retrieved, UnverifiedCallback, WebhookResponse,
};
use processors::{Deps, Registry};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::doubles::used;

use crate::deployed::variable;

/// The redirect URI that the provider has registered for its client.
const CALLBACK: &str = "https://pay.example.com/callbacks/demo/bank";
const SECRET: &str = "a secret of 32 bytes and a percent %";

fn opened(pushed: bool, secret: &str) -> Box<dyn Processor> {
    let issuer = variable("OPENID_ISSUER");
    let mut settings = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "client_id": "acme shop", "client_secret": secret, "names_issuer": true,
    });
    if pushed {
        settings["pushed_authorization_request_endpoint"] = json!(format!("{issuer}/request"));
    }
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let brand = json!({
        "version": "1", "name": "demo", "display_name": "Acme", "keys": [],
        "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
        "test": { "processors": [{ "name": "bank", "kind": "openid", "settings": settings }] },
    });
    let brand = Brand::parse(&brand.to_string()).unwrap();
    let http = Arc::new(https::Client::new().unwrap());
    let outside = Deps { http, clock: Arc::new(SystemClock) };
    Registry::new(outside).open(&brand, Mode::Test, &"bank".parse().unwrap()).ok().unwrap()
}

fn ask() -> Ask {
    let claims = ["given_name", "address"].map(|claim| DisplayText::new(claim).unwrap());
    Ask::Identity {
        acr: Vec::new(),
        claims: claims.into(),
        description: DisplayText::new("Opening an account").unwrap(),
        max_age: None,
    }
}

/// Returns an attempt of another request each time, since the provider remembers earlier ones.
fn attempt<'a>(number: u32, ask: &'a Ask, authorization: &'a Authorization) -> AttemptContext<'a> {
    AttemptContext { ask, callback: CALLBACK, ..used(authorization, 1, number) }
}

fn hosted() -> Authorization {
    Authorization::Hosted
}

/// A browser that knows forms and redirects.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn call(&mut self, method: Method, url: &str, form: &str) -> Response<Bytes> {
        let url = if url.starts_with('/') {
            format!("{}{url}", variable("OPENID_ISSUER"))
        } else {
            url.to_owned()
        };
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = Request::builder()
            .method(method)
            .uri(url)
            .header(COOKIE, cookies.join("; "))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form.to_owned()))
            .unwrap();
        let client = https::Client::new().unwrap();
        let answer = client.call(call, Reach::Configured, Duration::from_secs(10)).await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Follows redirects until a page is shown or the address is ours. Returns that address.
    async fn follow(&mut self, mut answer: Response<Bytes>, mut at: String) -> String {
        for _ in 0..10 {
            let Some(next) = answer.headers().get(LOCATION) else { return at };
            at = next.to_str().unwrap().to_owned();
            if at.starts_with(CALLBACK) {
                return at;
            }
            answer = self.call(Method::GET, &at, "").await;
        }
        panic!("sent in circles at {at}");
    }

    async fn goes(&mut self, url: &str) -> String {
        let answer = self.call(Method::GET, url, "").await;
        self.follow(answer, url.to_owned()).await
    }

    /// Signs in and releases the claims. Returns the address to which the customer returns.
    async fn signs_in(&mut self, url: &str) -> String {
        let page = self.goes(url).await;
        let form = "prompt=login&login=cust1&password=any";
        let answer = self.call(Method::POST, &page, form).await;
        let page = self.follow(answer, page).await;
        let answer = self.call(Method::POST, &page, "prompt=consent").await;
        self.follow(answer, page).await
    }
}

async fn redirected(bank: &dyn Processor, what: &AttemptContext<'_>) -> (Reference, String) {
    let Created::Ready(reference) = bank.create(what).await else { panic!() };
    let answer = bank.confirm(what, &reference).await;
    let Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) } = answer else {
        panic!("{answer:?}")
    };
    (reference, url)
}

fn comes_back(bank: &dyn Processor, url: &str) -> ProcessorEvent {
    let callback = UnverifiedCallback {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        now: tests::doubles::START_TIME,
        proof: Proof::None,
    };
    let mut heard = bank.receive(&callback).unwrap();
    assert!(matches!(heard.reply, WebhookResponse::ToPage(_)));
    heard.events.remove(0)
}

fn code(events: ProcessorEvent) -> Authorization {
    let ProcessorEvent::Returned { grant, .. } = events else { panic!("{events:?}") };
    grant.into()
}

#[tokio::test]
async fn consented_claims_are_returned_by_every_request_method() {
    for (number, pushed) in [(1, true), (2, false)] {
        let (bank, ask, yes) = (opened(pushed, SECRET), ask(), hosted());
        let what = attempt(number, &ask, &yes);
        let (reference, url) = redirected(bank.as_ref(), &what).await;
        assert_eq!(url.contains("claims"), !pushed);
        let back = Browser::default().signs_in(&url).await;
        let code = code(comes_back(bank.as_ref(), &back));
        let what = AttemptContext { authorization: &code, on_hosted_page: true, ..what };
        let answer = bank.confirm(&what, &reference).await;
        let Confirmed::Exchanged(access) = answer else { panic!("{answer:?}") };
        let access = Authorization::Grant(access);
        let what = AttemptContext { authorization: &access, ..what };
        let answer = bank.confirm(&what, &reference).await;
        let Confirmed::Done(Fulfillment::Claims { receipt, claims }) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(receipt.released, ["given_name", "address"]);
        let claims: Value = serde_json::from_str(claims.0.expose_secret()).unwrap();
        let address = json!({ "locality": "London", "country": "GB" });
        assert_eq!(claims, json!({ "given_name": "Ada", "address": address }));
        // Reading claims is safe to repeat.
        assert!(matches!(bank.confirm(&what, &reference).await, Confirmed::Done(_)));
    }
}

#[tokio::test]
async fn code_is_exchanged_once_by_its_client_only() {
    let (bank, ask, yes) = (opened(true, SECRET), ask(), hosted());
    let what = attempt(3, &ask, &yes);
    let (reference, url) = redirected(bank.as_ref(), &what).await;
    let back = Browser::default().signs_in(&url).await;
    let code = code(comes_back(bank.as_ref(), &back));
    // The verifier of another attempt does not fit.
    let other = AttemptContext { authorization: &code, ..attempt(4, &ask, &code) };
    let Created::Ready(foreign) = bank.create(&attempt(4, &ask, &yes)).await else { panic!() };
    let lost = Confirmed::SoftDeclined { code: "authentication_lost" };
    assert_eq!(bank.confirm(&other, &foreign).await, lost);
    let what = AttemptContext { authorization: &code, ..what };
    assert!(matches!(bank.confirm(&what, &reference).await, Confirmed::Exchanged(_)));
    assert_eq!(bank.confirm(&what, &reference).await, lost);
}

#[tokio::test]
async fn customer_who_leaves_is_reported_as_left() {
    let (bank, ask, yes) = (opened(true, SECRET), ask(), hosted());
    let what = attempt(5, &ask, &yes);
    let (reference, url) = redirected(bank.as_ref(), &what).await;
    let mut browser = Browser::default();
    let page = browser.goes(&url).await;
    let back = browser.goes(&format!("{page}/abort")).await;
    let ProcessorEvent::AttemptReported { reported, attempt_no: 5, .. } =
        comes_back(bank.as_ref(), &back)
    else {
        panic!()
    };
    let reported: ReportedResult = reported;
    let what = AttemptContext { reported: Some(&reported), on_hosted_page: true, ..what };
    let answer = bank.retrieve(&what, &reference).await;
    assert_eq!(answer, Retrieved::SoftDeclined { code: "access_denied" });
}

#[tokio::test]
async fn wrong_client_secret_is_a_rejected_account() {
    let (bank, ask, yes) = (opened(true, "not the secret of that client at all"), ask(), hosted());
    let what = attempt(6, &ask, &yes);
    let Created::Ready(reference) = bank.create(&what).await else { panic!() };
    let answer = bank.confirm(&what, &reference).await;
    assert_eq!(answer, Confirmed::Blocked { by: Rejection::Credentials });
}
