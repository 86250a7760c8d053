//! The keyboard of a real browser.

use serde_json::json;
use thirtyfour::{By, Key, TypingData};

use super::driver::Browser;

impl Browser {
    /// Presses the space bar on an element. The clicks of chromedriver wait for scripts to run.
    pub(super) async fn presses(&self, css: &str) {
        self.driver.find(By::Css(css)).await.unwrap().send_keys(" ").await.unwrap();
    }

    /// Presses Enter on an element.
    pub(super) async fn enters(&self, css: &str) {
        let element = self.driver.find(By::Css(css)).await.unwrap();
        element.send_keys(Key::Enter).await.unwrap();
    }

    /// Presses keys at the control that has the focus, as a keyboard does.
    pub(super) async fn keys(&self, keys: impl Into<TypingData> + Send) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Presses a letter with the Alt key.
    pub(super) async fn shortcut(&self, letter: char) {
        let chain = self.driver.action_chain();
        let chain = chain.key_down(Key::Alt).key_down(letter).key_up(letter).key_up(Key::Alt);
        chain.perform().await.unwrap();
    }

    /// Goes on with the Tab key until the control of a selector has the focus.
    pub(super) async fn tabs_until(&self, css: &str) {
        let focus = "let here = document.activeElement; while (here?.shadowRoot?.activeElement) here = here.shadowRoot.activeElement;";
        for _ in 0..60 {
            let is_here =
                format!("{focus} arguments[0](here !== null && here.matches({}));", json!(css));
            if self.runs(&is_here).await == json!(true) {
                return;
            }
            self.keys(Key::Tab).await;
        }
        self.shot("failed").await;
        panic!("the keyboard does not reach {css}");
    }

    /// Goes to a control with the Tab key, and presses it with the keyboard.
    pub(super) async fn tabs_to(&self, css: &str) {
        let wanted = self.driver.find(By::Css(css)).await.unwrap();
        let group = wanted.attr("name").await.unwrap();
        for _ in 0..40 {
            let here = self.driver.active_element().await.unwrap();
            if here == wanted {
                let is_link = wanted.tag_name().await.unwrap() == "a";
                here.send_keys(if is_link { Key::Enter } else { Key::Space }).await.unwrap();
                return;
            }
            // The arrows go through a group of choices.
            let is_choice = here.attr("type").await.unwrap().as_deref() == Some("radio");
            let is_same_group = is_choice && here.attr("name").await.unwrap() == group;
            let key = if is_same_group { Key::Down } else { Key::Tab };
            here.send_keys(key).await.unwrap();
        }
        panic!("the keyboard does not reach {css}");
    }

    /// Presses a button or a choice, or follows a link, where no script runs.
    pub(super) async fn presses_or_follows(&self, css: &str) {
        let element = self.driver.find(By::Css(css)).await.unwrap();
        let is_link = element.tag_name().await.unwrap() == "a";
        element.send_keys(if is_link { Key::Enter } else { Key::Space }).await.unwrap();
    }

    /// Chooses from a list by its keyboard, which every device has.
    pub(super) async fn chooses(&self, css: &str, value: &str) {
        let list = self.driver.find(By::Css(css)).await.unwrap();
        for _ in 0..9 {
            if list.prop("value").await.unwrap().as_deref() == Some(value) {
                return;
            }
            list.send_keys(Key::Down).await.unwrap();
        }
        panic!("{css} has no {value}");
    }
}
