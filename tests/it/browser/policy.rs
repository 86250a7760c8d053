//! The script policy of the consent page in a real browser, over TLS. Google's and an attacker's hosts are served here too. A
//! script that does not run was therefore blocked by the policy alone.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use embedded::SystemClock;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use ports::Clock;
use rcgen::{CertifiedKey, PublicKeyData, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tests::world::{PHONE, World};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::WIDTH;
use super::chromedriver::{Chromedriver, Screen};
use super::driver::Browser;
use crate::live::folder::Folder;

/// The script that Google's host serves: its client is ready, and it marks the page.
const PAY: &str = r#"
document.documentElement.dataset.pay = "ran";
window.google = { payments: { api: { PaymentsClient: class {
  constructor(options) { this.options = options; }
  createButton(options) {
    const style = document.createElement("style");
    style.nonce = this.options.nonce;
    style.textContent = `.gpay { width: 100%; height: 100%; border-radius: ${options.buttonRadius}px;
      background: ${options.buttonColor} url("https://www.gstatic.com/instantbuy/svg/dark_gpay.svg") center no-repeat }`;
    document.head.appendChild(style);
    const button = document.createElement("button");
    button.className = "gpay";
    button.ariaLabel = "Google Pay";
    button.onclick = options.onClick;
    const place = document.createElement("div");
    place.append(button);
    return place;
  }
  isReadyToPay() { return Promise.resolve({ result: true }); }
  loadPaymentData() { return Promise.reject({ statusCode: "CANCELED" }); }
} } } };"#;
/// The host of the picture in Google's button.
const PICTURES: &str = "www.gstatic.com";
/// The path of that picture.
const BUTTON: &str = "/instantbuy/svg/dark_gpay.svg";
/// The picture that it serves.
const PICTURE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="42" height="17"/>"#;
/// The script that an attacker's host serves.
const EVIL: &str = r#"document.documentElement.dataset.evil = "ran";"#;
/// Content that an attacker put into the page: scripts, a handler, a style and a picture.
const INJECTED: &str = r#"<p id="kept">kept</p><script>document.documentElement.dataset.evil = "inline"</script>
<script src="https://evil.example/x.js"></script><style>h1 { display: none }</style>
<img src="https://evil.example/x.png" onerror="document.documentElement.dataset.evil = 'handler'"></main>"#;
/// The same with one character changed, so that its digest is another.
const CHANGED: (&str, &str) = ("\"use strict\";", "\"use strict\" ;");

/// Connections whose handshakes are done. A browser opens some that it never uses.
struct TlsListener(mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>, SocketAddr);

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.0.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.1)
    }
}

/// A world whose consent page is served over TLS, with all hosts of the page at one address.
struct TlsSite {
    world: World,
    runtime: Runtime,
    port: u16,
    /// The digest of the certificate's key, which the browser is told to trust.
    pin: String,
    /// The bodies of the browser's reports, and the addresses of the pictures that it loaded.
    seen: Arc<Mutex<Vec<String>>>,
    chromedriver: Chromedriver,
    folder: Folder,
}

impl TlsSite {
    fn set() -> Self {
        let world = World::builder().with_fake_processor(&["google_pay", "hosted"]).build();
        let runtime = Runtime::new().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let served = Arc::clone(&seen);
        let serve = move |request: Request, next: Next| serve(Arc::clone(&served), request, next);
        let router = consent_callback::router(Arc::clone(&world.machine.consent_callback));
        let router = router.layer(middleware::from_fn(serve));
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pin = STANDARD.encode(Sha256::digest(signing_key.subject_public_key_info()));
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let (secured, accepted) = mpsc::channel(16);
        let handle = runtime.handle().clone();
        runtime.spawn(async move {
            while let Ok((stream, from)) = listener.accept().await {
                let (acceptor, secured) = (acceptor.clone(), secured.clone());
                handle.spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        secured.send((stream, from)).await.ok();
                    }
                });
            }
        });
        runtime.spawn(async move { axum::serve(TlsListener(accepted, address), router).await });
        let (chromedriver, folder) = (Chromedriver::start(), Folder::new());
        Self { world, runtime, port: address.port(), pin, seen, chromedriver, folder }
    }

    /// Opens the page of a new ask in a browser, changed on its way as `query` says.
    fn opens(&self, query: &str) -> Browser {
        self.world.asks_for(&self.world.payment(PHONE, 4250));
        let page = self.world.customer().newest().page;
        let url = format!("https://localhost:{}{page}?{query}", self.port);
        let port = self.port;
        let hosts = ["pay.google.com", PICTURES, "evil.example"];
        let hosts = hosts.map(|host| format!("MAP {host}:443 127.0.0.1:{port}")).join(", ");
        let flags = [
            format!("--ignore-certificate-errors-spki-list={}", self.pin),
            format!("--host-resolver-rules={hosts}"),
            // Reports leave at once instead of within a minute.
            "--short-reporting-delay".to_owned(),
        ];
        let folder = self.folder.path().join(format!("policy-{query}"));
        let open = self.chromedriver.open_whole(folder, Screen::Phone(WIDTH), &url, &flags);
        self.runtime.block_on(open)
    }

    /// Waits until the browser has reported that `directive` blocked something.
    async fn is_told_of(&self, directive: &str) {
        self.sees(&format!("\"{directive}\"")).await;
    }

    /// Waits until a report or the address of a picture contains a text.
    async fn sees(&self, text: &str) {
        let deadline = SystemClock.now().after(Duration::from_secs(30));
        loop {
            let seen = self.seen.lock().unwrap().concat();
            if seen.contains(text) {
                return;
            }
            assert!(SystemClock.now() < deadline, "no {text}: {seen}");
            SystemClock.wait(Duration::from_millis(100)).await;
        }
    }
}

