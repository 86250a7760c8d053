//! Every state that a request reaches, by every command in every order, within small bounds.
//!
//! The same invariants hold at each step, and no state is a dead end.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use domain::ask::{Ask, AskHash};
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::Brand;
use domain::code_policy::CodeEntry;
use domain::consent::{ApprovalMethod, Consent, SessionCode};
use domain::invariants;
use domain::journal::DeliveryStatus;
use domain::outcome::{DenialReason, Details};
use domain::processor_result::{Receipt, Reference, ReportedResult};
use domain::request::{CancelRedirect, Change, Doubt, Refusal, Request, ReturnBrowser, State};
use domain::seal::Sealed;
use domain::values::id::{ConsentId, PromptId, RequestId};
use domain::values::money::Money;
use domain::values::time::Timestamp;
use ports::Clock;
use tests::doubles::{ManualClock, SeededRandom, sample_request};
use tests::sealing;

/// The moments of an exploration, in seconds.
///
/// The deadline is at 60, or at 100 once extended, and a lease lasts 90.
const MOMENTS: [u64; 5] = [0, 59, 60, 149, 250];
const ROUTES_MAX: usize = 3;
/// How long a worker waits before it resumes an attempt.
const WAIT: Duration = Duration::from_secs(2);

/// The reach of a request in an exploration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// No worker takes the request to the processor.
    Prompts,
    /// A worker takes the request to the processor.
    Attempts,
    /// The customer goes to the hosted page.
    ///
    /// Once there is a prompt, answers are all that follows from it. The customer is redirected and returns, the
    /// redirect is abandoned, and the processor reports results.
    Away,
}

/// The bounds of an exploration.
///
/// All of it at once would take hours, and prompts and attempts hardly affect each other.
#[derive(Clone, Copy)]
struct Bounds {
    coded: bool,
    prompts: usize,
    /// Whether all kinds of receipts come, or only the most common.
    receipts: bool,
    reach: Reach,
}

pub(super) fn at(moment: usize) -> Timestamp {
    ManualClock::default().now().after(Duration::from_secs(MOMENTS[moment]))
}

pub(super) fn prompt(number: u8) -> PromptId {
    PromptId::new(at(0), [number; 10])
}

pub(super) fn accepted(coded: bool) -> Request {
    let id = RequestId::new(at(0), [1; 10]);
    let brand: domain::values::name::BrandName = "shop".parse().unwrap();
    let ask = Ask::Payment {
        money: Money::new(4250, "EUR".parse().unwrap()).unwrap(),
        description: domain::values::text::DisplayText::new("Invoice").unwrap(),
        card: None,
    };
    Request {
        processor: "stripe".parse().unwrap(),
        routes: vec!["rcs".parse().unwrap(), "sms".parse().unwrap()],
        session_code: coded.then(|| SessionCode::draw(&SeededRandom::new(1), CodeEntry::Picked)),
        attempts_max: 2,
        expires_at: at(2),
        ..sample_request(id, &brand, "Shop", ask, at(0))
    }
    .accepted()
    .request
}

pub(super) fn sealed() -> Sealed {
    let brand = Brand::parse(&sealing::brand_secret("shop").to_string()).unwrap();
    let (request, secret) = (accepted(false), "pm_card_visa");
    let authorization = Authorization::from(Credential::new(CredentialKind::PaymentMethod, secret));
    let consent = consent(&request, prompt(0), at(0), false);
    sealing::sealed(&brand, &request, &consent, 1, authorization)
}

pub(super) fn consent(request: &Request, to: PromptId, now: Timestamp, matched: bool) -> Consent {
    Consent {
        id: ConsentId::new(at(0), [3; 10]),
        at: now,
        ask_hash: request.ask_hash.clone(),
        prompt: to,
        channel: "rcs".parse().unwrap(),
        method: ApprovalMethod::Page,
        code_matched: matched,
        signature: None,
    }
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        reference: Reference("pi_1".to_owned()),
        amount: 4250,
        currency: "EUR".to_owned(),
        method: "card".to_owned(),
        wallet: None,
        card_brand: None,
        last4: None,
    }
}

type Commands = Vec<Result<Change, Refusal>>;

