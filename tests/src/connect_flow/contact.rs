//! A contact: one call that a module plays for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Action, FlowModule};

/// More actions than any run of a module has.
pub const MODULE_STEPS_MAX: usize = 2_000;
/// The most bytes of an answer, and of the attributes of a contact.
const SIZE_MAX: usize = 32 * 1024;

/// The Lambda block took its error branch: the function was not reached, failed, came too late, or answered unreadably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvocationFault;

/// The world around a contact: the function, the caller's ear and fingers, and failures of Connect itself.
pub trait Line {
    /// Invokes the function as Connect does, with its repeats.
    ///
    /// # Errors
    /// [`InvocationFault`] after the last repeat, or at the time limit.
    fn invoke(&mut self, event: Value, seconds: u64) -> Result<Value, InvocationFault>;

    /// Speaks a text.
    fn hears(&mut self, text: &str);

    /// Waits for a key; `None` where the caller presses none in time.
    fn presses(&mut self, seconds: u64) -> Option<char>;

    /// Returns whether Connect itself fails at an action.
    fn fails(&mut self, action: &Action) -> bool;

    /// Returns whether a loop that is entered again after it was left early begins at zero. The documents do not tell.
    fn resets_loops(&mut self) -> bool;
}

/// A contact of Connect.
pub struct Contact {
    /// The contact's id.
    pub id: String,
    /// The ARN of the instance.
    pub instance: String,
    /// The customer's number.
    pub phone: String,
    /// The attributes, which a flow sets and reads.
    pub attributes: BTreeMap<String, String>,
    /// The branches that were taken.
    pub taken: BTreeSet<(String, String)>,
    external: Map<String, Value>,
    rounds: BTreeMap<String, u32>,
}

impl Contact {
    /// Begins a call.
    #[must_use]
    pub fn new(id: &str, instance: &str, phone: &str) -> Self {
        Self {
            id: id.to_owned(),
            instance: instance.to_owned(),
            phone: phone.to_owned(),
            attributes: BTreeMap::new(),
            taken: BTreeSet::new(),
            external: Map::new(),
            rounds: BTreeMap::new(),
        }
    }

    /// Returns an attribute, or an empty text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Plays a module to its end.
    pub fn plays(&mut self, module: &FlowModule, line: &mut dyn Line) {
        if line.resets_loops() {
            self.rounds.clear();
        }
        let mut name = module.start.clone();
        for _ in 0..MODULE_STEPS_MAX {
            let action = module.actions.get(&name).expect("a module's actions exist");
            let Some(outcome) = self.does(action, line) else { return };
            let next = action.next(&outcome).expect("each action but the end has a next one");
            self.taken.insert((name, outcome));
            name = next.to_owned();
        }
        panic!("the module goes in circles");
    }

    /// Does an action. Returns its outcome; `None` at the module's end.
    fn does(&mut self, action: &Action, line: &mut dyn Line) -> Option<String> {
        const DONE: &str = "done";
        const ERROR: &str = "NoMatchingError";
        let outcome = match action.kind.as_str() {
            "EndFlowModuleExecution" => return None,
            "InvokeLambdaFunction" => {
                if self.invokes(action, line) {
                    DONE
                } else {
                    ERROR
                }
            }
            "UpdateContactAttributes" => {
                if line.fails(action) {
                    ERROR
                } else {
                    self.updates(action)
                }
            }
            "MessageParticipant" => {
                let text = self.resolved(action.text("Text"));
                // Connect has nothing to speak.
                if text.trim().is_empty() || line.fails(action) {
                    ERROR
                } else {
                    line.hears(&text);
                    DONE
                }
            }
            "Compare" => {
                let value = self.resolved(action.text("ComparisonValue"));
                let mut on = action.transitions.conditions.iter();
                let is_met = on.any(|on| on.condition.operands.contains(&value));
                return Some(if is_met { value } else { "NoMatchingCondition".to_owned() });
            }
            "GetParticipantInput" => return Some(self.listens(action, line)),
            "Loop" => {
                let count: u32 = action.text("LoopCount").parse().expect("a loop has a count");
                let rounds = self.rounds.entry(action.identifier.clone()).or_default();
                if *rounds < count {
                    *rounds += 1;
                    "ContinueLooping"
                } else {
                    *rounds = 0;
                    "DoneLooping"
                }
            }
            other => panic!("the type {other} is not understood"),
        };
        Some(outcome.to_owned())
    }

