//! The consent page's link: a `GET` shows where the request stands, a `POST` from that page answers.

use bytes::Bytes;
use domain::consent::How;
use domain::effects;
use domain::event::Became;
use domain::keys;
use domain::outcome::DeclineReason;
use domain::ports::StoreError;
use domain::problem::{Code, Problem};
use domain::storage::{self, LinkTarget, Loaded};
use domain::values::id::PromptId;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::answer::{Answer, Given, Unanswered};
use crate::{ConsentCallback, page, view};

/// Programs that fetch a link to show a preview of it say so in their names.
const PREVIEWERS: [&str; 12] = [
    "bot",
    "crawler",
    "spider",
    "preview",
    "facebookexternalhit",
    "whatsapp",
    "slack",
    "telegram",
    "discord",
    "skype",
    "google-messages",
    "applebot",
];

impl ConsentCallback {
    /// `GET /c/{token}`: the page. Nothing is consented to; that the page was opened is noted, unless a program looked.
    ///
    /// # Errors
    /// A [`Problem`] when something outside did not answer.
    pub async fn open_page(
        &self,
        token: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Bytes>, Problem> {
        let Some((target, loaded)) = self.follow(token).await? else { return unknown(token) };
        let loaded =
            if is_preview(headers) { loaded } else { self.opened(loaded, target.prompt).await? };
        self.page(StatusCode::OK, &loaded, &target, token).await
    }

    /// `HEAD /c/{token}`: as the page, and nobody opened it.
    ///
    /// # Errors
    /// A [`Problem`] when something outside did not answer.
    pub async fn show_page(&self, token: &str) -> Result<Response<Bytes>, Problem> {
        let Some((target, loaded)) = self.follow(token).await? else { return unknown(token) };
        self.page(StatusCode::OK, &loaded, &target, token).await
    }

    /// `POST /c/{token}`: the answer, then back to the page that shows what became of it.
    ///
    /// # Errors
    /// A [`Problem`] when something outside did not answer.
    pub async fn answer_page(
        &self,
        token: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let Some((target, loaded)) = self.follow(token).await? else { return unknown(token) };
        let brand = self.secrets.brand(&target.brand).await?;
        let form = Form::read(body);
        let nonce = keys::page_nonce(&brand.link_key, target.prompt, &loaded.request.ask_hash);
        let drawn_here = form.text("nonce").is_some_and(|given| keys::same(given, &nonce));
        let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let Some(answer) = form.answer().filter(|_| drawn_here && !elsewhere) else {
            return self.page(StatusCode::BAD_REQUEST, &loaded, &target, token).await;
        };
        let given = Given { request: target.request, prompt: target.prompt, how: How::Page };
        match self.answer(given, &answer).await {
            Ok(_) | Err(Unanswered::Refused(_)) => Ok(see_other(token)),
            Err(Unanswered::CodeMissing) => {
                self.page(StatusCode::UNPROCESSABLE_ENTITY, &loaded, &target, token).await
            }
            Err(Unanswered::Absent) => unknown(token),
            Err(unanswered @ (Unanswered::Unable | Unanswered::Trouble(_))) => {
                Err(unanswered.into())
            }
        }
    }

    async fn follow(&self, token: &str) -> Result<Option<(LinkTarget, Loaded)>, Problem> {
        let plain = token.len() == 22
            && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plain {
            return Ok(None);
        }
        let Some(target) = storage::follow_link(self.store.as_ref(), token).await? else {
            return Ok(None);
        };
        let loaded = storage::load(self.store.as_ref(), target.request).await?;
        Ok(loaded.map(|loaded| (target, loaded)))
    }

    /// Notes that the page was opened. Somebody else's change in the same moment is no reason not to show the page.
    async fn opened(&self, loaded: Loaded, prompt: PromptId) -> Result<Loaded, Problem> {
        let now = self.clock.now();
        let change = loaded.request.prompt_became(prompt, Became::Opened, None, now);
        if change.is_nothing() {
            return Ok(loaded);
        }
        let ports = (self.store.as_ref(), self.queue.as_ref());
        match effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await {
            Ok(stored) => Ok(stored),
            Err(effects::EffectError::Store(StoreError::Conflict)) => {
                let again = storage::load(self.store.as_ref(), loaded.request.id).await?;
                Ok(again.unwrap_or(loaded))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn page(
        &self,
        status: StatusCode,
        loaded: &Loaded,
        target: &LinkTarget,
        token: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let brand = self.secrets.brand(&target.brand).await?;
        let Some(prompt) = loaded.request.prompt(target.prompt) else { return unknown(token) };
        let action = format!("/c/{token}");
        let rendered = view::render(&loaded.request, prompt, &brand, &action, self.clock.now());
        html(status, rendered)
    }
}

pub(crate) fn unknown(token: &str) -> Result<Response<Bytes>, Problem> {
    // A token that is no token is not written into a page.
    let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let action = if plain { format!("/c/{token}") } else { "/c/".to_owned() };
    html(StatusCode::NOT_FOUND, view::unknown(&action))
}

fn html(
    status: StatusCode,
    rendered: Result<String, askama::Error>,
) -> Result<Response<Bytes>, Problem> {
    let Ok(text) = rendered else {
        return Err(Problem::new(Code::Internal, "the page cannot be rendered"));
    };
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, page::content_security_policy()),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

pub(crate) fn see_other(token: &str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(&format!("/c/{token}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// Whether a program looked, not a person: messengers, carriers and scanners fetch every link they carry.
fn is_preview(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    };
    let fetched_ahead = ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|name| {
        ["prefetch", "preview", "prerender"].iter().any(|word| text(name).contains(word))
    });
    let agent = text("user-agent");
    fetched_ahead || PREVIEWERS.iter().any(|word| agent.contains(word))
}

/// The page's form.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn answer(&self) -> Option<Answer> {
        match self.text("action")? {
            "approve" => Some(Answer::Approve {
                session_code: self.text("session_code").map(str::to_owned),
                card: self.text("card").map(str::to_owned),
                authorization: None,
            }),
            "decline" => Some(Answer::Decline(DeclineReason::Customer)),
            "not_me" => Some(Answer::Decline(DeclineReason::NotMe)),
            "extend" => Some(Answer::Extend),
            _ => None,
        }
    }
}