/// Serves the other hosts' scripts and pictures, changes a page on its way, and keeps the body of a report.
async fn serve(seen: Arc<Mutex<Vec<String>>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).map_or("", |host| host.to_str().unwrap());
    let script = match host {
        "pay.google.com" => Some(PAY),
        "evil.example" => Some(EVIL),
        _ => None,
    };
    if let Some(script) = script {
        return ([(CONTENT_TYPE, "text/javascript")], script).into_response();
    }
    if host == PICTURES {
        seen.lock().unwrap().push(request.uri().path().to_owned());
        return ([(CONTENT_TYPE, "image/svg+xml")], PICTURE).into_response();
    }
    let is_report = request.uri().path() == "/reports/csp";
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (mut parts, body) = request.into_parts();
    // A page is changed as text.
    parts.headers.remove(ACCEPT_ENCODING);
    let body = to_bytes(body, 65_536).await.unwrap();
    let answer = next.run(Request::from_parts(parts, body.clone().into())).await;
    if is_report {
        assert_eq!(answer.status(), 204);
        seen.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
    }
    let (from, to) = match query.as_str() {
        "injected" => ("</main>", INJECTED),
        "changed" => CHANGED,
        _ => return answer,
    };
    let (mut parts, page) = answer.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let page = String::from_utf8(to_bytes(page, 65_536).await.unwrap().to_vec()).unwrap();
    assert!(page.contains(from), "{page}");
    Response::from_parts(parts, page.replace(from, to).into())
}

/// The page's own script runs by its digest, and loads Google's by `strict-dynamic`. Nothing else runs.
#[test]
fn injected_content_does_nothing_and_is_reported() {
    let site = TlsSite::set();
    let browser = site.opens("injected");
    site.runtime.block_on(async {
        browser.sees("[data-wallet=google_pay] [aria-label='Google Pay']", "").await;
        assert!(browser.has("html[data-pay=ran]").await);
        browser.sees("#kept", "kept").await;
        browser.sees("h1", "").await;
        for directive in ["script-src-elem", "script-src-attr", "style-src-elem", "img-src"] {
            site.is_told_of(directive).await;
        }
        assert!(!browser.has("html[data-evil]").await);
    });
    site.world.leaves();
}

/// A page's own script that was changed on its way has another digest. The form works without it.
#[test]
fn changed_script_does_not_run_and_is_reported() {
    let site = TlsSite::set();
    let browser = site.opens("changed");
    site.runtime.block_on(async {
        browser.sees("button[value=approve_hosted]", "").await;
        site.is_told_of("script-src-elem").await;
        assert!(!browser.shows("[data-wallet]").await);
        assert!(!browser.has("html[data-pay]").await);
    });
    site.world.leaves();
}

/// The same page as it is: its script runs, Google's client draws its button, and nothing is reported.
#[test]
fn unchanged_page_runs_its_script_without_a_report() {
    let site = TlsSite::set();
    let browser = site.opens("plain");
    site.runtime.block_on(async {
        browser.sees("[data-wallet=google_pay] [aria-label='Google Pay']", "").await;
        site.sees(BUTTON).await;
        browser.closes().await;
    });
    assert_eq!(*site.seen.lock().unwrap(), [BUTTON]);
    site.world.leaves();
}
