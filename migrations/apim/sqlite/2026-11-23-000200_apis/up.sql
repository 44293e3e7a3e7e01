CREATE TABLE apis (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    context TEXT NOT NULL,
    full_context TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL,
    is_default_version BOOLEAN NOT NULL,
    visibility TEXT NOT NULL,
    definition_hash TEXT,
    details TEXT NOT NULL,
    revisions_created INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    row_version BIGINT NOT NULL,
    UNIQUE (organization, name, version),
    UNIQUE (organization, full_context)
);

CREATE INDEX apis_by_creation ON apis (organization, created_at, id);

CREATE TABLE api_visible_roles (
    organization TEXT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (api_id, role)
);

CREATE TABLE api_scopes (
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    roles TEXT NOT NULL,
    PRIMARY KEY (organization, name, api_id)
);

CREATE INDEX api_scopes_by_api ON api_scopes (api_id);

CREATE TABLE artifacts (
    hash TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE revisions (
    id TEXT NOT NULL PRIMARY KEY,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    organization TEXT NOT NULL,
    number INTEGER NOT NULL,
    description TEXT NOT NULL,
    details TEXT NOT NULL,
    definition_hash TEXT,
    artifact_hash TEXT NOT NULL REFERENCES artifacts (hash),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (api_id, number)
);

CREATE TABLE deployments (
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    organization TEXT NOT NULL,
    revision_id TEXT NOT NULL REFERENCES revisions (id),
    vhost TEXT NOT NULL,
    display_on_devportal BOOLEAN NOT NULL,
    deployed_at BIGINT NOT NULL,
    PRIMARY KEY (api_id, environment)
);

CREATE INDEX deployments_by_revision ON deployments (revision_id);

CREATE TABLE lifecycle_events (
    id TEXT NOT NULL PRIMARY KEY,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    organization TEXT NOT NULL,
    previous_state TEXT,
    new_state TEXT NOT NULL,
    user_name TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX lifecycle_events_by_api ON lifecycle_events (api_id, at);
