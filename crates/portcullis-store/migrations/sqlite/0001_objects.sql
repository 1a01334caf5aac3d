-- Instants are milliseconds since the Unix epoch; ids are text with the prefix of their kind.

-- One row: counts the changes of objects, and is the lock that changes queue at.
CREATE TABLE revision (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;

INSERT INTO revision (id, value) VALUES (1, 0);

CREATE TABLE documents (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    source        TEXT NOT NULL,
    content       BLOB NOT NULL,
    digest        BLOB NOT NULL,
    schemes       TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE environments (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE toolsets (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    settings      TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

-- What values are sealed under. At most one is not retired.
CREATE TABLE data_keys (
    id            TEXT PRIMARY KEY,
    master_key_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    retired_at_ms INTEGER
) STRICT;

-- A data key, sealed under a master key; under two of them while the master key changes.
CREATE TABLE data_key_wraps (
    data_key_id   TEXT NOT NULL REFERENCES data_keys (id) ON DELETE CASCADE,
    master_key_id TEXT NOT NULL,
    sealed        BLOB NOT NULL,
    PRIMARY KEY (data_key_id, master_key_id)
) STRICT;

-- Either `value` or `sealed`, and `data_key_id` with the latter.
CREATE TABLE variables (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    value          TEXT,
    sealed         BLOB,
    data_key_id    TEXT REFERENCES data_keys (id),
    UNIQUE (environment_id, name),
    CHECK ((value IS NULL) <> (sealed IS NULL)),
    CHECK ((sealed IS NULL) = (data_key_id IS NULL))
) STRICT;

CREATE INDEX variables_data_key_id ON variables (data_key_id);

CREATE TABLE api_keys (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    digest          BLOB NOT NULL UNIQUE,
    toolsets        TEXT NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    expires_at_ms   INTEGER,
    last_used_at_ms INTEGER,
    revoked_at_ms   INTEGER
) STRICT;

CREATE TABLE audit (
    id     TEXT PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL
) STRICT;
