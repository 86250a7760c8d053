//! `doctor`: asks each channel and processor whether its settings work, with calls that change nothing.
//!
//! Each call is printed before it is made. A finding says what works or what is wrong, and names the click or command
//! that mends it. Where no call can tell, the finding says so.

mod adyen;
mod aws;
mod calls;
mod certificate;
mod event_bus;
mod google;
mod openid;
mod report;
mod ses;
mod stripe;
mod twilio;
mod whatsapp;

use std::sync::Arc;

use domain::brand::{Brand, Mode, Settings};
use ports::Http;
use serde_json::{Map, Value, json};

use crate::arguments::DoctorArguments;
use crate::brand::has_own_webhooks;
use crate::documents;
use crate::failure::{Exit, Failure};
use crate::{Adapters, Context};

use calls::{ProviderCalls, ReadOnlyHttp};
use report::{Fault, Finding, Report, Verdict};

/// One channel or processor of a brand, or its webhook endpoint.
pub(crate) struct Connection {
    /// Test or live.
    pub(crate) mode: Mode,
    /// The name in the API.
    pub(crate) name: String,
    /// The adapter's kind.
    pub(crate) kind: String,
    /// The settings, with their secrets.
    pub(crate) settings: Map<String, Value>,
    /// The address that the provider must call; `None` where the public address is not known.
    pub(crate) callback: Option<String>,
}

impl Connection {
    /// Returns a setting that is a text.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
        let value = self.settings.get(first)?;
        let value = if rest.is_empty() { Some(value) } else { value.pointer(&format!("/{rest}")) };
        value.and_then(Value::as_str)
    }

    /// Returns the first of one or several secrets.
    pub(crate) fn secret(&self, name: &str) -> &str {
        let value = self.settings.get(name);
        let first = value.and_then(|value| value.get(0)).or(value);
        first.and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the address of the provider, or of a stand-in, without a slash at its end.
    pub(crate) fn base(&self, usual: &str) -> String {
        self.text("base_url").unwrap_or(usual).trim_end_matches('/').to_owned()
    }
}

/// Examines the brand that the arguments name.
///
/// # Errors
/// [`Failure`] where the documents cannot be read. A fault that is found is a result.
pub(crate) async fn run(context: &Context, arguments: &DoctorArguments) -> Result<Exit, Failure> {
    let kept = documents::read(context, &arguments.place).await?;
    let brand = kept.documents.assemble();
    let brand = brand.map_err(|failure| failure.with_exit(Exit::FaultFound))?;
    let http = Arc::new(ReadOnlyHttp::new(Arc::clone(&context.http), Arc::clone(&context.output)));
    let way_out: Arc<dyn Http> = Arc::<ReadOnlyHttp>::clone(&http);
    let adapters = (context.adapters)(context, &way_out);
    let adapters = adapters.map_err(|error| Failure::new("adapters", error.to_string()))?;
    let calls = ProviderCalls { context, http: &http, adapters: &adapters, brand: &brand };
    let mut findings = examine_deployment(&calls, arguments).await?;
    for mode in [Mode::Test, Mode::Live] {
        if arguments.mode.is_some_and(|only| Mode::from(only) != mode) {
            continue;
        }
        if arguments.only.is_none() {
            findings.extend(webhook_findings(&calls, mode).await);
        }
        for connection in connections(&brand, mode, arguments.public_url.as_deref())? {
            if arguments.only.as_ref().is_some_and(|only| *only != connection.name) {
                continue;
            }
            findings.extend(examine(&calls, &connection, &arguments.phone).await?);
        }
    }
    conclude(context, &brand, &findings)
}

fn conclude(context: &Context, brand: &Brand, findings: &[Finding]) -> Result<Exit, Failure> {
    let faults = findings.iter().filter(|finding| finding.verdict == Verdict::Fault).count();
    let lines: Vec<String> = findings.iter().map(Finding::line).collect();
    let listed: Vec<Value> = findings.iter().map(Finding::json).collect();
    let end = match faults {
        0 => "No fault was found.".to_owned(),
        1 => "One fault was found.".to_owned(),
        many => format!("{many} faults were found."),
    };
    let text = format!("{}\n\n{end}", lines.join("\n"));
    let value = json!({ "brand": brand.name, "ok": faults == 0, "findings": listed });
    context.output.result(&text, &value)?;
    Ok(if faults == 0 { Exit::Done } else { Exit::FaultFound })
}

fn connections(
    brand: &Brand,
    mode: Mode,
    public_url: Option<&str>,
) -> Result<Vec<Connection>, Failure> {
    let setup = brand.setup(mode);
    let base = public_url.map(|url| url.trim_end_matches('/'));
    let connection = |name: &str, kind: &str, settings: &Settings| -> Result<Connection, Failure> {
        let settings = settings.read();
        let settings =
            settings.map_err(|error| Failure::new("invalid-brand", error.to_string()))?;
        let callback = base.map(|base| format!("{base}/callbacks/{}/{name}", brand.name));
        Ok(Connection { mode, name: name.to_owned(), kind: kind.to_owned(), settings, callback })
    };
    let channels = setup
        .channels
        .iter()
        .map(|channel| connection(channel.name.as_str(), &channel.kind, &channel.settings));
    let processors = setup
        .processors
        .iter()
        .map(|processor| connection(processor.name.as_str(), &processor.kind, &processor.settings));
    channels.chain(processors).collect()
}

