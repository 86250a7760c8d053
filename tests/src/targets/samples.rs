//! Valid inputs, or nearly, that the targets begin from.

use serde_json::{Value, json};

use super::customer::twilio_signature;
use super::fuzz_fixture::{BASE, KEY, SESSION, secret, wanted, with_fixture};

fn texts_of(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn bodies(all: &[Value]) -> Vec<Vec<u8>> {
    all.iter().map(|value| value.to_string().into_bytes()).collect()
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut body = wanted("+15551230009", "chat");
    for (place, value) in changes {
        if let Some(found) = body.pointer_mut(place) {
            found.clone_from(value);
        }
    }
    body
}

pub(super) fn create() -> Vec<Vec<u8>> {
    let small = json!({
        "customer": { "phone": "+4915112345678" }, "session": { "kind": "in_person", "id": "till-1" },
        "ask": { "kind": "payment", "amount": 1, "currency": "JPY", "description": "Äpfel 🍎" },
    });
    bodies(&[
        with(&[]),
        small,
        with(&[("/channels", json!(["rcs", "sms", "rcs"])), ("/expires_in", json!(604_800))]),
        with(&[("/ask", json!({ "kind": "payment_method", "description": "Card on file" }))]),
        with(&[(
            "/ask",
            json!({ "kind": "identity", "claims": ["name", "birthdate"], "description": "Age" }),
        )]),
        with(&[("/metadata", json!({ "a": "", "b~1/c": "\u{0}", "ü": "x".repeat(500) }))]),
    ])
}

pub(super) fn capabilities() -> Vec<Vec<u8>> {
    let ask =
        json!({ "kind": "payment", "amount": 4250, "currency": "KWD", "description": "Invoice" });
    bodies(&[
        json!({ "customer": { "phone": "+15551230001", "language": "zh-Hant-TW" }, "ask": ask }),
    ])
}

pub(super) fn act() -> Vec<Vec<u8>> {
    texts_of(&[
        "c",
        "c{}",
        "e{\"expires_in\": 600}",
        "e{\"expires_in\": 604800}",
        "r",
        "r{\"channel\": \"rcs\"}",
        "r{\"channel\": null}",
    ])
}

pub(super) fn headers() -> Vec<Vec<u8>> {
    vec![
        format!("Bearer {KEY}\nkey-1").into_bytes(),
        format!("bearer   {KEY} \n\"key 2\"").into_bytes(),
        b"Bearer sk_live_acme_0123456789abcdefghijklmnop\nk".to_vec(),
        b"Basic YTpi\n".to_vec(),
    ]
}

pub(super) fn api_key() -> Vec<Vec<u8>> {
    texts_of(&[KEY, "sk_live_acme_0123456789abcdefghijklmnop", "sk_test_a-2_0123456789abcdef"])
}

pub(super) fn list() -> Vec<Vec<u8>> {
    let next = with_fixture(|fuzz_fixture| {
        let request = fuzz_fixture.request(fuzz_fixture.shown.id);
        let place = format!("{:016}#{}", request.created_at.as_millis(), request.id);
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, place)
    });
    [
        format!("session={SESSION}"),
        format!("session={SESSION}&limit=1"),
        format!("session={SESSION}&limit=100&cursor={next}"),
        "session=a%20b&limit=0".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

pub(super) fn one() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let id = fuzz_fixture.shown.id;
        [
            format!("{id}"),
            format!("{id}?wait=20&after=2"),
            format!("{id}?wait=0"),
            "x%20y?wait=21".to_owned(),
        ]
        .map(String::into_bytes)
        .to_vec()
    })
}

fn calls(lines: &[&str], body: &str) -> Vec<u8> {
    format!("{}\n\n{body}", lines.join("\n")).into_bytes()
}

pub(super) fn whole_call() -> Vec<Vec<u8>> {
    let id = with_fixture(|fuzz_fixture| fuzz_fixture.shown.id.to_string());
    let proof = format!("authorization: Bearer {KEY}");
    let body = with(&[]).to_string();
    let key = "idempotency-key: k-1";
    vec![
        calls(&["POST /v1/requests", &proof, key, "content-type: application/json"], &body),
        calls(&["POST /v1/requests", key], &body),
        calls(&["POST /v1/capabilities", &proof], &body),
        calls(&[&format!("POST /v1/requests/{id}/cancel"), &proof], ""),
        calls(&[&format!("POST /v1/requests/{id}/extend")], "{\"expires_in\": 400}"),
        calls(&[&format!("POST /v1/requests/{id}/resend"), &proof], "{\"channel\": \"sms\"}"),
        calls(&[&format!("GET /v1/requests/{id}?wait=1"), &proof], ""),
        calls(&["GET /v1/requests?session=CA123", &proof], ""),
        calls(&["GET /problems/invalid-request"], ""),
        calls(&["DELETE /v1/requests"], ""),
        calls(&["OPTIONS *"], ""),
        calls(&["CONNECT pay.example.com:443"], ""),
        calls(&["GET /v1/requests/%ff", &proof], ""),
    ]
}

