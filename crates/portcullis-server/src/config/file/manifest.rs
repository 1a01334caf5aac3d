//! The tables of OAuth manifests: how a provider's tokens are judged, and what calls bear in their place.

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_store::{Delegation, ExchangeActor, TokenValidation};
use toml::Spanned;

use super::Value;
use crate::config::reference::table;

table! {
    /// The OAuth manifest of a provider that registers MCP clients and signs people in itself, for toolsets with the inbound mode `external`; `docs/external.md` tells how to come by one.
    OAuthManifest = "manifests.acme" {
        /// The metadata of the provider's authorization server (RFC 8414), as `portcullis manifest create` writes it.
        file: Value<PathBuf> = "\"acme-oauth.json\"",
        /// How it is found out whether an access token is good, and for this endpoint: `jwt` by its signature and `jwks_uri`; `introspection` by asking `introspection_endpoint`; `probe` by the request of the table `probe`.
        /// `upstream` leaves it to the API behind, and needs `upstream = "forward"`: then nothing of an environment is sent for such callers, and whoever holds any token of the provider's, be it issued to another application, gets as far as the API lets him.
        validation: Value<TokenValidation> = "\"jwt\"",
        /// The audiences of tokens that are accepted, of which a token must name one; with `jwt` and `introspection`.
        /// Default: the URL of the MCP endpoint, which clients send as `resource`.
        audiences: Vec<Spanned<String>> = "[\"https://api.acme.example\"]",
        /// Client ids whose tokens are accepted although they name no audience; with `jwt` and `introspection`.
        clients_without_audience: Vec<Spanned<String>> = "[\"assistant\"]",
        /// The issuer that tokens name, where it is another than the manifest's.
        token_issuer: Value<String> = "\"https://sts.acme.example/\"",
        /// The algorithms that tokens may be signed with; asymmetric ones only.
        /// Default: every one that a key of the provider's fits.
        algorithms: Vec<Spanned<String>> = "[\"RS256\"]",
        /// For how many seconds the provider's word about a token is believed, with `introspection` and `probe`.
        /// Default: 60.
        cache_seconds: Value<u64> = "60",
        /// The client id of Portcullis's own registration there; for `introspection`, and where tokens are exchanged.
        client_id: Value<String> = "\"portcullis\"",
        /// The file that holds the client secret of that registration. Kept sealed, never shown.
        client_secret_file: Value<PathBuf> = "\"/run/secrets/acme-client-secret\"",
        /// The environment variable that holds the client secret. Kept sealed, never shown.
        client_secret_env: Value<String> = "\"ACME_CLIENT_SECRET\"",
        /// What calls bear in the caller's name: `forward` his token itself, only where API and endpoint are one resource; `exchange` a token that it is traded for (RFC 8693); `on_behalf_of` the same as Microsoft Entra has it; `jwt_bearer` by RFC 7523.
        /// It takes the place of the security schemes that name the provider's URLs, or the manifest's slug as `provider`.
        /// Default: nothing, and calls bear the credentials of the environment.
        upstream: Value<Delegation> = "\"exchange\"",
        /// The scopes that clients are told to ask the provider for, in its words, where their tokens are traded; otherwise the documents say which.
        /// Default: none, and clients ask for none, which providers take for those of their own choice, or refuse.
        scopes: Vec<Spanned<String>> = "[\"api://portcullis/access_as_user\"]",
        /// Whether Portcullis serves the manifest as that of the toolset, for a provider that does not serve it where clients look.
        /// Default: `false`, and clients are sent to the provider's issuer.
        republish: bool = "true",
    }
    tables {
        /// `[manifests.….probe]`
        probe: Option<Spanned<Probe>>,
        /// `[manifests.….exchange]`
        exchange: Option<Spanned<Exchange>>,
    }
}

table! {
    /// A request with the token as `Authorization: Bearer` whose answer tells whom the token is for; each place in it is a JSON pointer (RFC 6901).
    Probe = "manifests.acme.probe" {
        /// Where the request goes, by `GET`.
        url: Value<String> = "\"https://api.acme.example/tokeninfo\"",
        /// Where the audience or the client id stands.
        audience: Value<String> = "\"/aud\"",
        /// What may stand there.
        accepted: Vec<Spanned<String>> = "[\"https://mcp.acme.example\"]",
        /// Where `true` must stand.
        alive: Value<String> = "\"/active\"",
        /// Where the person's name at the provider stands.
        subject: Value<String> = "\"/sub\"",
        /// Where the client id stands.
        client: Value<String> = "\"/client_id\"",
        /// Where the scopes stand.
        scope: Value<String> = "\"/scope\"",
        /// Where it stands when the token expires, in seconds since the epoch.
        expires_at: Value<String> = "\"/exp\"",
        /// Where it stands how many seconds the token is still good.
        expires_in: Value<String> = "\"/expires_in\"",
    }
}

table! {
    /// What a caller's token is traded for, with `upstream = "exchange"`, `"on_behalf_of"` or `"jwt_bearer"`.
    Exchange = "manifests.acme.exchange" {
        /// The API, by a name that the provider knows; for `exchange`.
        audience: Value<String> = "\"api\"",
        /// The API, by its URL (RFC 8707); for `exchange` and `jwt_bearer`.
        resource: Value<String> = "\"https://api.acme.example\"",
        /// The scopes, in the provider's words; needed for `on_behalf_of`.
        scopes: Vec<Spanned<String>> = "[\"api://acme/read\"]",
        /// Who the new token says is acting for the caller, for `exchange`: `client_credentials` is Portcullis, by an access token that it fetches with its registration and sends as `actor_token`.
        /// There is no way to name a token that was obtained elsewhere: it would expire, and nobody would renew it.
        /// Default: no actor is named; most providers see by the registration who asks.
        actor: Value<ExchangeActor> = "\"client_credentials\"",
        /// Further parameters of the request.
        parameters: BTreeMap<String, String> = "{ tenant = \"acme\" }",
    }
}
