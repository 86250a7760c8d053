//! Every meaning of a verified callback.

use domain::postback::Action;
use domain::values::time::Timestamp;
use ports::{Callback, CallbackError, MessageOrigin, Sender};
use serde_json::{Value, json};

use super::{CUSTOMER, USER, body, receive, value};
use crate::answers::Reaction;
use crate::doubles::{postback, reference};
use crate::whatsapp::errors;

fn callbacks_of(members: &Value) -> Vec<Callback> {
    let received = receive(&body(&[value(members)])).unwrap();
    assert_eq!((received.reply.status, received.reply.body.as_str()), (200, ""));
    assert_eq!(received.refusal, None);
    received.callbacks
}

/// A message of the customer, with its own members.
fn message(members: &Value) -> Value {
    let mut message = json!({ "from": CUSTOMER, "id": "wamid.IN1", "timestamp": "1750030073" });
    message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    message
}

fn inbound(members: &Value) -> Vec<Callback> {
    callbacks_of(&json!({ "messages": [message(members)] }))
}

fn customer() -> Sender {
    let phone = Some(format!("+{CUSTOMER}").parse().unwrap());
    Sender { phone, handle: Some(USER.to_owned()), ..Sender::default() }
}

fn origin() -> MessageOrigin {
    MessageOrigin {
        from: customer(),
        written_at: Some(Timestamp::from_millis(1_750_030_073_000)),
        message_id: Some("wamid.IN1".to_owned()),
    }
}

fn text_callback(text: &str) -> Callback {
    Callback::Wrote { origin: origin(), text: text.to_owned(), intent: None }
}

fn recipient() -> Callback {
    Callback::Recipient { about: reference().into(), recipient: customer() }
}

fn status_callbacks(members: &Value) -> Vec<Callback> {
    let mut status = json!({
        "id": "wamid.OUT1", "timestamp": "1750030080", "recipient_id": CUSTOMER,
        "biz_opaque_callback_data": reference().to_string(),
    });
    status.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let mut callbacks = callbacks_of(&json!({ "statuses": [status] }));
    callbacks.retain(|callback| *callback != recipient());
    callbacks
}

#[test]
fn tap_on_either_kind_of_button_returns_its_postback() {
    let carried = postback(Action::Approve);
    let context = json!({ "from": "15550783881", "id": "wamid.OUT1" });
    let tapped = [Callback::Tapped {
        postback: carried.clone(),
        label: Some("Approve".to_owned()),
        origin: origin(),
    }];
    let reply =
        json!({ "type": "button_reply", "button_reply": { "id": carried, "title": "Approve" } });
    let free = json!({ "type": "interactive", "context": context, "interactive": reply });
    assert_eq!(inbound(&free), tapped);
    let button = json!({ "payload": carried, "text": "Approve" });
    let quick = json!({ "type": "button", "context": context, "button": button });
    assert_eq!(inbound(&quick), tapped);
    // The postback of a foreign template. The handler of the callback verifies it.
    let foreign = json!({ "type": "button", "button": { "payload": "Cancel", "text": "Cancel" } });
    let choice = json!({ "id": "r-3", "title": "Unsubscribe", "description": "" });
    let list = json!({ "type": "interactive", "interactive": { "type": "list_reply", "list_reply": choice } });
    let unnamed = json!({ "type": "button", "button": { "text": "Stop" } });
    for (tap, postback, label) in
        [(foreign, "Cancel", "Cancel"), (list, "r-3", "Unsubscribe"), (unnamed, "", "Stop")]
    {
        let (postback, label) = (postback.to_owned(), Some(label.to_owned()));
        assert_eq!(inbound(&tap), [Callback::Tapped { postback, label, origin: origin() }]);
    }
    for other in [
        json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": {} } }),
        json!({ "type": "interactive", "interactive": { "button_reply": { "id": 7 } } }),
        json!({ "type": "button", "button": null }),
    ] {
        assert_eq!(inbound(&other), [Callback::Active(origin())], "it opens the window");
    }
}

#[test]
fn inbound_text_caption_or_correction_is_words() {
    let text = |body: &str| inbound(&json!({ "type": "text", "text": { "body": body } }));
    assert_eq!(text("STOP"), [text_callback("STOP")]);
    assert_eq!(text("yes 47"), [text_callback("yes 47")]);
    let image = |caption: Value| inbound(&json!({ "type": "image", "image": caption }));
    assert_eq!(image(json!({ "id": "1", "caption": "Stop!" })), [text_callback("Stop!")]);
    for message in [
        json!({ "type": "text", "text": { "body": "STOP" } }),
        json!({ "type": "image", "image": { "caption": "STOP" } }),
    ] {
        let edit = json!({ "original_message_id": "wamid.1", "message": message });
        let corrected = inbound(&json!({ "type": "edit", "edit": edit }));
        assert_eq!(corrected, [text_callback("STOP")]);
    }
    let active = [Callback::Active(origin())];
    assert_eq!(image(json!({ "id": "1" })), active);
    // Every kind of message opens the window.
    for kind in ["reaction", "unsupported", "order", "sticker", "location", "a_new_word", ""] {
        let message = inbound(&json!({ "type": kind, kind: { "body": "STOP" } }));
        assert_eq!(message, active, "{kind}");
    }
    let notice = json!({ "type": "system", "system": { "body": "changed a number" } });
    assert_eq!(inbound(&notice), [], "the customer did nothing");
}