/// Every command that any actor could give at that moment, including those that the request refuses.
fn commands(request: &Request, now: Timestamp, sealed: &Sealed, bounds: Bounds) -> Commands {
    let mut all = vec![
        request.cancel(now),
        Ok(request.expire(now)),
        request.extend(Duration::from_secs(41), now),
        request.deny(DenialReason::NotMe, None, now),
    ];
    match bounds.reach {
        Reach::Prompts => {}
        Reach::Attempts => all.extend(at_the_processor(request, now)),
        Reach::Away if !request.prompts.is_empty() => {
            let yes = consent(request, prompt(0), now, true);
            return at_the_processor(request, now)
                .into_iter()
                .chain(on_page(request, now, sealed))
                .chain([request.cancel(now), Ok(request.expire(now))])
                .chain([request.approve(yes, sealed.clone(), now)])
                .collect();
        }
        Reach::Away => {}
    }
    all.extend(about_prompts(request, now, sealed, bounds));
    all
}

fn at_the_processor(request: &Request, now: Timestamp) -> Commands {
    vec![
        request.lease(now),
        request.record_created(Reference("pi_1".to_owned()), now),
        request.record_started(now),
        request.release("again", Doubt::Cleared, WAIT, now),
        request.release("again", Doubt::Unchanged, WAIT, now),
        request.release("unknown", Doubt::Reported, WAIT, now),
        request.fulfill("CODE".to_owned(), Details::Payment(receipt()), now),
        request.record_declined("card_declined", true, now),
        request.record_declined("card_declined", false, now),
    ]
}

fn on_page(request: &Request, now: Timestamp, sealed: &Sealed) -> Commands {
    let reported = |success| ReportedResult {
        success,
        reference: Reference("pi_1".to_owned()),
        code: None,
        original: None,
    };
    let mut all = vec![
        request.record_redirected(sealed.clone(), WAIT, now),
        request.record_exchanged(sealed.clone(), now),
        request.abandon(CancelRedirect::Customer, now),
        request.abandon(CancelRedirect::Requester, now),
        request.abandon(CancelRedirect::WrongCode, now),
        request.record_arrival(ReturnBrowser::Same, now),
        request.record_arrival(ReturnBrowser::Other, now),
    ];
    for attempt_no in 1..=2 {
        all.push(request.record_returned(attempt_no, sealed.clone(), ReturnBrowser::Same, now));
        all.push(request.record_reported(attempt_no, reported(true), now));
        all.push(request.record_reported(attempt_no, reported(false), now));
    }
    all
}

fn about_prompts(request: &Request, now: Timestamp, sealed: &Sealed, bounds: Bounds) -> Commands {
    let rcs = "rcs".parse().unwrap();
    let mut all = Commands::new();
    if request.expires_at < at(3) {
        all.push(request.extend_for_customer(now).map(|mut change| {
            // Five minutes are beyond the last moment.
            change.request.expires_at = at(3);
            change
        }));
    }
    if request.is_open_to_answers() && request.prompts.len() < bounds.prompts {
        all.push(Ok(request.begin_prompt(
            prompt(u8::try_from(request.prompts.len()).unwrap()),
            &rcs,
            true,
            now,
        )));
        all.push(Ok(request.undeliverable(now)));
        if request.routes.len() < ROUTES_MAX {
            all.push(request.resend(None, now));
            all.push(Ok(request.route_again(&rcs, now)));
        }
    }
    for number in 0..=u8::try_from(request.prompts.len()).unwrap() {
        let to = prompt(number);
        all.push(request.approve(consent(request, to, now, true), sealed.clone(), now));
        all.push(request.approve(consent(request, to, now, false), sealed.clone(), now));
        let mut other = consent(request, to, now, true);
        other.ask_hash = AskHash::of(request.id, &request.brand, "Other", &request.ask);
        all.push(request.approve(other, sealed.clone(), now));
        let kinds = [
            DeliveryStatus::Delivered,
            DeliveryStatus::Opened,
            DeliveryStatus::Accepted,
            DeliveryStatus::Unknown,
            DeliveryStatus::Failed { reason: "busy".to_owned() },
            DeliveryStatus::Superseded { retracted: true },
        ];
        for delivery_status in kinds.into_iter().take(if bounds.receipts { 6 } else { 1 }) {
            all.push(Ok(request.record_delivery_status(to, delivery_status, None, now)));
        }
    }
    all
}

