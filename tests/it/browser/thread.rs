//! The table of `flows::thread`: for each channel and end, what the sandbox phone draws.

use std::sync::Arc;

use local::{ReceivedWebhooks, Site};
use serde_json::{Value, json};
use tests::world::brand::TEST_KEY;
use tests::world::{PHONE, World};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::WIDTH;
use super::accessibility::assert_accessible;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use crate::flows::thread::{ENDS, story};
use crate::live::folder::Folder;

/// Lets the drawn phone grow with its messages, and reads them: heading, words, labels, and whether the buttons look spent.
const READ: &str = r"
const done = arguments[0];
const phone = document.querySelector('.phone');
phone.style.height = 'auto';
phone.style.maxHeight = 'none';
const label = (tap) => [...tap.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('');
const read = (message) => ({
  title: message.querySelector('h2')?.textContent ?? '',
  text: message.querySelector('.say').textContent,
  labels: [...message.querySelectorAll('.tap, .pay')].map(label),
  spent: [...message.querySelectorAll('.tap, .pay')].map((tap) => tap.getAttribute('aria-disabled') === 'true'),
});
done([...document.querySelectorAll('#messages > .message')].map(read));";

/// Serves a world's machine with its phone, and returns the phone's address.
fn serves(runtime: &Runtime, world: &World) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let site = Site {
        api: base.clone(),
        key: TEST_KEY.to_owned(),
        brand: "demo".parse().unwrap(),
        phone: PHONE.to_owned(),
        secrets: Arc::clone(&world.ports.secrets),
        clock: Arc::clone(&world.ports.clock),
        received: ReceivedWebhooks::default(),
    };
    let router = local::router(&world.machine, site);
    runtime.spawn(async move { axum::serve(listener, router).await });
    format!("{base}/phone")
}

/// Returns what the phone has to draw of a message that its API shows.
fn expected(shown: &Value) -> Value {
    let is_text = shown["style"] == "sms";
    let actions = shown["actions"].as_array().unwrap().iter();
    let has_sheet = actions.clone().any(|action| !action["sheet"].is_null());
    let labels: Vec<Value> = if shown["retracted"] == true {
        Vec::new()
    } else if has_sheet {
        vec![json!("Pay")]
    } else {
        actions.map(|action| action["label"].clone()).collect()
    };
    let spent = vec![shown["spent"].clone(); labels.len()];
    let title = if is_text { json!("") } else { shown["title"].clone() };
    json!({ "title": title, "text": shown["text"], "labels": labels, "spent": spent })
}

/// Draws every end on a channel of this style. The phone shows the prompts and all messages of the thread, oldest first.
fn draws_every_end(style: &str) {
    let runtime = Runtime::new().unwrap();
    let (chromedriver, folder) = (Chromedriver::start(), Folder::new());
    let open = chromedriver.open(folder.path().join(style), Screen::Phone(WIDTH), "about:blank");
    let browser = runtime.block_on(open);
    for end in ENDS {
        let (world, _) = story(style, end);
        let mut messages = world.customer().all_messages();
        messages.reverse();
        let expected: Vec<Value> =
            messages.iter().map(|message| expected(&message.shown)).collect();
        let phone = serves(&runtime, &world);
        runtime.block_on(draws(&browser, &phone, &expected, &format!("thread-{style}-{end:?}")));
    }
    runtime.block_on(browser.closes());
}

async fn draws(browser: &Browser, phone: &str, expected: &[Value], name: &str) {
    browser.goes(phone).await;
    browser.sees(&format!("#messages > .message:nth-child({})", expected.len()), "").await;
    let drawn = browser.runs(READ).await;
    assert_eq!(drawn, json!(expected), "{name}");
    browser.fits(WIDTH).await;
    assert_accessible(browser, name).await;
    browser.shot_whole(name).await;
    browser.goes("about:blank").await;
}

#[test]
fn phone_draws_every_end_over_rcs() {
    draws_every_end("rcs");
}

#[test]
fn phone_draws_every_end_over_whatsapp() {
    draws_every_end("whatsapp");
}

#[test]
fn phone_draws_every_end_over_apple() {
    draws_every_end("apple");
}

#[test]
fn phone_draws_every_end_over_texts() {
    draws_every_end("sms");
}
