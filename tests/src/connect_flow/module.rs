//! A module of the flow language, read as strictly as Connect reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// The most actions and characters of a module.
const ACTIONS_MAX: usize = 250;
const CONTENT_MAX: usize = 256_000;

/// The types of action that are understood, each with the errors that it must handle.
const TYPES: &[(&str, &[&str])] = &[
    ("Compare", &["NoMatchingCondition"]),
    ("EndFlowModuleExecution", &[]),
    ("GetParticipantInput", &["InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError"]),
    ("InvokeLambdaFunction", &["NoMatchingError"]),
    ("Loop", &[]),
    ("MessageParticipant", &["NoMatchingError"]),
    ("UpdateContactAttributes", &["NoMatchingError"]),
];

/// The type that invokes a function, and the types that the caller hears.
const INVOCATION: &str = "InvokeLambdaFunction";
const PROMPTS: [&str; 2] = ["MessageParticipant", "GetParticipantInput"];

/// A flow module.
pub struct FlowModule {
    /// The first action.
    pub start: String,
    /// The actions by their identifiers.
    pub actions: BTreeMap<String, Action>,
}

/// An action of a flow.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Action {
    /// The name, which transitions use.
    pub identifier: String,
    /// The type, such as `Compare`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// The parameters of the type.
    pub parameters: BTreeMap<String, Value>,
    /// The next actions.
    pub transitions: Transitions,
}

/// The actions that may follow one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Transitions {
    /// The action that follows where no condition and no error does.
    pub next_action: Option<String>,
    /// The actions that follow an error, by its type.
    pub errors: Vec<OnError>,
    /// The actions that follow a condition.
    pub conditions: Vec<OnCondition>,
}

/// An action that follows an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OnError {
    /// The type of the error.
    pub error_type: String,
    /// The name of the action that follows.
    pub next_action: String,
}

/// An action that follows a condition.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OnCondition {
    /// The comparison that must hold.
    pub condition: Condition,
    /// The name of the action that follows.
    pub next_action: String,
}

/// A comparison with one text.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Condition {
    /// The operator; `Equals` is the only one that is understood.
    pub operator: String,
    /// The texts, of which there is one.
    pub operands: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    version: String,
    start_action: String,
    #[serde(rename = "Settings")]
    _settings: Value,
    #[serde(default, rename = "Metadata")]
    _metadata: Value,
    actions: Vec<Action>,
}

impl FlowModule {
    /// Reads the content of a module.
    ///
    /// # Errors
    /// Everything that Connect would refuse, and every type of action that is not understood here.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let content: Content =
            serde_json::from_str(text).map_err(|error| vec![error.to_string()])?;
        let mut faults = Vec::new();
        if content.version != "2019-10-30" {
            faults.push("the version is not 2019-10-30".to_owned());
        }
        if text.chars().count() > CONTENT_MAX || content.actions.len() > ACTIONS_MAX {
            faults.push("the module is too large".to_owned());
        }
        let mut actions = BTreeMap::new();
        for action in content.actions {
            if let Some(twice) = actions.insert(action.identifier.clone(), action) {
                faults.push(format!("{} stands twice", twice.identifier));
            }
        }
        let module = Self { start: content.start_action, actions };
        for action in module.actions.values() {
            faults.extend(module.faults_of(action));
        }
        faults.extend(module.silent_sequences());
        let reached = module.reachable();
        let unreached = module.actions.keys().filter(|name| !reached.contains(*name));
        faults.extend(unreached.map(|name| format!("no action leads to {name}")));
        if faults.is_empty() { Ok(module) } else { Err(faults) }
    }

    /// Returns every branch: an action and the outcome after which another action follows.
    #[must_use]
    pub fn branches(&self) -> BTreeSet<(String, String)> {
        let mut branches = BTreeSet::new();
        for action in self.actions.values() {
            let mut add = |outcome: &str| {
                branches.insert((action.identifier.clone(), outcome.to_owned()));
            };
            action.transitions.errors.iter().for_each(|on| add(&on.error_type));
            action.conditions().for_each(&mut add);
            let goes_on = ["InvokeLambdaFunction", "MessageParticipant", "UpdateContactAttributes"];
            if goes_on.contains(&action.kind.as_str()) {
                add("done");
            }
        }
        branches
    }

    fn faults_of(&self, action: &Action) -> Vec<String> {
        let name = &action.identifier;
        let mut faults = Vec::new();
        let mut fault = |text: String| faults.push(format!("{name}: {text}"));
        let forbidden = "%:(\\/)=$,;[]{}";
        if name.is_empty() || name.len() > 50 || name.contains(|c: char| forbidden.contains(c)) {
            fault("the identifier has another character, or more than 50".to_owned());
        }
        let Some((_, errors)) = TYPES.iter().find(|(kind, _)| *kind == action.kind) else {
            fault(format!("the type {} is not understood", action.kind));
            return faults;
        };
        let transitions = &action.transitions;
        let handled: BTreeSet<&str> =
            transitions.errors.iter().map(|on| on.error_type.as_str()).collect();
        if handled != errors.iter().copied().collect() || handled.len() != transitions.errors.len()
        {
            fault(format!("it must handle the errors {errors:?}, each once"));
        }
        let is_end = action.kind == "EndFlowModuleExecution";
        if is_end != transitions.next_action.is_none() {
            fault("each action but the end has a next one".to_owned());
        }
        let conditions: Vec<&str> = action.conditions().collect();
        let expected = match action.kind.as_str() {
            "Loop" => conditions == ["ContinueLooping", "DoneLooping"],
            "Compare" => !conditions.is_empty(),
            "GetParticipantInput" => {
                conditions.iter().all(|key| key.len() == 1 && "0123456789#*".contains(key))
            }
            _ => conditions.is_empty(),
        };
        if !expected {
            fault("it has other conditions than its type".to_owned());
        }
        let is_plain = |on: &OnCondition| {
            on.condition.operator == "Equals" && on.condition.operands.len() == 1
        };
        if !transitions.conditions.iter().all(is_plain) {
            fault("a condition is not `Equals` with one text".to_owned());
        }
        for next in action.followers() {
            if !self.actions.contains_key(next) {
                fault(format!("{next} does not exist"));
            }
        }
        faults.extend(action.parameter_fault().map(|text| format!("{name}: {text}")));
        faults
    }

    /// Returns each invocation that may follow another one without a prompt between them. Connect ends a sequence of invocations
    /// after 20 seconds, and the caller hears nothing in it.
    fn silent_sequences(&self) -> Vec<String> {
        let is = |name: &str, kind: &str| self.actions.get(name).is_some_and(|a| a.kind == kind);
        let invocations = self.actions.values().filter(|action| action.kind == INVOCATION);
        let mut faults = Vec::new();
        for first in invocations {
            let (mut seen, mut next) = (BTreeSet::new(), first.followers().collect::<Vec<_>>());
            while let Some(name) = next.pop() {
                if is(name, INVOCATION) {
                    faults.push(format!("{name} may follow {} in silence", first.identifier));
                } else if seen.insert(name) && !PROMPTS.iter().any(|kind| is(name, kind)) {
                    next.extend(self.actions.get(name).into_iter().flat_map(Action::followers));
                }
            }
        }
        faults
    }

    fn reachable(&self) -> BTreeSet<String> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![self.start.clone()]);
        while let Some(name) = next.pop() {
            let Some(action) = self.actions.get(&name) else { continue };
            if reached.insert(name) {
                next.extend(action.followers().map(str::to_owned));
            }
        }
        reached
    }
}

