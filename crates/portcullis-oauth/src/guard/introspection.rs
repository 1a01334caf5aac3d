//! Access tokens that a provider is asked about: token introspection ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
//!
//! Only the answer is judged; whoever asks authenticates, bounds how long he waits and how much he reads, and remembers the outcome.
//! What an answer says is judged as the claims of a signed token are, since it says the same; what it does not say is unknown, and an answer without an audience is no validation.

use portcullis_base::{Secret, Timestamp};
use serde_json::Value;

use super::external::{AccessTokenPolicy, ExternalAccess, Refusal};
use crate::claims::text;

/// What is asked about a token.
#[derive(Clone, Copy, Debug)]
pub struct IntrospectionRequest<'a> {
    /// The token.
    pub token: &'a Secret,
}

impl<'a> IntrospectionRequest<'a> {
    /// Returns the fields of the form, without those that authenticate us.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("token", self.token.expose()),
            ("token_type_hint", "access_token"),
        ]
        .into_iter()
    }
}

/// Judges the answer about a token.
///
/// # Errors
///
/// When the provider does not say of it that it is an active access token for us, or does not answer as it should.
pub fn judge(
    status: u16,
    body: &[u8],
    policy: &AccessTokenPolicy,
    now: Timestamp,
) -> Result<ExternalAccess, Refusal> {
    match status {
        200 => {}
        401 if is_inactive(body) => return Err(Refusal::Inactive),
        401 | 403 => return Err(Refusal::NotAllowedToAsk { status }),
        _ => return Err(Refusal::Unanswered { status }),
    }
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return Err(Refusal::Unreadable);
    };
    // Some providers write what they do not know as null.
    members.retain(|_, value| !value.is_null());
    match members.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(Refusal::Inactive),
        _ => return Err(Refusal::Unreadable),
    }
    let claims = Value::Object(members);
    judge_type(&claims)?;
    policy.judge(&claims, now)
}

/// Tells whether an answer is about the token, although its status says that we may not ask.
///
/// A token that is not active is no error (RFC 7662 §2.2), but the MCP SDK's example answers so, and who copies it does too.
fn is_inactive(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_about_us = answer.get("error").and_then(Value::as_str) == Some("invalid_client");
    answer.get("active") == Some(&Value::Bool(false)) && !is_about_us
}

