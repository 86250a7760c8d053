//! The end of a world: nothing is due, everything ends, the requester was told, and no secret is anywhere.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use domain::digest::digest_hex;
use domain::invariants;
use domain::request::Request;
use records::storage;

use super::brand::PLANTED;
use super::fake_processor::{CLAIM_VALUES as RELEASED_CLAIMS, PAGES, SECRETS};
use super::{Core, PUBLIC_BASE, STEPS_MAX, World};
use crate::lock::lock;

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() || self.left.load(Ordering::SeqCst) {
            return;
        }
        let due = self.next_due().filter(|due| *due <= self.now());
        assert!(
            due.is_none(),
            "a message is due: `run_until_idle` or `time_passes` would have taken it"
        );
        let complaints = [self.apple().complaints(), self.rbm().complaints()].concat();
        assert!(complaints.is_empty(), "a provider would not have taken {complaints:#?}");
        let moments = self.hooks.left();
        assert!(moments.is_empty(), "what waited for {moments:?} never happened");
        self.comes_to_its_end();
        self.keeps_its_secrets();
    }
}

fn search(place: &str, text: &str, lists: &[&[&str]]) {
    for word in lists.iter().copied().flatten() {
        let found = text.find(word).map(|at| text.get(at.saturating_sub(120)..at));
        assert!(found.is_none(), "{word} is in {place}, after {found:?}");
    }
}

impl Core {
    /// Everything that was logged.
    #[must_use]
    pub fn logs(&self) -> String {
        self.logs.text()
    }

    /// Leaves the world as it is: its end is not looked at.
    pub fn leaves(&self) {
        self.left.store(true, Ordering::SeqCst);
    }

    /// Does everything that is ever due, and then holds every request to C3 and every chain to its hashes.
    pub fn comes_to_its_end(&self) {
        for _ in 0..STEPS_MAX {
            let Some(due) = self.next_due() else { break };
            self.clock.pass_until(due);
            self.run_until_idle();
        }
        assert!(self.next_due().is_none(), "the world never comes to rest");
        let dead = self.queues.inner.dead_letters().expect("the queue is there");
        assert!(dead.is_empty(), "{dead:?}");
        for item in self.items().iter().filter(|item| item.key.sk == "REQ") {
            let request: Request = storage::decode(&item.body).expect("a request can be read");
            let webhooks = self.run(storage::webhooks(self.table.as_ref(), request.id));
            let webhooks: Vec<_> = webhooks
                .expect("the table is there")
                .into_iter()
                .map(|(webhook, _)| webhook)
                .collect();
            assert!(invariants::settled(&request, &webhooks), "C3: {request:#?} {webhooks:#?}");
            let events = self.run(storage::journal(self.table.as_ref(), &request));
            let mut chain = String::new();
            for (event, seq) in events.expect("the table is there").iter().zip(1..) {
                assert_eq!((event.seq, &event.previous), (seq, &chain), "{}", request.id);
                chain = event.hash();
            }
            assert_eq!(request.chain, chain, "the chain of {} ends elsewhere", request.id);
        }
    }

    /// Searches everything that left the functions for what must never be there.
    pub fn keeps_its_secrets(&self) {
        let phones: BTreeSet<String> = lock(&self.phones).iter().cloned().collect();
        let phones: Vec<&str> = phones
            .iter()
            .filter_map(|phone| phone.strip_prefix('+'))
            .filter(|p| p.len() > 6)
            .collect();
        let sent = self.link_tokens();
        let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
        let shown = self.shown_tokens();
        let shown = shown.iter().map(String::as_str);
        let tokens: Vec<&str> = sent.iter().copied().chain(shown).collect();
        let card = ["pm_card_c", "pm_card_m", "pm_card_u", "pm_card_v"];
        let name = ["Ada Byron"];
        search(
            "the log",
            &self.logs(),
            &[&SECRETS, &RELEASED_CLAIMS, &PAGES, &PLANTED, &phones, &tokens, &card, &name],
        );
        for (message, _) in self.sent() {
            let text = serde_json::to_string(&message).expect("a message is JSON");
            search(
                "a message",
                &text,
                &[&SECRETS, &RELEASED_CLAIMS, &PAGES, &PLANTED, &phones, &tokens, &card, &name],
            );
        }
        for called in self.calls_to("shop.example") {
            let text = String::from_utf8_lossy(&called.body);
            search(
                "a webhook",
                &text,
                &[&SECRETS, &RELEASED_CLAIMS, &PAGES, &PLANTED, &phones, &tokens, &card, &name],
            );
        }
        for item in self.table.ever() {
            let place = format!("{} {}", item.key.pk, item.key.sk);
            let lists: &[&[&str]] = match item.key.pk.split('#').next().unwrap_or_default() {
                // The customer's own phone, which others have outside.
                "PHONE" => &[&PLANTED, &card],
                // The processor's own books, which others have outside, and where it sends customers back to.
                "SANDBOX" => &[&PLANTED, &phones, &name],
                "REQ" if item.key.sk == "REQ" => &[&PLANTED, &tokens, &card],
                // The answer that a repeat gets again: what the requester itself wrote is in it.
                "IDEM" => &[&PLANTED, &phones, &tokens, &card],
                _ => &[&PLANTED, &phones, &tokens, &card, &name],
            };
            search(&place, &item.body, lists);
            search(&place, &item.body, &[&SECRETS, &RELEASED_CLAIMS, &PAGES]);
            if !place.starts_with("PHONE#") {
                search("a key", &place, &[&PLANTED, &phones, &tokens]);
            }
        }
        self.answers_keep_secrets(&phones, &sent, &card);
    }

