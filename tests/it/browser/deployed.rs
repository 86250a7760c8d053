//! The desk of the deployed stack, as an agent uses it who signs in with a key.

use serde_json::json;
use thirtyfour::Key;

use super::chromedriver::{Chromedriver, Screen};
use super::{DIGITS, TRANSACTION, state};
use crate::deployed::{demo, message, variable};
use crate::live::folder::Folder;

const CUSTOMER: &str = "+15551239101";

#[tokio::test]
async fn deployed_desk_asks_and_follows_to_the_end() {
    let (folder, chromedriver, requester) = (Folder::new(), Chromedriver::start(), demo());
    let desk = format!("{}/desk", variable("ASSENT_API"));
    let agent = chromedriver.open(folder.path().join("desk"), Screen::Desk, &desk).await;
    agent.sees("#sign-in h1", "Desk").await;
    agent.types("#key", &variable("ASSENT_KEY")).await;
    agent.keys(Key::Enter).await;
    agent.clicks("#ask").await;
    agent.types("#ask-phone", CUSTOMER).await;
    agent.types("#ask-amount", "42.50").await;
    agent.types("#ask-description", "At the deployed desk").await;
    agent.clicks("#ask-send").await;
    let code = agent.reads(DIGITS).await;
    agent.sees(&state("prompted"), "Waiting for the customer").await;
    let facts = agent.reads("main .facts").await;
    let id = facts.split_whitespace().find(|word| word.starts_with("req_")).unwrap();
    let message = message(&requester, CUSTOMER, id).await;
    let tap = json!({ "action": "approve", "session_code": code });
    requester.tap(CUSTOMER, message["id"].as_str().unwrap(), &tap).await.unwrap();
    let ended = requester.until(id, |request| !request["outcome"].is_null()).await;
    agent.sees(&state("fulfilled"), "Paid").await;
    assert_eq!(agent.reads(TRANSACTION).await, ended["outcome"]["transaction_code"]);
    // The address of the request is one of the deployed routes, too.
    agent.reloads().await;
    agent.sees(&state("fulfilled"), "Paid").await;
    agent.closes().await;
}