/// Refuses what is not sent as `Bearer`: `DPoP` asks for a proof, `N_A` is no access token (RFC 8693 §2.2.1).
///
/// `access_token` is written there by some providers that take the member for the kind of token.
fn judge_type(claims: &Value) -> Result<(), Refusal> {
    let Some(kind) = text(claims, "token_type")? else {
        return Ok(());
    };
    if kind.eq_ignore_ascii_case("dpop") {
        return Err(Refusal::Bound("token_type"));
    }
    let is_bearer = ["bearer", "access_token"]
        .iter()
        .any(|bearer| bearer.eq_ignore_ascii_case(kind));
    is_bearer
        .then_some(())
        .ok_or(Refusal::OtherKind("token_type"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::guard::external::DEFAULT_LEEWAY;
    use crate::scope::Scopes;

    const NOW: i64 = 1_000_000;

    fn policy() -> AccessTokenPolicy {
        AccessTokenPolicy {
            issuer: "https://as.example".to_owned(),
            audiences: vec!["https://mcp.example/pets/mcp".to_owned()],
            clients_without_audience: vec!["known".to_owned()],
            leeway: DEFAULT_LEEWAY,
        }
    }

    fn answer(members: &Value) -> Vec<u8> {
        let mut answer = json!({"active": true, "aud": "https://mcp.example/pets/mcp"});
        for (name, value) in members.as_object().unwrap() {
            answer[name] = value.clone();
        }
        answer.to_string().into_bytes()
    }

    fn read(status: u16, body: &[u8]) -> Result<ExternalAccess, Refusal> {
        judge(status, body, &policy(), Timestamp::from_millis(NOW * 1000))
    }

    fn verdict(members: &Value) -> Result<(), Refusal> {
        read(200, &answer(members)).map(|_| ())
    }

    #[test]
    fn the_question_says_which_kind_of_token_it_is_about() {
        let token = Secret::new("opaque".to_owned());
        let fields: Vec<_> = IntrospectionRequest { token: &token }.fields().collect();
        assert_eq!(
            fields,
            [("token", "opaque"), ("token_type_hint", "access_token")]
        );
    }

    #[test]
    fn an_active_token_says_what_the_provider_tells_of_it() {
        let told = read(
            200,
            &answer(
                &json!({"sub": "1", "client_id": "c", "scope": "b a", "exp": NOW + 9, "username": null, "nbf": null}),
            ),
        );
        let told = told.unwrap();
        assert_eq!(told.issuer, "https://as.example");
        assert_eq!(told.subject.as_deref(), Some("1"));
        assert_eq!(told.client.as_deref(), Some("c"));
        assert_eq!(told.scopes, Some(Scopes::parse("a b").unwrap()));
        assert_eq!(
            told.expires_at,
            Some(Timestamp::from_millis((NOW + 9) * 1000))
        );
        let silent = read(200, &answer(&json!({}))).unwrap();
        assert_eq!(
            (silent.subject, silent.scopes, silent.expires_at),
            (None, None, None)
        );
    }

    #[test]
    fn j_05_only_an_active_token_opens_anything() {
        assert_eq!(verdict(&json!({"active": false})), Err(Refusal::Inactive));
        for active in [json!("true"), json!(1), json!(null), json!({})] {
            assert_eq!(
                verdict(&json!({"active": active})),
                Err(Refusal::Unreadable),
                "{active}"
            );
        }
    }

    #[test]
    fn j_09_an_answer_that_is_none_lets_nobody_in_and_is_not_the_tokens_fault() {
        let good = answer(&json!({}));
        for status in [401, 403] {
            let refusal = read(status, &good).unwrap_err();
            assert_eq!(refusal, Refusal::NotAllowedToAsk { status });
            assert!(!refusal.is_invalid_token());
        }
        for status in [204, 302, 400, 404, 429, 500, 503] {
            let refusal = read(status, &good).unwrap_err();
            assert_eq!(refusal, Refusal::Unanswered { status });
            assert!(!refusal.is_invalid_token());
        }
        for body in ["", "{}", "[]", "<html></html>", "true", "{\"active\":true"] {
            let refusal = read(200, body.as_bytes()).unwrap_err();
            assert_eq!(refusal, Refusal::Unreadable, "{body}");
            assert!(!refusal.is_invalid_token());
        }
        assert!(Refusal::Inactive.is_invalid_token() && Refusal::UnknownKey.is_invalid_token());
    }

    #[test]
    fn a_status_of_401_is_about_the_token_where_the_answer_says_so() {
        for (body, refusal) in [
            (
                json!({"active": false, "error": "Unauthorized"}),
                Refusal::Inactive,
            ),
            (
                json!({"active": false, "error": "invalid_client"}),
                Refusal::NotAllowedToAsk { status: 401 },
            ),
            (
                json!({"error": "invalid_client"}),
                Refusal::NotAllowedToAsk { status: 401 },
            ),
            (
                json!({"active": true}),
                Refusal::NotAllowedToAsk { status: 401 },
            ),
        ] {
            let verdict = read(401, body.to_string().as_bytes());
            assert_eq!(verdict.unwrap_err(), refusal, "{body}");
        }
    }

    #[test]
    fn j_01_j_05_the_policy_holds_for_answers() {
        for (members, outcome) in [
            (
                json!({"aud": ["https://mcp.example/cats/mcp"]}),
                Err(Refusal::OtherAudience),
            ),
            (json!({"aud": null}), Err(Refusal::NoAudience)),
            (
                json!({"aud": null, "client_id": "stranger"}),
                Err(Refusal::NoAudience),
            ),
            (json!({"aud": null, "client_id": "known"}), Ok(())),
            (
                json!({"aud": "https://evil.example", "client_id": "known"}),
                Err(Refusal::OtherAudience),
            ),
            (
                json!({"iss": "https://evil.example"}),
                Err(Refusal::OtherIssuer),
            ),
            (json!({"iss": "https://as.example"}), Ok(())),
            (json!({"exp": NOW - 60}), Err(Refusal::Expired)),
            (json!({"nbf": NOW + 61}), Err(Refusal::NotYet)),
            (json!({"scope": 1}), Err(Refusal::Claim("scope"))),
            (
                json!({"token_use": "refresh_token"}),
                Err(Refusal::OtherKind("token_use")),
            ),
        ] {
            assert_eq!(verdict(&members), outcome, "{members}");
        }
    }

    #[test]
    fn j_05_a_token_that_is_no_bearer_token_opens_nothing() {
        for (members, outcome) in [
            (json!({"token_type": "Bearer"}), Ok(())),
            (json!({"token_type": "bearer"}), Ok(())),
            (json!({"token_type": "access_token"}), Ok(())),
            (
                json!({"token_type": "DPoP"}),
                Err(Refusal::Bound("token_type")),
            ),
            (
                json!({"token_type": "N_A"}),
                Err(Refusal::OtherKind("token_type")),
            ),
            (
                json!({"token_type": "refresh_token"}),
                Err(Refusal::OtherKind("token_type")),
            ),
            (json!({"token_type": 1}), Err(Refusal::Claim("token_type"))),
            (
                json!({"cnf": {"x5t#S256": "x"}}),
                Err(Refusal::Bound("cnf")),
            ),
        ] {
            assert_eq!(verdict(&members), outcome, "{members}");
        }
    }
}
