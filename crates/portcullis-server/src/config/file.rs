//! The configuration file as it is written: tables, keys and where each value stands.
//!
//! Only the form is judged here; `settings.rs` and `objects.rs` judge what the values mean.
//! A new key is one entry below and its reading there; the reference and the suggestions follow.

pub(super) mod manifest;

use std::collections::BTreeMap;
use std::path::PathBuf;

use portcullis_store::Inbound;
use toml::Spanned;

use super::reference::{Table, table};
use super::settings::LogLevel;
use crate::http::forwarded::ForwardedHeader;
use crate::telemetry::logging::LogFormat;

use manifest::{Exchange, OAuthManifest, Probe};

/// Every table, in the order of the reference.
pub(super) const TABLES: &[Table] = &[
    File::REFERENCE,
    Listener::REFERENCE,
    Tls::REFERENCE,
    Limits::REFERENCE,
    Storage::REFERENCE,
    Admin::REFERENCE,
    Upstream::REFERENCE,
    Logging::REFERENCE,
    Authorization::REFERENCE,
    UpstreamProvider::REFERENCE,
    RegisteredClient::REFERENCE,
    OAuthManifest::REFERENCE,
    Probe::REFERENCE,
    Exchange::REFERENCE,
    Document::REFERENCE,
    Scheme::REFERENCE,
    ENVIRONMENT,
    Toolset::REFERENCE,
    Select::REFERENCE,
];

/// A value, and where it stands.
pub(super) type Value<T> = Option<Spanned<T>>;
/// Tables by a name that the operator chose, and where each stands.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;

table! {
    /// What belongs to no table.
    File = "" {
        /// The folder for what Portcullis keeps itself: the database and the master key, unless `[storage]` says otherwise.
        /// Default: `portcullis-data` beside the configuration file.
        data_dir: Value<PathBuf> = "\"portcullis-data\"",
    }
    tables {
        /// `[listener]`
        listener: Listener,
        /// `[storage]`
        storage: Storage,
        /// `[admin]`
        admin: Admin,
        /// `[upstream]`
        upstream: Upstream,
        /// `[logging]`
        logging: Logging,
        /// `[authorization]`
        authorization: Authorization,
        /// `[providers.…]`
        providers: Named<UpstreamProvider>,
        /// `[clients.…]`
        clients: Named<RegisteredClient>,
        /// `[manifests.…]`
        manifests: Named<OAuthManifest>,
        /// `[documents.…]`
        documents: Named<Document>,
        /// `[environments.…]`
        environments: Named<BTreeMap<Spanned<String>, Spanned<String>>>,
        /// `[toolsets.…]`
        toolsets: Named<Toolset>,
    }
}

table! {
    /// Where MCP clients reach Portcullis.
    Listener = "listener" {
        /// The addresses to listen on: `localhost:PORT` for both loopback families, or an IP address with a port.
        /// Anything but loopback needs `[listener.tls]`, or `trusted_proxies` in front.
        /// Default: `["localhost:8400"]`.
        listen: Value<Vec<Spanned<String>>> = "[\"localhost:8400\"]",
        /// The origin that clients use, without a path; every URL that Portcullis publishes begins with it.
        /// It must be `https` unless it is loopback.
        /// Default: `http://localhost:PORT` where only loopback is listened on; otherwise it must be given.
        public_url: Value<String> = "\"http://localhost:8400\"",
        /// Further values of the `Host` header to answer to, as `host` or `host:port`, beside that of `public_url` and, on loopback, the loopback names.
        allowed_hosts: Vec<Spanned<String>> = "[\"mcp.internal.example\"]",
        /// Further origins whose pages may call, beside that of `public_url` and, on loopback, the loopback origins.
        allowed_origins: Vec<Spanned<String>> = "[\"https://inspector.example.com\"]",
        /// The addresses or CIDR blocks of the proxies in front; forwarded headers are believed from there only.
        trusted_proxies: Vec<Spanned<String>> = "[\"10.1.0.0/24\"]",
        /// The header in which those proxies name the client: `x-forwarded-for` or `forwarded` (RFC 7239).
        /// Default: `x-forwarded-for`.
        forwarded_header: Option<ForwardedHeader> = "\"x-forwarded-for\"",
        /// Whether toolsets with the inbound modes `open` or `headers` may be reached from other machines.
        /// Default: `false`.
        allow_unauthenticated: bool = "false",
        /// Where `/health/…` and `/metrics` are served.
        /// Default: on the addresses of `listen` where only this machine reaches them, by `public_url` too; otherwise on `localhost:8401`.
        operations_listen: Value<Vec<Spanned<String>>> = "[\"localhost:8401\"]",
    }
    tables {
        /// `[listener.tls]`
        tls: Option<Spanned<Tls>>,
        /// `[listener.limits]`
        limits: Limits,
    }
}

