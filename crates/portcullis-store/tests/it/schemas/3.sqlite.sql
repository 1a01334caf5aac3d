-- A database that the program of schema 3 made on SQLite; its master key is the first of the numbers that the tests count.
PRAGMA application_id = 1348682818;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
INSERT INTO _sqlx_migrations VALUES(1,'0001_objects','2026-11-28 00:25:08',1,X'876d8d4c57059b961b4d1013c35ef504af791a8597ff702a4f2bc55cd1159e17431e8ab568c9a00321e4293110170bcb',-1);
INSERT INTO _sqlx_migrations VALUES(2,'0002_sign_in','2026-11-28 00:25:08',1,X'9d93fb918e1e6d13b15bd3a848a980e322883dd2716365ddfd83a5274945545f1bee09080ab418b13ae0086e1f54bb8c',-1);
INSERT INTO _sqlx_migrations VALUES(3,'0003_manifests','2026-11-28 00:25:08',1,X'ec423a3298059cea095a729802dcc418501e10a61651496c0d1b36c67b397b230bc5b509ad47a80af54f3d3c00c7c485',-1);
CREATE TABLE revision (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO revision VALUES(1,1);
CREATE TABLE documents (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    source        TEXT NOT NULL,
    content       BLOB NOT NULL,
    digest        BLOB NOT NULL,
    schemes       TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
, settings TEXT NOT NULL DEFAULT '{}') STRICT;
INSERT INTO documents VALUES('doc_018bcfe568007dee8dd60ff8d0ba9900','pets','file','pets.yaml',X'6f70656e6170693a20332e312e300a696e666f3a207b7469746c653a20706574732c2076657273696f6e3a202731277d',X'5adb9b4eb91d748c95a6073c333e9937e53f76a3acaca7540a3c4147b1ca5c2a','{"oauth":{"resource":"https://api.example.com","parameters":{"tenant":"a"}}}',1700000000000,'{"provider":"github","scopes":["repo"],"origins":["https://uploads.example.com"]}');
CREATE TABLE environments (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO environments VALUES('env_018bcfe5680074ac977cdb2ef6d98607','production','file',1700000000000);
CREATE TABLE toolsets (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    settings      TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO toolsets VALUES('ts_018bcfe568007005b02d43fa06e7d058','pets','api','{"title":"Pets","documents":[{"document":"pets","select":{"tags":["pet"],"include":[],"exclude":[]}}],"environment":"production","inbound":["api_key","headers"],"caller_supplied":["PETSTORE_API_KEY"]}',1700000000000);
CREATE TABLE data_keys (
    id            TEXT PRIMARY KEY,
    master_key_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    retired_at_ms INTEGER
) STRICT;
INSERT INTO data_keys VALUES('dk_018bcfe568007d26a2154e6d76b2b2b9','mk_a370011e',1700000000000,NULL);
CREATE TABLE data_key_wraps (
    data_key_id   TEXT NOT NULL REFERENCES data_keys (id) ON DELETE CASCADE,
    master_key_id TEXT NOT NULL,
    sealed        BLOB NOT NULL,
    PRIMARY KEY (data_key_id, master_key_id)
) STRICT;
INSERT INTO data_key_wraps VALUES('dk_018bcfe568007d26a2154e6d76b2b2b9','mk_a370011e',X'010b6d6b5f6133373030313165d5688a52d55a02ec4aea5ec1572da2ca78914dca8e5932fd294a55eaa85d156b343ec28b3721fb6e8aa92df429d526df90b568423a135dcef539be62');
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
INSERT INTO variables VALUES('var_018bcfe568007c0e871832d527694ade','env_018bcfe5680074ac977cdb2ef6d98607','KEY',NULL,X'0123646b5f3031386263666535363830303764323661323135346536643736623262326239d27a8d9a8d38c7a37c92245047b7c83c2068f709ec2ee02da776e0ff8fcb8866acd21b','dk_018bcfe568007d26a2154e6d76b2b2b9');
INSERT INTO variables VALUES('var_018bcfe5680073eb8db89fc5123ccfd4','env_018bcfe5680074ac977cdb2ef6d98607','URL','https://api.example.com',NULL,NULL);
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
INSERT INTO api_keys VALUES('key_018bcfe5680072a2a4ee63bc826a6df7','ci',X'94e6a266a5bfaa3f3a24a07578c3ae2fdde6d94b648593b1cb244cdde5a14dac','["pets"]',1700000000000,1700000000000,NULL,NULL);
CREATE TABLE audit (
    id     TEXT PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL
) STRICT;
INSERT INTO audit VALUES('aud_018bcfe568007b5080b73a53f0916c93',1700000000000,'cli','document.put','doc_018bcfe568007dee8dd60ff8d0ba9900');
INSERT INTO audit VALUES('aud_018bcfe568007f5e9c6f1efb165d45a6',1700000000000,'cli','environment.put','env_018bcfe5680074ac977cdb2ef6d98607');
INSERT INTO audit VALUES('aud_018bcfe56800766c97014a6156061ae6',1700000000000,'cli','provider.put','prv_018bcfe568007924913516a5993435ec');
INSERT INTO audit VALUES('aud_018bcfe568007348a21a527709a7d3a7',1700000000000,'cli','manifest.put','mf_018bcfe568007d85b8467240628a9481');
INSERT INTO audit VALUES('aud_018bcfe568007bc6b471c189d78c7646',1700000000000,'cli','toolset.put','ts_018bcfe568007005b02d43fa06e7d058');
INSERT INTO audit VALUES('aud_018bcfe56800785f840b865d705e30c4',1700000000000,'cli','api_key.created','key_018bcfe5680072a2a4ee63bc826a6df7');
INSERT INTO audit VALUES('aud_018bcfe568007a42a3892368f8269282',1700000000000,'pc_client_1','client.registered','pc_client_1');
INSERT INTO audit VALUES('aud_018bcfe568007d79a8ffc995d6a49507',1700000000000,'sub_018bcfe56800716ebe34e810d8f79144','subject.signed_in','github');
INSERT INTO audit VALUES('aud_018bcfe5680078a9be421546f8d4cae1',1700000000000,'sub_018bcfe56800716ebe34e810d8f79144','grant.made','gr_018bcfe56800739b8c4c41a13f1f0452');
INSERT INTO audit VALUES('aud_018bcfe5680077648726a72f8e1d245f',1700000000000,'sub_018bcfe56800716ebe34e810d8f79144','subject.signed_in','github');
INSERT INTO audit VALUES('aud_018bcfe56800709a9481e459e8ea01c7',1700000000000,'sub_018bcfe56800716ebe34e810d8f79144','grant.made','gr_018bcfe568007a2c9c9d7bebc4b16656');
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
INSERT INTO providers VALUES('prv_018bcfe568007924913516a5993435ec','github','file','{"profile":"oidc","client_id":"gateway","issuer":"https://id.example.com","scopes":["email"]}',X'0123646b5f303138626366653536383030376432366132313534653664373662326232623976b1ff1a6cb1b23738647eb1de29dc6e7dbb59726ad6f416737be7e51b1ade3b2d79703294ff86e596','dk_018bcfe568007d26a2154e6d76b2b2b9',1700000000000);
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
INSERT INTO clients VALUES('pc_client_1','dynamic','{"name":"Inspector","redirect_uris":["http://localhost:6274/oauth/callback","https://client.example.com/cb"],"auth_method":"client_secret_post","auth_method_defaulted":true,"application_type":"native","refreshes":true,"scope":"pets:read","client_uri":"https://client.example.com"}',NULL,0,1700000000000,1700000000000,1700000000000);
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
INSERT INTO flows VALUES('flow_018bcfe5680079a5b5201eb3c3c856e0','pc_client_1','{"client":"pc_client_1","redirect_uri":"http://localhost:6274/oauth/callback","state":"<\"é\">","toolset":"pets","scopes":"pets:read pets:write","code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}',X'd4c3e8a11256ab82a4fc72560eb4a2b0e87bad820c290dd9b03616de240aa6db','pending',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000,1700000600000);
CREATE TABLE subjects (
    id            TEXT PRIMARY KEY,
    issuer        TEXT,
    subject       TEXT,
    label         TEXT,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (issuer, subject),
    CHECK ((issuer IS NULL) = (subject IS NULL))
) STRICT;
INSERT INTO subjects VALUES('sub_018bcfe56800716ebe34e810d8f79144','https://id.example.com','alice','Alice',1700000000000);
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
INSERT INTO connections VALUES('con_018bcfe56800761fa27b4213258dc886','sub_018bcfe56800716ebe34e810d8f79144','github','pets','active',X'0123646b5f3031386263666535363830303764323661323135346536643736623262326239ea676268c71eb961cae5f1a6fd40b158e04010f231d708657fd1385299ac22a23e719b55','dk_018bcfe568007d26a2154e6d76b2b2b9',X'0123646b5f30313862636665353638303037643236613231353465366437366232623262394d75f61869104baa4ccff5befa95db2fa3c3f2a0c72fbad4db62446822477adcd433b21623','dk_018bcfe568007d26a2154e6d76b2b2b9','repo user',1700003600000,2,NULL,1700000000000);
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
INSERT INTO authorization_codes VALUES(X'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb','flow_018bcfe568007ed2b8245fdc8acc45ed','pc_client_1','http://localhost:6274/oauth/callback','E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM','pets','pets:read','sub_018bcfe56800716ebe34e810d8f79144','con_018bcfe56800761fa27b4213258dc886',1700000000000,1700000060000,1700000000000,'gr_018bcfe56800739b8c4c41a13f1f0452');
INSERT INTO authorization_codes VALUES(X'3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d','flow_018bcfe568007664a6e0ea12d234b491','pc_client_1','http://localhost:6274/oauth/callback','E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM','pets','pets:read','sub_018bcfe56800716ebe34e810d8f79144','con_018bcfe56800761fa27b4213258dc886',1700000000000,1700000060000,1700000000000,'gr_018bcfe568007a2c9c9d7bebc4b16656');
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
INSERT INTO grants VALUES('gr_018bcfe56800739b8c4c41a13f1f0452','pc_client_1','sub_018bcfe56800716ebe34e810d8f79144','pets','pets:read','con_018bcfe56800761fa27b4213258dc886',1700000000000,NULL,NULL);
INSERT INTO grants VALUES('gr_018bcfe568007a2c9c9d7bebc4b16656','pc_client_1','sub_018bcfe56800716ebe34e810d8f79144','pets','pets:read','con_018bcfe56800761fa27b4213258dc886',1700000000000,NULL,NULL);
CREATE TABLE access_tokens (
    digest        BLOB PRIMARY KEY,
    grant_id      TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scopes        TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    refreshed     BLOB,
    used_at_ms    INTEGER
) STRICT;
INSERT INTO access_tokens VALUES(X'471c4795288265daa8954ccdc6dcb719cc226da2e5bc86deb3614cd8c9a7073c','gr_018bcfe56800739b8c4c41a13f1f0452','pets:read',1700000000000,1700003600000,NULL,NULL);
INSERT INTO access_tokens VALUES(X'da7f586690d8decd436cd6e26078bfc0ff249d008c8f29d54ed635fc84b7cd4e','gr_018bcfe568007a2c9c9d7bebc4b16656','pets:read',1700000000000,1700003600000,NULL,NULL);
INSERT INTO access_tokens VALUES(X'ac90a491f235a353e86c375f4a03cd92fdc97fdf12db3b8811a0e5888b76554b','gr_018bcfe56800739b8c4c41a13f1f0452','pets:read',1700000000001,1700003600000,X'3f11c14455fc627075d96e57351e8a0973b710a06cc2a0e57d3f35022c245f90',NULL);
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
INSERT INTO refresh_tokens VALUES(X'3f11c14455fc627075d96e57351e8a0973b710a06cc2a0e57d3f35022c245f90','gr_018bcfe56800739b8c4c41a13f1f0452',NULL,0,1700000000000,1700086400000,1700000000001,NULL);
INSERT INTO refresh_tokens VALUES(X'28580c94e5fe1911af38f02ee8fdf17eb1f79088b9bb20a803bafea96d6c8c03','gr_018bcfe568007a2c9c9d7bebc4b16656',NULL,0,1700000000000,1700086400000,NULL,NULL);
INSERT INTO refresh_tokens VALUES(X'ca9adff37e7a9780757da21fe18a3a0fa183d88e5c0f35235f997bc3b56b3c3c','gr_018bcfe56800739b8c4c41a13f1f0452',X'3f11c14455fc627075d96e57351e8a0973b710a06cc2a0e57d3f35022c245f90',1,1700000000001,1700086400000,NULL,NULL);
CREATE TABLE browser_sessions (
    digest        BLOB PRIMARY KEY,
    subject_id    TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    provider      TEXT NOT NULL,
    label         TEXT,
    created_at_ms INTEGER NOT NULL,
    used_at_ms    INTEGER NOT NULL
) STRICT;
INSERT INTO browser_sessions VALUES(X'109297fb3b84ebdd09e88eb23bc5425960881330e1cc4c5aa75e7456ed1dd173','sub_018bcfe56800716ebe34e810d8f79144','github','Alice',1700000000000,1700000000000);
INSERT INTO browser_sessions VALUES(X'8e970f004897cd11fe12500ec01af924f2633a1d7d5bdb1611dd9d75891f0f34','sub_018bcfe56800716ebe34e810d8f79144','github','Alice',1700000000000,1700000000000);
CREATE TABLE consents (
    digest        BLOB PRIMARY KEY,
    subject_id    TEXT NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
    client_id     TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    redirect_uri  TEXT NOT NULL,
    toolset       TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE manifests (
    id            TEXT PRIMARY KEY,
    slug          TEXT NOT NULL UNIQUE,
    owner         TEXT NOT NULL,
    source        TEXT NOT NULL,
    content       TEXT NOT NULL,
    settings      TEXT NOT NULL,
    client_secret BLOB,
    data_key_id   TEXT REFERENCES data_keys (id),
    updated_at_ms INTEGER NOT NULL,
    CHECK ((client_secret IS NULL) = (data_key_id IS NULL))
) STRICT;
INSERT INTO manifests VALUES('mf_018bcfe568007d85b8467240628a9481','acme','file','acme.json','{"issuer": "https://as.example"}','{"validation":"probe","audiences":["https://mcp.example"],"clients_without_audience":["assistant"],"token_issuer":"https://sts.example/","algorithms":["RS256"],"probe":{"url":"https://api.example/tokeninfo","audience":"/aud","accepted":["us"],"alive":"/active","subject":"/sub","client":"/azp","scope":"/scope","expires_in":"/expires_in"},"cache_seconds":30,"client_id":"us","delegation":"on_behalf_of","exchange":{"audience":"api","resource":"https://api.example","scopes":["read"],"parameters":{"tenant":"acme"}},"republished":true}',X'0123646b5f3031386263666535363830303764323661323135346536643736623262326239998e907bfbb34f71c66b6dc6c30fc80313f67d4a4230db8a06d1622d43e2ccf631c44cbd96322bfa08d2eb','dk_018bcfe568007d26a2154e6d76b2b2b9',1700000000000);
CREATE TABLE manifest_versions (
    slug          TEXT NOT NULL,
    digest        BLOB NOT NULL,
    content       TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (slug, digest)
) STRICT;
INSERT INTO manifest_versions VALUES('acme',X'a37cdf90dfda1ec7f11ddb32fa176d26761bac558bff35116d531ab3e3b72027','{"issuer": "https://as.example"}',1700000000000);
CREATE INDEX variables_data_key_id ON variables (data_key_id);
CREATE INDEX providers_data_key_id ON providers (data_key_id);
CREATE INDEX clients_unused ON clients (used_at_ms) WHERE origin = 'dynamic' AND granted_at_ms IS NULL;
CREATE INDEX clients_pre_registered ON clients (id) WHERE origin = 'pre_registered';
CREATE INDEX flows_client_id ON flows (client_id);
CREATE INDEX flows_expires_at_ms ON flows (expires_at_ms);
CREATE INDEX flows_open ON flows (expires_at_ms) WHERE status <> 'ended';
CREATE INDEX connections_access_key_id ON connections (access_key_id);
CREATE INDEX connections_refresh_key_id ON connections (refresh_key_id);
CREATE INDEX authorization_codes_client_id ON authorization_codes (client_id);
CREATE INDEX authorization_codes_subject_id ON authorization_codes (subject_id);
CREATE INDEX authorization_codes_connection_id ON authorization_codes (connection_id);
CREATE INDEX authorization_codes_created_at_ms ON authorization_codes (created_at_ms);
CREATE INDEX grants_client_id ON grants (client_id);
CREATE INDEX grants_subject_id ON grants (subject_id);
CREATE INDEX grants_connection_id ON grants (connection_id);
CREATE INDEX grants_ended_at_ms ON grants (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX access_tokens_grant_id ON access_tokens (grant_id);
CREATE INDEX access_tokens_expires_at_ms ON access_tokens (expires_at_ms);
CREATE INDEX refresh_tokens_grant_id ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expires_at_ms ON refresh_tokens (expires_at_ms);
CREATE INDEX browser_sessions_subject_id ON browser_sessions (subject_id);
CREATE INDEX browser_sessions_created_at_ms ON browser_sessions (created_at_ms);
CREATE INDEX browser_sessions_used_at_ms ON browser_sessions (used_at_ms);
CREATE INDEX consents_subject_id ON consents (subject_id);
CREATE INDEX consents_client_id ON consents (client_id);
CREATE INDEX consents_created_at_ms ON consents (created_at_ms);
CREATE INDEX manifests_data_key_id ON manifests (data_key_id);
COMMIT;
