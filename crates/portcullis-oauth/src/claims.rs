//! Single claims of tokens and of answers about tokens ([RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)): present and right, absent, or of the wrong type.

use std::time::Duration;

use portcullis_base::Timestamp;
use serde_json::Value;

/// The longest subject that is taken (OpenID Connect Core §2: "It MUST NOT exceed 255 ASCII characters in length").
const LONGEST_SUBJECT: usize = 255;

/// A claim that is there and not of the type that it must be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongClaim(pub(crate) &'static str);

/// Reads a text, which is not empty.
pub(crate) fn text<'a>(
    claims: &'a Value,
    name: &'static str,
) -> Result<Option<&'a str>, WrongClaim> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(Some).ok_or(WrongClaim(name))
}

/// Reads seconds since the epoch, of which some providers write fractions.
pub(crate) fn instant(claims: &Value, name: &'static str) -> Result<Option<Timestamp>, WrongClaim> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let instant = value.as_f64().and_then(since_epoch);
    instant.map(Some).ok_or(WrongClaim(name))
}

/// Returns the instant so many seconds after the epoch; none where that is no time of a token's.
pub(crate) fn since_epoch(seconds: f64) -> Option<Timestamp> {
    if !(0.0..1e12).contains(&seconds) {
        return None;
    }
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Timestamp::from_millis(0).after(since))
}

/// Tells whether a text can be what a provider calls a person or a program.
pub(crate) fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_SUBJECT && !text.chars().any(char::is_control)
}
