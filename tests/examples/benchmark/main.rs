//! The cost of one fulfilled request on one machine, beside node's `oidc-provider` running its CIBA flow from memory. Then
//! its calls of AWS and their price.
//!
//! `python3 tests/run.py --benchmark` builds what it needs and runs it. It uses loopback only. Both programs serve 32
//! customers at once, in turns, so that a busy moment affects both.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made ends the program, and what it finds is printed"
)]

mod ciba;
mod counted;
mod customers;
mod endpoint;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use futures_util::future::join_all;
use tests::measured::{MeasuredProcess, ResourceUsage, commits};

use self::ciba::Provider;
use self::customers::Customers;
use self::endpoint::Endpoint;

/// The customers that are served at once.
const AT_ONCE: usize = 32;
/// The turns of each program, of which the median is printed.
const TURNS: usize = 3;

/// Measures one fulfilled request.
#[derive(Parser)]
struct Options {
    /// The requests of a turn.
    #[arg(long, default_value_t = 1000)]
    requests: usize,
    /// The program that runs `--ciba`.
    #[arg(long, default_value = "node")]
    node: String,
    /// The CIBA server, beside its packages; without it, only Assent is measured.
    #[arg(long)]
    ciba: Option<PathBuf>,
    /// The data folder, which is emptied.
    #[arg(long, default_value = "target/benchmark")]
    data: PathBuf,
}

/// One turn of one program.
struct Turn {
    per_second: u128,
    cpu_micros: u64,
    written_kib: u64,
}

impl Turn {
    fn new(requests: usize, took: Duration, [before, after]: [ResourceUsage; 2]) -> Self {
        let count = u64::try_from(requests).unwrap();
        Self {
            per_second: u128::from(count) * 1_000_000 / took.as_micros(),
            cpu_micros: (after.cpu_ms - before.cpu_ms) * 1000 / count,
            written_kib: (after.written_kib - before.written_kib) / count,
        }
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let words: Vec<String> = std::env::args().collect();
    if words.get(1).is_some_and(|word| word == counted::COMMAND) {
        return runtime.block_on(counted::run(&words[1..]));
    }
    let options = Options::parse();
    runtime.block_on(async {
        whole(&options).await;
        counts(&options).await;
    });
    print!("{}", tests::aws_bill::report());
    ExitCode::SUCCESS
}

/// Serves `count` customers, [`AT_ONCE`] at once, and returns the time that all of them took.
async fn serve_at_once(count: usize, serve: impl AsyncFn()) -> Duration {
    let begun_at = instant();
    let left = AtomicUsize::new(count);
    let lines = (0..AT_ONCE).map(|_| async {
        while left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
        {
            serve().await;
        }
    });
    join_all(lines).await;
    begun_at.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "this measures")]
fn instant() -> Instant {
    Instant::now()
}

/// Returns thousandths as a decimal number.
fn decimal(thousandths: u64) -> String {
    format!("{}.{:02}", thousandths / 1000, thousandths % 1000 / 10)
}

/// Returns the program with this name beside the examples, with the arguments of a machine on an empty folder.
fn machine(mut command: Command, folder: &Path, webhooks: &str) -> Command {
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder).unwrap();
    command.args(["--format", "json", "--port", "0", "--webhooks", webhooks, "--data"]).arg(folder);
    command
}

fn customers(process: &MeasuredProcess, endpoint: Endpoint) -> Customers {
    Customers {
        http: https::Client::new().unwrap(),
        api: process.said("api"),
        key: process.said("key"),
        endpoint,
        next: AtomicUsize::new(0),
    }
}

/// Measures the released `local` in turns with the CIBA server, then alone at half of its load.
async fn whole(options: &Options) {
    let endpoint = Endpoint::default();
    let (webhooks, serving) = endpoint.listen().await;
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("local");
    let mut command = machine(Command::new(program), &options.data, &webhooks);
    let process = MeasuredProcess::start(&mut command).unwrap();
    let customers = customers(&process, endpoint);
    let provider = options.ciba.as_ref().map(|ciba| Provider::start(&options.node, ciba));
    tokio::select! {
        () = turns(options, &process, &customers, provider.as_ref()) => {}
        () = serving => {}
    }
}

