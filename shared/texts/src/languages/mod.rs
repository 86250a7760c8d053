//! The supported languages, one file each.

mod ar;
mod cs;
mod da;
mod de;
mod el;
mod en;
mod es;
mod fi;
mod fr;
mod he;
mod hi;
mod hu;
mod it;
mod ja;
mod ko;
mod nb;
mod nl;
mod pl;
mod pt;
mod pt_br;
mod ro;
mod sv;
mod tr;
mod uk;
mod zh_hans;
mod zh_hant;

use super::page::PageTexts;
use super::prompt::Words;
use super::say::Sentences;
use super::thread::ThreadWords;

/// All texts of one language. A text that a language's file lacks does not compile.
struct LanguageTexts {
    prompt: &'static Words,
    thread: &'static ThreadWords,
    say: &'static Sentences,
    page: &'static PageTexts,
}

/// Lists the languages once: the type, the list and the texts follow from it.
macro_rules! languages {
    ($($(#[$doc:meta])* $language:ident = $file:ident,)+) => {
        /// A supported language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum TextLanguage {
            $($(#[$doc])* $language,)+
        }

        impl TextLanguage {
            /// Every supported language.
            pub const ALL: [Self; [$(Self::$language),+].len()] = [$(Self::$language),+];

            const fn texts(self) -> &'static LanguageTexts {
                match self {
                    $(Self::$language => &$file::TEXTS,)+
                }
            }
        }
    };
}

languages! {
    /// Arabic.
    Ar = ar,
    /// Czech.
    Cs = cs,
    /// Danish.
    Da = da,
    /// German.
    De = de,
    /// Greek.
    El = el,
    /// English.
    En = en,
    /// Spanish.
    Es = es,
    /// Finnish.
    Fi = fi,
    /// French.
    Fr = fr,
    /// Hebrew.
    He = he,
    /// Hindi.
    Hi = hi,
    /// Hungarian.
    Hu = hu,
    /// Italian.
    It = it,
    /// Japanese.
    Ja = ja,
    /// Korean.
    Ko = ko,
    /// Norwegian Bokmål.
    Nb = nb,
    /// Dutch.
    Nl = nl,
    /// Polish.
    Pl = pl,
    /// Portuguese of Portugal and Africa.
    Pt = pt,
    /// Portuguese of Brazil.
    PtBr = pt_br,
    /// Romanian.
    Ro = ro,
    /// Swedish.
    Sv = sv,
    /// Turkish.
    Tr = tr,
    /// Ukrainian.
    Uk = uk,
    /// Chinese in simplified characters.
    ZhHans = zh_hans,
    /// Chinese in traditional characters.
    ZhHant = zh_hant,
}

impl TextLanguage {
    /// Returns the BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.page().tag
    }

    /// Returns whether the language is written from right to left.
    #[must_use]
    pub const fn is_rtl(self) -> bool {
        matches!(self.page().dir.as_bytes(), b"rtl")
    }

    /// Returns the texts of the consent page.
    #[must_use]
    pub const fn page(self) -> &'static PageTexts {
        self.texts().page
    }

    pub(super) const fn thread(self) -> &'static ThreadWords {
        self.texts().thread
    }

    pub(super) const fn prompt(self) -> &'static Words {
        self.texts().prompt
    }

    pub(super) const fn sentences(self) -> &'static Sentences {
        self.texts().say
    }
}
