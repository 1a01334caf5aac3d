//! Reads query strings and `application/x-www-form-urlencoded` bodies.
//!
//! How much there may be is decided before anything is read, and the work is linear in it.
//! "Request and response parameters MUST NOT be included more than once" and "parameters sent without a value MUST be treated as if they were omitted" ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
//! What a parameter means is not judged here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use portcullis_base::Secret;
use thiserror::Error;

use super::error::{OAuthError, OAuthErrorCode};

/// The longest form, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// How many fields a form may have.
pub const MAX_FIELDS: usize = 64;

/// The parameter that may stand more than once.
const RESOURCE: &str = "resource";

/// The parameters of a request or an answer.
///
/// `Debug` prints names only.
pub struct Parameters {
    values: BTreeMap<String, Secret>,
    /// Whether `resource` stands more than once.
    repeats_resource: bool,
}

/// Why a form cannot be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidForm {
    /// It is longer than [`MAX_BYTES`].
    #[error("a form has at most 65536 bytes")]
    TooLong,
    /// It has more fields than [`MAX_FIELDS`].
    #[error("a form has at most 64 fields")]
    TooManyFields,
    /// A name or a value is not percent-encoded UTF-8, or holds NUL.
    #[error("names and values of a form are percent-encoded UTF-8 without NUL")]
    Encoding,
    /// A parameter stands more than once; the name is given where it is one of OAuth's.
    #[error("{}", repetition(*.0))]
    Repeated(Option<&'static str>),
}

impl Parameters {
    /// Reads a query string, without its question mark, or a body.
    ///
    /// Only `resource` may stand more than once (RFC 8707 §2).
    /// Its values are then joined by spaces, so that whoever does not ask [`Parameters::is_repeated`] finds no resource in them.
    ///
    /// # Errors
    ///
    /// When there is too much, a parameter is repeated, or the encoding is broken.
    pub fn read(form: &[u8]) -> Result<Self, InvalidForm> {
        if form.len() > MAX_BYTES {
            return Err(InvalidForm::TooLong);
        }
        let fields = form.split(|byte| *byte == b'&');
        let mut parameters = Self {
            values: BTreeMap::new(),
            repeats_resource: false,
        };
        for (index, field) in fields.filter(|field| !field.is_empty()).enumerate() {
            if index == MAX_FIELDS {
                return Err(InvalidForm::TooManyFields);
            }
            let (name, value) = split(field);
            parameters.add(decode(name)?, decode(value)?)?;
        }
        Ok(parameters)
    }

    /// Returns the value of a parameter; none where it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name)?.expose();
        (!value.is_empty()).then_some(value)
    }

    /// Tells whether a parameter is there, be it empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Tells whether a parameter that may stand more than once does.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeats_resource && name == RESOURCE
    }

    fn add(&mut self, name: String, value: String) -> Result<(), InvalidForm> {
        match self.values.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(Secret::new(value));
                Ok(())
            }
            Entry::Occupied(mut entry) if entry.key() == RESOURCE => {
                let joined = format!("{} {value}", entry.get().expose());
                entry.insert(Secret::new(joined));
                self.repeats_resource = true;
                Ok(())
            }
            Entry::Occupied(entry) => {
                let known = KNOWN.iter().map(|(name, _)| *name);
                let mut named = known.filter(|name| *name == entry.key().as_str());
                Err(InvalidForm::Repeated(named.next()))
            }
        }
    }
}

fn split(field: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = field.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default();
    (name, halves.next().unwrap_or_default())
}

/// Undoes the encoding of a name or a value.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, InvalidForm> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => escaped(bytes.next(), bytes.next()).ok_or(InvalidForm::Encoding)?,
            _ => byte,
        });
    }
    if decoded.contains(&0) {
        return Err(InvalidForm::Encoding);
    }
    String::from_utf8(decoded).map_err(|_| InvalidForm::Encoding)
}

/// Returns the byte of a percent-encoding, given what follows the percent sign.
pub(crate) fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high?)? * 16 + digit(low?)?;
    u8::try_from(value).ok()
}

macro_rules! known {
    ($($name:literal)*) => {
        /// The parameters that an error may name, with what it says when they are repeated.
        const KNOWN: &[(&str, &str)] = &[
            $(($name, concat!("`", $name, "` stands more than once"))),*
        ];
    };
}

