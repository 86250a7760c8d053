//! Draws a prompt as a channel of each kind shows it: its buttons, and the length of its text.

use channels::message_limits::{APPLE, EMAIL, MessageLimits, RCS, SMS, WHATSAPP, cut};
use domain::brand::Key32;
use domain::postback::{Action, Postback};
use ports::{Button, ButtonAction, Prompt};

use super::{PhoneAction, SandboxStyle, Tap};

/// The fewest quick replies that Apple takes.
const QUICK_MIN: usize = 2;

/// A message as the phone shows it.
pub(super) struct Drawing {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) actions: Vec<PhoneAction>,
}

pub(super) fn draw(prompt: &Prompt, style: SandboxStyle, key: &Key32) -> Drawing {
    match style {
        SandboxStyle::Rcs => {
            let actions = actions(prompt.buttons.iter(), &RCS, key);
            Drawing { actions, ..sized(&prompt.title, &prompt.body, &RCS) }
        }
        SandboxStyle::Whatsapp => whatsapp(prompt, key),
        SandboxStyle::Apple => apple(prompt, key),
        SandboxStyle::Sms => sized("", &prompt.text, &SMS),
        SandboxStyle::Email => {
            let subject = prompt.mail.as_ref().map_or("", |mail| mail.subject.as_str());
            sized(subject, &format!("{}\n\n{}", prompt.body, prompt.link), &EMAIL)
        }
    }
}

/// Draws a message in the thread of a prompt. Apple's and WhatsApp's buttons that open the page become the link.
pub(super) fn draw_in_thread(prompt: &Prompt, style: SandboxStyle, key: &Key32) -> Drawing {
    let replies =
        |limits| actions(prompt.buttons.iter().filter(|button| is_reply(button)), limits, key);
    match style {
        SandboxStyle::Whatsapp if prompt.buttons.is_empty() => {
            sized(&prompt.title, &prompt.body, &WHATSAPP)
        }
        SandboxStyle::Whatsapp if prompt.buttons.len() == 1 => {
            let actions = replies(&WHATSAPP);
            Drawing { actions, ..sized(&prompt.title, &prompt.body, &WHATSAPP) }
        }
        SandboxStyle::Apple if prompt.buttons.first().is_some_and(is_reply) => {
            let actions = replies(&APPLE);
            Drawing { actions, ..sized(&prompt.title, &prompt.body, &APPLE) }
        }
        SandboxStyle::Apple => {
            let link = if prompt.buttons.is_empty() { "" } else { prompt.link.as_str() };
            let text = format!("{}\n{link}", prompt.body);
            sized(&prompt.title, text.trim_end(), &APPLE)
        }
        SandboxStyle::Email => sized(&prompt.payee, &prompt.text, &EMAIL),
        SandboxStyle::Rcs | SandboxStyle::Whatsapp | SandboxStyle::Sms => draw(prompt, style, key),
    }
}

fn sized(title: &str, text: &str, limits: &MessageLimits) -> Drawing {
    let (title, text) = (cut(title, limits.title_max), cut(text, limits.body_max));
    Drawing { title, text, actions: Vec::new() }
}

/// Draws the buttons that reply, or the one that opens the page if an approval needs the page. If no button denies, the
/// text ends with the place that does.
fn whatsapp(prompt: &Prompt, key: &Key32) -> Drawing {
    let replies = prompt.buttons.first().is_some_and(is_reply);
    let kind = prompt.buttons.iter().filter(|button| is_reply(button) == replies);
    let actions = actions(kind, &WHATSAPP, key);
    let labels = &prompt.labels;
    let denials = [&labels.deny, &labels.not_me].into_iter();
    let denials: Vec<&str> = denials
        .filter(|label| !replies || actions.iter().all(|action| action.label != **label))
        .map(String::as_str)
        .collect();
    let place = if replies { &prompt.link } else { &labels.open };
    let tail = match denials.as_slice() {
        [] => String::new(),
        denials => format!("\n\n{} → {place}", denials.join(" / ")),
    };
    let room = WHATSAPP.body_max.saturating_sub(tail.chars().count());
    let text = format!("{}{tail}", cut(&prompt.body, room));
    Drawing { title: cut(&prompt.title, WHATSAPP.title_max), text, actions }
}

/// Draws the wallet's sheet for a payment that a tap can approve. Other asks have quick replies if a reply can approve,
/// and a text with the link if not.
fn apple(prompt: &Prompt, key: &Key32) -> Drawing {
    let replies = prompt.buttons.iter().filter(|button| is_reply(button));
    let mut quick = actions(replies, &APPLE, key);
    let is_full_approval =
        |action: &&PhoneAction| action.action == Tap::Approve && action.session_code.is_none();
    if prompt.money.is_some()
        && let Some(approve) = quick.iter().find(is_full_approval).cloned()
    {
        let sheet = PhoneAction { sheet: true, postback: None, ..approve };
        return Drawing { actions: vec![sheet], ..sized(&prompt.title, &prompt.body, &APPLE) };
    }
    if quick.len() < QUICK_MIN || !prompt.buttons.first().is_some_and(is_reply) {
        return sized("", &prompt.text, &APPLE);
    }
    quick.truncate(APPLE.buttons_max);
    Drawing { actions: quick, ..sized(&prompt.title, &prompt.body, &APPLE) }
}

const fn is_reply(button: &Button) -> bool {
    matches!(button.action, ButtonAction::Reply { .. })
}

/// Returns as many buttons as fit, each with its action. A button whose postback is not ours is left out.
fn actions<'a>(
    buttons: impl Iterator<Item = &'a Button>,
    limits: &MessageLimits,
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
            label: cut(&button.label, limits.label_max),
            session_code: code,
            postback: Some(postback.clone()),
            sheet: false,
        })
    };
    buttons.filter_map(action).take(limits.buttons_max).collect()
}
