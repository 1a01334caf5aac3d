//! What a refusal says of our client, where the code that was presented is one that nobody issued.
//!
//! "The authorization server MUST … authenticate the client if client authentication is included" ([RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3)), and servers do so before they look at the code: a refusal of the code means that id and secret were taken.
//! Codes of a provider's own are told by its profile.

use serde::Deserialize;

use super::profile::ProviderProfile;
use crate::wire::token::Refusal;

/// What a provider makes of our client id, secret and callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientTrial {
    /// It knows them: only the code is not good.
    Taken,
    /// It does not take the client id or the secret.
    Refused,
    /// It knows the client with another callback.
    OtherCallback,
    /// It says something else.
    Unclear,
}

/// Judges a refusal of a code that nobody issued.
#[must_use]
pub fn judge(refusal: &Refusal, profile: &ProviderProfile) -> ClientTrial {
    let mut hints = profile.hints.iter();
    let hint = hints.find(|hint| hint.error == refusal.error);
    if let Some(meaning) = hint.and_then(|hint| hint.means) {
        return meaning;
    }
    match refusal.error.as_str() {
        "invalid_grant" => ClientTrial::Taken,
        "invalid_client" | "unauthorized_client" => ClientTrial::Refused,
        _ if refusal.status == 401 => ClientTrial::Refused,
        _ => ClientTrial::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refused_code_means_that_the_client_was_taken() {
        let profile = json!({
            "name": "Acme",
            "hints": [
                {"error": "bad_code", "text": "Begin again.", "means": "taken"},
                {"error": "odd_callback", "text": "Compare.", "means": "other_callback"},
                {"error": "busy", "text": "Wait."}
            ]
        });
        let profile: ProviderProfile = serde_json::from_value(profile).unwrap();
        for (status, error, expected) in [
            (400, "invalid_grant", ClientTrial::Taken),
            (200, "bad_code", ClientTrial::Taken),
            (401, "invalid_client", ClientTrial::Refused),
            (400, "invalid_client", ClientTrial::Refused),
            (400, "unauthorized_client", ClientTrial::Refused),
            (401, "of_its_own", ClientTrial::Refused),
            (400, "odd_callback", ClientTrial::OtherCallback),
            (400, "busy", ClientTrial::Unclear),
            (400, "invalid_request", ClientTrial::Unclear),
        ] {
            let refusal = Refusal {
                status,
                error: error.to_owned(),
                error_description: None,
                error_uri: None,
            };
            assert_eq!(judge(&refusal, &profile), expected, "{status} {error}");
        }
    }
}
