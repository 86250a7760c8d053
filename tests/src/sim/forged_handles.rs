//! An attacker ties an id of their own on WhatsApp to a customer, and answers in words.

use domain::brand::Mode;
use domain::keys;
use ports::{Item, Key};
use records::storage::encode;

use crate::providers::whatsapp::Person;

use super::whatsapp::NAME;
use super::world::Simulation;

impl Simulation {
    /// Ties the attacker's id to a customer who is asked, without a MAC or with another handle's, and says yes.
    pub(super) fn ties_own_id(&mut self) {
        let Some(request) = self.asked_on_whatsapp() else { return };
        let brand = self.keeper.now();
        let (number, user_id) = ("15550006666".to_owned(), "US.666".to_owned());
        let who = Person { number, user_id, has_username: true };
        let hash = keys::handle_hash(&brand.address_key, NAME, &who.user_id);
        let Ok(unsigned) = encode(request.customer_address(&brand)) else { return };
        let copied = self.seen_by_attacker("HANDLE#").map(|item| item.body);
        let body = copied.filter(|_| self.roll(2) == 0).unwrap_or(unsigned);
        let pk = format!("HANDLE#{}#{:?}#{NAME}#{hash}", brand.name, Mode::Test);
        let key = Key { pk, sk: "HANDLE".to_owned() };
        self.attacker_writes(Item { key, version: 1, body, expires_at: None, index: None });
        self.stranger_says_yes(&who);
    }
}