table! {
    /// The certificate to listen with; both files are read again when they change.
    Tls = "listener.tls" {
        /// The certificate chain in PEM, the server's own first.
        certificate_file: Value<PathBuf> = "\"tls/fullchain.pem\"",
        /// Its private key in PEM.
        key_file: Value<PathBuf> = "\"tls/privkey.pem\"",
    }
}

table! {
    /// What a client may ask of the listener.
    Limits = "listener.limits" {
        /// The most bytes of a request's body.
        /// Default: 4 MiB.
        max_body_bytes: Value<u64> = "4194304",
        /// How long a client may take over a request's header.
        /// Default: 10.
        header_seconds: Value<u64> = "10",
        /// How long a client may take over a request's body.
        /// Default: 60.
        body_seconds: Value<u64> = "60",
        /// The most connections at a time.
        /// Default: 10000.
        max_connections: Value<u64> = "10000",
        /// How long requests under way may take to finish when Portcullis is told to stop.
        /// Default: 30.
        drain_seconds: Value<u64> = "30",
    }
}

table! {
    /// Where Portcullis keeps its objects, and the key that its secrets are sealed with.
    Storage = "storage" {
        /// The database: `sqlite:` and a path, or `postgres://…` without a password.
        /// Default: the SQLite database `portcullis.db` in `data_dir`.
        url: Value<String> = "\"sqlite:portcullis-data/portcullis.db\"",
        /// The file that holds the database's URL, for one with a password.
        url_file: Value<PathBuf> = "\"/run/secrets/database-url\"",
        /// The environment variable that holds the database's URL.
        url_env: Value<String> = "\"DATABASE_URL\"",
        /// The file that holds the master key.
        /// Default: `master.key` in `data_dir`, which is made on the first start.
        master_key_file: Value<PathBuf> = "\"/run/secrets/master-key\"",
        /// The environment variable that holds the master key.
        master_key_env: Value<String> = "\"PORTCULLIS_MASTER_KEY\"",
    }
}

table! {
    /// The admin API at `/api/v1/`, where `/health/…` and `/metrics` are served; without a token there is none (`docs/admin-api.md`).
    Admin = "admin" {
        /// The file that holds the token that whoever asks must present: 32 random characters at least. Only a digest is kept.
        token_file: Value<PathBuf> = "\"/run/secrets/admin-token\"",
        /// The environment variable that holds the token. Only a digest is kept.
        token_env: Value<String> = "\"PORTCULLIS_ADMIN_TOKEN\"",
    }
}

table! {
    /// How Portcullis calls the APIs behind it.
    Upstream = "upstream" {
        /// Where calls may go beside the public internet: exact origins, addresses or CIDR blocks.
        /// Loopback and private addresses are refused unless they stand here.
        allow: Vec<Spanned<String>> = "[\"http://localhost:8080\", \"10.20.0.0/16\"]",
        /// How long a connection may take to be made.
        /// Default: 10.
        connect_seconds: Value<u64> = "10",
        /// How long a call may take as a whole.
        /// Default: 60.
        call_seconds: Value<u64> = "60",
        /// The most bytes of an answer, after decompression; what lies beyond is cut off.
        /// Default: 10 MiB.
        max_response_bytes: Value<u64> = "10485760",
        /// The most calls that may be under way at once; one more is told to try again in a moment.
        /// Default: 1000.
        max_calls: Value<u64> = "1000",
    }
}

