//! Starts chromedriver, and opens browsers with it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;
use thirtyfour::{
    CapabilitiesHelper, ChromeCapabilities, ChromiumLikeCapabilities, DesiredCapabilities,
    LoggingPrefsLogLevel, WebDriver,
};

use super::driver::Browser;

/// The most starts of chromedriver, each on another free port.
const STARTS_MAX: usize = 5;

/// Flags for a browser with one page: no window, and no background traffic. Root cannot have a sandbox.
const FLAGS: [&str; 12] = [
    // A headless browser names itself so, as scanners of links do, and is shown the preview alone.
    "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    // One process for all pages and none to draw: a fifth less CPU.
    "--in-process-gpu",
    "--renderer-process-limit=1",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A running chromedriver. Dropping it ends the process and its browsers.
pub(super) struct Chromedriver {
    child: Child,
    said: BufReader<ChildStdout>,
    address: String,
}

/// The screen of a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    /// The agent's desk.
    Desk,
    /// A customer's phone, with its width in pixels.
    Phone(u32),
    /// A narrow phone with scripts switched off.
    PhoneWithoutScripts(u32),
}

#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
fn program(variable: &str, usual: &str) -> String {
    let path = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let there = Path::new(&path).is_file();
    assert!(there, "{path} is not there: install Chromium and its driver, or set {variable}");
    path
}

impl Chromedriver {
    /// Starts a chromedriver on a free port.
    ///
    /// Chromedriver takes a free port of IPv4 and ends where another process holds the same port of IPv6.
    pub(super) fn start() -> Self {
        let mut failures = Vec::new();
        while failures.len() < STARTS_MAX {
            let mut driver = Self::spawn();
            match driver.listening_address() {
                Ok(address) => {
                    driver.address = address;
                    return driver;
                }
                Err(lines) => failures.push(lines),
            }
        }
        panic!("chromedriver does not start: {failures:?}")
    }

    fn spawn() -> Self {
        let mut child = Command::new(program("CHROMEDRIVER", "/usr/bin/chromedriver"))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said, address: String::new() }
    }

    /// Returns where chromedriver listens, or the lines that it printed before it ended.
    fn listening_address(&mut self) -> Result<String, Vec<String>> {
        let mut lines = Vec::new();
        for line in self.said.by_ref().lines().map_while(Result::ok) {
            if let Some((_, port)) = line.rsplit_once("successfully on port ") {
                return Ok(format!("http://127.0.0.1:{}", port.trim_end_matches('.')));
            }
            lines.push(line);
        }
        Err(lines)
    }

    /// Opens Chromium's shell on a page, with its profile in `folder`.
    ///
    /// The shell has Chromium's engine without the rest of the browser, and takes a third less CPU.
    pub(super) async fn open(&self, folder: PathBuf, screen: Screen, url: &str) -> Browser {
        let mut wants = DesiredCapabilities::chrome();
        let shell = program("HEADLESS_SHELL", "/usr/lib/chromium/chromium-headless-shell");
        if shell.ends_with("headless-shell") {
            // Without its name, the driver opens no page in it.
            wants.set("browserName", "chrome-headless-shell").unwrap();
        }
        wants.set_binary(&shell).unwrap();
        self.open_as(wants, folder, screen, url).await
    }

    /// Opens the whole Chromium with more flags. The shell sends no reports of what a page's policy blocked.
    pub(super) async fn open_whole(
        &self,
        folder: PathBuf,
        screen: Screen,
        url: &str,
        flags: &[String],
    ) -> Browser {
        let mut wants = DesiredCapabilities::chrome();
        wants.set_binary(&program("CHROMIUM", "/usr/bin/chromium")).unwrap();
        for flag in flags {
            wants.add_arg(flag).unwrap();
        }
        self.open_as(wants, folder, screen, url).await
    }

    async fn open_as(
        &self,
        mut wants: ChromeCapabilities,
        folder: PathBuf,
        screen: Screen,
        url: &str,
    ) -> Browser {
        for flag in FLAGS {
            wants.add_arg(flag).unwrap();
        }
        wants.add_arg(&format!("--user-data-dir={}", folder.display())).unwrap();
        wants.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        match screen {
            Screen::Desk => wants.add_arg("--window-size=1440,1000").unwrap(),
            Screen::Phone(width) | Screen::PhoneWithoutScripts(width) => {
                let metrics =
                    json!({ "width": width, "height": 740, "pixelRatio": 2.0, "touch": true });
                let phone = json!({ "deviceMetrics": metrics });
                wants.add_experimental_option("mobileEmulation", phone).unwrap();
            }
        }
        let driver = WebDriver::new(self.address.as_str(), wants).await.unwrap();
        if matches!(screen, Screen::PhoneWithoutScripts(_)) {
            let off = json!({ "value": true });
            driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", off).await.unwrap();
        }
        driver.goto(url).await.unwrap();
        Browser::new(driver)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // A polite request makes chromedriver end its browsers too.
        let pid = self.child.id().to_string();
        Command::new("kill").arg(pid).status().ok();
        self.child.wait().ok();
    }
}
