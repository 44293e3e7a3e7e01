CREATE TABLE throttling_policies (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    row_version BIGINT NOT NULL,
    UNIQUE (organization, kind, name)
);

CREATE TABLE applications (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    throttling_policy TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    row_version BIGINT NOT NULL,
    UNIQUE (organization, owner, name)
);

CREATE TABLE key_mappings (
    id TEXT NOT NULL PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    organization TEXT NOT NULL,
    key_type TEXT NOT NULL,
    key_manager TEXT NOT NULL,
    consumer_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (application_id, key_type, key_manager),
    UNIQUE (key_manager, consumer_key)
);

CREATE TABLE subscriptions (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id),
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    throttling_policy TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (api_id, application_id)
);

CREATE INDEX subscriptions_by_application ON subscriptions (application_id);
