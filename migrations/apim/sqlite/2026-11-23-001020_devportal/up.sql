ALTER TABLE key_mappings ADD COLUMN mode TEXT NOT NULL DEFAULT 'CREATED';

ALTER TABLE oauth_client_secrets ADD COLUMN properties TEXT NOT NULL DEFAULT '{}';
ALTER TABLE oauth_client_secrets ADD COLUMN expires_at BIGINT;

CREATE TABLE subscribers (
    organization TEXT NOT NULL,
    user_name TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    PRIMARY KEY (organization, user_name)
);
