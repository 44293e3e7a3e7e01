CREATE TABLE registry_content (
    hash TEXT NOT NULL PRIMARY KEY,
    media_type TEXT NOT NULL,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