async fn turns(
    options: &Options,
    process: &MeasuredProcess,
    customers: &Customers,
    provider: Option<&Provider>,
) {
    let count = options.requests;
    serve_at_once(count / 4, async || {
        customers.serve().await;
    })
    .await;
    if let Some(provider) = provider {
        serve_at_once(count / 4, async || {
            provider.serve().await;
        })
        .await;
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (committed, received) = (commits(&options.data).unwrap(), &customers.endpoint.received);
    let webhooks = received.load(Ordering::Relaxed);
    for _ in 0..TURNS {
        let before = process.used().unwrap();
        let took = serve_at_once(count, async || {
            customers.serve().await;
        })
        .await;
        ours.push(Turn::new(count, took, [before, process.used().unwrap()]));
        if let Some(provider) = provider {
            let before = provider.process.used().unwrap();
            let took = serve_at_once(count, async || {
                provider.serve().await;
            })
            .await;
            theirs.push(Turn::new(count, took, [before, provider.process.used().unwrap()]));
        }
    }
    let committed = u64::from(commits(&options.data).unwrap().wrapping_sub(committed));
    let webhooks = received.load(Ordering::Relaxed) - webhooks;
    let per = |total: u64| decimal(total * 1000 / u64::try_from(count * TURNS).unwrap());
    println!("{count} requests a turn, {AT_ONCE} at once, {TURNS} turns; the median turn:");
    let best = report("Assent, one machine", &mut ours);
    println!("    {} commits, {} webhooks each", per(committed), per(webhooks));
    if !theirs.is_empty() {
        let other = report("node oidc-provider, CIBA", &mut theirs);
        let ratio = u64::try_from(best.0 * 1000 / other.0).unwrap();
        println!(
            "ratio: {} in requests a second, {} in CPU",
            decimal(ratio),
            decimal(best.1 * 1000 / other.1)
        );
    }
    let interval = Duration::from_micros(u64::try_from(2_000_000 / best.0).unwrap());
    let mut times = customers.serve_every(u32::try_from(count).unwrap(), interval).await;
    times.sort_unstable();
    let at = |hundredth: usize| {
        decimal(u64::try_from(times[times.len() * hundredth / 100].as_micros()).unwrap())
    };
    println!("approval to webhook at half that load, ms: p50 {}, p99 {}", at(50), at(99));
}

/// Prints the median turn, and returns its requests a second and its CPU.
fn report(name: &str, turns: &mut [Turn]) -> (u128, u64) {
    turns.sort_by_key(|turn| turn.per_second);
    let all: Vec<u128> = turns.iter().map(|turn| turn.per_second).collect();
    turns.sort_by_key(|turn| turn.cpu_micros);
    let turn = &turns[turns.len() / 2];
    let median = all[all.len() / 2];
    println!(
        "{name}: {median} a second {all:?}, {} ms of CPU, {} KiB written each",
        decimal(turn.cpu_micros),
        turn.written_kib,
    );
    (median, turn.cpu_micros)
}

/// Counts allocations and flushes of the same machine. Counting slows it down, so its times say nothing.
async fn counts(options: &Options) {
    let endpoint = Endpoint::default();
    let (webhooks, serving) = endpoint.listen().await;
    let (command, trace) = counted::command(&options.data);
    let mut process =
        MeasuredProcess::start(&mut machine(command, &options.data, &webhooks)).unwrap();
    let customers = customers(&process, endpoint);
    let count = options.requests;
    let counting = async {
        serve_at_once(count / 4, async || {
            customers.serve().await;
        })
        .await;
        let before = counted::counts(&mut process, trace.as_deref());
        serve_at_once(count, async || {
            customers.serve().await;
        })
        .await;
        let after = counted::counts(&mut process, trace.as_deref());
        let per =
            |place: usize| (after[place] - before[place]) * 1000 / u64::try_from(count).unwrap();
        println!("allocations each: {} ({} KiB)", per(0) / 1000, per(1) / 1024 / 1000);
        match trace {
            Some(_) => println!("flushes (fsync, fdatasync) each: {}", decimal(per(2))),
            None => println!("flushes: not counted, since strace is not installed"),
        }
    };
    tokio::select! {
        () = counting => {}
        () = serving => {}
    }
}
