//! An identity ask at the deployed stack, whose sandbox is the OpenID provider.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use embedded::SystemClock;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response};
use ports::Clock;
use serde_json::json;

use crate::deployed::{WAIT_MAX, demo, is_closed, message, raw};

/// A browser that keeps cookies.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    async fn call(&mut self, method: Method, url: &str, form: &str) -> Response<Bytes> {
        let cookies = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header(COOKIE, cookies.collect::<Vec<_>>().join("; "))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = raw(request, form).await;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    async fn reads(&mut self, url: &str) -> String {
        let page = self.call(Method::GET, url, "").await;
        String::from_utf8_lossy(page.body()).into_owned()
    }
}

#[tokio::test]
async fn identity_ask_is_fulfilled_by_the_sandboxs_provider() {
    let (requester, phone) = (demo(), "+15557010021");
    let body = json!({
        "customer": { "phone": phone },
        "session": { "kind": "voice", "id": "deployed-identity" },
        "ask": { "kind": "identity", "claims": ["given_name", "email"], "description": "Opening an account" },
    });
    let asked = requester.ask(&body, "deployed-identity").await;
    let id = asked["id"].as_str().unwrap();
    let link = message(&requester, phone, id).await["link"].as_str().unwrap().to_owned();
    let mut browser = Browser::default();
    let page = browser.reads(&link).await;
    let nonce = page.split("name=\"nonce\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let code = asked["session_code"].as_str().unwrap();
    let form = format!("nonce={nonce}&session_code={code}&action=approve_hosted");
    assert_eq!(browser.call(Method::POST, &link, &form).await.status(), 303);
    let deadline = SystemClock.now().after(WAIT_MAX);
    let sign_in = loop {
        let page = browser.reads(&format!("{link}?go=1")).await;
        if let Some((_, rest)) = page.split_once("content=\"0;url=") {
            break rest.split('"').next().unwrap().replace("&#38;", "&");
        }
        assert!(SystemClock.now() < deadline, "{page}");
        SystemClock.wait(Duration::from_millis(200)).await;
    };
    assert!(browser.reads(&sign_in).await.contains("To be shared: given_name, email"));
    let back = browser.call(Method::POST, &sign_in, "person=grace").await;
    let back = back.headers()[LOCATION].to_str().unwrap().to_owned();
    assert_eq!(browser.call(Method::GET, &back, "").await.status(), 303);
    let closed = requester.until(id, is_closed).await;
    assert_eq!(closed["state"], "fulfilled", "{closed:#}");
    let claims = json!({ "given_name": "Grace", "email": "grace@example.com" });
    assert_eq!(closed["outcome"]["identity"]["claims"], claims);
}
