//! Tests of refusals: another person's tokens, changed details and forged returns.

use super::*;

#[test]
fn id_token_of_another_person_or_time_is_refused() {
    let (opened, script) = provider(&json!({}));
    let (ask, code) = (ask(), returned_code());
    let attempt = used(&ask, &code);
    let nonce = opened.state(&attempt).nonce;
    let past = NOW.as_millis() / 1000 - 121;
    for (change, code) in [
        (json!({ "aud": "other" }), "id_token_aud"),
        (json!({ "aud": ["acme shop", "other"] }), "id_token_aud"),
        (json!({ "azp": "other" }), "id_token_azp"),
        (json!({ "exp": past }), "id_token_exp"),
        (json!({ "nonce": "another" }), "id_token_nonce"),
        (json!({ "nonce": null }), "id_token_nonce"),
        (json!({ "sub": "" }), "id_token_sub"),
        (json!({ "sub": 7 }), "id_token_sub"),
        (json!({ "exp": null }), "id_token_exp"),
        (json!({ "iss": null }), "id_token_not_readable"),
    ] {
        let token = id_token(&nonce, &change);
        let answer = confirmed(&opened, &script, &attempt, Some((200, tokens(&token))));
        assert_eq!(answer, Confirmed::SoftDeclined { code }, "{change}");
    }
    let other = id_token(&nonce, &json!({ "iss": "https://evil.example" }));
    let answer = confirmed(&opened, &script, &attempt, Some((200, tokens(&other))));
    assert_eq!(answer, Confirmed::Invalid { code: "issuer_differs" });
    for token in ["", "a.b", "a.b.c.d", "e30.!!.c2ln"] {
        let answer = confirmed(&opened, &script, &attempt, Some((200, tokens(token))));
        assert!(matches!(answer, Confirmed::SoftDeclined { .. }), "{token}: {answer:?}");
    }
    let both = json!({ "aud": ["acme shop", "other"], "azp": "acme shop" });
    let answer =
        confirmed(&opened, &script, &attempt, Some((200, tokens(&id_token(&nonce, &both)))));
    assert!(matches!(answer, Confirmed::Exchanged(_)), "{answer:?}");
}

#[test]
fn authorization_details_when_changed_are_refused() {
    let (opened, script) = provider(&json!({ "authorization_details_type": "facts" }));
    let (ask, code) = (ask(), returned_code());
    let attempt = used(&ask, &code);
    let nonce = opened.state(&attempt).nonce;
    let asked = json!({ "type": "facts", "request_id": "req_01J00000000000000000000000",
        "purpose": "Opening an account", "fields": ["given_name", "address"], "locations": [] });
    let mut more = asked.clone();
    more["fields"] = json!(["given_name", "address", "birthdate"]);
    for (granted, same) in [(json!([asked]), true), (json!([]), true), (json!([more]), false)] {
        let mut tokens = tokens(&id_token(&nonce, &json!({})));
        tokens["authorization_details"] = granted;
        let answer = confirmed(&opened, &script, &attempt, Some((200, tokens)));
        assert_eq!(matches!(answer, Confirmed::Exchanged(_)), same, "{answer:?}");
    }
}

#[test]
fn return_with_a_foreign_state_is_forged_and_errors_map() {
    let (opened, _) = provider(&json!({}));
    let (ask, yes) = (ask(), Authorization::Hosted);
    let attempt = used(&ask, &yes);
    let state = opened.state(&attempt).to_string();
    let good = format!("{CALLBACK}?code=c0de&state={state}&iss=https%3A%2F%2Fid.example");
    let heard = opened.receive(&back(&good)).unwrap();
    assert_eq!(heard.reply, WebhookResponse::ToPage(attempt.request));
    let grant = wire::returned("c0de".to_owned(), true);
    let (request, attempt_no) = (attempt.request, 2);
    assert_eq!(heard.events, [ProcessorEvent::Returned { request, attempt_no, grant }]);

    for (error, code) in authorization::RETURNS {
        let url = format!("{CALLBACK}?error={error}&error_description=x&state={state}");
        let heard = opened.receive(&back(&url)).unwrap();
        let [ProcessorEvent::AttemptReported { reported, attempt_no: 2, .. }] =
            heard.events.as_slice()
        else {
            panic!()
        };
        assert!(!reported.success);
        let reported = AttemptContext { reported: Some(reported), on_hosted_page: true, ..attempt };
        let answer = block_on(opened.retrieve(&reported, &Reference(state.clone())));
        assert_eq!(answer, Retrieved::SoftDeclined { code }, "{error}");
    }

    let other = state.replace(".2.", ".3.");
    let flipped =
        format!("{}{}", &state[..state.len() - 1], if state.ends_with('0') { '1' } else { '0' });
    for (url, error) in [
        (format!("{CALLBACK}?code=c0de"), CallbackError::None),
        (format!("{CALLBACK}?state={state}"), CallbackError::Malformed),
        (format!("{CALLBACK}?code=a&code=b&state={state}"), CallbackError::Malformed),
        (format!("{CALLBACK}?code=a&error=b&state={state}"), CallbackError::Malformed),
        (format!("{CALLBACK}?code=c0de&state={other}"), CallbackError::Forged),
        (format!("{CALLBACK}?code=c0de&state={flipped}"), CallbackError::Forged),
        (format!("{CALLBACK}?code=c0de&state=x"), CallbackError::Forged),
        (
            format!("{CALLBACK}?code=c0de&state={state}&iss=https%3A%2F%2Fevil"),
            CallbackError::Forged,
        ),
    ] {
        assert_eq!(opened.receive(&back(&url)), Err(error), "{url}");
    }
    let (strict, _) = provider(&json!({ "names_issuer": true }));
    let url = format!("{CALLBACK}?code=c0de&state={state}");
    assert_eq!(strict.receive(&back(&url)), Err(CallbackError::Forged));
    assert_eq!(
        opened.receive(&UnverifiedCallback { method: Method::POST, ..back(&url) }),
        Err(CallbackError::None)
    );
}

#[test]
fn payment_options_are_empty_for_unknown_claims_and_asks() {
    let (opened, _) = provider(&json!({ "claims": ["given_name"] }));
    assert_eq!(opened.payment_options(&ask()), []);
    let (opened, _) = provider(&json!({}));
    let claims = vec![DisplayText::new("ssn").unwrap()];
    let description = DisplayText::new("x").unwrap();
    let ask = Ask::PaymentMethod { description: description.clone() };
    assert_eq!(opened.payment_options(&ask), []);
    let ask = Ask::Identity { acr: Vec::new(), claims, description, max_age: None };
    assert_eq!(opened.payment_options(&ask), []);
}

#[test]
fn settings_in_live_mode_need_https_and_are_not_quoted() {
    for name in ["issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"] {
        for bad in ["http://id.example/x", "https://u:p@id.example", "id.example", "https://a#b"] {
            let error = Provider::read(Mode::Live, &settings(&json!({ name: bad }))).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("example"), "{bad}");
        }
        let http = settings(&json!({ name: "http://127.0.0.1:4000/x" }));
        assert!(Provider::read(Mode::Test, &http).is_ok());
    }
}
