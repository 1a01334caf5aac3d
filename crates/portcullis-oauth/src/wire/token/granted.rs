//! The requests that bring and renew a person's tokens, and the answers as providers write them.
//!
//! The requests are [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3) with the verifier of RFC 7636, and §6.
//! Where in an answer something stands is told by [`AnswerPointers`]; by default it is where §5.1 puts it.

use std::fmt;
use std::time::Duration;

use portcullis_base::Secret;
use serde::Deserialize;
use serde_json::Value;

use super::{Refusal, TokenAnswerError, lifetime, members, refusal, short, unreadable};
use crate::json_pointer::JsonPointer;

/// What a client asks of a token endpoint with a code.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationCodeRequest<'a> {
    /// The code.
    pub code: &'a Secret,
    /// The `redirect_uri` of the authorization request.
    pub redirect_uri: &'a str,
    /// The verifier, where the authorization request had a challenge.
    pub code_verifier: Option<&'a Secret>,
    /// The resource (RFC 8707).
    pub resource: Option<&'a str>,
}

impl<'a> AuthorizationCodeRequest<'a> {
    /// Returns the fields of the form, without those that authenticate the client.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("grant_type", Some("authorization_code")),
            ("code", Some(self.code.expose())),
            ("redirect_uri", Some(self.redirect_uri)),
            ("code_verifier", self.code_verifier.map(Secret::expose)),
            ("resource", self.resource),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// What a client asks of a token endpoint with a refresh token.
#[derive(Clone, Copy, Debug)]
pub struct RefreshTokenRequest<'a> {
    /// The refresh token.
    pub refresh_token: &'a Secret,
    /// The scopes, where they are to be fewer.
    pub scope: Option<&'a str>,
    /// The resource (RFC 8707).
    pub resource: Option<&'a str>,
}

impl<'a> RefreshTokenRequest<'a> {
    /// Returns the fields of the form, without those that authenticate the client.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        [
            ("grant_type", Some("refresh_token")),
            ("refresh_token", Some(self.refresh_token.expose())),
            ("scope", self.scope),
            ("resource", self.resource),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// Where in a token answer things stand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerPointers {
    /// The access token.
    pub access_token: JsonPointer,
    /// Its type; anything but `bearer` is refused.
    pub token_type: JsonPointer,
    /// The refresh token.
    pub refresh_token: JsonPointer,
    /// The lifetime in seconds.
    pub expires_in: JsonPointer,
    /// The scopes; a pointer to the whole answer where the provider does not say them.
    pub scope: JsonPointer,
    /// The id token.
    pub id_token: JsonPointer,
    /// What marks an error beside `error`.
    pub failure: Option<FailureMark>,
}

/// What marks an answer as an error, whatever its status is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureMark {
    /// Where the mark stands.
    pub at: JsonPointer,
    /// What it is.
    pub equals: Value,
    /// Where the code of the error stands.
    pub code: JsonPointer,
}

impl Default for AnswerPointers {
    fn default() -> Self {
        Self {
            access_token: JsonPointer::member("access_token"),
            token_type: JsonPointer::member("token_type"),
            refresh_token: JsonPointer::member("refresh_token"),
            expires_in: JsonPointer::member("expires_in"),
            scope: JsonPointer::member("scope"),
            id_token: JsonPointer::member("id_token"),
            failure: None,
        }
    }
}

/// A token answer.
#[derive(Clone, Debug)]
pub struct TokenAnswer {
    /// The access token, to be sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// How long the access token is good; absent where the provider does not say.
    pub expires_in: Option<Duration>,
    /// The scopes that were granted, where they are named; none may be named.
    pub scope: Option<String>,
    /// The id token.
    pub id_token: Option<Secret>,
    /// The whole answer.
    pub members: AnswerMembers,
}

/// A token answer as it came; its `Debug` tells nothing, for tokens stand in it.
#[derive(Clone)]
pub struct AnswerMembers(Value);

impl AnswerMembers {
    /// Returns the members; the caller sees to it that no token goes astray.
    #[must_use]
    pub fn expose(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for AnswerMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerMembers")
    }
}

