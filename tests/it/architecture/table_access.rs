//! Each function may do with the table what its code does: it gets, lists, puts and deletes certain items.
//!
//! A function's sources name the records that they use. [`CALLS`] says which items each of those touches. An emulator may not
//! check permissions, so that only this test finds a right that is missing or left over.

use std::collections::{BTreeMap, BTreeSet};

use yaml_rust2::Yaml;

use super::files::production;
use super::read;
use super::template::{functions, list, statements, template, text};

/// What is done with an item, by the names of DynamoDB's actions.
const GET: &str = "dynamodb:GetItem";
const BATCH: &str = "dynamodb:BatchGetItem";
const LIST: &str = "dynamodb:Query";
const PUT: &str = "dynamodb:PutItem";
const DELETE: &str = "dynamodb:DeleteItem";

type Access = (&'static str, &'static str);

/// The names by which sources use records, and the items that each touches. A name without items touches the index or none.
const CALLS: &[(&str, &[Access])] = &[
    ("CircuitBreaker::keys", &[(BATCH, "BREAKER")]),
    ("CircuitBreaker::load", &[(BATCH, "BREAKER")]),
    ("CircuitBreaker::open_circuits", &[(BATCH, "BREAKER")]),
    ("Handles", &[(GET, "HANDLE"), (PUT, "HANDLE"), (PUT, "CUST"), (BATCH, "STOP"), (PUT, "STOP")]),
    ("authentication::authenticate", &[]),
    ("authentication::known_brand", &[]),
    ("authentication::by_caller", &[]),
    ("brand_limit::key", &[(BATCH, "PROMPTS")]),
    ("brand_limit::count", &[(GET, "PROMPTS"), (PUT, "PROMPTS")]),
    ("capability::key", &[(BATCH, "CAP")]),
    ("capability::load", &[(GET, "CAP")]),
    ("capability::put", &[(PUT, "CAP")]),
    ("card_checks::day_of", &[]),
    ("card_checks::delete", &[(DELETE, "CHECK")]),
    ("card_checks::last_inbound_at", &[(GET, "CONTACT")]),
    ("card_checks::list", &[(LIST, "CHECK")]),
    ("card_checks::next_day", &[]),
    ("card_checks::put", &[(PUT, "CHECK")]),
    ("card_checks::silence_end", &[]),
    ("card_checks::silence_ends_at", &[(GET, "CONTACT")]),
    ("charges::load", &[(GET, "CHARGE")]),
    ("charges::put", &[(PUT, "CHARGE")]),
    ("claims::delete", &[(DELETE, "REQ")]),
    ("claims::load", &[(GET, "REQ")]),
    ("claims::put", &[(PUT, "REQ")]),
    ("contact::key", &[(BATCH, "CONTACT")]),
    ("contact::load", &[(GET, "CONTACT")]),
    ("contact::update", &[(GET, "CONTACT"), (PUT, "CONTACT"), (DELETE, "CAP")]),
    ("customers::delete", &[(DELETE, "CUST")]),
    ("customers::delete_channel", &[(DELETE, "CONTACT"), (DELETE, "CAP")]),
    ("customers::delete_device", &[(DELETE, "DEVICE")]),
    ("customers::delete_handle", &[(DELETE, "HANDLE")]),
    ("customers::list", &[(LIST, "CUST")]),
    ("customers::open_request", &[(LIST, "CUST"), (GET, "REQ")]),
    ("effects::send", &[]),
    ("endpoint_health::key", &[]),
    ("endpoint_health::load", &[(GET, "ENDPOINT")]),
    ("endpoint_health::url_digest", &[]),
    ("erasures::erase_parts", &[(LIST, "REQ"), (PUT, "REQ")]),
    ("erasures::load", &[(GET, "ERASE")]),
    ("erasures::put", &[(PUT, "ERASE")]),
    ("handles::hashes", &[]),
    ("key_usage::key", &[(BATCH, "KEY")]),
    ("key_usage::load", &[(GET, "KEY")]),
    ("key_usage::put", &[(PUT, "KEY")]),
    ("limits::key", &[(BATCH, "LIMIT")]),
    ("limits::load", &[(GET, "LIMIT")]),
    ("limits::put", &[(PUT, "LIMIT")]),
    ("opt_outs::is_opted_out", &[(BATCH, "STOP")]),
    ("opt_outs::keys", &[(BATCH, "STOP")]),
    ("opt_outs::load", &[(BATCH, "STOP")]),
    ("opt_outs::record", &[(BATCH, "STOP"), (PUT, "STOP")]),
    ("request_lists::list", &[(LIST, "LIST"), (LIST, "CUST"), (BATCH, "REQ")]),
    ("request_lists::place_before", &[]),
    ("saved_cards::create", &[(PUT, "CARD"), (PUT, "CUST")]),
    ("saved_cards::delete", &[(DELETE, "CARD"), (DELETE, "CUST")]),
    ("saved_cards::load", &[(GET, "CARD")]),
    (
        "saved_cards::mark_ending",
        &[
            (GET, "LIMIT"),
            (LIST, "CUST"),
            (GET, "REQ"),
            (GET, "CARD"),
            (PUT, "CARD"),
            (PUT, "LIMIT"),
        ],
    ),
    ("saved_cards::put", &[(PUT, "CARD")]),
    ("seen::is_seen", &[(GET, "SEEN")]),
    ("seen::put_seen", &[(PUT, "SEEN")]),
    ("statistics::stored_days", &[(LIST, "STATS"), (PUT, "STATS")]),
    ("storage::decode", &[]),
    ("storage::device_wallets", &[(GET, "DEVICE")]),
    ("storage::follow_link", &[(GET, "LINK")]),
    ("storage::journal", &[(LIST, "REQ")]),
    ("storage::load", &[(GET, "REQ")]),
    ("storage::load_with_events", &[(LIST, "REQ")]),
    ("storage::open_for_address", &[(LIST, "ADDR")]),
    ("storage::put_device_wallets", &[(PUT, "DEVICE")]),
    ("storage::put_link", &[(PUT, "LINK")]),
    ("storage::webhook", &[(GET, "REQ")]),
    ("storage::webhooks", &[(LIST, "REQ")]),
    ("webhook_events::create", &[(PUT, "REQ")]),
    ("webhook_events::find", &[(GET, "REQ"), (BATCH, "REQ")]),
    ("webhook_events::list", &[(BATCH, "REQ")]),
    ("webhook_events::load", &[(GET, "REQ"), (BATCH, "REQ")]),
    ("webhook_events::place_before", &[]),
    ("webhook_events::put_states", &[(PUT, "REQ")]),
];

