//! Reads the clients that the operator registers.
//!
//! The operator vouches for them, so that any private-use scheme will do; what a redirect URI must never be holds for them as well.

use std::collections::BTreeMap;

use portcullis_base::{Digest, Slug};
use portcullis_oauth::issuer::client::{
    ApplicationType, ClientId, TokenEndpointAuthMethod, VerifiedClientMetadata,
};
use portcullis_oauth::redirect_uri::{RedirectKind, RedirectUri};
use toml::Spanned;

use super::ClientObject;
use crate::config::file::{Named, RegisteredClient};
use crate::config::problem::did_you_mean;
use crate::config::reading::Reading;

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// Reads every client of the file.
pub(in crate::config) fn clients(
    reading: &mut Reading<'_>,
    tables: &Named<RegisteredClient>,
) -> BTreeMap<ClientId, ClientObject> {
    let mut clients = BTreeMap::new();
    for (name, table) in tables {
        let Some(slug) = reading.any_slug(name) else {
            continue;
        };
        let object = client(reading, name, table);
        let Some(id) = client_id(reading, &slug, name, table) else {
            continue;
        };
        if clients.insert(id.clone(), object).is_some() {
            let given = table.client_id.as_ref().unwrap_or(name);
            reading.refuse(
                given.span(),
                format!("there is another client with the id `{id}`"),
                "give each a `client_id` of its own, or leave it out",
            );
        }
    }
    clients
}

fn client_id(
    reading: &mut Reading<'_>,
    slug: &Slug,
    name: &Spanned<String>,
    table: &RegisteredClient,
) -> Option<ClientId> {
    let given = table.client_id.as_ref().unwrap_or(name);
    let id = match &table.client_id {
        Some(given) => reading.parsed(given, ClientId::parse)?,
        None => ClientId::parse(slug.as_str()).ok()?,
    };
    if id.is_given() {
        reading.refuse(
            given.span(),
            "client ids that begin with `pc_client_` are those of clients which register themselves",
            "choose another `client_id`",
        );
        return None;
    }
    // A client id that is a URL means the document there, and says so to whoever reads it.
    if id.as_str().starts_with("https://") {
        reading.refuse(
            given.span(),
            "a client id that is a URL stands for a document there, which is not read",
            "choose a `client_id` that is no URL",
        );
        return None;
    }
    Some(id)
}

fn client(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    table: &RegisteredClient,
) -> ClientObject {
    let redirect_uris = redirect_uris(reading, name, table);
    let (auth_method, secret) = authentication(reading, table);
    let is_web = |uri: &RedirectUri| matches!(uri.kind(), RedirectKind::Https { .. });
    let application_type = if redirect_uris.iter().all(is_web) {
        ApplicationType::Web
    } else {
        ApplicationType::Native
    };
    let remembers_consent = match &table.remember_consent {
        Some(remember) if *remember.get_ref() && !redirect_uris.iter().any(is_web) => {
            reading.refuse(
                remember.span(),
                "consent is remembered for `https` redirect URIs only, and this client has none",
                "leave `remember_consent` out",
            );
            false
        }
        remember => remember.as_ref().is_some_and(|it| *it.get_ref()),
    };
    ClientObject {
        metadata: VerifiedClientMetadata {
            name: shown_name(reading, name, table),
            redirect_uris,
            auth_method,
            auth_method_defaulted: table.token_endpoint_auth_method.is_none(),
            application_type,
            refreshes: true,
            scope: None,
            client_uri: None,
        },
        secret,
        remembers_consent,
    }
}

fn shown_name(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    table: &RegisteredClient,
) -> String {
    let shown = table.name.as_ref().unwrap_or(name);
    let text = shown.get_ref().trim();
    let is_long = text.chars().count() > MAX_NAME;
    if text.is_empty() || is_long || text.contains(char::is_control) {
        reading.refuse(
            shown.span(),
            "people cannot read this name",
            format!("choose between 1 and {MAX_NAME} characters on one line"),
        );
    }
    text.to_owned()
}

fn redirect_uris(
    reading: &mut Reading<'_>,
    name: &Spanned<String>,
    table: &RegisteredClient,
) -> Vec<RedirectUri> {
    if table.redirect_uris.is_empty() {
        reading.refuse(
            name.span(),
            "the client has no redirect URI, so that nobody could come back to it",
            "add `redirect_uris = [\"https://…\"]`, as the client's documentation says",
        );
    }
    let mut uris = reading.all_parsed(&table.redirect_uris, RedirectUri::parse);
    let mut seen = Vec::new();
    uris.retain(|uri| {
        let is_new = !seen.contains(uri);
        seen.push(uri.clone());
        is_new
    });
    uris
}

/// Decides how the client authenticates: "if unspecified or omitted, the default is `client_secret_basic`" (RFC 7591 §2), for whoever has a secret.
fn authentication(
    reading: &mut Reading<'_>,
    table: &RegisteredClient,
) -> (TokenEndpointAuthMethod, Option<Digest>) {
    use TokenEndpointAuthMethod as Method;
    let has_secret = table.client_secret_file.is_some() || table.client_secret_env.is_some();
    let secret = secret(reading, table);
    let Some(named) = &table.token_endpoint_auth_method else {
        let method = if has_secret {
            Method::ClientSecretBasic
        } else {
            Method::None
        };
        return (method, secret);
    };
    let method = match named.get_ref().as_str() {
        "none" => Method::None,
        "client_secret_basic" => Method::ClientSecretBasic,
        "client_secret_post" => Method::ClientSecretPost,
        other => {
            let advice = did_you_mean(other, ["none", "client_secret_basic", "client_secret_post"]);
            reading.refuse(
                named.span(),
                format!("there is no method `{other}`"),
                advice,
            );
            return (Method::None, secret);
        }
    };
    if method == Method::None && has_secret {
        reading.refuse(
            named.span(),
            "with `none` the client presents no secret, and it has one",
            "leave out the secret, or this method",
        );
    }
    if method != Method::None && !has_secret {
        reading.refuse(
            named.span(),
            "the client has no secret to authenticate with",
            "add `client_secret_file = \"path\"` or `client_secret_env = \"VARIABLE\"`",
        );
    }
    (method, secret)
}

fn secret(reading: &mut Reading<'_>, table: &RegisteredClient) -> Option<Digest> {
    let (secret, span) = reading.client_secret(
        table.client_secret_file.as_ref(),
        table.client_secret_env.as_ref(),
    )?;
    reading.unguessable("client_secret", &secret, span)
}
