-- What documents were, what they may become, what their tools are called, and which of them come from a URL.

-- The names of the tools, by operation; `names_digest` is that of `names` and tells whether there are any.
ALTER TABLE documents ADD COLUMN names TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN names_digest BLOB;

-- The content that the source has and that is not served until the operator says so.
ALTER TABLE documents ADD COLUMN waiting_digest BLOB;

-- The contents that a document had or may get, under its slug; they stay when the document goes.
CREATE TABLE document_revisions (
    slug          TEXT NOT NULL,
    number        INTEGER NOT NULL,
    digest        BLOB NOT NULL,
    content       BLOB NOT NULL,
    source        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (slug, number),
    UNIQUE (slug, digest)
) STRICT;

INSERT INTO document_revisions (slug, number, digest, content, source, actor, created_at_ms)
SELECT slug, 1, digest, content, source, 'unknown', updated_at_ms FROM documents;

-- The documents that come from a URL: how often it is looked at, what becomes of a change, and when it is looked at next.
CREATE TABLE document_sources (
    document_id     TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    url             TEXT NOT NULL,
    changes         TEXT NOT NULL,
    refresh_seconds INTEGER NOT NULL,
    etag            TEXT,
    last_modified   TEXT,
    looked_at_ms    INTEGER,
    due_at_ms       INTEGER NOT NULL,
    failure         TEXT
) STRICT;
