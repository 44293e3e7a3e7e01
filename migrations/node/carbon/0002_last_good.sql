CREATE TABLE positions (
    log TEXT NOT NULL PRIMARY KEY,
    log_id TEXT NOT NULL,
    number INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE runtime_rows (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    organization TEXT NOT NULL,
    api_id TEXT,
    application_id TEXT,
    artifact_hash TEXT,
    expires_at INTEGER,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

CREATE INDEX runtime_rows_by_api ON runtime_rows (api_id) WHERE api_id IS NOT NULL;
CREATE INDEX runtime_rows_by_application ON runtime_rows (application_id) WHERE application_id IS NOT NULL;
CREATE INDEX runtime_rows_by_artifact ON runtime_rows (artifact_hash) WHERE artifact_hash IS NOT NULL;
CREATE INDEX runtime_rows_by_expiry ON runtime_rows (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE artifacts (
    hash TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

CREATE TABLE pending_acks (
    api_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    organization TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (api_id, environment)
) WITHOUT ROWID;
