//! A prompt as a channel of each kind would show it: which buttons there are and how many, and where a text is cut.

use domain::brand::Key32;
use domain::ports::{Button, ButtonAction, Prompt};
use domain::postback::{Action, Postback};
use domain::sandbox::{PhoneAction, SandboxStyle, Tap};

use crate::message_limits::{self, APPLE, RCS, SMS, WHATSAPP, cut};

/// Fewer quick replies than this are none at Apple.
const QUICK_MIN: usize = 2;

/// What the phone shows.
pub(super) struct Drawn {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) actions: Vec<PhoneAction>,
}

pub(super) fn draw(prompt: &Prompt, style: SandboxStyle, key: &Key32) -> Drawn {
    match style {
        SandboxStyle::Rcs => {
            let actions = actions(prompt.buttons.iter(), &RCS, key);
            Drawn { actions, ..sized(&prompt.title, &prompt.body, &RCS) }
        }
        SandboxStyle::Whatsapp => whatsapp(prompt, key),
        SandboxStyle::Apple => apple(prompt, key),
        SandboxStyle::Sms => sized("", &prompt.text, &SMS),
    }
}

fn sized(title: &str, text: &str, style: &message_limits::MessageLimits) -> Drawn {
    let (title, text) = (cut(title, style.title_max), cut(text, style.body_max));
    Drawn { title, text, actions: Vec::new() }
}

/// Buttons that reply, or the one that opens the page where a yes is given only there; and in words where to say no if
/// there is no button for it.
fn whatsapp(prompt: &Prompt, key: &Key32) -> Drawn {
    let replies = prompt.buttons.first().is_some_and(is_reply);
    let kind = prompt.buttons.iter().filter(|button| is_reply(button) == replies);
    let actions = actions(kind, &WHATSAPP, key);
    let labels = &prompt.labels;
    let noes = [&labels.deny, &labels.not_me].into_iter();
    let noes: Vec<&str> = noes
        .filter(|no| !replies || actions.iter().all(|action| action.label != **no))
        .map(String::as_str)
        .collect();
    let place = if replies { &prompt.link } else { &labels.open };
    let tail = match noes.as_slice() {
        [] => String::new(),
        noes => format!("\n\n{} → {place}", noes.join(" / ")),
    };
    let room = WHATSAPP.body_max.saturating_sub(tail.chars().count());
    let text = format!("{}{tail}", cut(&prompt.body, room));
    Drawn { title: cut(&prompt.title, WHATSAPP.title_max), text, actions }
}

/// A payment that a tap is enough for is asked for by the wallet's own sheet; everything else by quick replies where a
/// reply is enough, and by a text with the link where it is not.
fn apple(prompt: &Prompt, key: &Key32) -> Drawn {
    let replies = prompt.buttons.iter().filter(|button| is_reply(button));
    let mut quick = actions(replies, &APPLE, key);
    let whole =
        |action: &&PhoneAction| action.action == Tap::Approve && action.session_code.is_none();
    if prompt.money.is_some()
        && let Some(yes) = quick.iter().find(whole).cloned()
    {
        let sheet = PhoneAction { sheet: true, postback: None, ..yes };
        return Drawn { actions: vec![sheet], ..sized(&prompt.title, &prompt.body, &APPLE) };
    }
    if quick.len() < QUICK_MIN || !prompt.buttons.first().is_some_and(is_reply) {
        return sized("", &prompt.text, &APPLE);
    }
    quick.truncate(APPLE.buttons_max);
    Drawn { actions: quick, ..sized(&prompt.title, &prompt.body, &APPLE) }
}

const fn is_reply(button: &Button) -> bool {
    matches!(button.action, ButtonAction::Reply { .. })
}

/// As many buttons as fit, each with what its tap means. One whose postback is not ours has no meaning, and is left out.
fn actions<'a>(
    buttons: impl Iterator<Item = &'a Button>,
    style: &message_limits::MessageLimits,
    key: &Key32,
) -> Vec<PhoneAction> {
    let action = |button: &Button| {
        let (ButtonAction::Reply { postback } | ButtonAction::Open { postback, .. }) =
            &button.action;
        let (action, code) = match Postback::read(postback, key)?.action {
            Action::Approve => (Tap::Approve, None),
            Action::Pick(_) => (Tap::Approve, Some(button.label.clone())),
            Action::Deny => (Tap::Deny, None),
            Action::NotMe => (Tap::NotMe, None),
            Action::Open => (Tap::Open, None),
        };
        Some(PhoneAction {
            action,
            label: cut(&button.label, style.label_max),
            session_code: code,
            postback: Some(postback.clone()),
            sheet: false,
        })
    };
    buttons.filter_map(action).take(style.buttons_max).collect()
}