known! {
    "client_assertion" "client_assertion_type" "client_id" "client_secret" "code" "code_challenge"
    "code_challenge_method" "code_verifier" "error" "error_description" "error_uri" "grant_type" "iss"
    "nonce" "prompt" "redirect_uri" "refresh_token" "request" "request_uri" "response_mode"
    "response_type" "scope" "state" "token" "token_type_hint"
}

fn repetition(name: Option<&str>) -> &'static str {
    let known = KNOWN.iter().find(|(known, _)| Some(*known) == name);
    known.map_or("a parameter stands more than once", |(_, text)| *text)
}

impl From<InvalidForm> for OAuthError {
    fn from(error: InvalidForm) -> Self {
        let description = match error {
            InvalidForm::TooLong => "the request is too long",
            InvalidForm::TooManyFields => "the request has too many parameters",
            InvalidForm::Encoding => "the request is not percent-encoded UTF-8",
            InvalidForm::Repeated(name) => repetition(name),
        };
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;
    use crate::resource::Resource;

    fn refusal(form: &[u8]) -> InvalidForm {
        Parameters::read(form).expect_err("refused")
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let form = Parameters::read(b"&a=1+%2b%C3%A9=2&&b=&c&d%20=x&").unwrap();
        assert_eq!(form.get("a"), Some("1 +é=2"));
        assert_eq!(form.get("d "), Some("x"));
        for (name, is_there) in [("b", true), ("c", true), ("e", false)] {
            assert_eq!((form.get(name), form.has(name)), (None, is_there), "{name}");
        }
        assert!(!Parameters::read(b"").unwrap().has(""));
    }

    #[test]
    fn t_06_u_06_a_repeated_parameter_is_refused_by_name() {
        for (form, name, text) in [
            (
                "redirect_uri=a&redirect_uri=b",
                Some("redirect_uri"),
                "`redirect_uri` stands more than once",
            ),
            (
                "client_id=a&x=1&client%5fid=a",
                Some("client_id"),
                "`client_id` stands more than once",
            ),
            ("code=&code=a", Some("code"), "`code` stands more than once"),
            (
                "<script>=1&<script>=2",
                None,
                "a parameter stands more than once",
            ),
        ] {
            let error = refusal(form.as_bytes());
            assert_eq!(error, InvalidForm::Repeated(name), "{form}");
            assert_eq!(error.to_string(), text);
            assert_eq!(
                OAuthError::from(error),
                OAuthError::new(OAuthErrorCode::InvalidRequest, text)
            );
        }
    }

    #[test]
    fn j_03_two_resources_are_no_resource() {
        for form in [
            "resource=https://a/x/mcp&resource=https://a/y/mcp",
            "resource=&resource=https://a/x/mcp",
        ] {
            let form = Parameters::read(form.as_bytes()).unwrap();
            assert!(form.is_repeated("resource"));
            assert!(Resource::parse(form.get("resource").unwrap()).is_err());
        }
    }

    #[test]
    fn t_07_bombs_are_refused_before_they_are_read() {
        assert_eq!(refusal(&vec![b'a'; MAX_BYTES + 1]), InvalidForm::TooLong);
        let fields = |count: usize| {
            let fields: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            Parameters::read(fields.join("&").as_bytes()).err()
        };
        assert_eq!(fields(MAX_FIELDS), None);
        assert_eq!(fields(MAX_FIELDS + 1), Some(InvalidForm::TooManyFields));
        assert!(Parameters::read(&vec![b'&'; MAX_BYTES]).is_ok());
    }

    #[test]
    fn t_07_nul_and_broken_encodings_are_refused() {
        for form in [
            b"a=%00".as_slice(),
            b"a=\0",
            b"%00=a",
            b"a=\xff",
            b"a=%ff",
            b"a=%",
            b"a=%a",
            b"a=%zz",
            b"a=%+1",
            b"a=%c3",
        ] {
            assert_eq!(refusal(form), InvalidForm::Encoding, "{form:?}");
        }
    }

    #[test]
    fn debug_prints_names_only() {
        let form = Parameters::read(b"code=hunter2").unwrap();
        assert_eq!(format!("{form:?}"), "{\"code\"}");
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(pairs in proptest::collection::btree_map("[^\0]{0,8}", "[^\0]{0,8}", 0..8)) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(&pairs);
            let read = Parameters::read(form.finish().as_bytes()).unwrap();
            for (name, value) in &pairs {
                prop_assert!(read.has(name));
                prop_assert_eq!(read.get(name).unwrap_or(""), value);
            }
        }

        #[test]
        fn t_06_no_bytes_are_too_strange(form in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Parameters::read(&form);
        }
    }
}
