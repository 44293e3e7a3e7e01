CREATE TABLE registry_content (
    hash TEXT NOT NULL PRIMARY KEY,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