/// Other marks in the sources of a function, and the items that each touches.
const MARKS: &[(&str, &[Access])] = &[
    (
        "records::update",
        &[
            (GET, "REQ"),
            (PUT, "REQ"),
            (PUT, "ADDR"),
            (DELETE, "ADDR"),
            (PUT, "CUST"),
            (PUT, "LIST"),
            (DELETE, "LIST"),
            (PUT, "STATS"),
        ],
    ),
    (".try_acquire(", &[(PUT, "BREAKER"), (DELETE, "BREAKER")]),
    ("\"IDEM#", &[(GET, "IDEM"), (BATCH, "IDEM"), (PUT, "IDEM")]),
    (".record_failure(", &[(PUT, "ENDPOINT"), (DELETE, "ENDPOINT")]),
];

/// The modules of intake that no surface of agents reaches: they serve paths of `/v1` alone.
const NOT_FOR_AGENTS: &str = "brand client_tokens customers documents events filters health http_edge lists payment_methods record refund statistics";

/// What the sandbox touches in each function. Intake and agents open it, and call nothing of it.
const SANDBOX: &[(&str, &[Access])] = &[
    ("agents", &[]),
    ("consent-callback", &[(LIST, "PHONE"), (GET, "SANDBOX"), (PUT, "SANDBOX")]),
    ("fetch-info", &[(GET, "SANDBOX"), (PUT, "SANDBOX")]),
    ("intake", &[]),
    ("send-prompt", &[(GET, "PHONE"), (PUT, "PHONE")]),
];

/// The modules of `records`, by whose names the calls are found.
const MODULES: &str = "CircuitBreaker authentication brand_limit capability card_checks charges claims contact customers device \
    effects endpoint_health erasures handles key_usage limits links opt_outs request_lists saved_cards seen statistics storage webhook_events";

