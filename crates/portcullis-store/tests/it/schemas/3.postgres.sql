-- A database that the program of schema 3 made on PostgreSQL; its master key is the first of the numbers that the tests count.
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.access_tokens (
    digest bytea NOT NULL,
    grant_id text NOT NULL,
    scopes text NOT NULL,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint NOT NULL,
    refreshed bytea,
    used_at_ms bigint
);
CREATE TABLE public.api_keys (
    id text NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    toolsets text NOT NULL,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint,
    last_used_at_ms bigint,
    revoked_at_ms bigint
);
CREATE TABLE public.audit (
    id text NOT NULL,
    at_ms bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL
);
CREATE TABLE public.authorization_codes (
    digest bytea NOT NULL,
    flow_id text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    toolset text NOT NULL,
    scopes text NOT NULL,
    subject_id text NOT NULL,
    connection_id text,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint NOT NULL,
    redeemed_at_ms bigint,
    grant_id text,
    CONSTRAINT authorization_codes_check CHECK (((redeemed_at_ms IS NULL) = (grant_id IS NULL)))
);
CREATE TABLE public.browser_sessions (
    digest bytea NOT NULL,
    subject_id text NOT NULL,
    provider text NOT NULL,
    label text,
    created_at_ms bigint NOT NULL,
    used_at_ms bigint NOT NULL
);
CREATE TABLE public.clients (
    id text NOT NULL,
    origin text NOT NULL,
    metadata text NOT NULL,
    secret bytea,
    remember_consent bigint NOT NULL,
    created_at_ms bigint NOT NULL,
    used_at_ms bigint NOT NULL,
    granted_at_ms bigint,
    CONSTRAINT clients_remember_consent_check CHECK ((remember_consent = ANY (ARRAY[(0)::bigint, (1)::bigint])))
);
CREATE TABLE public.connections (
    id text NOT NULL,
    subject_id text NOT NULL,
    provider text NOT NULL,
    toolset text NOT NULL,
    status text NOT NULL,
    access_token bytea NOT NULL,
    access_key_id text NOT NULL,
    refresh_token bytea,
    refresh_key_id text,
    scopes text NOT NULL,
    expires_at_ms bigint,
    generation bigint NOT NULL,
    renewing_until_ms bigint,
    updated_at_ms bigint NOT NULL,
    CONSTRAINT connections_check CHECK (((refresh_token IS NULL) = (refresh_key_id IS NULL)))
);
CREATE TABLE public.consents (
    digest bytea NOT NULL,
    subject_id text NOT NULL,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    toolset text NOT NULL,
    scopes text NOT NULL,
    created_at_ms bigint NOT NULL
);
CREATE TABLE public.data_key_wraps (
    data_key_id text NOT NULL,
    master_key_id text NOT NULL,
    sealed bytea NOT NULL
);
CREATE TABLE public.data_keys (
    id text NOT NULL,
    master_key_id text NOT NULL,
    created_at_ms bigint NOT NULL,
    retired_at_ms bigint
);
CREATE TABLE public.documents (
    id text NOT NULL,
    slug text NOT NULL,
    owner text NOT NULL,
    source text NOT NULL,
    content bytea NOT NULL,
    digest bytea NOT NULL,
    schemes text NOT NULL,
    updated_at_ms bigint NOT NULL,
    settings text DEFAULT '{}'::text NOT NULL
);
CREATE TABLE public.environments (
    id text NOT NULL,
    slug text NOT NULL,
    owner text NOT NULL,
    updated_at_ms bigint NOT NULL
);
CREATE TABLE public.flows (
    id text NOT NULL,
    client_id text NOT NULL,
    request text NOT NULL,
    browser bytea NOT NULL,
    status text NOT NULL,
    provider text,
    upstream_state bytea,
    verifier bytea,
    verifier_key_id text,
    nonce bytea,
    nonce_key_id text,
    toolset text,
    scopes text,
    consent_of text,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint NOT NULL,
    CONSTRAINT flows_check CHECK (((verifier IS NULL) = (verifier_key_id IS NULL))),
    CONSTRAINT flows_check1 CHECK (((nonce IS NULL) = (nonce_key_id IS NULL)))
);
CREATE TABLE public.grants (
    id text NOT NULL,
    client_id text NOT NULL,
    subject_id text NOT NULL,
    toolset text NOT NULL,
    scopes text NOT NULL,
    connection_id text,
    created_at_ms bigint NOT NULL,
    ended_at_ms bigint,
    end_reason text,
    CONSTRAINT grants_check CHECK (((ended_at_ms IS NULL) = (end_reason IS NULL)))
);
CREATE TABLE public.manifest_versions (
    slug text NOT NULL,
    digest bytea NOT NULL,
    content text NOT NULL,
    created_at_ms bigint NOT NULL
);
CREATE TABLE public.manifests (
    id text NOT NULL,
    slug text NOT NULL,
    owner text NOT NULL,
    source text NOT NULL,
    content text NOT NULL,
    settings text NOT NULL,
    client_secret bytea,
    data_key_id text,
    updated_at_ms bigint NOT NULL,
    CONSTRAINT manifests_check CHECK (((client_secret IS NULL) = (data_key_id IS NULL)))
);
CREATE TABLE public.providers (
    id text NOT NULL,
    slug text NOT NULL,
    owner text NOT NULL,
    settings text NOT NULL,
    client_secret bytea,
    data_key_id text,
    updated_at_ms bigint NOT NULL,
    CONSTRAINT providers_check CHECK (((client_secret IS NULL) = (data_key_id IS NULL)))
);
CREATE TABLE public.refresh_tokens (
    digest bytea NOT NULL,
    grant_id text NOT NULL,
    parent bytea,
    generation bigint NOT NULL,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint NOT NULL,
    replaced_at_ms bigint,
    confirmed_at_ms bigint
);
CREATE TABLE public.revision (
    id bigint NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT revision_id_check CHECK ((id = 1))
);
CREATE TABLE public.subjects (
    id text NOT NULL,
    issuer text,
    subject text,
    label text,
    created_at_ms bigint NOT NULL,
    CONSTRAINT subjects_check CHECK (((issuer IS NULL) = (subject IS NULL)))
);
CREATE TABLE public.toolsets (
    id text NOT NULL,
    slug text NOT NULL,
    owner text NOT NULL,
    settings text NOT NULL,
    updated_at_ms bigint NOT NULL
);
CREATE TABLE public.variables (
    id text NOT NULL,
    environment_id text NOT NULL,
    name text NOT NULL,
    value text,
    sealed bytea,
    data_key_id text,
    CONSTRAINT variables_check CHECK (((value IS NULL) <> (sealed IS NULL))),
    CONSTRAINT variables_check1 CHECK (((sealed IS NULL) = (data_key_id IS NULL)))
);
INSERT INTO public._sqlx_migrations VALUES (1, '0001_objects', '2026-11-28 00:25:08.462348+00', true, '\x459b62a47144811730b726ed4e9f7631f220a03220f3b6a974d267a28681eb38ca54c66251dd2d7a93aceb0021fdd79e', -1);
INSERT INTO public._sqlx_migrations VALUES (2, '0002_sign_in', '2026-11-28 00:25:08.462348+00', true, '\x4dab3a44da0d732914fe49b95b0fd396547ced4426f55a499c57950719a28fe8a7249ff55edbd9047b05851689a3cd29', -1);
INSERT INTO public._sqlx_migrations VALUES (3, '0003_manifests', '2026-11-28 00:25:08.462348+00', true, '\x89df9461ff2e4dd7e94fa424a1034e4f23446bd837398657f0ebc5cd9a1029135e548d55bbd563c241d2e783be9e9d0f', -1);
INSERT INTO public.access_tokens VALUES ('\x471c4795288265daa8954ccdc6dcb719cc226da2e5bc86deb3614cd8c9a7073c', 'gr_018bcfe56800739b8c4c41a13f1f0452', 'pets:read', 1700000000000, 1700003600000, NULL, NULL);
INSERT INTO public.access_tokens VALUES ('\xda7f586690d8decd436cd6e26078bfc0ff249d008c8f29d54ed635fc84b7cd4e', 'gr_018bcfe568007a2c9c9d7bebc4b16656', 'pets:read', 1700000000000, 1700003600000, NULL, NULL);
INSERT INTO public.access_tokens VALUES ('\xac90a491f235a353e86c375f4a03cd92fdc97fdf12db3b8811a0e5888b76554b', 'gr_018bcfe56800739b8c4c41a13f1f0452', 'pets:read', 1700000000001, 1700003600000, '\x3f11c14455fc627075d96e57351e8a0973b710a06cc2a0e57d3f35022c245f90', NULL);
INSERT INTO public.api_keys VALUES ('key_018bcfe5680072a2a4ee63bc826a6df7', 'ci', '\x94e6a266a5bfaa3f3a24a07578c3ae2fdde6d94b648593b1cb244cdde5a14dac', '["pets"]', 1700000000000, 1700000000000, NULL, NULL);
INSERT INTO public.audit VALUES ('aud_018bcfe568007b5080b73a53f0916c93', 1700000000000, 'cli', 'document.put', 'doc_018bcfe568007dee8dd60ff8d0ba9900');
INSERT INTO public.audit VALUES ('aud_018bcfe568007f5e9c6f1efb165d45a6', 1700000000000, 'cli', 'environment.put', 'env_018bcfe5680074ac977cdb2ef6d98607');
INSERT INTO public.audit VALUES ('aud_018bcfe56800766c97014a6156061ae6', 1700000000000, 'cli', 'provider.put', 'prv_018bcfe568007924913516a5993435ec');
INSERT INTO public.audit VALUES ('aud_018bcfe568007348a21a527709a7d3a7', 1700000000000, 'cli', 'manifest.put', 'mf_018bcfe568007d85b8467240628a9481');
INSERT INTO public.audit VALUES ('aud_018bcfe568007bc6b471c189d78c7646', 1700000000000, 'cli', 'toolset.put', 'ts_018bcfe568007005b02d43fa06e7d058');
INSERT INTO public.audit VALUES ('aud_018bcfe56800785f840b865d705e30c4', 1700000000000, 'cli', 'api_key.created', 'key_018bcfe5680072a2a4ee63bc826a6df7');
INSERT INTO public.audit VALUES ('aud_018bcfe568007a42a3892368f8269282', 1700000000000, 'pc_client_1', 'client.registered', 'pc_client_1');
INSERT INTO public.audit VALUES ('aud_018bcfe568007d79a8ffc995d6a49507', 1700000000000, 'sub_018bcfe56800716ebe34e810d8f79144', 'subject.signed_in', 'github');
INSERT INTO public.audit VALUES ('aud_018bcfe5680078a9be421546f8d4cae1', 1700000000000, 'sub_018bcfe56800716ebe34e810d8f79144', 'grant.made', 'gr_018bcfe56800739b8c4c41a13f1f0452');
INSERT INTO public.audit VALUES ('aud_018bcfe5680077648726a72f8e1d245f', 1700000000000, 'sub_018bcfe56800716ebe34e810d8f79144', 'subject.signed_in', 'github');
INSERT INTO public.audit VALUES ('aud_018bcfe56800709a9481e459e8ea01c7', 1700000000000, 'sub_018bcfe56800716ebe34e810d8f79144', 'grant.made', 'gr_018bcfe568007a2c9c9d7bebc4b16656');
INSERT INTO public.authorization_codes VALUES ('\xca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', 'flow_018bcfe568007ed2b8245fdc8acc45ed', 'pc_client_1', 'http://localhost:6274/oauth/callback', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'pets', 'pets:read', 'sub_018bcfe56800716ebe34e810d8f79144', 'con_018bcfe56800761fa27b4213258dc886', 1700000000000, 1700000060000, 1700000000000, 'gr_018bcfe56800739b8c4c41a13f1f0452');
INSERT INTO public.authorization_codes VALUES ('\x3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d', 'flow_018bcfe568007664a6e0ea12d234b491', 'pc_client_1', 'http://localhost:6274/oauth/callback', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'pets', 'pets:read', 'sub_018bcfe56800716ebe34e810d8f79144', 'con_018bcfe56800761fa27b4213258dc886', 1700000000000, 1700000060000, 1700000000000, 'gr_018bcfe568007a2c9c9d7bebc4b16656');
INSERT INTO public.browser_sessions VALUES ('\x109297fb3b84ebdd09e88eb23bc5425960881330e1cc4c5aa75e7456ed1dd173', 'sub_018bcfe56800716ebe34e810d8f79144', 'github', 'Alice', 1700000000000, 1700000000000);
INSERT INTO public.browser_sessions VALUES ('\x8e970f004897cd11fe12500ec01af924f2633a1d7d5bdb1611dd9d75891f0f34', 'sub_018bcfe56800716ebe34e810d8f79144', 'github', 'Alice', 1700000000000, 1700000000000);
INSERT INTO public.clients VALUES ('pc_client_1', 'dynamic', '{"name":"Inspector","redirect_uris":["http://localhost:6274/oauth/callback","https://client.example.com/cb"],"auth_method":"client_secret_post","auth_method_defaulted":true,"application_type":"native","refreshes":true,"scope":"pets:read","client_uri":"https://client.example.com"}', NULL, 0, 1700000000000, 1700000000000, 1700000000000);
INSERT INTO public.connections VALUES ('con_018bcfe56800761fa27b4213258dc886', 'sub_018bcfe56800716ebe34e810d8f79144', 'github', 'pets', 'active', '\x0123646b5f3031386263666535363830303764323661323135346536643736623262326239ea676268c71eb961cae5f1a6fd40b158e04010f231d708657fd1385299ac22a23e719b55', 'dk_018bcfe568007d26a2154e6d76b2b2b9', '\x0123646b5f30313862636665353638303037643236613231353465366437366232623262394d75f61869104baa4ccff5befa95db2fa3c3f2a0c72fbad4db62446822477adcd433b21623', 'dk_018bcfe568007d26a2154e6d76b2b2b9', 'repo user', 1700003600000, 2, NULL, 1700000000000);
INSERT INTO public.data_key_wraps VALUES ('dk_018bcfe568007d26a2154e6d76b2b2b9', 'mk_a370011e', '\x010b6d6b5f6133373030313165d5688a52d55a02ec4aea5ec1572da2ca78914dca8e5932fd294a55eaa85d156b343ec28b3721fb6e8aa92df429d526df90b568423a135dcef539be62');
INSERT INTO public.data_keys VALUES ('dk_018bcfe568007d26a2154e6d76b2b2b9', 'mk_a370011e', 1700000000000, NULL);
INSERT INTO public.documents VALUES ('doc_018bcfe568007dee8dd60ff8d0ba9900', 'pets', 'file', 'pets.yaml', '\x6f70656e6170693a20332e312e300a696e666f3a207b7469746c653a20706574732c2076657273696f6e3a202731277d', '\x5adb9b4eb91d748c95a6073c333e9937e53f76a3acaca7540a3c4147b1ca5c2a', '{"oauth":{"resource":"https://api.example.com","parameters":{"tenant":"a"}}}', 1700000000000, '{"provider":"github","scopes":["repo"],"origins":["https://uploads.example.com"]}');
INSERT INTO public.environments VALUES ('env_018bcfe5680074ac977cdb2ef6d98607', 'production', 'file', 1700000000000);
INSERT INTO public.flows VALUES ('flow_018bcfe5680079a5b5201eb3c3c856e0', 'pc_client_1', '{"client":"pc_client_1","redirect_uri":"http://localhost:6274/oauth/callback","state":"<\"é\">","toolset":"pets","scopes":"pets:read pets:write","code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}', '\xd4c3e8a11256ab82a4fc72560eb4a2b0e87bad820c290dd9b03616de240aa6db', 'pending', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1700000000000, 1700000600000);
INSERT INTO public.grants VALUES ('gr_018bcfe56800739b8c4c41a13f1f0452', 'pc_client_1', 'sub_018bcfe56800716ebe34e810d8f79144', 'pets', 'pets:read', 'con_018bcfe56800761fa27b4213258dc886', 1700000000000, NULL, NULL);
INSERT INTO public.grants VALUES ('gr_018bcfe568007a2c9c9d7bebc4b16656', 'pc_client_1', 'sub_018bcfe56800716ebe34e810d8f79144', 'pets', 'pets:read', 'con_018bcfe56800761fa27b4213258dc886', 1700000000000, NULL, NULL);
INSERT INTO public.manifest_versions VALUES ('acme', '\xa37cdf90dfda1ec7f11ddb32fa176d26761bac558bff35116d531ab3e3b72027', '{"issuer": "https://as.example"}', 1700000000000);
INSERT INTO public.manifests VALUES ('mf_018bcfe568007d85b8467240628a9481', 'acme', 'file', 'acme.json', '{"issuer": "https://as.example"}', '{"validation":"probe","audiences":["https://mcp.example"],"clients_without_audience":["assistant"],"token_issuer":"https://sts.example/","algorithms":["RS256"],"probe":{"url":"https://api.example/tokeninfo","audience":"/aud","accepted":["us"],"alive":"/active","subject":"/sub","client":"/azp","scope":"/scope","expires_in":"/expires_in"},"cache_seconds":30,"client_id":"us","delegation":"on_behalf_of","exchange":{"audience":"api","resource":"https://api.example","scopes":["read"],"parameters":{"tenant":"acme"}},"republished":true}', '\x0123646b5f3031386263666535363830303764323661323135346536643736623262326239998e907bfbb34f71c66b6dc6c30fc80313f67d4a4230db8a06d1622d43e2ccf631c44cbd96322bfa08d2eb', 'dk_018bcfe568007d26a2154e6d76b2b2b9', 1700000000000);
INSERT INTO public.providers VALUES ('prv_018bcfe568007924913516a5993435ec', 'github', 'file', '{"profile":"oidc","client_id":"gateway","issuer":"https://id.example.com","scopes":["email"]}', '\x0123646b5f303138626366653536383030376432366132313534653664373662326232623976b1ff1a6cb1b23738647eb1de29dc6e7dbb59726ad6f416737be7e51b1ade3b2d79703294ff86e596', 'dk_018bcfe568007d26a2154e6d76b2b2b9', 1700000000000);
INSERT INTO public.refresh_tokens VALUES ('\x28580c94e5fe1911af38f02ee8fdf17eb1f79088b9bb20a803bafea96d6c8c03', 'gr_018bcfe568007a2c9c9d7bebc4b16656', NULL, 0, 1700000000000, 1700086400000, NULL, NULL);
INSERT INTO public.refresh_tokens VALUES ('\x3f11c14455fc627075d96e57351e8a0973b710a06cc2a0e57d3f35022c245f90', 'gr_018bcfe56800739b8c4c41a13f1f0452', NULL, 0, 1700000000000, 1700086400000, 1700000000001, NULL);
INSERT INTO public.refresh_tokens VALUES ('\xca9adff37e7a9780757da21fe18a3a0fa183d88e5c0f35235f997bc3b56b3c3c', 'gr_018bcfe56800739b8c4c41a13f1f0452', '\x3f11c14455fc627075d96e57351e8a0973b710a06cc2a0e57d3f35022c245f90', 1, 1700000000001, 1700086400000, NULL, NULL);
INSERT INTO public.revision VALUES (1, 1);
INSERT INTO public.subjects VALUES ('sub_018bcfe56800716ebe34e810d8f79144', 'https://id.example.com', 'alice', 'Alice', 1700000000000);
INSERT INTO public.toolsets VALUES ('ts_018bcfe568007005b02d43fa06e7d058', 'pets', 'api', '{"title":"Pets","documents":[{"document":"pets","select":{"tags":["pet"],"include":[],"exclude":[]}}],"environment":"production","inbound":["api_key","headers"],"caller_supplied":["PETSTORE_API_KEY"]}', 1700000000000);
INSERT INTO public.variables VALUES ('var_018bcfe568007c0e871832d527694ade', 'env_018bcfe5680074ac977cdb2ef6d98607', 'KEY', NULL, '\x0123646b5f3031386263666535363830303764323661323135346536643736623262326239d27a8d9a8d38c7a37c92245047b7c83c2068f709ec2ee02da776e0ff8fcb8866acd21b', 'dk_018bcfe568007d26a2154e6d76b2b2b9');
INSERT INTO public.variables VALUES ('var_018bcfe5680073eb8db89fc5123ccfd4', 'env_018bcfe5680074ac977cdb2ef6d98607', 'URL', 'https://api.example.com', NULL, NULL);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_name_key UNIQUE (name);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_flow_id_key UNIQUE (flow_id);
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.browser_sessions
    ADD CONSTRAINT browser_sessions_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_subject_id_provider_toolset_key UNIQUE (subject_id, provider, toolset);
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.data_key_wraps
    ADD CONSTRAINT data_key_wraps_pkey PRIMARY KEY (data_key_id, master_key_id);
