CREATE TABLE oauth_clients (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    is_saas_app BOOLEAN NOT NULL,
    application_token_lifetime_secs BIGINT,
    user_token_lifetime_secs BIGINT,
    refresh_token_lifetime_secs BIGINT,
    is_portal_application BOOLEAN NOT NULL,
    additional_properties TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization, name, owner)
);

CREATE TABLE oauth_client_secrets (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL,
    sealed_secret TEXT,
    created_at BIGINT NOT NULL
);

CREATE INDEX oauth_client_secrets_by_client ON oauth_client_secrets (client_id);

CREATE TABLE oauth_refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    family_id TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    user_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    is_rotated BOOLEAN NOT NULL,
    access_token_id TEXT NOT NULL,
    access_expires_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth_refresh_tokens_by_family ON oauth_refresh_tokens (family_id);
CREATE INDEX oauth_refresh_tokens_by_client ON oauth_refresh_tokens (client_id);
CREATE INDEX oauth_refresh_tokens_by_access_token ON oauth_refresh_tokens (access_token_id);
CREATE INDEX oauth_refresh_tokens_by_expiry ON oauth_refresh_tokens (expires_at);

CREATE TABLE oauth_revocations (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    issued_before BIGINT,
    revoked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth_revocations_by_subject ON oauth_revocations (organization, kind, subject);
CREATE INDEX oauth_revocations_by_expiry ON oauth_revocations (expires_at);

CREATE TABLE oauth_signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    use_from BIGINT NOT NULL,
    retire_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE INDEX oauth_signing_keys_by_organization ON oauth_signing_keys (organization);

CREATE TABLE oauth_issuers (
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organization, name)
);
