ALTER TABLE oauth_signing_keys ADD COLUMN covers_until BIGINT NOT NULL DEFAULT 0;
