//! A real browser, driven by chromedriver. It never sleeps; it looks for an element until a deadline.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use embedded::SystemClock;
use ports::Clock;
use serde_json::{Value, json};
use thirtyfour::error::{WebDriverErrorInner, WebDriverResult};
use thirtyfour::{By, WebDriver, WebElement};

/// The longest time that a page may take to show an element.
const WAIT_MAX: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Returns the folder of the screenshots, which is there.
fn screenshots() -> PathBuf {
    let folder = tests::project_folder().join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A browser with one page in front. Dropping it kills the browser, unless it was closed.
pub(super) struct Browser {
    pub(super) driver: WebDriver,
    pid: Option<u64>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(pid) = self.pid.take() {
            Command::new("kill").args(["-9", &pid.to_string()]).status().ok();
            // Otherwise the handle would ask chromedriver to close a lost session, and wait.
            self.driver.clone().leak().ok();
        }
    }
}

impl Browser {
    /// Returns the browser of a session.
    pub(super) fn new(driver: WebDriver) -> Self {
        let pid = driver.capabilities().get("goog:processID").and_then(Value::as_u64);
        assert!(pid.is_some(), "chromedriver does not tell which process the browser is");
        Self { driver, pid }
    }

    /// Returns the elements of a selector. Behind `>>>` it is one within the shadow root of the element in front.
    async fn all(&self, css: &str) -> WebDriverResult<Vec<WebElement>> {
        match css.split_once(" >>> ") {
            None => self.driver.find_all(By::Css(css)).await,
            Some((host, inner)) => {
                let host = self.driver.find(By::Css(host)).await?;
                host.get_shadow_root().await?.find_all(By::Css(inner)).await
            }
        }
    }

    /// Returns the first visible element that contains the text.
    async fn look(&self, css: &str, text: &str) -> Option<WebElement> {
        // A page that is being replaced has elements that are gone when they are read.
        for element in self.all(css).await.ok()? {
            let visible = element.is_displayed().await.unwrap_or(false);
            if visible && element.text().await.is_ok_and(|found| found.contains(text)) {
                return Some(element);
            }
        }
        None
    }

