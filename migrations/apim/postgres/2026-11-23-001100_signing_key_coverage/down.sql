ALTER TABLE oauth_signing_keys DROP COLUMN covers_until;