impl Action {
    /// Returns a parameter that is a text, or an empty text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the texts of an object parameter.
    #[must_use]
    pub fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let object = self.parameters.get(name).and_then(Value::as_object);
        let texts = object.into_iter().flatten();
        texts
            .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    fn conditions(&self) -> impl Iterator<Item = &str> {
        let operands = self.transitions.conditions.iter().flat_map(|on| &on.condition.operands);
        operands.map(String::as_str)
    }

    fn followers(&self) -> impl Iterator<Item = &str> {
        let transitions = &self.transitions;
        let errors = transitions.errors.iter().map(|on| on.next_action.as_str());
        let conditions = transitions.conditions.iter().map(|on| on.next_action.as_str());
        transitions.next_action.as_deref().into_iter().chain(errors).chain(conditions)
    }

    /// Returns the action that follows an outcome.
    #[must_use]
    pub fn next(&self, outcome: &str) -> Option<&str> {
        let transitions = &self.transitions;
        let mut errors = transitions.errors.iter();
        let mut conditions = transitions.conditions.iter();
        let after_error = errors.find(|on| on.error_type == outcome).map(|on| &on.next_action);
        let after_condition = || {
            let on = conditions.find(|on| on.condition.operands.iter().any(|text| text == outcome));
            on.map(|on| &on.next_action)
        };
        let next = after_error.or_else(after_condition).or(transitions.next_action.as_ref());
        next.map(String::as_str)
    }

    /// Returns the fault of the parameters, if there is one.
    fn parameter_fault(&self) -> Option<&'static str> {
        let number = |name, most| {
            let text = self.text(name);
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_plain && text.parse::<u32>().is_ok_and(|number| number <= most)
        };
        let has = |name| !self.text(name).is_empty();
        let texts_of = |name: &str| {
            let object = self.parameters.get(name).and_then(Value::as_object);
            object.is_some_and(|object| object.values().all(Value::is_string))
        };
        let is_name = |name: &String| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let known =
            |names: &[&str]| self.parameters.keys().all(|name| names.contains(&name.as_str()));
        let is_sound = match self.kind.as_str() {
            "InvokeLambdaFunction" => {
                let response = self.parameters.get("ResponseValidation");
                let kind = response.and_then(|response| response.get("ResponseType"));
                number("InvocationTimeLimitSeconds", 8)
                    && has("LambdaFunctionARN")
                    && self.text("InvocationType") == "SYNCHRONOUS"
                    && texts_of("LambdaInvocationAttributes")
                    && kind.and_then(Value::as_str) == Some("STRING_MAP")
            }
            "UpdateContactAttributes" => {
                self.text("TargetContact") == "Current"
                    && texts_of("Attributes")
                    && self.texts("Attributes").keys().all(is_name)
            }
            "MessageParticipant" => known(&["Text"]) && has("Text"),
            "GetParticipantInput" => {
                known(&["Text", "InputTimeLimitSeconds", "StoreInput"])
                    && has("Text")
                    && self.text("StoreInput") == "False"
                    && number("InputTimeLimitSeconds", 180)
            }
            "Compare" => {
                known(&["ComparisonValue"]) && self.text("ComparisonValue").starts_with("$.")
            }
            "Loop" => known(&["LoopCount"]) && number("LoopCount", 100),
            _ => self.parameters.is_empty(),
        };
        if is_sound { None } else { Some("its parameters are not those of its type") }
    }
}
