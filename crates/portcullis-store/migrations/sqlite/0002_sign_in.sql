-- Toolsets and providers are named by their slugs: configuration may replace the objects.
-- Tokens, codes and cookies that we issue are here as digests only.
-- A sealed column has a column `…_key_id` beside it, which names the data key.

ALTER TABLE documents ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

CREATE TABLE providers (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    settings      TEXT NOT NULL,
    client_secret BLOB,
    data_key_id   TEXT REFERENCES data_keys (id),
    updated_at_ms INTEGER NOT NULL,
    CHECK ((client_secret IS NULL) = (data_key_id IS NULL))
) STRICT;

CREATE INDEX providers_data_key_id ON providers (data_key_id);

-- `granted_at_ms` says when the client first got a grant; until then nobody misses it.
CREATE TABLE clients (
    id               TEXT PRIMARY KEY,
    origin           TEXT NOT NULL,
    metadata         TEXT NOT NULL,
    secret           BLOB,
    remember_consent INTEGER NOT NULL,
    created_at_ms    INTEGER NOT NULL,
    used_at_ms       INTEGER NOT NULL,
    granted_at_ms    INTEGER,
    CHECK (remember_consent IN (0, 1))
) STRICT;

CREATE INDEX clients_unused ON clients (used_at_ms) WHERE origin = 'dynamic' AND granted_at_ms IS NULL;
CREATE INDEX clients_pre_registered ON clients (id) WHERE origin = 'pre_registered';

-- The columns from `provider` to `consent_of` are of one piece: what came of the approval; the last is there only where an earlier one stands in for it.
CREATE TABLE flows (
    id              TEXT PRIMARY KEY,
    client_id       TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    request         TEXT NOT NULL,
    browser         BLOB NOT NULL,
    status          TEXT NOT NULL,
    provider        TEXT,
    upstream_state  BLOB UNIQUE,
    verifier        BLOB,
    verifier_key_id TEXT REFERENCES data_keys (id),
    nonce           BLOB,
    nonce_key_id    TEXT REFERENCES data_keys (id),
    toolset         TEXT,
    scopes          TEXT,
    consent_of      TEXT,
    created_at_ms   INTEGER NOT NULL,
    expires_at_ms   INTEGER NOT NULL,
    CHECK ((verifier IS NULL) = (verifier_key_id IS NULL)),
    CHECK ((nonce IS NULL) = (nonce_key_id IS NULL))
) STRICT;

CREATE INDEX flows_client_id ON flows (client_id);
CREATE INDEX flows_expires_at_ms ON flows (expires_at_ms);
CREATE INDEX flows_open ON flows (expires_at_ms) WHERE status <> 'ended';

-- Whoever nobody could name has neither issuer nor subject, and never comes again.
CREATE TABLE subjects (
    id            TEXT PRIMARY KEY,
    issuer        TEXT,
    subject       TEXT,
    label         TEXT,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (issuer, subject),
    CHECK ((issuer IS NULL) = (subject IS NULL))
) STRICT;

-- Tokens for one toolset's API are good for no other's: `toolset` is part of the key.
-- Until `renewing_until_ms` one process alone asks the provider for the next tokens.
CREATE TABLE connections (
    id                TEXT PRIMARY KEY,
    subject_id        TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    provider          TEXT NOT NULL,
    toolset           TEXT NOT NULL,
    status            TEXT NOT NULL,
    access_token      BLOB NOT NULL,
    access_key_id     TEXT NOT NULL REFERENCES data_keys (id),
    refresh_token     BLOB,
    refresh_key_id    TEXT REFERENCES data_keys (id),
    scopes            TEXT NOT NULL,
    expires_at_ms     INTEGER,
    generation        INTEGER NOT NULL,
    renewing_until_ms INTEGER,
    updated_at_ms     INTEGER NOT NULL,
    UNIQUE (subject_id, provider, toolset),
    CHECK ((refresh_token IS NULL) = (refresh_key_id IS NULL))
) STRICT;

CREATE INDEX connections_access_key_id ON connections (access_key_id);
CREATE INDEX connections_refresh_key_id ON connections (refresh_key_id);

-- A code outlives its flow, and is outlived by its grant.
CREATE TABLE authorization_codes (
    digest         BLOB PRIMARY KEY,
    flow_id        TEXT NOT NULL UNIQUE,
    client_id      TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    toolset        TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    subject_id     TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    connection_id  TEXT REFERENCES connections (id) ON DELETE CASCADE,
    created_at_ms  INTEGER NOT NULL,
    expires_at_ms  INTEGER NOT NULL,
    redeemed_at_ms INTEGER,
    grant_id       TEXT,
    CHECK ((redeemed_at_ms IS NULL) = (grant_id IS NULL))
) STRICT;

CREATE INDEX authorization_codes_client_id ON authorization_codes (client_id);
CREATE INDEX authorization_codes_subject_id ON authorization_codes (subject_id);
CREATE INDEX authorization_codes_connection_id ON authorization_codes (connection_id);
CREATE INDEX authorization_codes_created_at_ms ON authorization_codes (created_at_ms);

-- A grant is kept for a while after its end, and without the tokens that it rested on.
CREATE TABLE grants (
    id            TEXT PRIMARY KEY,
    client_id     TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    subject_id    TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    toolset       TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    connection_id TEXT REFERENCES connections (id) ON DELETE SET NULL,
    created_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER,
    end_reason    TEXT,
    CHECK ((ended_at_ms IS NULL) = (end_reason IS NULL))
) STRICT;

CREATE INDEX grants_client_id ON grants (client_id);
CREATE INDEX grants_subject_id ON grants (subject_id);
CREATE INDEX grants_connection_id ON grants (connection_id);
CREATE INDEX grants_ended_at_ms ON grants (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

-- `refreshed` is the refresh token that it was issued for; `used_at_ms` is kept for such ones only.
CREATE TABLE access_tokens (
    digest        BLOB PRIMARY KEY,
    grant_id      TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scopes        TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    refreshed     BLOB,
    used_at_ms    INTEGER
) STRICT;

CREATE INDEX access_tokens_grant_id ON access_tokens (grant_id);
CREATE INDEX access_tokens_expires_at_ms ON access_tokens (expires_at_ms);

-- `parent` is the token that this one replaced; it may be gone.
-- `confirmed_at_ms` says when what came of it was first used.
CREATE TABLE refresh_tokens (
    digest          BLOB PRIMARY KEY,
    grant_id        TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    parent          BLOB,
    generation      INTEGER NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    expires_at_ms   INTEGER NOT NULL,
    replaced_at_ms  INTEGER,
    confirmed_at_ms INTEGER
) STRICT;

CREATE INDEX refresh_tokens_grant_id ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expires_at_ms ON refresh_tokens (expires_at_ms);

CREATE TABLE browser_sessions (
    digest        BLOB PRIMARY KEY,
    subject_id    TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    provider      TEXT NOT NULL,
    label         TEXT,
    created_at_ms INTEGER NOT NULL,
    used_at_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX browser_sessions_subject_id ON browser_sessions (subject_id);
CREATE INDEX browser_sessions_created_at_ms ON browser_sessions (created_at_ms);
CREATE INDEX browser_sessions_used_at_ms ON browser_sessions (used_at_ms);

-- `digest` is of all that the consent is bound to.
CREATE TABLE consents (
    digest        BLOB PRIMARY KEY,
    subject_id    TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    client_id     TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_uri  TEXT NOT NULL,
    toolset       TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX consents_subject_id ON consents (subject_id);
CREATE INDEX consents_client_id ON consents (client_id);
CREATE INDEX consents_created_at_ms ON consents (created_at_ms);