table! {
    /// What is logged, to standard error.
    Logging = "logging" {
        /// `human` or `json`.
        /// Default: `human` on a terminal, otherwise `json`.
        format: Option<LogFormat> = "\"json\"",
        /// The least grave of what is logged: `error`, `warn`, `info`, `debug` or `trace`.
        /// Default: `info`.
        level: Option<LogLevel> = "\"info\"",
    }
}

table! {
    /// How Portcullis lets MCP clients in on behalf of people who sign in; only for toolsets with the inbound mode `oauth`.
    Authorization = "authorization" {
        /// How long an access token that Portcullis issues is good.
        /// Default: 3600, an hour.
        access_token_seconds: Value<u64> = "3600",
        /// How long a refresh token that Portcullis issues is good; each use gives a new one.
        /// Default: 2592000, thirty days.
        refresh_token_seconds: Value<u64> = "2592000",
        /// How long a person's permission lasts however often it is refreshed, counted from the sign-in.
        /// Default: without an end, as long as the client refreshes within `refresh_token_seconds`.
        grant_seconds: Value<u64> = "7776000",
        /// How long a refresh token can still be used once what came of it is in use: for several processes that share one, and for answers that were lost.
        /// With 0, the first use of a new token makes the old one a sign of theft.
        /// Default: 60.
        replaced_token_seconds: Value<u64> = "60",
        /// Hosts of web clients whose redirect URIs the browser may be sent to with an error at once; for all others a page says what happened and offers a link.
        trusted_redirect_hosts: Vec<Spanned<String>> = "[\"claude.ai\"]",
        /// Schemes of programs that take the answer on a person's machine, without the colon, beside those of known MCP clients.
        private_use_schemes: Vec<Spanned<String>> = "[\"com.example.assistant\"]",
    }
}

table! {
    /// Where people sign in: a provider at which Portcullis is registered as a client, with the callback `{public_url}/callback/SLUG`.
    UpstreamProvider = "providers.github" {
        /// What is known of it: `github`, `google`, `entra`, or, for any other, `oidc` (OpenID Connect) or `oauth2`.
        profile: Value<String> = "\"github\"",
        /// What people call it, on the pages that they see.
        /// Default: the provider's own name, or the host of its issuer or authorization endpoint for `oidc` and `oauth2`.
        name: Value<String> = "\"Acme accounts\"",
        /// The client id of the registration there.
        client_id: Value<String> = "\"Iv1.0123456789abcdef\"",
        /// The file that holds the client secret of the registration there. Kept sealed, never shown.
        client_secret_file: Value<PathBuf> = "\"/run/secrets/github-client-secret\"",
        /// The environment variable that holds the client secret. Kept sealed, never shown.
        client_secret_env: Value<String> = "\"GITHUB_CLIENT_SECRET\"",
        /// The issuer, exactly as the provider writes it; needed for `oidc`, and for `oauth2` unless its endpoints are given.
        issuer: Value<String> = "\"https://login.example.com\"",
        /// The tenant, needed for `entra`: its id or a domain of it, or `organizations` for all.
        tenant: Value<String> = "\"acme.onmicrosoft.com\"",
        /// The authorization endpoint, instead of the profile's or the metadata's.
        authorization_endpoint: Value<String> = "\"https://github.example.com/login/oauth/authorize\"",
        /// The token endpoint, instead of the profile's or the metadata's.
        token_endpoint: Value<String> = "\"https://github.example.com/login/oauth/access_token\"",
        /// The userinfo endpoint, or whatever tells who a token stands for.
        userinfo_endpoint: Value<String> = "\"https://github.example.com/api/v3/user\"",
        /// Where the keys are that sign id tokens.
        jwks_uri: Value<String> = "\"https://login.example.com/keys\"",
        /// Where the provider takes tokens back (RFC 7009), once nothing here needs them any more.
        revocation_endpoint: Value<String> = "\"https://login.example.com/revoke\"",
        /// Scopes that are always asked for beside those that the tools need, in the provider's words.
        scopes: Vec<Spanned<String>> = "[\"read:org\"]",
        /// Who may sign in: `email:*@example.com`, `hd:example.com` (Google), `tid:…` (Entra) or `org:acme` (GitHub); `*` stands for any characters, by itself for everybody, and one rule that fits suffices.
        /// Only what the provider vouches for is compared.
        /// Default: everybody who has an account there, and whoever is let in may use the environments of the toolsets too.
        /// At `github`, at `google`, and at `entra` without a tenant of one's own, anybody in the world has one: there a toolset that calls nothing with the person's token needs a rule, be it `*`.
        allow: Vec<Spanned<String>> = "[\"org:acme\"]",
        /// Further parameters of the authorization request.
        parameters: BTreeMap<Spanned<String>, String> = "{ allow_signup = \"false\" }",
        /// After how long a connection is renewed that nobody uses, for a provider that ends refresh tokens which rest; choose half of that time.
        /// Only connections that a client could still use are kept alive.
        /// Default: never.
        keep_alive_seconds: Value<u64> = "2592000",
    }
}

