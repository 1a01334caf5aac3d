-- Tokens that a provider is to be asked to revoke, since nothing here needs them any more.
-- Subjects may be gone meanwhile, and providers are named by their slugs.
-- Until `next_at_ms` nobody asks: somebody is doing it, or did in vain a while ago.

CREATE TABLE revocations (
    id            TEXT PRIMARY KEY,
    subject_id    TEXT NOT NULL,
    provider      TEXT NOT NULL,
    kind          TEXT NOT NULL,
    token         BYTEA NOT NULL,
    token_key_id  TEXT NOT NULL REFERENCES data_keys (id),
    attempts      BIGINT NOT NULL,
    next_at_ms    BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE INDEX revocations_next_at_ms ON revocations (next_at_ms);
CREATE INDEX revocations_token_key_id ON revocations (token_key_id);