/// Returns the calls of records that a source names, as `module::function`.
fn calls(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for module in MODULES.split_whitespace() {
        let mark = format!("{module}::");
        for (at, _) in source.match_indices(&mark) {
            let whole =
                !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let rest = &source[at + mark.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if whole && after.starts_with('(') {
                found.insert(format!("{mark}{name}"));
            }
        }
    }
    if source.contains("Handles") {
        found.insert("Handles".to_owned());
    }
    found
}

/// Returns what a function does with the table.
fn done_by(function: &str) -> BTreeSet<Access> {
    let folder = format!("functions/{function}/src/");
    // Agents runs intake's library in its own process.
    let is_intakes = |path: &str| {
        let name =
            path.strip_prefix("functions/intake/src/").and_then(|path| path.strip_suffix(".rs"));
        let is_used = |name| !NOT_FOR_AGENTS.split_whitespace().any(|other| other == name);
        function == "agents" && name.is_some_and(is_used)
    };
    let sources: Vec<String> = production()
        .into_iter()
        .filter(|path| path.starts_with(&folder) || is_intakes(path))
        .map(|path| read(&path))
        .collect();
    let mut done = BTreeSet::new();
    for call in sources.iter().flat_map(|source| calls(source)) {
        let known = CALLS.iter().find(|(name, _)| *name == call);
        let (_, items) = known.unwrap_or_else(|| panic!("say in CALLS which items {call} touches"));
        done.extend(items.iter().copied());
    }
    for (mark, items) in MARKS {
        if sources.iter().any(|source| source.contains(mark)) {
            done.extend(items.iter().copied());
        }
    }
    let sandbox = SANDBOX.iter().find(|(name, _)| *name == function);
    let (_, items) = sandbox.unwrap_or_else(|| panic!("say in SANDBOX what {function} does"));
    done.extend(items.iter().copied());
    done
}

/// Returns what a statement on the table allows: an action, with the prefix of each key.
fn allowed(statement: &Yaml) -> Vec<(String, String)> {
    let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    let mut found = Vec::new();
    for action in list(&statement["Action"]) {
        for key in list(keys) {
            let prefix = key.strip_suffix("#*").unwrap_or_else(|| panic!("{action} of {key}"));
            found.push((action.clone(), prefix.to_owned()));
        }
    }
    found
}

#[test]
fn items_that_a_function_may_touch_are_those_it_touches() {
    for (name, function) in functions(&template()) {
        let mut may = BTreeSet::new();
        for statement in statements(&function) {
            if text(&statement["Sid"]).starts_with("Table") {
                may.extend(allowed(&statement));
            }
        }
        let done = done_by(&name).into_iter();
        let done: BTreeSet<(String, String)> =
            done.map(|(action, prefix)| (action.to_owned(), prefix.to_owned())).collect();
        let (missing, spare): (Vec<_>, Vec<_>) =
            (done.difference(&may).collect(), may.difference(&done).collect());
        assert!(
            missing.is_empty() && spare.is_empty(),
            "{name}: add {missing:?}, remove {spare:?}"
        );
    }
}

/// A saved card, a charge and a circuit are fetch-info's to write; a link is send-prompt's.
#[test]
fn items_that_one_function_writes_are_written_by_no_other() {
    let mut writers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for name in functions(&template()).into_keys() {
        for (_, prefix) in done_by(&name).into_iter().filter(|(action, _)| *action == PUT) {
            writers.entry(prefix).or_default().insert(name.clone());
        }
    }
    for (prefix, wanted) in [
        ("BREAKER", "fetch-info"),
        ("CHARGE", "fetch-info"),
        ("ENDPOINT", "fetch-info"),
        ("IDEM", "agents intake"),
        ("LINK", "send-prompt"),
    ] {
        let wanted = wanted.split_whitespace().map(str::to_owned).collect();
        assert_eq!(writers[prefix], wanted, "{prefix}");
    }
}

/// Every kind of item is in the lists above.
#[test]
fn every_prefix_of_keys_is_known() {
    let listed = [CALLS, MARKS, SANDBOX].concat();
    let mut known: BTreeSet<&str> =
        listed.iter().flat_map(|(_, items)| items.iter().map(|(_, prefix)| *prefix)).collect();
    // Of the index, and of sort keys.
    known.extend(["EVENTS", "SES", "EVT", "WEBHOOK", "MSG"]);
    for path in production() {
        if !["functions/", "shared/records/", "shared/sandbox/"]
            .iter()
            .any(|at| path.starts_with(at))
        {
            continue;
        }
        let source = read(&path);
        for (at, _) in source.match_indices("format!(\"") {
            let rest = &source[at + "format!(\"".len()..];
            let letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
            let (prefix, after) = rest.split_at(letters);
            let is_key = letters > 2 && after.starts_with('#');
            assert!(!is_key || known.contains(prefix), "{path}: say what touches {prefix}#");
        }
    }
}