table! {
    /// An MCP client that you register, for one that does not register itself, or that you vouch for; only for toolsets with the inbound mode `oauth`.
    /// Where a client leaves this file, the access that people gave it ends.
    RegisteredClient = "clients.assistant" {
        /// What the client is told to call itself; it must not begin with `pc_client_`, as the ids of clients do that register themselves.
        /// Default: the name of the table.
        client_id: Value<String> = "\"assistant\"",
        /// What people read when they are asked.
        /// Default: the name of the table.
        name: Value<String> = "\"The assistant of Acme\"",
        /// Where people may be sent back to, exactly; only the port of an `http` loopback host is free.
        redirect_uris: Vec<Spanned<String>> = "[\"https://assistant.example.com/callback\"]",
        /// How the client authenticates when it fetches tokens: `none`, `client_secret_basic` or `client_secret_post`.
        /// Default: `none` without a secret; with one, either way of sending it.
        token_endpoint_auth_method: Value<String> = "\"client_secret_basic\"",
        /// The file that holds the client's secret, 32 random characters at least. Only a digest is kept.
        client_secret_file: Value<PathBuf> = "\"/run/secrets/assistant\"",
        /// The environment variable that holds the client's secret. Only a digest is kept.
        client_secret_env: Value<String> = "\"ASSISTANT_SECRET\"",
        /// Whether people who are signed in and allowed exactly the same before are not asked again for ninety days.
        /// Only for `https` redirect URIs, never where the browser says that another site sent it, and safe only with a client that compares the `iss` of an answer.
        /// Default: `false`.
        remember_consent: Option<Spanned<bool>> = "true",
    }
}