ALTER TABLE ONLY public.data_keys
    ADD CONSTRAINT data_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.environments
    ADD CONSTRAINT environments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.environments
    ADD CONSTRAINT environments_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_upstream_state_key UNIQUE (upstream_state);
ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.manifest_versions
    ADD CONSTRAINT manifest_versions_pkey PRIMARY KEY (slug, digest);
ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.providers
    ADD CONSTRAINT providers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.providers
    ADD CONSTRAINT providers_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.revision
    ADD CONSTRAINT revision_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.subjects
    ADD CONSTRAINT subjects_issuer_subject_key UNIQUE (issuer, subject);
ALTER TABLE ONLY public.subjects
    ADD CONSTRAINT subjects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.toolsets
    ADD CONSTRAINT toolsets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.toolsets
    ADD CONSTRAINT toolsets_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.variables
    ADD CONSTRAINT variables_environment_id_name_key UNIQUE (environment_id, name);
ALTER TABLE ONLY public.variables
    ADD CONSTRAINT variables_pkey PRIMARY KEY (id);
CREATE INDEX access_tokens_expires_at_ms ON public.access_tokens USING btree (expires_at_ms);
CREATE INDEX access_tokens_grant_id ON public.access_tokens USING btree (grant_id);
CREATE INDEX authorization_codes_client_id ON public.authorization_codes USING btree (client_id);
CREATE INDEX authorization_codes_connection_id ON public.authorization_codes USING btree (connection_id);
CREATE INDEX authorization_codes_created_at_ms ON public.authorization_codes USING btree (created_at_ms);
CREATE INDEX authorization_codes_subject_id ON public.authorization_codes USING btree (subject_id);
CREATE INDEX browser_sessions_created_at_ms ON public.browser_sessions USING btree (created_at_ms);
CREATE INDEX browser_sessions_subject_id ON public.browser_sessions USING btree (subject_id);
CREATE INDEX browser_sessions_used_at_ms ON public.browser_sessions USING btree (used_at_ms);
CREATE INDEX clients_pre_registered ON public.clients USING btree (id) WHERE (origin = 'pre_registered'::text);
CREATE INDEX clients_unused ON public.clients USING btree (used_at_ms) WHERE ((origin = 'dynamic'::text) AND (granted_at_ms IS NULL));
CREATE INDEX connections_access_key_id ON public.connections USING btree (access_key_id);
CREATE INDEX connections_refresh_key_id ON public.connections USING btree (refresh_key_id);
CREATE INDEX consents_client_id ON public.consents USING btree (client_id);
CREATE INDEX consents_created_at_ms ON public.consents USING btree (created_at_ms);
CREATE INDEX consents_subject_id ON public.consents USING btree (subject_id);
CREATE INDEX flows_client_id ON public.flows USING btree (client_id);
CREATE INDEX flows_expires_at_ms ON public.flows USING btree (expires_at_ms);
CREATE INDEX flows_open ON public.flows USING btree (expires_at_ms) WHERE (status <> 'ended'::text);
CREATE INDEX grants_client_id ON public.grants USING btree (client_id);
CREATE INDEX grants_connection_id ON public.grants USING btree (connection_id);
CREATE INDEX grants_ended_at_ms ON public.grants USING btree (ended_at_ms) WHERE (ended_at_ms IS NOT NULL);
CREATE INDEX grants_subject_id ON public.grants USING btree (subject_id);
CREATE INDEX manifests_data_key_id ON public.manifests USING btree (data_key_id);
CREATE INDEX providers_data_key_id ON public.providers USING btree (data_key_id);
CREATE INDEX refresh_tokens_expires_at_ms ON public.refresh_tokens USING btree (expires_at_ms);
CREATE INDEX refresh_tokens_grant_id ON public.refresh_tokens USING btree (grant_id);
CREATE INDEX variables_data_key_id ON public.variables USING btree (data_key_id);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_connection_id_fkey FOREIGN KEY (connection_id) REFERENCES public.connections(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.authorization_codes
    ADD CONSTRAINT authorization_codes_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES public.subjects(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.browser_sessions
    ADD CONSTRAINT browser_sessions_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES public.subjects(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_access_key_id_fkey FOREIGN KEY (access_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_refresh_key_id_fkey FOREIGN KEY (refresh_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES public.subjects(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES public.subjects(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.data_key_wraps
    ADD CONSTRAINT data_key_wraps_data_key_id_fkey FOREIGN KEY (data_key_id) REFERENCES public.data_keys(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_nonce_key_id_fkey FOREIGN KEY (nonce_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.flows
    ADD CONSTRAINT flows_verifier_key_id_fkey FOREIGN KEY (verifier_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_connection_id_fkey FOREIGN KEY (connection_id) REFERENCES public.connections(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES public.subjects(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_data_key_id_fkey FOREIGN KEY (data_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.providers
    ADD CONSTRAINT providers_data_key_id_fkey FOREIGN KEY (data_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.refresh_tokens
    ADD CONSTRAINT refresh_tokens_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.variables
    ADD CONSTRAINT variables_data_key_id_fkey FOREIGN KEY (data_key_id) REFERENCES public.data_keys(id);
ALTER TABLE ONLY public.variables
    ADD CONSTRAINT variables_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES public.environments(id) ON DELETE CASCADE;
