//! The commands and their arguments, as the parser and the help show them.
#![expect(clippy::doc_markdown, reason = "the help shows these texts as they are")]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;
use domain::brand::Mode;

/// The commands. Without one, the program serves.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make or check the documents of a brand
    #[command(subcommand)]
    Brand(BrandCommand),
    /// Make, list or revoke API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Add a new sealing key, consent key, claims key or webhook secret, and use it from now on
    Rotate(RotateArguments),
    /// Ask each channel and processor, with calls that change nothing, whether its settings work
    Doctor(DoctorArguments),
    /// Forward the events of a deployment to a URL on this machine, signed as webhooks are
    Listen(ListenArguments),
    /// Make a webhook event happen in test mode
    Trigger(TriggerArguments),
    /// Hand an event of Amazon Connect or Lex to one machine, as Lambda would
    Invoke(InvokeArguments),
    /// Create, read, watch or cancel a request
    #[command(subcommand)]
    Request(RequestCommand),
    /// Print the OpenAPI 3.1 description of the API
    Openapi,
    /// Print the completions of a shell
    Completions(CompletionsArguments),
}

/// The place of a brand's documents.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// The data folder on this machine
    #[arg(long, value_name = "FOLDER", default_value = ".assent")]
    pub data: PathBuf,
    /// Where the documents are
    #[arg(long, value_enum, default_value_t = Keeper::Folder)]
    pub secrets: Keeper,
    /// The start of the names in Secrets Manager, as in assent/brand/acme
    #[arg(long, default_value = "assent")]
    pub prefix: String,
    /// The brand's name; Secrets Manager needs it
    #[arg(long, value_name = "NAME")]
    pub brand: Option<String>,
}

/// The keepers of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Keeper {
    /// Files in the data folder
    Folder,
    /// AWS Secrets Manager, with the credentials and the region of the environment
    Aws,
}

/// The mode of keys and settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArgument {
    /// No real money moves
    Test,
    /// Real money moves
    Live,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Test => Self::Test,
            ModeArgument::Live => Self::Live,
        }
    }
}

/// The deployment that is called, and the key for it.
#[derive(Args, Clone, Debug)]
pub struct Access {
    /// The address of the API; else ASSENT_API, else http://127.0.0.1:8787
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,
    /// A file with the API key, or - for standard input; else ASSENT_KEY, else the data folder's test-key
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The data folder on this machine
    #[arg(long, value_name = "FOLDER", default_value = ".assent")]
    pub data: PathBuf,
}

/// Commands on a brand.
#[derive(Debug, Subcommand)]
pub enum BrandCommand {
    /// Make a brand with new keys, the sandbox and a test key, which is shown once
    New(NewBrand),
    /// Check a brand's documents and the settings of its channels and processors
    Check(Place),
}

/// The properties of a new brand.
#[derive(Args, Debug)]
pub struct NewBrand {
    /// The name in keys and addresses: lower-case letters, digits and hyphens
    pub name: String,
    /// The legal name that customers read as the payee
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// The language of prompts where the customer's is unknown
    #[arg(long, default_value = "en")]
    pub language: String,
    /// The address of the deployment, whose sandbox then has a provider for identity asks; one machine enters its own
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,
    /// Where the documents go
    #[command(flatten)]
    pub place: Place,
}

/// Commands on API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and show it once; the documents hold its digest only
    New(Box<NewKey>),
    /// List the keys in force
    List(Place),
    /// Take a key out of force; deployed functions follow within a minute
    Revoke(RevokeKey),
}

/// The properties of a new key.
#[derive(Args, Debug)]
pub struct NewKey {
    /// Test or live
    #[arg(long, value_enum, default_value_t = ModeArgument::Test)]
    pub mode: ModeArgument,
    /// The key's id, key_ and letters, digits, _ or -
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// A name for people, such as "desk Madrid"
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// The kind of caller: human, ivr, ai_agent or server
    #[arg(long)]
    pub kind: Option<String>,
    /// The rights of a restricted key, such as request,read; without it the key may do everything
    #[arg(long, value_name = "RIGHT", value_delimiter = ',')]
    pub may: Vec<String>,
    /// The kinds of ask: payment, payment_method, identity
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub asks: Vec<String>,
    /// The most of one payment, such as EUR=50000
    #[arg(long, value_name = "CURRENCY=AMOUNT")]
    pub amount_max: Vec<String>,
    /// The most of all payments of 24 hours, such as EUR=500000
    #[arg(long, value_name = "CURRENCY=AMOUNT")]
    pub amount_per_day: Vec<String>,
    /// The most asks of an hour
    #[arg(long, value_name = "NUMBER")]
    pub asks_per_hour: Option<u32>,
    /// The channels that it may use
    #[arg(long = "channel", value_name = "NAME")]
    pub channels: Vec<String>,
    /// Sees only the requests that it asked itself
    #[arg(long)]
    pub own_sessions: bool,
    /// When the key ends, such as 2027-12-31T00:00:00.000Z
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<String>,
    /// Where the documents are
    #[command(flatten)]
    pub place: Place,
}

/// The key to revoke.
#[derive(Args, Debug)]
pub struct RevokeKey {
    /// The key's id, as `key list` shows it
    pub id: String,
    /// Where the documents are
    #[command(flatten)]
    pub place: Place,
}

