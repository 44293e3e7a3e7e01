CREATE TABLE registry_content (
    organization TEXT NOT NULL,
    hash TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization, hash)
);