    /// Invokes the function. Returns whether its answer was understood.
    fn invokes(&mut self, action: &Action, line: &mut dyn Line) -> bool {
        let sent = action.texts("LambdaInvocationAttributes").into_iter();
        let parameters: Map<String, Value> =
            sent.map(|(name, text)| (name, json!(self.resolved(&text)))).collect();
        let event = json!({
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "Attributes": self.attributes,
                    "Channel": "VOICE",
                    "ContactId": self.id,
                    "CustomerEndpoint": { "Address": self.phone, "Type": "TELEPHONE_NUMBER" },
                    "CustomerId": null,
                    "Description": null,
                    "InitialContactId": self.id,
                    "InitiationMethod": "INBOUND",
                    "InstanceARN": self.instance,
                    "LanguageCode": "en-US",
                    "MediaStreams": { "Customer": { "Audio": null } },
                    "Name": null,
                    "PreviousContactId": self.id,
                    "Queue": null,
                    "References": {},
                    "SystemEndpoint": { "Address": "+15550001111", "Type": "TELEPHONE_NUMBER" },
                },
                "Parameters": parameters,
            },
        });
        let seconds =
            action.text("InvocationTimeLimitSeconds").parse().expect("a limit is a number");
        let Ok(answer) = line.invoke(event, seconds) else { return false };
        let Some(answer) = answer.as_object().filter(|_| answer.to_string().len() <= SIZE_MAX)
        else {
            return false;
        };
        assert!(answer.values().all(Value::is_string), "an answer is a map of texts: {answer:?}");
        // Only the answer of the latest invocation is there.
        self.external = answer.clone();
        true
    }

    fn updates(&mut self, action: &Action) -> &'static str {
        let texts = action.texts("Attributes").into_iter();
        let resolved: Vec<_> = texts.map(|(name, text)| (name, self.resolved(&text))).collect();
        self.attributes.extend(resolved);
        let size: usize = self.attributes.iter().map(|(name, text)| name.len() + text.len()).sum();
        assert!(size <= SIZE_MAX, "the attributes of a contact are too large");
        "done"
    }

    fn listens(&mut self, action: &Action, line: &mut dyn Line) -> String {
        if line.fails(action) {
            return "NoMatchingError".to_owned();
        }
        line.hears(&self.resolved(action.text("Text")));
        let seconds = action.text("InputTimeLimitSeconds").parse().expect("a limit is a number");
        let Some(key) = line.presses(seconds) else { return "InputTimeLimitExceeded".to_owned() };
        let key = key.to_string();
        let mut on = action.transitions.conditions.iter();
        let is_known = on.any(|on| on.condition.operands.contains(&key));
        if is_known { key } else { "NoMatchingCondition".to_owned() }
    }

    /// Replaces each reference in a text by what it names. One that names nothing is empty.
    fn resolved(&self, text: &str) -> String {
        let mut parts = text.split("$.");
        let mut resolved = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
                .unwrap_or(part.len());
            let (path, rest) = part.split_at(end);
            // UNVERIFIED: whether Connect reads a full stop after a reference as part of it. The module has none.
            assert!(!path.ends_with('.'), "a full stop follows $.{path}");
            resolved.push_str(&self.named(path));
            resolved.push_str(rest);
        }
        resolved
    }

    fn named(&self, path: &str) -> String {
        match path.split_once('.') {
            Some(("External", name)) => {
                let text = self.external.get(name).and_then(Value::as_str);
                text.unwrap_or_default().to_owned()
            }
            Some(("Attributes", name)) => self.attribute(name).to_owned(),
            Some(_) | None => panic!("the reference $.{path} is not understood"),
        }
    }
}
