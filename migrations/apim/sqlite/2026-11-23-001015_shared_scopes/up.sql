CREATE TABLE shared_scopes (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization, name)
);
