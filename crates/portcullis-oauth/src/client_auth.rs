//! How a client authenticates at a token endpoint.
//!
//! Knows `client_secret_basic` and `client_secret_post` ([RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)) and `private_key_jwt` ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
//! Does not choose between them.

use std::str::FromStr;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use portcullis_base::{Secret, Timestamp};
use serde::Serialize;
use thiserror::Error;
use url::form_urlencoded;

/// How long an assertion is good: time for one request and for clocks that differ.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);

/// `client_assertion_type` of `private_key_jwt`.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A method of client authentication, as metadata documents name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthMethod {
    /// `client_secret_basic`
    ClientSecretBasic,
    /// `client_secret_post`
    ClientSecretPost,
    /// `private_key_jwt`
    PrivateKeyJwt,
}

/// The method is none that Portcullis knows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("write `client_secret_basic`, `client_secret_post` or `private_key_jwt`")]
pub struct UnknownClientAuthMethod;

impl FromStr for ClientAuthMethod {
    type Err = UnknownClientAuthMethod;

    fn from_str(text: &str) -> Result<Self, UnknownClientAuthMethod> {
        match text {
            "client_secret_basic" => Ok(Self::ClientSecretBasic),
            "client_secret_post" => Ok(Self::ClientSecretPost),
            "private_key_jwt" => Ok(Self::PrivateKeyJwt),
            _ => Err(UnknownClientAuthMethod),
        }
    }
}

/// What a request carries to authenticate the client.
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// The value of `Authorization`.
    Header(Secret),
    /// Fields of the form.
    Form(Vec<FormField>),
}

/// A field of a form.
#[derive(Clone, Debug)]
pub struct FormField {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: Secret,
}

/// Authenticates by `client_secret_basic`: both halves are form-encoded before they are joined.
#[must_use]
pub fn client_secret_basic(client_id: &str, client_secret: &Secret) -> ClientAuthentication {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!(
        "{}:{}",
        encoded(client_id),
        encoded(client_secret.expose())
    ));
    let encoded = STANDARD.encode(pair.expose());
    ClientAuthentication::Header(Secret::new(format!("Basic {encoded}")))
}

/// Authenticates by `client_secret_post`.
#[must_use]
pub fn client_secret_post(client_id: &str, client_secret: &Secret) -> ClientAuthentication {
    ClientAuthentication::Form(vec![
        field("client_id", client_id),
        FormField {
            name: "client_secret",
            value: client_secret.clone(),
        },
    ])
}

/// Names the client and proves nothing, as clients do that have no secret.
#[must_use]
pub fn client_id_alone(client_id: &str) -> ClientAuthentication {
    ClientAuthentication::Form(vec![field("client_id", client_id)])
}

/// What an assertion is signed with.
#[derive(Clone, Copy, Debug)]
pub struct AssertionKey<'a> {
    /// The private key in PEM, PKCS #8 or, for RSA, PKCS #1.
    pub pem: &'a Secret,
    /// `alg`; `RS256` where absent.
    pub algorithm: Option<&'a str>,
    /// `kid`.
    pub key_id: Option<&'a str>,
}

/// Why an assertion cannot be made.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AssertionError {
    /// `alg` is none that signs with a private key.
    #[error(
        "the signing algorithm must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA"
    )]
    Algorithm,
    /// The key is not the algorithm's kind of private key in PEM.
    #[error("the private key is not a PEM key of the kind that the signing algorithm needs")]
    Key,
}

#[derive(Serialize)]
struct AssertionClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    iat: i64,
    exp: i64,
}

/// Authenticates by `private_key_jwt`; `jti` must never repeat.
///
/// # Errors
///
/// When the algorithm is unknown or the key does not fit it.
pub fn private_key_jwt(
    client_id: &str,
    key: AssertionKey<'_>,
    token_url: &str,
    jti: &str,
    now: Timestamp,
) -> Result<ClientAuthentication, AssertionError> {
    let algorithm = key
        .algorithm
        .unwrap_or("RS256")
        .parse()
        .map_err(|_| AssertionError::Algorithm)?;
    let signing_key = signing_key(algorithm, key.pem)?;
    let mut header = Header::new(algorithm);
    header.kid = key.key_id.map(str::to_owned);
    let claims = AssertionClaims {
        iss: client_id,
        sub: client_id,
        aud: token_url,
        jti,
        iat: now.as_millis() / 1000,
        exp: now.after(ASSERTION_LIFETIME).as_millis() / 1000,
    };
    let assertion =
        jsonwebtoken::encode(&header, &claims, &signing_key).map_err(|_| AssertionError::Key)?;
    Ok(ClientAuthentication::Form(vec![
        field("client_id", client_id),
        field("client_assertion_type", JWT_BEARER),
        FormField {
            name: "client_assertion",
            value: Secret::new(assertion),
        },
    ]))
}

fn signing_key(algorithm: Algorithm, pem: &Secret) -> Result<EncodingKey, AssertionError> {
    let pem = pem.expose().as_bytes();
    let key = match algorithm {
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => EncodingKey::from_rsa_pem(pem),
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(pem),
        // Shared secrets, and whatever the library learns later.
        _ => return Err(AssertionError::Algorithm),
    };
    key.map_err(|_| AssertionError::Key)
}

fn field(name: &'static str, value: &str) -> FormField {
    FormField {
        name,
        value: Secret::new(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn pem() -> Secret {
        Secret::new(rcgen::KeyPair::generate().expect("a key").serialize_pem())
    }

    #[test]
    fn both_halves_of_basic_are_form_encoded() {
        let ClientAuthentication::Header(value) = client_secret_basic("a:b c", &secret("p+%é"))
        else {
            panic!("a header");
        };
        let encoded = value.expose().strip_prefix("Basic ").expect("the scheme");
        let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(pair, "a%3Ab+c:p%2B%25%C3%A9");
    }

    #[test]
    fn an_assertion_says_who_for_whom_and_for_how_long() {
        let key = AssertionKey {
            pem: &pem(),
            algorithm: Some("ES256"),
            key_id: Some("k1"),
        };
        let now = Timestamp::from_millis(1_000_999);
        let ClientAuthentication::Form(fields) =
            private_key_jwt("me", key, "https://as.example/token", "once", now).unwrap()
        else {
            panic!("a form");
        };
        let names: Vec<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(
            names,
            ["client_id", "client_assertion_type", "client_assertion"]
        );
        let part = |index| {
            let assertion = fields[2].value.expose();
            let part = assertion.split('.').nth(index).unwrap();
            let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
            serde_json::from_slice::<serde_json::Value>(&decoded.unwrap()).unwrap()
        };
        assert_eq!(part(0)["alg"], "ES256");
        assert_eq!(part(0)["kid"], "k1");
        assert_eq!(
            part(1),
            serde_json::json!({
                "iss": "me", "sub": "me", "aud": "https://as.example/token",
                "jti": "once", "iat": 1000, "exp": 1060
            })
        );
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused() {
        let pem = pem();
        let attempt = |pem: &Secret, algorithm| {
            let key = AssertionKey {
                pem,
                algorithm,
                key_id: None,
            };
            private_key_jwt("me", key, "https://a", "j", Timestamp::from_millis(0)).err()
        };
        assert_eq!(attempt(&pem, None), Some(AssertionError::Key));
        assert_eq!(
            attempt(&pem, Some("HS256")),
            Some(AssertionError::Algorithm)
        );
        assert_eq!(attempt(&pem, Some("none")), Some(AssertionError::Algorithm));
        assert_eq!(
            attempt(&secret("x"), Some("ES256")),
            Some(AssertionError::Key)
        );
    }
}