pub(super) fn page_form() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let (nonce, code) = (&fuzz_fixture.shown.nonce, &fuzz_fixture.shown.code);
        [
            format!("nonce={nonce}&action=approve&session_code={code}&card=pm_card_visa"),
            format!("nonce={nonce}&action=approve&session_code={code}"),
            format!("nonce={nonce}&action=approve_hosted&session_code={code}"),
            format!(
                "nonce={nonce}&action=approve&session_code={code}&wallet=google_pay&token=%7B%7D"
            ),
            format!("nonce={nonce}&action=back"),
            format!("nonce={nonce}&action=apple_session"),
            format!("nonce={nonce}&action=observed&wallets=apple_pay,google_pay"),
            format!("nonce={nonce}&action=approve"),
            format!("nonce={nonce}&action=deny"),
            format!("nonce={nonce}&action=not_me"),
            format!("nonce={nonce}&action=extend"),
            format!("action=approve&session_code={code}"),
        ]
        .map(String::into_bytes)
        .to_vec()
    })
}

pub(super) fn page_call() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let (token, texted) = (&fuzz_fixture.shown.token, &fuzz_fixture.texted.token);
        let form = "content-type: application/x-www-form-urlencoded";
        let yes = format!(
            "nonce={}&action=approve&session_code={}",
            fuzz_fixture.shown.nonce, fuzz_fixture.shown.code
        );
        vec![
            calls(&[&format!("GET /c/{token}"), "user-agent: Mozilla/5.0"], ""),
            calls(&[&format!("GET /c/{texted}?action=approve"), "user-agent: WhatsApp/2"], ""),
            calls(&[&format!("HEAD /c/{token}"), "sec-purpose: prefetch"], ""),
            calls(&[&format!("POST /c/{token}"), form, "sec-fetch-site: same-origin"], &yes),
            calls(&[&format!("POST /c/{token}"), form, "sec-fetch-site: cross-site"], &yes),
            calls(&["GET /c/AAAAAAAAAAAAAAAAAAAAAA"], ""),
            calls(&["GET /c/%ff%fe"], ""),
        ]
    })
}

pub(super) fn callback_unsigned() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let (id, prompt) = (fuzz_fixture.texted.id, fuzz_fixture.texted.prompt);
        let path = format!("/callbacks/acme/sms?ref={id}.{prompt}");
        let form = "content-type: application/x-www-form-urlencoded";
        let status = "MessageSid=SM1&MessageStatus=delivered&To=%2B15551230002";
        let elsewhere = twilio_signature(&format!("{BASE}/elsewhere"), status.as_bytes());
        let wrote = "From=%2B15551230002&Body=STOP&OptOutType=STOP";
        vec![
            calls(
                &[&format!("POST {path}"), form, &format!("x-twilio-signature: {elsewhere}")],
                status,
            ),
            calls(&[&format!("POST {path}"), form], status),
            calls(
                &[
                    "POST /callbacks/acme/sms",
                    form,
                    "x-twilio-signature: 0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
                ],
                wrote,
            ),
            calls(&["POST /callbacks/acme/sandbox", form], wrote),
            calls(&["POST /callbacks/acme/aws", form], wrote),
            calls(&["POST /callbacks/acme/whatsapp", "x-hub-signature-256: sha256=00"], "{}"),
            calls(
                &[
                    "GET /callbacks/acme/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x",
                ],
                "",
            ),
            calls(&["POST /callbacks/acme/apple/message", "authorization: Bearer x"], "{}"),
            calls(&["POST /callbacks/acme/apple?pay=x"], "{}"),
            calls(&["GET /callbacks/other/sms"], ""),
        ]
    })
}

pub(super) fn callback_signed() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let (id, prompt) = (fuzz_fixture.texted.id, fuzz_fixture.texted.prompt);
        [
            format!("ref={id}.{prompt}\nMessageSid=SM1&MessageStatus=delivered"),
            format!("ref={id}.{prompt}\nMessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003"),
            format!("ref={id}.{prompt}\nMessageStatus=read"),
            "\nFrom=%2B15551230002&Body=STOP&OptOutType=STOP".to_owned(),
            "\nFrom=%2B15551230001&Body=arret".to_owned(),
            "\nFrom=%2B15551230002&Body=START".to_owned(),
            "\nFrom=%2B15551230002&Body=yes".to_owned(),
            "\nFrom=12345&ButtonText=hello".to_owned(),
        ]
        .map(String::into_bytes)
        .to_vec()
    })
}

pub(super) fn sandbox_call() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let (prompt, code) = (fuzz_fixture.shown.prompt, &fuzz_fixture.shown.code);
        let tap = format!("POST /sandbox/phones/+15551230001/messages/{prompt}/tap");
        let body = |action: &str| json!({ "action": action, "session_code": code, "card": "pm_card_visa" });
        vec![
            calls(&["GET /sandbox/phones/+15551230001/messages"], ""),
            calls(&[&tap], &body("approve").to_string()),
            calls(&[&tap], &body("deny").to_string()),
            calls(&[&tap], "{\"action\": \"not_me\"}"),
            calls(&[&tap], "{\"action\": \"approve\"}"),
            calls(&["GET /sandbox/phones/%2B1555/messages"], ""),
        ]
    })
}