/// Finds webhook settings that cannot be used, and a bus that is not there. No event is sent, since a delivery is no read.
async fn webhook_findings(calls: &ProviderCalls<'_>, mode: Mode) -> Vec<Finding> {
    let brand = calls.brand;
    let start = format!("{}.webhooks", mode.as_str());
    let mut report = Report::new(start.clone());
    for path in brand.unusable_settings() {
        let is_own = mode == Mode::Test && path == "test.webhooks.url" && has_own_webhooks(brand);
        if path.starts_with(&start) && !is_own {
            report.fault(Fault {
                check: "webhooks",
                says: format!("setting `{path}` cannot be used"),
                mend: "give a URL (https in live mode) and secrets of whsec_ and base64, or the ARN of a bus"
                    .to_owned(),
            });
        }
    }
    if let Some(webhooks) = &brand.setup(mode).webhooks {
        event_bus::examine(calls, webhooks, mode, &mut report).await;
    }
    report.findings
}

async fn examine_deployment(
    calls: &ProviderCalls<'_>,
    arguments: &DoctorArguments,
) -> Result<Vec<Finding>, Failure> {
    let mut report = Report::new("deployment".to_owned());
    let Some(url) = &arguments.public_url else {
        report
            .unchecked("address", "name it with --public-url, to compare the providers' webhooks");
        return Ok(report.findings);
    };
    let url = format!("{}/openapi.json", url.trim_end_matches('/'));
    let answer = calls.get(&url, &[]).await;
    match answer {
        Ok(answer) if answer.status == 200 && answer.value.get("openapi").is_some() => {
            report.works("address", "the deployment answers");
        }
        Ok(answer) => report.fault(Fault {
            check: "address",
            says: format!("{url} answers {}, and not the API's description", answer.status),
            mend: "set --public-url to the deployment's own address".to_owned(),
        }),
        Err(lost) => report.fault(Fault { check: "address", ..lost }),
    }
    Ok(report.findings)
}

/// Examines one channel or processor. Settings that do not open need no call.
async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    phone: &str,
) -> Result<Vec<Finding>, Failure> {
    let (kind, place) = opened(calls.adapters, calls.brand, connection);
    let mut report = Report::new(place);
    if let Err(error) = kind {
        report.fault(Fault {
            check: "settings",
            says: error,
            mend: "mend the setting in the brand's documents, then run `brand check`".to_owned(),
        });
        return Ok(report.findings);
    }
    let provider = connection.text("provider").unwrap_or_default();
    match (connection.kind.as_str(), provider) {
        ("sandbox", _) => report.works("sandbox", "nothing is real here"),
        ("link", _) => {
            report.works("settings", "the requester shows the link, and no provider is called");
        }
        ("sms" | "rcs" | "whatsapp", "twilio") => {
            twilio::examine(calls, connection, &mut report).await;
        }
        ("sms" | "rcs", "aws") => aws::examine(calls, connection, &mut report).await,
        ("email", _) => ses::examine(calls, connection, &mut report).await,
        ("rcs", "google") => google::examine(calls, connection, &mut report, phone).await,
        ("whatsapp", _) => whatsapp::examine(calls, connection, &mut report).await,
        ("apple", _) => {
            certificate::examine(calls, connection, &mut report);
            report.unchecked(
                "account",
                "Apple has no call that reads an account; send a request to a customer who wrote",
            );
        }
        ("stripe", _) => stripe::examine(calls, connection, &mut report).await,
        ("adyen", _) => adyen::examine(calls, connection, &mut report).await,
        ("openid", _) => openid::examine(calls, connection, &mut report).await,
        _ => report.unchecked("provider", "the doctor knows no call for this kind"),
    }
    Ok(report.findings)
}

/// Opens the adapter as the functions do. Returns the fault of its settings, and its place.
fn opened(
    adapters: &Adapters,
    brand: &Brand,
    connection: &Connection,
) -> (Result<(), String>, String) {
    let mode = connection.mode;
    let is_channel =
        brand.setup(mode).channels.iter().any(|channel| channel.name.as_str() == connection.name);
    let section = if is_channel { "channels" } else { "processors" };
    let place = format!("{}.{section}.{}", mode.as_str(), connection.name);
    let absent = |_invalid| "the name is not valid".to_owned();
    let fault = if is_channel {
        connection
            .name
            .parse()
            .map(|name| adapters.channel_fault(brand, mode, &name))
            .map_err(absent)
    } else {
        let name = connection.name.parse();
        name.map(|name| adapters.processor_fault(brand, mode, &name)).map_err(absent)
    };
    (fault.and_then(|fault| fault.map_or(Ok(()), Err)), place)
}
