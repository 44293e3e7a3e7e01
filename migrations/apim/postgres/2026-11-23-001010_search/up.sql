CREATE TABLE api_search (
    organization TEXT NOT NULL,
    key TEXT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (organization, key, api_id, position)
);

CREATE INDEX api_search_by_api ON api_search (api_id);

CREATE INDEX apis_by_name ON apis (organization, name, id, state, visibility);
CREATE INDEX apis_by_version ON apis (organization, version, id, state, visibility);
CREATE INDEX apis_by_state ON apis (organization, state, id, visibility);
