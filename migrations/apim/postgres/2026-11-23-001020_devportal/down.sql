DROP TABLE subscribers;

ALTER TABLE oauth_client_secrets DROP COLUMN expires_at;
ALTER TABLE oauth_client_secrets DROP COLUMN properties;

ALTER TABLE key_mappings DROP COLUMN mode;
