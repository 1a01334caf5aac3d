-- What the operator keeps of providers that register MCP clients themselves.

CREATE TABLE manifests (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    source        TEXT NOT NULL,
    content       TEXT NOT NULL,
    settings      TEXT NOT NULL,
    client_secret BYTEA,
    data_key_id   TEXT REFERENCES data_keys (id),
    updated_at_ms BIGINT NOT NULL,
    CHECK ((client_secret IS NULL) = (data_key_id IS NULL))
);

CREATE INDEX manifests_data_key_id ON manifests (data_key_id);

-- Every content that a manifest had, under its slug; it stays when the manifest goes.
CREATE TABLE manifest_versions (
    slug          TEXT NOT NULL,
    digest        BYTEA NOT NULL,
    content       TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (slug, digest)
);
