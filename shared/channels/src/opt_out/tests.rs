//! Texts that customers send, and what they say about a brand's messages.

use super::{Preference, keywords, preference};

#[test]
fn keyword_in_any_spelling_stops() {
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
            assert_eq!(preference(text), Some(Preference::Stop), "{text:?}");
        }
    }
}

#[test]
fn keyword_in_odd_spelling_stops() {
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
        assert_eq!(preference(text), Some(Preference::Stop), "{text:?}");
    }
}

#[test]
fn keyword_in_any_language_stops() {
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
        assert_eq!(preference(text), Some(Preference::Stop), "{text:?}");
    }
}

#[test]
fn plain_sentence_stops() {
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
        assert_eq!(preference(text), Some(Preference::Stop), "{text:?}");
    }
}

#[test]
fn unrelated_text_says_nothing() {
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
        assert_eq!(preference(text), None, "{text:?}");
    }
}

/// "Yes" is no start keyword: it may answer a request.
#[test]
fn start_keyword_starts() {
    for text in ["START", "unstop", "Start please", "старт", "開始", "opt in"] {
        assert_eq!(preference(text), Some(Preference::Start), "{text:?}");
    }
    assert_eq!(preference("start the car"), None);
}

#[test]
fn keyword_is_in_one_list_only() {
    for word in keywords::STOP.iter() {
        assert_eq!(preference(&word.join(" ")), Some(Preference::Stop), "{word:?}");
    }
    for word in keywords::START.iter() {
        assert_eq!(preference(&word.join(" ")), Some(Preference::Start), "{word:?}");
    }
}