/// Reads a token endpoint's answer, whatever its content type says.
///
/// # Errors
///
/// When it holds no bearer token.
pub fn read(
    status: u16,
    body: &[u8],
    pointers: &AnswerPointers,
) -> Result<TokenAnswer, TokenAnswerError> {
    let Some(members) = members(body) else {
        return Err(unreadable(status));
    };
    if let Some(refusal) = refusal(status, &members) {
        return Err(TokenAnswerError::Refused(refusal));
    }
    let members = Value::Object(members);
    if let Some(refusal) = pointers
        .failure
        .as_ref()
        .and_then(|mark| mark.read(status, &members))
    {
        return Err(TokenAnswerError::Refused(refusal));
    }
    let token = pointers.access_token.text(&members);
    let Some(access_token) = token.filter(|_| (200..300).contains(&status)) else {
        return Err(TokenAnswerError::Empty { status });
    };
    let kind = pointers.token_type.text(&members);
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(TokenAnswerError::OtherType);
    }
    if !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenAnswerError::Unsendable);
    }
    let secret = |pointer: &JsonPointer| Some(Secret::new(pointer.text(&members)?.to_owned()));
    let scope = pointers.scope.find(&members).and_then(Value::as_str);
    Ok(TokenAnswer {
        access_token: Secret::new(access_token.to_owned()),
        refresh_token: secret(&pointers.refresh_token),
        expires_in: pointers.expires_in.find(&members).and_then(lifetime),
        scope: scope.map(str::to_owned),
        id_token: secret(&pointers.id_token),
        members: AnswerMembers(members),
    })
}

impl FailureMark {
    fn read(&self, status: u16, members: &Value) -> Option<Refusal> {
        if self.at.find(members) != Some(&self.equals) {
            return None;
        }
        Some(Refusal {
            status,
            error: short(self.code.text(members).unwrap_or("unnamed")),
            error_description: None,
            error_uri: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn pointers(value: Value) -> AnswerPointers {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_code_goes_out_with_what_its_request_had() {
        let (code, verifier) = (secret("c"), secret("v"));
        let request = AuthorizationCodeRequest {
            code: &code,
            redirect_uri: "https://gw.example/callback/a",
            code_verifier: Some(&verifier),
            resource: None,
        };
        let fields: Vec<_> = request.fields().collect();
        assert_eq!(
            fields,
            [
                ("grant_type", "authorization_code"),
                ("code", "c"),
                ("redirect_uri", "https://gw.example/callback/a"),
                ("code_verifier", "v"),
            ]
        );
        assert!(!format!("{request:?}").contains("\"c\""));
    }

    #[test]
    fn a_refresh_token_goes_out_alone() {
        let refresh_token = secret("r");
        let request = RefreshTokenRequest {
            refresh_token: &refresh_token,
            scope: None,
            resource: None,
        };
        let fields: Vec<_> = request.fields().collect();
        assert_eq!(
            fields,
            [("grant_type", "refresh_token"), ("refresh_token", "r")]
        );
    }

    #[test]
    fn all_tokens_of_an_answer_are_read_and_none_is_told() {
        let body = json!({
            "access_token": "at-1", "refresh_token": "rt-1", "id_token": "it-1",
            "expires_in": "60", "scope": "", "token_type": "bearer"
        });
        let answer = read(200, body.to_string().as_bytes(), &AnswerPointers::default()).unwrap();
        assert_eq!(answer.access_token.expose(), "at-1");
        assert_eq!(answer.refresh_token, Some(secret("rt-1")));
        assert_eq!(answer.id_token, Some(secret("it-1")));
        assert_eq!(answer.expires_in, Some(Duration::from_mins(1)));
        // None was granted, which is not the same as saying nothing.
        assert_eq!(answer.scope.as_deref(), Some(""));
        let told = format!("{answer:?}");
        assert!(
            !told.contains("at-1") && !told.contains("rt-1") && !told.contains("it-1"),
            "{told}"
        );
    }

    #[test]
    fn tokens_are_found_where_the_profile_points() {
        let pointers = pointers(json!({
            "access_token": "/authed_user/access_token", "token_type": "/authed_user/kind",
            "scope": "", "failure": {"at": "/ok", "equals": false, "code": "/reason"}
        }));
        let body = json!({
            "ok": true, "access_token": "of the bot", "token_type": "bot", "scope": "x",
            "authed_user": {"access_token": "of-the-person"}
        });
        let answer = read(200, body.to_string().as_bytes(), &pointers).unwrap();
        assert_eq!(answer.access_token.expose(), "of-the-person");
        assert_eq!(answer.scope, None);
    }

    #[test]
    fn a_mark_of_failure_is_one_under_status_200() {
        let pointers = pointers(json!({
            "failure": {"at": "/ok", "equals": false, "code": "/reason"}
        }));
        for (body, error) in [
            (
                json!({"ok": false, "reason": "bad_code", "access_token": "t"}),
                "bad_code",
            ),
            (json!({"ok": false}), "unnamed"),
        ] {
            let failure = read(200, body.to_string().as_bytes(), &pointers).unwrap_err();
            let TokenAnswerError::Refused(refusal) = failure else {
                panic!("a refusal");
            };
            assert_eq!(refusal.error, error);
        }
    }
}