#[test]
fn sender_without_a_number_has_a_business_scoped_id() {
    let sender_of = |contacts: Value, mut message: Value| {
        message["type"] = json!("text");
        message["text"] = json!({ "body": "hi" });
        let said = callbacks_of(&json!({ "contacts": contacts, "messages": [message] })).remove(0);
        let Callback::Wrote { origin: MessageOrigin { from, .. }, .. } = said else {
            panic!("{said:?}")
        };
        (from.phone.map(|phone| phone.as_str().to_owned()), from.handle)
    };
    let (phone, user) = (Some(format!("+{CUSTOMER}")), Some(USER.to_owned()));
    let named = json!([{ "profile": { "name": "Z", "username": "zoe" }, "user_id": USER }]);
    assert_eq!(sender_of(named, json!({ "id": "wamid.1" })), (None, user.clone()));
    assert_eq!(sender_of(json!([]), json!({ "from_user_id": USER })), (None, user.clone()));
    assert_eq!(sender_of(json!([]), json!({ "from": USER })), (None, user.clone()));
    assert_eq!(sender_of(json!([]), json!({ "from": CUSTOMER })), (phone.clone(), None));
    assert_eq!(sender_of(json!([{ "wa_id": CUSTOMER }]), json!({})), (phone.clone(), None));
    let two = json!([{ "wa_id": "15551230009", "user_id": "US.9" }, { "wa_id": CUSTOMER, "user_id": USER }]);
    assert_eq!(sender_of(two.clone(), json!({ "from": CUSTOMER })), (phone, user));
    let unnamed = |contacts: Value| {
        let text = json!({ "type": "text", "text": { "body": "hi" } });
        callbacks_of(&json!({ "contacts": contacts, "messages": [text] }))
    };
    assert_eq!(unnamed(two), [], "two contacts name no sender");
    let odd = json!([{ "user_id": "US.".to_owned() + &"9".repeat(300), "wa_id": "0" }]);
    assert_eq!(unnamed(odd), []);
}

/// The id of a customer may differ from the number that was asked, and a username hides the number.
#[test]
fn status_names_the_recipient() {
    let named = |contacts: Value, status: Value| {
        let mut of =
            json!({ "status": "sent", "biz_opaque_callback_data": reference().to_string() });
        of.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
        let callbacks = callbacks_of(&json!({ "contacts": contacts, "statuses": [of] }));
        let [Callback::Recipient { about, recipient }] = callbacks.as_slice() else {
            assert_eq!(callbacks, []);
            return (None, None);
        };
        assert_eq!(*about, reference().into());
        let phone = recipient.phone.as_ref().map(|phone| phone.as_str().to_owned());
        (phone, recipient.handle.clone())
    };
    let (phone, user) = (Some("+5215512345678".to_owned()), Some(USER.to_owned()));
    let status = json!({ "recipient_id": "5215512345678" });
    assert_eq!(named(json!([]), status.clone()), (phone.clone(), None));
    let both = json!({ "recipient_id": "5215512345678", "recipient_user_id": USER });
    assert_eq!(named(json!([]), both), (phone.clone(), user.clone()));
    let contact = json!([{ "wa_id": "5215512345678", "user_id": USER }]);
    assert_eq!(named(contact.clone(), status.clone()), (phone.clone(), user.clone()));
    assert_eq!(named(contact, json!({})), (None, user.clone()));
    let two = json!([{ "user_id": "US.9" }, { "wa_id": "5215512345678", "user_id": USER }]);
    assert_eq!(named(two.clone(), status), (phone, user.clone()));
    assert_eq!(named(two, json!({})), (None, None));
    assert_eq!(named(json!([]), json!({ "recipient_id": USER })), (None, user));
}