    /// Waits for an element that contains the text.
    pub(super) async fn sees(&self, css: &str, text: &str) -> WebElement {
        let deadline = SystemClock.now().after(WAIT_MAX);
        loop {
            if let Some(element) = self.look(css, text).await {
                return element;
            }
            if SystemClock.now() > deadline {
                self.shot("failed").await;
                let page = self.driver.source().await.unwrap_or_default();
                panic!("there is no {css} with {text:?} in:\n{page}");
            }
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    /// Waits for an element and returns its text.
    pub(super) async fn reads(&self, css: &str) -> String {
        let deadline = SystemClock.now().after(WAIT_MAX);
        loop {
            let text = self.sees(css, "").await.text().await.unwrap_or_default();
            if !text.is_empty() {
                return text;
            }
            assert!(SystemClock.now() < deadline, "{css} stays empty");
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    pub(super) async fn clicks(&self, css: &str) {
        let deadline = SystemClock.now().after(WAIT_MAX);
        loop {
            let clicked = self.sees(css, "").await.click().await;
            match clicked {
                Ok(()) => return,
                // An element that the page has just drawn again is clicked once more.
                Err(error) => assert!(SystemClock.now() < deadline, "{css}: {error}"),
            }
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    /// Clicks an element that the page draws with another one, such as a label's box.
    pub(super) async fn picks(&self, css: &str) {
        let deadline = SystemClock.now().after(WAIT_MAX);
        loop {
            if let Ok(Some(element)) = self.all(css).await.map(|found| found.into_iter().next())
                && element.click().await.is_ok()
            {
                return;
            }
            assert!(SystemClock.now() < deadline, "there is no {css} to pick");
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    pub(super) async fn types(&self, css: &str, text: &str) {
        let field = self.sees(css, "").await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Returns whether any such element is visible.
    pub(super) async fn shows(&self, css: &str) -> bool {
        self.look(css, "").await.is_some()
    }

    pub(super) async fn has(&self, css: &str) -> bool {
        self.all(css).await.is_ok_and(|found| !found.is_empty())
    }

    pub(super) async fn goes(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// Forgets what the page in front has stored, as a new browser would.
    pub(super) async fn forgets(&self) {
        self.driver.delete_all_cookies().await.unwrap();
        self.runs("localStorage.clear(); sessionStorage.clear(); arguments[0]();").await;
    }

    pub(super) async fn reloads(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// Runs a script before the page's own ones, to give the browser more features.
    pub(super) async fn has_more(&self, script: &str) {
        let source = json!({ "source": script });
        let command = "Page.addScriptToEvaluateOnNewDocument";
        self.driver.cdp().send_raw(command, source).await.unwrap();
    }

    /// Shows the page with these media features; with none, as the device does.
    pub(super) async fn shows_as(&self, features: &[(&str, &str)]) {
        let pairs = features.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        let media = json!({ "features": pairs.collect::<Vec<_>>() });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
    }

    /// Runs a script that calls its last argument with a result.
    pub(super) async fn runs(&self, script: &str) -> Value {
        self.driver.execute_async(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Runs such a script, and returns nothing if the page reloaded before the script had ended.
    pub(super) async fn runs_unless_reloaded(&self, script: &str) -> Option<Value> {
        match self.driver.execute_async(script, Vec::new()).await {
            Ok(result) => Some(result.json().clone()),
            // So the driver reports that the page of the script is gone, at once.
            Err(error) if matches!(error.as_inner(), WebDriverErrorInner::ScriptTimeout(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Switches to the newest tab once there are that many.
    pub(super) async fn turns_to_tab(&self, count: usize) {
        let deadline = SystemClock.now().after(WAIT_MAX);
        loop {
            let tabs = self.driver.windows().await.unwrap();
            if tabs.len() == count {
                self.driver.switch_to_window(tabs[count - 1].clone()).await.unwrap();
                return;
            }
            assert!(SystemClock.now() < deadline, "{} tabs are open, not {count}", tabs.len());
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    /// Opens an address in a tab of its own, and switches to it.
    pub(super) async fn opens_tab(&self, url: &str) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        self.goes(url).await;
    }

    /// Asserts that no element is wider than the screen.
    pub(super) async fn fits(&self, width: u32) {
        let page = self.driver.find(By::Css("html")).await.unwrap();
        let wide = page.prop("scrollWidth").await.unwrap().unwrap();
        assert_eq!(wide, width.to_string(), "the page is wider than the screen");
    }

    /// Asserts that each of these elements has its words in one line, within the screen.
    pub(super) async fn keeps_whole(&self, css: &str) {
        let broken = format!(
            "const done = arguments[0];
            const lines = (element) => {{
              const words = document.createRange();
              words.selectNodeContents(element);
              return [...words.getClientRects()];
            }};
            const isBroken = (element) => lines(element).some((line, _, all) =>
              Math.abs(line.bottom - all[0].bottom) > line.height / 2 || line.left < 0 || line.right > innerWidth);
            done([...document.querySelectorAll('{css}')].filter(isBroken).map((element) => element.outerHTML));"
        );
        assert_eq!(self.runs(&broken).await, json!([]), "broken or cut off");
    }

    /// Saves the whole page, beyond the screen, as `target/screenshots/<name>.png`.
    pub(super) async fn shot_whole(&self, name: &str) {
        let whole = json!({ "captureBeyondViewport": true });
        let shot = self.driver.cdp().send_raw("Page.captureScreenshot", whole).await.unwrap();
        let png = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(screenshots().join(format!("{name}.png")), png).unwrap();
    }

    /// Saves the screen as `target/screenshots/<name>.png`.
    pub(super) async fn shot(&self, name: &str) {
        self.driver.screenshot(&screenshots().join(format!("{name}.png"))).await.unwrap();
    }

    /// Closes the browser and asserts that its log has no errors or warnings.
    pub(super) async fn closes(self) {
        self.closes_after(&[]).await;
    }

    /// Closes the browser. Its log has no errors or warnings, besides answers of these statuses.
    pub(super) async fn closes_after(mut self, statuses: &[u16]) {
        let log = self.driver.browser_log().await.unwrap();
        let is_trouble = |level: &str| matches!(level, "SEVERE" | "WARNING");
        let is_known = |text: &str| {
            statuses.iter().any(|status| text.contains(&format!("with a status of {status} ")))
        };
        let trouble = log.iter().filter(|entry| is_trouble(&entry.level));
        let trouble: Vec<_> = trouble.filter(|entry| !is_known(&entry.message)).collect();
        assert!(trouble.is_empty(), "the browser complains: {trouble:#?}");
        self.driver.clone().quit().await.unwrap();
        self.pid = None;
    }
}