table! {
    /// An OpenAPI document; its slug names it in variables and elsewhere in this file.
    Document = "documents.petstore" {
        /// The document, in JSON or YAML, or an archive (`.zip`, `.tar`, `.tar.gz`) that holds it and the files that it refers to.
        file: Value<PathBuf> = "\"petstore.yaml\"",
        /// The folder that the files which the document refers to may be in; no reference out of it is followed.
        /// Default: the document's own folder.
        folder: Value<PathBuf> = "\".\"",
        /// The document's path in the archive, where `file` is one.
        /// Default: the only document that is nearest to the archive's own folder.
        root: Value<String> = "\"api/openapi.yaml\"",
        /// The URL of the document, in place of `file`. It is fetched when the store has nothing of it yet, by the same way out as tool calls: `[upstream]` says which places that are not public may be reached.
        url: Value<String> = "\"https://api.example.com/openapi.json\"",
        /// What becomes of a change at the URL: with `pin` nobody looks, with `warn` a change of what models see or callers send waits for `portcullis document accept`, with `follow` it is taken up at once.
        /// Default: `warn`.
        changes: Value<String> = "\"warn\"",
        /// After how many seconds the URL is looked at again, from 60 to 31,536,000.
        /// Default: 3,600.
        refresh_seconds: Option<Spanned<u64>> = "3600",
        /// The provider whose token of the person who signed in is the credential of the operations that the document says nothing about: those without a `security`, their own or the document's.
        /// Callers who did not sign in, such as holders of an API key, call these without a credential.
        /// Default: none, and such operations are called without a credential.
        provider: Value<String> = "\"github\"",
        /// The scopes that a sign-in then asks for, since the document does not say which its operations need.
        scopes: Vec<Spanned<String>> = "[\"repo\"]",
        /// Origins that the token may then go to beside those of the document's own `servers`, for operations that have servers of their own.
        origins: Vec<Spanned<String>> = "[\"https://uploads.example.com\"]",
    }
    tables {
        /// `[documents.….schemes.…]`
        schemes: Named<Scheme>,
    }
}

table! {
    /// What the document leaves open about one of its security schemes; all but `origins` and `provider` is for client credentials of `oauth2` and `openIdConnect`.
    Scheme = "documents.petstore.schemes.petstore_auth" {
        /// Origins that the credential may go to beside those of the document's own `servers`, for operations that have servers of their own.
        origins: Vec<Spanned<String>> = "[\"https://uploads.example.com\"]",
        /// How Portcullis authenticates to the token endpoint: `client_secret_basic`, `client_secret_post` or `private_key_jwt`.
        /// Default: found out.
        token_endpoint_auth_method: Value<String> = "\"client_secret_basic\"",
        /// The `resource` of the token request (RFC 8707).
        resource: Value<String> = "\"https://api.example.com\"",
        /// Further parameters of the token request.
        parameters: BTreeMap<String, String> = "{ organization = \"acme\" }",
        /// The `kid` of the assertion of `private_key_jwt`.
        key_id: Value<String> = "\"2026-11\"",
        /// The `alg` of the assertion of `private_key_jwt`.
        /// Default: `RS256`.
        signing_algorithm: Value<String> = "\"ES256\"",
        /// The provider, or the manifest, whose token of the person who signed in is the credential; for `oauth2`, `openIdConnect` and `http` `bearer`.
        /// Callers who did not sign in, such as holders of an API key, get the variables' values as ever.
        /// Default: in a toolset with `oauth` or `external`, its provider or manifest, where the scheme names that one's URLs.
        provider: Value<String> = "\"github\"",
    }
}

/// Its keys are the variables of the documents, so only the reference of the table stands here.
const ENVIRONMENT: Table = Table {
    path: "environments.production",
    about: "A named set of variables that toolsets read credentials and server URLs from; `docs/variables.md` says what they are called.",
    keys: &[
        super::reference::Key {
            name: "PETSTORE_SERVER_URL",
            example: "\"https://petstore.example.com/v2\"",
            about: "A variable by its name, where it is no secret.",
        },
        super::reference::Key {
            name: "PETSTORE_API_KEY_env",
            example: "\"PETSTORE_API_KEY\"",
            about: "A variable by its name and `_env`: the environment variable that holds its value. Kept sealed, never shown.",
        },
        super::reference::Key {
            name: "PETSTORE_CLIENT_SECRET_file",
            example: "\"/run/secrets/petstore-client-secret\"",
            about: "A variable by its name and `_file`: the file that holds its value; a line break at the end is left out. Kept sealed, never shown.",
        },
    ],
};

