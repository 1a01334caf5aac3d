//! Whether a provider's endpoints answer, and whether web pages may call them, which clients in browsers do.

use http::{HeaderValue, Method, header};
use portcullis_base::SafeUrl;
use portcullis_oauth::client::keys::SigningKeys;
use portcullis_store::TokenValidation;

use super::examine::Examinee;
use super::visit::{Question, Unfit, Visitor, text};
use crate::doctor::finding::{Finding, Part};
use crate::upstream::http::HttpAnswer;

/// A page that is none of the provider's: the one of MCP Inspector, by default.
const FOREIGN_PAGE: HeaderValue = HeaderValue::from_static("http://localhost:6274");

/// Asks every endpoint that clients go to, the place of the metadata where it is the provider's, and the keys.
pub(super) async fn judge(
    visitor: &Visitor,
    examinee: &Examinee<'_>,
    metadata: Option<&str>,
    part: &mut Part,
) {
    let manifest = examinee.manifest;
    if let Some(url) = manifest.url("authorization_endpoint") {
        let answer = visitor.ask(Question::get(&url)).await;
        part.add(answers("authorization_endpoint", answer));
    }
    let mut closed = Vec::new();
    for name in ["token_endpoint", "registration_endpoint"] {
        let Some(url) = manifest.url(name) else {
            continue;
        };
        let answer = visitor.ask(preflight(&url)).await;
        if answer.as_ref().is_ok_and(|it| !is_open(it)) {
            closed.push(name);
        }
        part.add(answers(name, answer));
    }
    if let Some(place) = metadata.and_then(|place| SafeUrl::parse(place).ok()) {
        let question = Question::get(&place).with(header::ORIGIN, FOREIGN_PAGE);
        let answer = visitor.ask(question).await;
        if answer.is_ok_and(|it| !is_open(&it)) {
            closed.push("its metadata");
        }
    }
    if let Some(url) = manifest.url("jwks_uri") {
        part.add(judge_keys(visitor, &url, examinee.validation).await);
    }
    part.add(browsers(&closed));
}

fn browsers(closed: &[&str]) -> Finding {
    const CHECK: &str = "browsers";
    if closed.is_empty() {
        return Finding::good(CHECK, "clients in browsers may use it");
    }
    Finding::doubtful(
        CHECK,
        format!(
            "pages of other origins may not read (CORS): {}; clients that run in a browser, such as MCP Inspector, cannot sign in by themselves",
            closed.join(", ")
        ),
        "ask the provider; clients that are programs do not mind",
    )
}

fn answers(name: &str, answer: Result<HttpAnswer, Unfit>) -> Finding {
    const CHECK: &str = "endpoints";
    match answer {
        Ok(answer) if !answer.status.is_server_error() => {
            let message = format!(
                "`{name}` answers (status {} to an empty question)",
                answer.status.as_u16()
            );
            Finding::good(CHECK, message)
        }
        Ok(answer) => Finding::wrong(
            CHECK,
            format!("`{name}` answers with status {}", answer.status.as_u16()),
            "try again later, and ask the provider where that does not help",
        ),
        Err(unfit) => Finding::wrong(
            CHECK,
            format!("`{name}` is of no use: {unfit}"),
            "see that the URL is right and that this machine may go there; clients must be able to go there too",
        ),
    }
}

/// What a browser asks before it lets a page post.
fn preflight(url: &SafeUrl) -> Question<'_> {
    Question::new(Method::OPTIONS, url)
        .with(header::ORIGIN, FOREIGN_PAGE)
        .with(
            header::ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("POST"),
        )
        .with(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static("content-type"),
        )
}

/// Tells whether pages of other origins may read an answer.
fn is_open(answer: &HttpAnswer) -> bool {
    let allowed = text(answer, &header::ACCESS_CONTROL_ALLOW_ORIGIN);
    allowed == "*" || allowed == FOREIGN_PAGE
}

async fn judge_keys(
    visitor: &Visitor,
    url: &SafeUrl,
    validation: Option<TokenValidation>,
) -> Finding {
    const CHECK: &str = "keys";
    const REMEDY: &str =
        "ask the provider for the right `jwks_uri`, or have tokens judged in another way";
    let unusable = match visitor.document(url).await {
        Ok(body) => match SigningKeys::read(&body) {
            Ok(keys) if keys.is_empty() => "it has no key that could be used".to_owned(),
            Ok(_) => {
                let message = "`jwks_uri` has keys that tokens can be judged by";
                return Finding::good(CHECK, message);
            }
            Err(error) => error.to_string(),
        },
        Err(unfit) => unfit.to_string(),
    };
    let message = format!("`jwks_uri` is of no use: {unusable}");
    match validation {
        Some(TokenValidation::Jwt) | None => Finding::wrong(CHECK, message, REMEDY),
        Some(_) => Finding::doubtful(CHECK, message, REMEDY),
    }
}