/// Half a surrogate pair is what a phone sends that cut an emoji.
#[test]
fn unreadable_text_loses_no_stop() {
    let stop = message(&json!({ "type": "text", "text": { "body": "STOP" } }));
    let odd = message(&json!({ "type": "text", "text": { "body": "HALF" } }));
    let both = value(&json!({ "messages": [odd, stop] }));
    for (text, read_as) in [("\\ud83d", "\u{FFFD}"), ("a\\ude00b", "a\u{FFFD}b"), ("\u{1}", " ")] {
        let body =
            String::from_utf8(body(std::slice::from_ref(&both))).unwrap().replace("HALF", text);
        let received = receive(body.as_bytes()).unwrap().callbacks;
        assert_eq!(received, [text_callback(read_as), text_callback("STOP")], "{text}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for part in ["1e999", deep.as_str(), "{\"body\":\"\\udc00\"}"] {
        let body = String::from_utf8(body(std::slice::from_ref(&both))).unwrap();
        let body = body.replace("{\"body\":\"HALF\"}", part);
        let received = receive(body.as_bytes()).unwrap().callbacks;
        assert_eq!(received.last(), Some(&text_callback("STOP")), "{part}");
    }
}

#[test]
fn status_reports_delivery() {
    let about = || reference().into();
    let of = |status: &str| status_callbacks(&json!({ "status": status }));
    assert_eq!(of("delivered"), [Callback::Delivered(about())]);
    assert_eq!(of("read"), [Callback::Read(about())]);
    assert_eq!(of("played"), [Callback::Read(about())]);
    assert_eq!(of("failed"), [Callback::Failed(about(), "undelivered")]);
    for status in ["sent", "accepted", "deleted", "captured", "pending", "a_new_word", ""] {
        assert_eq!(of(status), [], "{status}");
    }
    let failed = |errors: Value| {
        let failed = status_callbacks(&json!({ "status": "failed", "errors": errors }));
        match failed[..] {
            [Callback::Failed(_, reason)] => reason,
            [Callback::FailedForNow(_)] => "for_now",
            _ => panic!("{failed:?}"),
        }
    };
    for (code, reaction) in errors::ERRORS {
        let error = json!({ "code": code, "title": "x", "error_data": { "details": "y" } });
        let wanted = match reaction {
            Reaction::Again => "for_now",
            Reaction::Unreachable(reason) | Reaction::Misconfigured(reason) => reason,
        };
        assert_eq!(failed(json!([error])), wanted, "{code}");
    }
    assert_eq!(failed(json!([{ "code": 999_999 }, {}, { "code": 131_026 }])), "not_on_channel");
    for errors in [json!(null), json!([]), json!([{ "code": "131026" }]), json!([{ "code": -1 }])] {
        assert_eq!(failed(errors.clone()), "undelivered", "{errors}");
    }
}

#[test]
fn status_of_a_foreign_message_is_ignored() {
    for data in [json!(null), json!(""), json!("01HZX"), json!(7), json!("req_1.prm_1")] {
        let of = json!({ "status": "delivered", "biz_opaque_callback_data": data });
        assert_eq!(status_callbacks(&of), [], "{data}");
    }
}

#[test]
fn unreadable_entry_loses_no_other_entry() {
    let stop = message(&json!({ "type": "text", "text": { "body": "STOP" } }));
    let read = json!({ "status": "read", "biz_opaque_callback_data": reference().to_string() });
    let odd = json!([null, 7, [], {}, { "type": 7 }, { "type": "text" }, { "from": {} }]);
    let mut messages = odd.as_array().unwrap().clone();
    messages.push(stop);
    let mut statuses = odd.as_array().unwrap().clone();
    statuses.push(read);
    let both = value(&json!({ "messages": messages, "statuses": statuses, "errors": [{}] }));
    let wrong = value(&json!({ "messages": {}, "statuses": "x", "contacts": 1 }));
    let received = receive(&body(&[wrong, both.clone(), json!(null), both])).unwrap();
    let user = Sender { phone: None, handle: Some(USER.to_owned()), ..Sender::default() };
    let named = Callback::Recipient { about: reference().into(), recipient: user };
    let expected = [text_callback("STOP"), named, Callback::Read(reference().into())];
    let meant =
        received.callbacks.into_iter().filter(|callback| !matches!(callback, Callback::Active(_)));
    assert_eq!(meant.collect::<Vec<_>>(), [expected.clone(), expected].concat());
    for text in ["", "{", "test", "\u{0}", "nul"] {
        assert_eq!(receive(text.as_bytes()), Err(CallbackError::Malformed), "{text}");
    }
    for text in ["{}", "null", "[]", "7", r#"{"object":"page","entry":[{"changes":[{}]}]}"#] {
        assert_eq!(receive(text.as_bytes()).unwrap().callbacks, [], "{text}");
    }
    assert_eq!(receive("[".repeat(100_000).as_bytes()), Err(CallbackError::Malformed));
}

#[test]
fn other_numbers_and_fields_are_acknowledged_and_ignored() {
    let stop =
        json!({ "messages": [message(&json!({ "type": "text", "text": { "body": "STOP" } }))] });
    for metadata in [json!(null), json!({}), json!({ "phone_number_id": "106540352242923" })] {
        let mut value = value(&stop);
        value["metadata"] = metadata;
        assert_eq!(receive(&body(&[value])).unwrap().callbacks, []);
    }
    for field in ["user_preferences", "message_template_status_update", "smb_message_echoes", ""] {
        let text = String::from_utf8(body(&[value(&stop)])).unwrap();
        let text = text.replace("\"field\":\"messages\"", &format!("\"field\":\"{field}\""));
        assert_eq!(receive(text.as_bytes()).unwrap().callbacks, [], "{field}");
    }
}
