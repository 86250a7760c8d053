//! Starts the machine on its data folder: the folder's lock, its brand, its ports and the first output.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::random::Random;
use domain::values::name::BrandName;
use embedded::{BrandFile, Database, SystemClock, SystemRandom};
use ports::{Clock, Http, Ports, Secrets, Signer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::arguments::{Arguments, Format};
use crate::brand::{self, BrandOptions};
use crate::{AwsIdentity, Machine, ReceivedWebhooks, Site};

/// The number the phone shows when none is named.
const PHONE: &str = "+15551230001";

/// The reason why the machine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("failed to open the data folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// Another process has the data folder.
    #[error("another process uses the data folder {0}")]
    InUse(PathBuf),
    /// The database cannot be opened.
    #[error("failed to open the database: {0}")]
    Database(#[from] embedded::OpenError),
    /// The queues cannot be read.
    #[error("failed to resume the queued messages: {0}")]
    Queue(#[from] ports::QueueError),
    /// The brand cannot be written.
    #[error("{0}")]
    Brand(#[from] embedded::CreateBrandError),
    /// The brand is invalid.
    #[error("{0}")]
    BrandText(String),
    /// The brand's document is no JSON.
    #[error("brand.json is not JSON: {0}")]
    BrandJson(#[from] serde_json::Error),
    /// The port is taken.
    #[error("failed to listen on port {0}: {1}")]
    Port(u16, std::io::Error),
    /// There is no HTTP client.
    #[error("failed to create the HTTP client: {0}")]
    Http(String),
    /// The server ended.
    #[error("the server stopped: {0}")]
    Server(std::io::Error),
}

/// Serves the API, the desk and the phone until the process is told to stop.
///
/// # Errors
/// [`StartError`].
pub async fn run(arguments: Arguments) -> Result<(), StartError> {
    let folder = &arguments.data;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = Database::open(folder, Arc::clone(&clock))?;
    let _alone = lock(folder)?;
    database.recover()?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await;
    let listener = listener.map_err(|error| StartError::Port(arguments.port, error))?;
    let port = listener.local_addr().map_err(StartError::Server)?.port();
    let base = format!("http://127.0.0.1:{port}");
    let options = BrandOptions { stripe: arguments.stripe, webhooks: arguments.webhooks };
    let (key, secrets, brand_name) = load_brand(folder, &options, &base)?;
    let secrets: Arc<dyn Secrets> = Arc::new(secrets);
    let http = https::Client::new().map_err(|error| StartError::Http(error.to_string()))?;
    let http: Arc<dyn Http> = Arc::new(http);
    let ports = Ports {
        clock: Arc::clone(&clock),
        random: Arc::new(SystemRandom),
        store: Arc::new(database.clone()),
        queue: Arc::new(database.clone()),
        secrets: Arc::clone(&secrets),
    };
    let signer = AwsIdentity::from_variables(variable, Arc::clone(&clock));
    let signer = signer.map(|identity| -> Arc<dyn Signer> { Arc::new(identity) });
    let machine = Arc::new(Machine::with_signer(&ports, &http, &base, signer));
    let brand = Arc::clone(&secrets);
    let site = Site {
        api: base.clone(),
        key: key.clone(),
        brand: brand_name,
        phone: PHONE.to_owned(),
        secrets: brand,
        clock: Arc::clone(&clock),
        received: ReceivedWebhooks::default(),
    };
    let router = crate::router(&machine, site);
    let format = if arguments.json { Format::Json } else { arguments.format };
    announce(format, &base, &key)?;
    let (stopping, stop) = watch::channel(false);
    let waiting = Arc::clone(&clock);
    let served = async {
        let ended = crate::serve(listener, router, waiting, shutdown_signal()).await;
        stopping.send_replace(true);
        ended.map_err(StartError::Server)
    };
    let (served, ()) = tokio::join!(served, crate::work(machine, database, clock, stop));
    served
}

/// Returns an environment variable of the process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a binary reads its environment at the start")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Locks the data folder. Two processes would take each other's messages for those of a dead process.
fn lock(folder: &Path) -> Result<File, StartError> {
    let failed = |error| StartError::Folder(folder.to_owned(), error);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"));
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Loads the brand of the data folder and its test key, or makes both. The command line's settings are written into it.
fn load_brand(
    folder: &Path,
    options: &BrandOptions,
    base: &str,
) -> Result<(String, BrandFile, BrandName), StartError> {
    let failed = |error| StartError::Folder(folder.to_owned(), error);
    let file = BrandFile::new(folder);
    let (text_path, key_path) = (folder.join("brand.json"), folder.join("test-key"));
    let random: &dyn Random = &SystemRandom;
    let (key, secret) = if file.exists() {
        checked(&file)?;
        let key = std::fs::read_to_string(&key_path)
            .map_err(|error| StartError::Folder(key_path.clone(), error))?;
        (
            key.trim().to_owned(),
            serde_json::from_str(&std::fs::read_to_string(&text_path).map_err(failed)?)?,
        )
    } else {
        let key = brand::draw_key(random);
        write_private(&key_path, &key).map_err(failed)?;
        let secret = brand::draw(random, &key);
        (key, secret)
    };
    let secret = brand::adapt(secret, options, base);
    file.create(&serde_json::to_string_pretty(&secret)?)?;
    let name = checked(&file)?;
    Ok((key, file, name))
}

/// Returns the name of the folder's brand.
fn checked(file: &BrandFile) -> Result<BrandName, StartError> {
    let read = file.read().map_err(|error| {
        let causes = ports::error_chain(&error);
        StartError::BrandText(causes)
    });
    read.map(|brand| brand.name)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn announce(format: Format, base: &str, key: &str) -> Result<(), StartError> {
    let (desk, phone) = (format!("{base}/desk"), format!("{base}/phone"));
    let text = match format {
        Format::Json => {
            json!({ "api": base, "key": key, "desk": desk, "phone": phone }).to_string()
        }
        Format::Text => format!(
            "\nAssent is running. Nothing here is real.\n\n  API      {base}\n  Test key {key}\n  Desk     {desk}\n  \
             Phone    {phone}\n\nAsk for a payment, then look at the phone:\n\n  curl {base}/v1/requests \\\n    -H \
             'Authorization: Bearer {key}' \\\n    -H \"Idempotency-Key: try-$(date +%s)\" \\\n    -H \
             'Content-Type: application/json' \\\n    -d \
             '{{\"customer\": {{\"phone\": \"{PHONE}\", \"name\": \"Ada\"}}, \"session\": {{\"kind\": \"voice\", \"id\": \
             \"call-1\"}},\n         \"ask\": {{\"kind\": \"payment\", \"amount\": 4250, \"currency\": \"EUR\", \
             \"description\": \"Invoice 4711\"}}}}'\n"
        ),
    };
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(StartError::Server)
}

async fn shutdown_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(error = %error, "failed to listen for signals; end the process to stop");
        std::future::pending::<()>().await;
    }
}
