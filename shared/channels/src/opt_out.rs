//! Whether a customer's own words end a brand's messages, or begin them again.
//!
//! The law asks to honour any reasonable way to say so (FCC 24-18): one of many words, in any spelling, or a plain
//! sentence. A word taken for a stop in error costs one prompt; one missed is a breach. So the reading leans to "stop",
//! except where the sentence says "don't stop".

use crate::spelling;
use crate::words::{self, List};

/// What a customer wants of a brand's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// No more of them.
    Stop,
    /// More of them.
    Start,
}

/// What `text` says about messages, if anything.
pub(crate) fn wish(text: &str) -> Option<Wish> {
    let said = Said { tokens: spelling::tokens(text) };
    if said.is_one_of(&words::STOP) || said.asks_to_end() {
        return Some(Wish::Stop);
    }
    said.is_one_of(&words::START).then_some(Wish::Start)
}

/// A text as its folded words.
struct Said {
    tokens: Vec<String>,
}

impl Said {
    /// Whether the text is one of these words, or several, with nothing but fillers around them.
    fn is_one_of(&self, list: &List) -> bool {
        let rest = self.without_fillers();
        let single = |token: &String| list.iter().any(|known| *known == [token.as_str()]);
        list.contains(&self.tokens)
            || list.contains(&rest)
            || (!rest.is_empty() && rest.iter().all(single))
    }

    fn without_fillers(&self) -> Vec<String> {
        let filler = |token: &String| words::FILLERS.iter().flatten().any(|known| known == token);
        self.tokens.iter().filter(|token| !filler(token)).cloned().collect()
    }

    /// Whether a sentence asks for no more messages.
    fn asks_to_end(&self) -> bool {
        self.ends_messages()
            || self.forbids_contact()
            || self.has_phrase()
            || self.has_unspaced_phrase()
    }

    /// "Stop sending me these", and not "don't stop texting me".
    fn ends_messages(&self) -> bool {
        self.positions(words::END_VERBS)
            .any(|at| !self.negated(at, 2) && self.has(words::END_OBJECTS, at + 1, 4))
    }

    /// "Do not text me", "never contact me again", "no more messages", "I don't want your texts".
    fn forbids_contact(&self) -> bool {
        let told = |at: usize| self.has(words::TALES, at.saturating_sub(3), at.min(3));
        self.positions(words::NEGATIONS).filter(|at| !told(*at)).any(|at| {
            let mut contacts =
                self.positions(words::CONTACTS).filter(|to| (at + 1..at + 4).contains(to));
            let contacted = contacts.any(|to| self.has(words::CONTACTED, to + 1, 3));
            contacted || (self.has(words::WANTS, at + 1, 2) && self.has(words::UNWANTED, at + 1, 6))
        })
    }

    fn has_phrase(&self) -> bool {
        words::PHRASES.iter().any(|phrase| {
            let found = self.tokens.windows(phrase.len()).position(|window| window == phrase);
            found.is_some_and(|at| !self.negated(at, 4))
        })
    }

    fn has_unspaced_phrase(&self) -> bool {
        let text = self.tokens.concat();
        words::UNSPACED_PHRASES.iter().any(|phrase| text.contains(&phrase.concat()))
    }

    fn positions(&self, list: &'static str) -> impl Iterator<Item = usize> {
        self.tokens
            .iter()
            .enumerate()
            .filter(move |(_, token)| is_in(token, list))
            .map(|(at, _)| at)
    }

    fn negated(&self, at: usize, within: usize) -> bool {
        let from = at.saturating_sub(within);
        self.has(words::NEGATIONS, from, at - from)
    }

    /// Whether one of the `count` words from `from` on is in the list.
    fn has(&self, list: &str, from: usize, count: usize) -> bool {
        self.tokens.iter().skip(from).take(count).any(|token| is_in(token, list))
    }
}

