//! The rules on erased customers: no record keeps the number, and the journal is whole.

use std::collections::{BTreeMap, BTreeSet};

use domain::brand::Brand;
use domain::journal::JournalEntry;
use domain::keys;
use domain::request::Request;
use domain::values::id::RequestId;
use ports::{Item, Key, Write};
use records::erasures::Erasure;
use records::storage::decode;

/// The items that are stored now, and the phones of customers whom a requester wanted to erase.
#[derive(Default)]
pub(in crate::sim) struct Records {
    pub(super) items: BTreeMap<Key, Item>,
    pub(in crate::sim) unwanted: BTreeSet<String>,
}

impl Records {
    /// Sees what is written.
    pub(in crate::sim) fn written(&mut self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Put { item, .. } => drop(self.items.insert(item.key.clone(), item.clone())),
                Write::Delete { key } => drop(self.items.remove(key)),
            }
        }
    }

    /// Returns what is wrong with the erasures, once all has ended.
    pub(in crate::sim) fn broken_erasures(&self, brand: &Brand) -> Vec<String> {
        self.unwanted.iter().flat_map(|phone| self.broken_erasure(brand, phone)).collect()
    }

    fn broken_erasure(&self, brand: &Brand, phone: &str) -> Vec<String> {
        let Ok(number) = phone.parse() else { return Vec::new() };
        let address = keys::address_hash(&brand.address_key, &number);
        let is_of = |key: &Key| key.sk == "ERASE" && key.pk.ends_with(&format!("#{address}"));
        let known = self.items.iter().find(|(key, _)| is_of(key));
        // Refused, where a request of the customer was open.
        let Some((_, item)) = known else { return Vec::new() };
        let Ok(Erasure { asked_at, done_at, waits_for, .. }) = decode(&item.body) else {
            return vec!["ERASE: an erasure is unreadable".to_owned()];
        };
        if done_at.is_none() {
            return vec![format!("ERASE: an erasure is not done, and waits for {waits_for:?}")];
        }
        let digits = phone.trim_start_matches('+');
        let newer: BTreeSet<String> = self
            .requests()
            .filter(|request| request.created_at >= asked_at)
            .map(|request| format!("REQ#{}", request.id))
            .collect();
        let mut broken = Vec::new();
        for (key, item) in &self.items {
            // The processor's books and the customer's own phone are not the brand's records.
            let other = ["SANDBOX#", "PHONE#"].iter().any(|other| key.pk.starts_with(other));
            let written = item.body.contains(digits) || key.pk.contains(digits);
            if written && !other && !newer.contains(&key.pk) {
                broken.push(format!("ERASE: {} {} keeps the number", key.pk, key.sk));
            }
        }
        broken
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = Request> {
        self.items
            .iter()
            .filter(|(key, _)| key.sk == "REQ" && key.pk.starts_with("REQ#"))
            .filter_map(|(_, item)| decode(&item.body).ok())
    }

    /// Returns what is wrong with the stored journals of erased requests.
    pub(in crate::sim) fn broken_journals(&self) -> Vec<String> {
        let erased = self.requests().filter(|request| request.erased_at.is_some());
        erased.filter_map(|request| self.broken_journal(&request)).collect()
    }

    fn broken_journal(&self, request: &Request) -> Option<String> {
        let (mut seq, mut chain) = (0_u32, String::new());
        for entry in self.journal(request.id).chain(request.journal.entries().unwrap_or_default()) {
            seq = seq.saturating_add(1);
            if entry.seq != seq || entry.previous != chain {
                return Some(format!("CHAIN: the erased journal of {} is broken", request.id));
            }
            chain = entry.hash();
        }
        let whole = seq == request.entries && chain == request.chain;
        (!whole).then(|| format!("CHAIN: the erased journal of {} has no end", request.id))
    }

    fn journal(&self, id: RequestId) -> impl Iterator<Item = JournalEntry> {
        let first = Key { pk: format!("REQ#{id}"), sk: "EVT#".to_owned() };
        let last = Key { sk: "EVT$".to_owned(), ..first.clone() };
        self.items.range(first..last).filter_map(|(_, item)| decode(&item.body).ok())
    }
}