/// The part of a request that decides which states can follow.
///
/// Times of its own history, texts and counts are left out.
fn essence(request: &Request, moment: usize) -> String {
    let state = match &request.state {
        State::Processing { lease, .. } => format!("processing {lease}"),
        State::Authorized { consent, .. } => format!("authorized {}", consent.at),
        State::Pending | State::Prompted | State::Closed { .. } => request.state_name().to_owned(),
    };
    let prompts: Vec<String> = request
        .prompts
        .iter()
        .map(|prompt| format!("{:?}{}{}", prompt.status, prompt.opened, prompt.taken_back))
        .collect();
    let attempts: Vec<String> = request
        .attempts
        .iter()
        .map(|attempt| {
            let (reference, started) =
                (attempt.reference().is_some(), attempt.started_at().is_some());
            let doubt = (attempt.is_in_doubt(), attempt.is_doubt_reported());
            let on_page = attempt.redirect.as_ref().map(|redirect| {
                (redirect.returned_at().is_some(), redirect.is_redeemed(), redirect.abandoned_by())
            });
            let reported = attempt.reported.as_ref().map(|reported| reported.success);
            format!("{reference}{started}{doubt:?}{:?}{on_page:?}{reported:?}", attempt.end())
        })
        .collect();
    let rest =
        (request.routes.len(), request.routes_used, request.expires_at, request.customer_extended);
    format!("{moment} {state} {prompts:?} {attempts:?} {rest:?}")
}

/// Returns whether the request can still end by itself.
fn can_end(request: &Request) -> bool {
    let late = at(MOMENTS.len() - 1).after(Duration::from_secs(100));
    if request.is_closed() {
        return true;
    }
    if request.next_check(late).is_none() {
        return false;
    }
    if request.is_open_to_answers() {
        return request.expire(late).request.is_closed();
    }
    let leased = request.lease(late).map(|change| change.request);
    leased.is_ok_and(|request| {
        let over = request.record_declined("processor_unavailable", false, late);
        over.is_ok_and(|change| change.request.is_closed())
    })
}

fn explore(bounds: Bounds) -> (usize, usize, BTreeSet<&'static str>) {
    let sealed = sealed();
    let mut seen = BTreeSet::new();
    let mut ends = BTreeSet::new();
    let mut steps = 0;
    let mut ahead = VecDeque::from([(accepted(bounds.coded), 0)]);
    while let Some((request, moment)) = ahead.pop_front() {
        if !seen.insert(essence(&request, moment)) {
            continue;
        }
        assert!(can_end(&request), "C3: a dead end: {request:#?}");
        if request.is_closed() {
            ends.insert(request.state_name());
        }
        // The second before the deadline matters to answers only.
        let step = if bounds.reach == Reach::Away && moment == 0 { 2 } else { 1 };
        if moment + step < MOMENTS.len() {
            ahead.push_back((request.clone(), moment + step));
        }
        for change in commands(&request, at(moment), &sealed, bounds).into_iter().flatten() {
            steps += 1;
            let after = change.request.clone();
            let broken = invariants::broken(Some(&request), &after, &change.entries);
            assert_eq!(
                broken,
                Vec::<&str>::new(),
                "{request:#?}\n{:#?}\n{after:#?}",
                change.entries
            );
            if change.is_nothing() {
                assert_eq!(after.state, request.state, "a change without an event");
                assert_eq!(after.webhooks, request.webhooks, "a webhook without an event");
            }
            if request.is_closed() {
                assert!(change.is_nothing(), "C4: something happened to a closed request");
            }
            if !seen.contains(&essence(&after, moment)) {
                ahead.push_back((after, moment));
            }
        }
    }
    (seen.len(), steps, ends)
}

/// Asserts the ends reached, and that the states are not too few: a model that got small proves little.
fn every_state(bounds: Bounds, least: usize, ends: &[&str]) {
    let (states, steps, ended) = explore(bounds);
    assert_eq!(ended, ends.iter().copied().collect());
    assert!(states >= least, "{states} states, {steps} steps");
}

/// No order of prompts, receipts and answers breaks an invariant or reaches a dead end.
#[test]
fn prompts_receipts_answers_any_order_can_end() {
    let ends = ["cancelled", "denied", "expired", "undeliverable"];
    let bounds = Bounds { coded: true, prompts: 2, receipts: true, reach: Reach::Prompts };
    every_state(bounds, 1_000, &ends);
}

/// No order of answers and attempts breaks an invariant or reaches a dead end.
#[test]
fn answers_attempts_any_order_can_end() {
    let ends = ["cancelled", "denied", "expired", "failed", "fulfilled", "undeliverable"];
    for coded in [true, false] {
        let bounds = Bounds { coded, prompts: 1, receipts: false, reach: Reach::Attempts };
        every_state(bounds, 1_000, &ends);
    }
}

/// No order of redirects, returns and abandoned redirects breaks an invariant or reaches a dead end.
#[test]
fn redirects_returns_abandons_any_order_can_end() {
    let ends = ["cancelled", "denied", "expired", "failed", "fulfilled", "undeliverable"];
    let bounds = Bounds { coded: false, prompts: 1, receipts: false, reach: Reach::Away };
    every_state(bounds, 10_000, &ends);
}
