//! Reads requests about one token: to revoke it ([RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1)) and to tell of it ([RFC 7662 §2.1](https://www.rfc-editor.org/rfc/rfc7662#section-2.1)).
//!
//! Our tokens say themselves what they are, so that `token_type_hint` is not needed and a wrong one does no harm.

use portcullis_base::{AccessToken, Plain, RefreshToken};

use super::error::{OAuthError, OAuthErrorCode};
use super::form::Parameters;

/// A token that somebody asks about.
#[derive(Clone, Debug)]
pub enum PresentedToken {
    /// It has the form of an access token of ours.
    Access(Plain<AccessToken>),
    /// It has the form of a refresh token of ours.
    Refresh(Plain<RefreshToken>),
    /// It is neither, so that we never issued it.
    Foreign,
}

impl PresentedToken {
    /// Reads the parameter `token`.
    ///
    /// # Errors
    ///
    /// When it is missing.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let Some(text) = parameters.get("token") else {
            let description = "`token` is missing";
            return Err(OAuthError::new(OAuthErrorCode::InvalidRequest, description));
        };
        if let Ok(token) = Plain::parse(text) {
            return Ok(Self::Access(token));
        }
        Ok(Plain::parse(text).map_or(Self::Foreign, Self::Refresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Result<PresentedToken, OAuthError> {
        PresentedToken::read(&Parameters::read(form.as_bytes()).unwrap())
    }

    #[test]
    fn a_token_is_known_by_its_form_whatever_the_hint_says() {
        let rest = "A".repeat(43);
        for hint in ["", "access_token", "refresh_token", "something"] {
            let form = |kind| format!("token={kind}_{rest}&token_type_hint={hint}");
            assert!(matches!(
                read(&form("pc_at")),
                Ok(PresentedToken::Access(_))
            ));
            assert!(matches!(
                read(&form("pc_rt")),
                Ok(PresentedToken::Refresh(_))
            ));
            assert!(matches!(read(&form("pc_ac")), Ok(PresentedToken::Foreign)));
            assert!(matches!(read("token=x"), Ok(PresentedToken::Foreign)));
        }
    }

    #[test]
    fn f_08_without_a_token_there_is_nothing_to_ask_about() {
        for form in ["", "token=", "token_type_hint=access_token"] {
            let error = read(form).unwrap_err();
            assert_eq!(error.code, OAuthErrorCode::InvalidRequest, "{form}");
        }
    }
}