    /// The tokens of the links that the API's answers show to the requester; none is stored, logged or delivered.
    fn shown_tokens(&self) -> BTreeSet<String> {
        let answers = lock(&self.answered);
        let of_api = answers.iter().filter(|answer| answer.uri.starts_with("/v1/requests"));
        let links = of_api.filter_map(|answer| {
            let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            let link = body.get("link")?.as_str()?.to_owned();
            link.rsplit_once('/').map(|(_, token)| token.to_owned())
        });
        links.collect()
    }

    fn answers_keep_secrets(&self, phones: &[&str], tokens: &[&str], card: &[&str]) {
        for answer in lock(&self.answered).iter() {
            // The sandbox's own page is its customer's as much as ours is.
            let page = ["/c/", "/sandbox/checkout/"].iter().any(|at| answer.uri.starts_with(at));
            let phone = answer.uri.starts_with("/sandbox/");
            let lists: &[&[&str]] = match (page, phone) {
                (true, _) => &[&PLANTED, phones],
                // A problem names the path that was called, and a sandbox phone's path names the phone.
                (false, true) if answer.status >= 400 => &[&PLANTED, card, tokens],
                (false, true) => &[&PLANTED, card, phones],
                (false, false) => &[&PLANTED, phones, tokens, card],
            };
            let place = format!("the answer to {}", answer.uri);
            search(&place, &answer.text(), lists);
            // A browser that returns may get back what it brought, and nothing else.
            let secrets: Vec<&str> =
                SECRETS.iter().copied().filter(|word| !answer.uri.contains(word)).collect();
            search(&place, &answer.text(), &[&secrets]);
            // Where a customer goes on is theirs; facts are the requester's, who reads one request at a time.
            if !page {
                search(&place, &answer.text(), &[&PAGES]);
            }
            if !answer.uri.starts_with("/v1/requests/req_") {
                search(&place, &answer.text(), &[&RELEASED_CLAIMS]);
            }
        }
    }

    /// The tokens of all links that were sent; none is stored as it is.
    fn link_tokens(&self) -> BTreeSet<String> {
        let sent = self.network.calls().into_iter().map(|called| {
            let text = form_urlencoded::parse(&called.body).map(|(_, value)| value.into_owned());
            // A form, or JSON.
            format!(
                "{} {}",
                text.collect::<Vec<_>>().join(" "),
                String::from_utf8_lossy(&called.body)
            )
        });
        let phone = self.table.ever().into_iter().filter(|item| item.key.pk.starts_with("PHONE#"));
        let texts: Vec<String> = sent.chain(phone.map(|item| item.body)).collect();
        let base = format!("{PUBLIC_BASE}/c/");
        let mut tokens = BTreeSet::new();
        for (at, found) in
            texts.iter().flat_map(|text| text.match_indices(&base).map(move |(at, _)| (at, text)))
        {
            let from = at + base.len();
            let token = found.get(from..from + 22).unwrap_or_default().to_owned();
            let stored = format!("LINK#{}", digest_hex(token.as_bytes()));
            assert!(self.items().iter().any(|item| item.key.pk == stored), "a link leads nowhere");
            tokens.insert(token);
        }
        tokens
    }
}