table! {
    /// The tools published together at `{public_url}/SLUG/mcp`.
    Toolset = "toolsets.petstore" {
        /// What people read.
        /// Default: the document's title.
        title: Option<String> = "\"Petstore\"",
        /// What the model is told about the tools as a whole.
        instructions: Option<String> = "\"Look a pet up before you change it.\"",
        /// The documents whose operations are published, by slug.
        documents: Vec<Spanned<String>> = "[\"petstore\"]",
        /// Whether clients are shown three tools that find, describe and call all others, instead of all of them; `docs/openapi.md` says when.
        /// Default: `false`.
        dynamic: bool = "true",
        /// The most bytes of JSON or text that the model is given of an answer; what is larger is cut between items or lines, and says how to have the rest.
        /// Default: 65536, which is about what clients take; a large number gives answers whole.
        max_result_bytes: Value<u64> = "65536",
        /// The most bytes of an image, a file or anything else that is no text; what is larger is described instead.
        /// Default: 3145728.
        max_binary_bytes: Value<u64> = "3145728",
        /// What the model is given of the JSON that tools answer: an expression of `JMESPath` by a pattern of the tools' names, where `*` stands for any characters.
        /// Of several patterns that fit, the one with the most other characters counts.
        /// An answer of another shape is given whole.
        project: BTreeMap<Spanned<String>, Spanned<String>> = "{ \"list_*\" = \"[].{name: name, url: html_url}\" }",
        /// The environment that credentials and server URLs are read from.
        environment: Value<String> = "\"production\"",
        /// The ways in: `api_key` for holders of a key made by `portcullis key create`; `oauth` for people who sign in at `provider`; `external` for holders of an access token that the provider of `manifest` issued for the endpoint; `open` for anyone; `headers` for anyone, with the credentials in their own headers only.
        /// Default: `["api_key"]`.
        inbound: Value<Vec<Inbound>> = "[\"api_key\", \"oauth\"]",
        /// The provider that people sign in at, by slug; needed with `oauth`.
        provider: Value<String> = "\"github\"",
        /// The OAuth manifest of the provider whose own access tokens are accepted, by slug; needed with `external`.
        manifest: Value<String> = "\"acme\"",
        /// The variables that callers may pass as headers `MCP-…`, by name.
        /// A URL that a caller passes is never sent a secret of the environment.
        caller_supplied: Vec<Spanned<String>> = "[\"PETSTORE_API_KEY\"]",
        /// How long an access token for this toolset is good; with `oauth`.
        /// Default: as `[authorization]` says.
        access_token_seconds: Value<u64> = "900",
        /// How long a client of this toolset may be away before the person signs in again; with `oauth`.
        /// Default: as `[authorization]` says.
        refresh_token_seconds: Value<u64> = "604800",
        /// How long a person's permission for this toolset lasts however often it is refreshed; with `oauth`.
        /// Default: as `[authorization]` says.
        grant_seconds: Value<u64> = "2592000",
    }
    tables {
        /// `[toolsets.….select.…]`
        select: Named<Select>,
    }
}

table! {
    /// Which operations of one document of a toolset become tools; without it, all do but the deprecated ones.
    /// An operation is published where every key that stands here keeps it.
    /// In patterns `*` stands for any characters, slashes among them.
    Select = "toolsets.petstore.select.petstore" {
        /// Only operations with one of these tags.
        tags: Vec<String> = "[\"pet\", \"store\"]",
        /// Only operations with one of these methods.
        methods: Vec<Spanned<String>> = "[\"GET\"]",
        /// Only operations whose path, as the document writes it, matches one of these patterns.
        paths: Vec<String> = "[\"/pet/{petId}\", \"/store/*\"]",
        /// Only operations whose `operationId` matches one of these patterns.
        operations: Vec<String> = "[\"find*\"]",
        /// Only tools whose name matches one of these patterns.
        include: Vec<String> = "[\"*pet*\"]",
        /// No tools whose name matches one of these patterns.
        exclude: Vec<String> = "[\"delete*\"]",
        /// Whether operations that the document marks as deprecated are published too; the model is told that they are.
        /// Default: `false`.
        deprecated: bool = "true",
    }
}
