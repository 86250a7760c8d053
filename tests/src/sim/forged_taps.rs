//! Taps whose postback the brand did not write.

use serde_json::{Value, json};

use super::world::Simulation;

impl Simulation {
    /// Forges what the tap brings back.
    pub(super) fn forge(&self, tap: &mut Value) {
        let roll = self.roll(3);
        let places = ["/messages/0/interactive/button_reply/id", "/messages/0/button/payload"];
        for place in places {
            let Some(postback) = tap.pointer_mut(place) else { continue };
            let ours = postback.as_str().unwrap_or_default();
            let text = match roll {
                0 => "Approve".to_owned(),
                1 => "0".repeat(ours.len()),
                // Another action with the proof of this one: the second byte says which.
                _ => ours
                    .char_indices()
                    .map(|(place, digit)| match (place, digit) {
                        (3, '0') => '1',
                        (3, _) => '0',
                        (_, digit) => digit,
                    })
                    .collect(),
            };
            *postback = json!(text);
        }
    }
}
