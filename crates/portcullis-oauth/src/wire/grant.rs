//! Reads token requests ([RFC 6749 §4.1.3 and §6](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3), with `code_verifier` of RFC 7636 and `resource` of RFC 8707).
//!
//! Who the client is, is read in [`crate::issuer::authenticate`]; whether the grant is good is judged in [`crate::issuer`].
//! A `scope` beside a code is no parameter of that request and has no effect.

use portcullis_base::{AuthorizationCode, Plain, RefreshToken, Secret};

use super::error::{OAuthError, OAuthErrorCode};
use super::form::Parameters;
use crate::scope::Scopes;

/// What a client asks of `/token`.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// `grant_type=authorization_code`
    AuthorizationCode(CodeRequest),
    /// `grant_type=refresh_token`
    RefreshToken(RefreshRequest),
}

/// A code, to be redeemed for tokens.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    /// `code`.
    pub code: Plain<AuthorizationCode>,
    /// `redirect_uri`, exactly as it was sent.
    pub redirect_uri: Option<String>,
    /// `code_verifier`.
    pub code_verifier: Option<Secret>,
    /// `resource`, exactly as it was sent.
    pub resource: Option<String>,
}

/// A refresh token, to be exchanged for new tokens.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// `refresh_token`.
    pub refresh_token: Plain<RefreshToken>,
    /// `scope`.
    pub scope: Option<Scopes>,
    /// `resource`, exactly as it was sent.
    pub resource: Option<String>,
}

impl TokenRequest {
    /// Reads a token request.
    ///
    /// # Errors
    ///
    /// When the grant type is missing or none of ours, when the code or the token is missing or cannot be one, and when `scope` is malformed.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        match parameters.get("grant_type") {
            Some("authorization_code") => {
                CodeRequest::read(parameters).map(Self::AuthorizationCode)
            }
            Some("refresh_token") => RefreshRequest::read(parameters).map(Self::RefreshToken),
            Some(_) => Err(OAuthError::new(
                OAuthErrorCode::UnsupportedGrantType,
                "`grant_type` must be `authorization_code` or `refresh_token`",
            )),
            None => Err(missing("`grant_type` is missing")),
        }
    }
}

impl CodeRequest {
    fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let code = parameters
            .get("code")
            .ok_or_else(|| missing("`code` is missing"))?;
        let code = Plain::parse(code).map_err(|_| {
            OAuthError::new(OAuthErrorCode::InvalidGrant, "`code` is no code of ours")
        })?;
        Ok(Self {
            code,
            redirect_uri: owned(parameters, "redirect_uri"),
            code_verifier: owned(parameters, "code_verifier").map(Secret::new),
            resource: owned(parameters, "resource"),
        })
    }
}

impl RefreshRequest {
    fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let token = parameters
            .get("refresh_token")
            .ok_or_else(|| missing("`refresh_token` is missing"))?;
        let refresh_token = Plain::parse(token).map_err(|_| {
            let description = "`refresh_token` is no refresh token of ours";
            OAuthError::new(OAuthErrorCode::InvalidGrant, description)
        })?;
        let scope = parameters
            .get("scope")
            .map(Scopes::parse)
            .transpose()
            .map_err(|_| {
                let description = "`scope` holds characters that no scope has";
                OAuthError::new(OAuthErrorCode::InvalidScope, description)
            })?;
        Ok(Self {
            refresh_token,
            scope,
            resource: owned(parameters, "resource"),
        })
    }
}

fn owned(parameters: &Parameters, name: &str) -> Option<String> {
    parameters.get(name).map(str::to_owned)
}

const fn missing(description: &'static str) -> OAuthError {
    OAuthError::new(OAuthErrorCode::InvalidRequest, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "pc_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const REFRESH: &str = "pc_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn read(form: &str) -> Result<TokenRequest, OAuthError> {
        TokenRequest::read(&Parameters::read(form.as_bytes()).unwrap())
    }

    fn check(form: &str, code: OAuthErrorCode) {
        assert_eq!(
            read(form).map_err(|error| error.code).err(),
            Some(code),
            "{form}"
        );
    }

    #[test]
    fn a_code_comes_with_what_proves_it() {
        let form = format!(
            "grant_type=authorization_code&code={CODE}&redirect_uri=http%3A%2F%2F127.0.0.1&code_verifier=v&resource=https://a/x/mcp&client_id=c&scope=admin"
        );
        let Ok(TokenRequest::AuthorizationCode(request)) = read(&form) else {
            panic!("a code");
        };
        assert_eq!(request.code.expose(), CODE);
        assert_eq!(request.redirect_uri.as_deref(), Some("http://127.0.0.1"));
        assert_eq!(
            request.code_verifier.as_ref().map(Secret::expose),
            Some("v")
        );
        assert_eq!(request.resource.as_deref(), Some("https://a/x/mcp"));
        assert!(!format!("{request:?}").contains("AAAA"));
    }

    #[test]
    fn a_refresh_token_may_ask_for_less() {
        let form = format!("grant_type=refresh_token&refresh_token={REFRESH}&scope=b+a&resource=");
        let Ok(TokenRequest::RefreshToken(request)) = read(&form) else {
            panic!("a refresh token");
        };
        assert_eq!(request.refresh_token.expose(), REFRESH);
        assert_eq!(request.scope, Scopes::parse("a b").ok());
        assert_eq!(request.resource, None);
    }

    #[test]
    fn t_06_what_is_missing_is_an_invalid_request() {
        for form in [
            "",
            "grant_type=",
            "grant_type=authorization_code",
            "grant_type=authorization_code&code=",
            "grant_type=refresh_token",
            "code=x",
        ] {
            check(form, OAuthErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn t_07_f_07_what_cannot_be_a_code_or_a_refresh_token_is_none() {
        for code in [
            REFRESH,
            "x",
            &CODE[1..],
            &CODE.to_uppercase(),
            &format!("{CODE}A"),
            &"A".repeat(50_000),
        ] {
            check(
                &format!("grant_type=authorization_code&code={code}"),
                OAuthErrorCode::InvalidGrant,
            );
        }
        for token in [CODE, "x"] {
            check(
                &format!("grant_type=refresh_token&refresh_token={token}"),
                OAuthErrorCode::InvalidGrant,
            );
        }
        let form = format!("grant_type=refresh_token&refresh_token={REFRESH}&scope=%22");
        check(&form, OAuthErrorCode::InvalidScope);
    }

    #[test]
    fn t_08_other_grants_are_unsupported() {
        for grant in [
            "password",
            "implicit",
            "client_credentials",
            "Authorization_Code",
            "authorization_code+refresh_token",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ] {
            check(
                &format!("grant_type={grant}&code={CODE}"),
                OAuthErrorCode::UnsupportedGrantType,
            );
        }
    }
}
