-- API keys: the key itself is nowhere, only its SHA-256.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    key_type TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    user_name TEXT NOT NULL,
    restrictions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE INDEX api_keys_by_application ON api_keys (application_id, key_type);