pub(super) fn site_call() -> Vec<Vec<u8>> {
    let own = [
        calls(&["GET /local/config.json", "host: 127.0.0.1:8787"], ""),
        calls(&["GET /local/webhooks.json", "host: localhost"], ""),
        calls(&["GET /phone", "host: evil.example"], ""),
        calls(&["GET /assets/phone.js"], ""),
        calls(
            &[
                "POST /local/webhooks",
                "webhook-id: evt_1",
                "webhook-timestamp: 1796083200",
                "webhook-signature: v1,AAAA",
            ],
            "{\"type\": \"request.fulfilled\", \"data\": {\"id\": \"req_1\"}}",
        ),
        calls(&["GET /"], ""),
    ];
    own.into_iter().chain(whole_call()).chain(sandbox_call()).collect()
}

pub(super) fn message() -> Vec<Vec<u8>> {
    let request = with_fixture(|fuzz_fixture| fuzz_fixture.shown.id.to_string());
    let of = |step: Value| json!({ "version": "1", "step": step, "request": request });
    bodies(&[
        of(json!({ "kind": "deliver" })),
        of(json!({ "kind": "check" })),
        of(json!({ "kind": "fetch" })),
        of(json!({ "kind": "webhook", "seq": 1 })),
    ])
}

pub(super) fn brand_secret() -> Vec<Vec<u8>> {
    let mut live = secret();
    live["live"] = live["test"].clone();
    live["test"]["processors"][1]["settings"] = json!({
        "secret_key": "rk_test_0123456789abcdef", "base_url": "http://127.0.0.1:8420", "omit": ["description", "expand"],
        "api_version": "2026-08-26.dahlia", "payment_method_types": "allowed_payment_method_types",
    });
    live["test"]["channels"][2]["settings"] = json!({
        "provider": "twilio", "account_sid": "AC1", "auth_token": "a-token-of-some-length",
        "api_key": { "sid": "SK1", "secret": "a-secret-of-some-length" }, "messaging_service_sid": "MG1",
    });
    bodies(&[secret(), live])
}

pub(super) fn values() -> Vec<Vec<u8>> {
    texts_of(&[
        "req_01JD000000000000000000000V",
        "prm_01JD000000000000000000000V",
        "cns_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "evt_00000000000000000000000000",
        "req_01JD000000000000000000000V.prm_01JD000000000000000000000V",
        "+15551230001",
        "en-GB",
        "zh-Hant-TW",
        "EUR",
        "2026-12-01T00:00:00.123Z",
        "2026-12-01T01:00:00.123456789+01:00",
        "1969-12-31T23:59:59.9999Z",
        "acme-2",
        "{\"amount\": 4250, \"currency\": \"CLF\"}",
        " Zoë's bill ",
    ])
}

pub(super) fn inbound_text() -> Vec<Vec<u8>> {
    texts_of(&[
        "STOP",
        "Who is this? Please stop texting me.\n\nSent from my iPhone",
        "Liked “Acme asks you to pay. Reply STOP to opt out”",
        "please don't stop",
        "Bitte hören Sie auf, mir zu schreiben!",
        "no me escriban más",
        "yes please",
    ])
}

pub(super) fn texts() -> Vec<Vec<u8>> {
    texts_of(&[
        "twilio 201\n{\"sid\": \"SM00000000000000000000000000000000\", \"status\": \"queued\", \"error_code\": null}",
        "twilio 400\n{\"code\": 21610, \"message\": \"x\"}",
        "twilio 200\n{\"sid\": \"SM1\", \"status\": \"failed\", \"error_code\": 30003}",
        "twilio 503\n",
        "aws 200\n{\"MessageId\": \"2c0a6a2c-0000\"}",
        "aws 400\n{\"__type\": \"a.b#ConflictException:http\", \"Reason\": \"DESTINATION_PHONE_NUMBER_OPTED_OUT\"}",
        "aws 429\n{\"__type\": \"ThrottlingException\"}",
        "whatsapp 200\n{\"messages\": [{\"id\": \"wamid.HBgL\", \"message_status\": \"accepted\"}]}",
        "whatsapp 400\n{\"error\": {\"code\": 131026, \"type\": \"OAuthException\"}}",
        "whatsapp 500\n{\"error\": {\"code\": 131000}}",
        "apple 200\n",
        "apple 202\nOK",
        "apple 404\nNot Found",
        "apple 500\n{}",
    ])
}

pub(super) fn webhook_endpoint() -> Vec<Vec<u8>> {
    texts_of(&[
        "x 204\n",
        "x 503 120\nbusy",
        "x 429 99999999999\n",
        "x 410\n",
        "x 302\n",
        "x 500 Wed, 21 Oct 2026 07:28:00 GMT\n",
    ])
}
