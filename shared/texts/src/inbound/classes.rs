//! The classes of words, by which the patterns of a language name them.

use std::collections::BTreeMap;

/// A class of words, by which patterns name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Does not change the meaning of the keyword beside it.
    Filler,
    /// May stand around a strong keyword: "I want you to stop".
    Frame,
    /// Negates what follows.
    Not,
    /// Turns a negated verb into a demand: "if you don't stop".
    Despite,
    /// Reports the past: "I did not text you".
    Past,
    /// Begins a question that asks how or when, and for nothing.
    Ask,
    /// A verb that ends messages.
    End,
    /// A verb that ends a payment.
    Cancel,
    /// A message, or the verb of sending one.
    Msg,
    /// A noun for messages.
    Noun,
    /// A verb of contact.
    Contact,
    /// A pronoun of the customer, after a verb of contact.
    Me,
    /// A noun for a payment or an order.
    Pay,
}

/// The classes by their names in the files.
pub(super) const CLASSES: [(&str, Class); 13] = [
    ("filler", Class::Filler),
    ("frame", Class::Frame),
    ("not", Class::Not),
    ("despite", Class::Despite),
    ("past", Class::Past),
    ("ask", Class::Ask),
    ("end", Class::End),
    ("cancel", Class::Cancel),
    ("msg", Class::Msg),
    ("noun", Class::Noun),
    ("contact", Class::Contact),
    ("me", Class::Me),
    ("pay", Class::Pay),
];

impl Class {
    /// Returns the class of that name in a pattern.
    pub(super) fn named(name: &str) -> Option<Self> {
        CLASSES.iter().find(|(known, _)| *known == name).map(|(_, class)| *class)
    }
}

/// The words of each class in one language.
#[derive(Debug, Default)]
pub(super) struct WordClasses(BTreeMap<String, Vec<Class>>);

impl WordClasses {
    pub(super) fn add(&mut self, word: String, class: Class) {
        self.0.entry(word).or_default().push(class);
    }

    /// Returns whether a word belongs to a class.
    pub(super) fn has(&self, word: &str, class: Class) -> bool {
        self.0.get(word).is_some_and(|classes| classes.contains(&class))
    }
}