/// The kind of key that is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RotationTarget {
    /// The key that opens authorizations and saved cards
    Sealing,
    /// The secret that signs webhooks
    Webhook,
    /// The key that signs consents
    Consent,
    /// The key that opens released claims
    Claims,
}

/// The rotation that is asked for.
#[derive(Args, Debug)]
pub struct RotateArguments {
    /// What to rotate
    #[arg(value_enum)]
    pub what: RotationTarget,
    /// The mode whose webhook secret is rotated
    #[arg(long, value_enum, default_value_t = ModeArgument::Test)]
    pub mode: ModeArgument,
    /// Remove the old keys instead, once nothing needs them any more
    #[arg(long)]
    pub retire_old: bool,
    /// Confirms --retire-old for sealing: cards that were saved under an old key are lost
    #[arg(long)]
    pub yes: bool,
    /// Where the documents are
    #[command(flatten)]
    pub place: Place,
}

/// The part of a brand that the doctor examines.
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Only this mode; both without it
    #[arg(long, value_enum)]
    pub mode: Option<ModeArgument>,
    /// Only this channel or processor
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// The public address of the deployment, to compare webhook addresses with
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// A number of your own, which Google is asked about; else a fictional one
    #[arg(long, value_name = "NUMBER", default_value = "+12025550123")]
    pub phone: String,
    /// Where the documents are
    #[command(flatten)]
    pub place: Place,
}

/// The target of forwarded events.
#[derive(Args, Debug)]
pub struct ListenArguments {
    /// The URL on this machine that receives the events
    #[arg(long, value_name = "URL")]
    pub forward_to: String,
    /// Ends after this many events; without it, an interrupt ends the command
    #[arg(long, value_name = "NUMBER")]
    pub events: Option<u64>,
    /// Forwards the events since this time too, such as 2026-11-26T12:00:00.000Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// A file with the secret that signs (whsec_…), or - for standard input; else ASSENT_WEBHOOK_SECRET, else a new one
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// The deployment that is called
    #[command(flatten)]
    pub access: Access,
}

/// The event to make.
#[derive(Args, Debug)]
pub struct TriggerArguments {
    /// The event, such as request.fulfilled; `--list` shows all
    #[arg(required_unless_present = "list")]
    pub event: Option<String>,
    /// List the events that can be made
    #[arg(long)]
    pub list: bool,
    /// The customer's number on the sandbox phone
    #[arg(long, value_name = "NUMBER", default_value = "+15551230001")]
    pub phone: String,
    /// The deployment that is called
    #[command(flatten)]
    pub access: Access,
}

/// The event to hand over.
#[derive(Args, Debug)]
pub struct InvokeArguments {
    /// The file with the event; - reads standard input
    #[arg(value_name = "FILE")]
    pub event: PathBuf,
    /// The machine that is called
    #[command(flatten)]
    pub access: Access,
}

/// Commands on requests.
#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// Ask a customer; prints the request
    Create(Box<NewRequest>),
    /// Read a request
    Get(KnownRequest),
    /// Print each change of a request until it ends
    Watch(WatchRequest),
    /// Cancel a request that the customer has not approved
    Cancel(KnownRequest),
}

/// The ask, or the whole body of the call.
#[derive(Args, Debug)]
pub struct NewRequest {
    /// The customer's number, in E.164
    #[arg(long, value_name = "NUMBER", required_unless_present = "body")]
    pub phone: Option<String>,
    /// The amount in the currency's minor unit: 4250 is 42.50 EUR
    #[arg(long, required_unless_present = "body")]
    pub amount: Option<u64>,
    /// The currency, in ISO 4217
    #[arg(long, default_value = "EUR")]
    pub currency: String,
    /// What the payment is for
    #[arg(long, value_name = "TEXT", default_value = "Invoice 4711")]
    pub description: String,
    /// The kind of conversation: voice, ivr, chat or in_person
    #[arg(long, default_value = "voice")]
    pub session_kind: String,
    /// The conversation's id; a new one without it
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// The channels to try, in this order
    #[arg(long = "channel", value_name = "NAME")]
    pub channels: Vec<String>,
    /// Ask again for what another open request of this customer asks for
    #[arg(long)]
    pub allow_duplicate: bool,
    /// The whole body as JSON from a file, or - for standard input, in place of the other arguments
    #[arg(long, value_name = "FILE", conflicts_with_all = ["phone", "amount", "allow_duplicate"])]
    pub body: Option<PathBuf>,
    /// The Idempotency-Key, with which the command may be repeated; a new one without it
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// The deployment that is called
    #[command(flatten)]
    pub access: Access,
}

/// A request that exists.
#[derive(Args, Debug)]
pub struct KnownRequest {
    /// The request's id, req_…
    pub id: String,
    /// The deployment that is called
    #[command(flatten)]
    pub access: Access,
}

/// The request to watch.
#[derive(Args, Debug)]
pub struct WatchRequest {
    /// The request's id, req_…
    pub id: String,
    /// The most seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub seconds: u64,
    /// The deployment that is called
    #[command(flatten)]
    pub access: Access,
}

/// The shell whose completions are printed.
#[derive(Args, Debug)]
pub struct CompletionsArguments {
    /// The shell that reads the completions
    #[arg(value_enum)]
    pub shell: Shell,
    /// The name by which the shell calls the program
    #[arg(long, default_value = "assent")]
    pub name: String,
}