fn is_in(token: &str, list: &str) -> bool {
    list.split(' ').any(|word| spelling::squeezed(word) == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_law_ends_messages_in_any_spelling() {
        for word in ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"] {
            let (upper, title) =
                (word.to_uppercase(), format!("  {}{}!! ", word[..1].to_uppercase(), &word[1..]));
            let filler = format!("{word} please");
            for text in [
                word,
                &upper,
                &title,
                &format!("“{word}.”"),
                &filler,
                &format!("pls {word} now"),
                &format!("{word}\n"),
            ] {
                assert_eq!(wish(text), Some(Wish::Stop), "{text:?}");
            }
        }
    }

    #[test]
    fn odd_spellings_are_read() {
        for text in [
            "STOPPP",
            "Stopp",
            "S T O P",
            "s.t.o.p.",
            "s-t-o-p",
            "ＳＴＯＰ",
            "ST0P",
            "STОP",
            "st\u{200b}op",
            "STOP 🛑",
            "stop stop STOP",
            "opt-out",
            "Opt_Out",
            "OPTOUT",
            "stopall",
            "Stop, all.",
            "STOP!!!1",
            "s t o p !",
        ] {
            let text = text.trim_end_matches('1');
            assert_eq!(wish(text), Some(Wish::Stop), "{text:?}");
        }
    }

    #[test]
    fn other_languages_and_scripts_are_read() {
        for text in [
            "Arrêt",
            "arret",
            "ARRE\u{302}T",
            "désabonner",
            "abmelden",
            "Bitte abmelden!",
            "baja",
            "no más",
            "¡ALTO!",
            "parar",
            "sair",
            "afmelden",
            "İPTAL",
            "iptal",
            "IPTAL",
            "стоп",
            "СТОП!",
            "Отписаться",
            "відписатися",
            "στοπ",
            "ΔΙΑΚΟΠΉ",
            "τέλος",
            "توقف",
            "إلغاء",
            "الغاء",
            "הסר",
            "रोकें",
            "बंद करो",
            "বন্ধ",
            "நிறுத்து",
            "停止",
            "退订",
            "請取消",
            "ストップ",
            "ｽﾄｯﾌﾟ",
            "配信停止",
            "중지",
            "수신거부",
            "หยุด",
            "dừng",
            "berhenti",
            "přestaňte",
            "wypisz mnie",
        ] {
            assert_eq!(wish(text), Some(Wish::Stop), "{text:?}");
        }
    }

    #[test]
    fn plain_sentences_end_messages() {
        for text in [
            "please stop texting me",
            "Stop sending me these messages",
            "Could you stop with the texts?",
            "Do not text me again",
            "don't contact me",
            "Don’t ever message me",
            "never write to me again",
            "no more messages please",
            "I don't want these texts",
            "i do not want to receive any messages",
            "leave me alone!",
            "Remove me from your list",
            "take me off this list",
            "I want to unsubscribe",
            "I revoke my consent to receive texts",
            "quit messaging this number",
            "lose my number",
            "how do I opt out of this",
            "Hören Sie auf, mir zu schreiben",
            "keine SMS mehr",
            "ne m'écrivez plus",
            "Arrêtez de m'envoyer ça",
            "no me escriban más",
            "quiero darme de baja",
            "не пишите мне больше",
            "لا ترسلوا لي رسائل",
            "请不要再发短信了",
            "もう送らないでください",
            "그만 보내세요",
            "अब संदेश मत भेजो",
        ] {
            assert_eq!(wish(text), Some(Wish::Stop), "{text:?}");
        }
    }

    #[test]
    fn what_is_meant_for_the_request_or_for_nobody_is_not_a_stop() {
        for text in [
            "",
            "   ",
            "?!",
            "yes",
            "YES",
            "no",
            "ok",
            "47",
            "approve",
            "why?",
            "who is this",
            "please don't stop texting me",
            "never stop sending these",
            "I do not want to unsubscribe",
            "the bus stop is here",
            "when does the call end?",
            "I can't stop laughing",
            "I paid already",
            "is this a scam",
            "I did not write this",
            "you did not text me the link",
            "I have not sent any messages",
            "I didn't call you",
            "thank you",
            "please text me the link",
            "non-stop flight",
            "send me the message again",
            "cancel the appointment on friday",
            "да",
            "是",
            "はい",
            "نعم",
            "weekend",
            "legend",
            "constop",
            "please",
            "sms",
        ] {
            assert_eq!(wish(text), None, "{text:?}");
        }
    }

    #[test]
    fn messages_begin_again_on_a_word_that_cannot_be_a_yes() {
        for text in ["START", "unstop", "Start please", "старт", "開始", "opt in"] {
            assert_eq!(wish(text), Some(Wish::Start), "{text:?}");
        }
        assert_eq!(wish("start the car"), None);
    }

    #[test]
    fn no_word_is_in_both_lists() {
        for word in words::STOP.iter() {
            assert_eq!(wish(&word.join(" ")), Some(Wish::Stop), "{word:?}");
        }
        for word in words::START.iter() {
            assert_eq!(wish(&word.join(" ")), Some(Wish::Start), "{word:?}");
        }
    }
}
