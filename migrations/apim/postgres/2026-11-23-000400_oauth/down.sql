DROP TABLE oauth_issuers;
DROP TABLE oauth_signing_keys;
DROP TABLE oauth_revocations;
DROP TABLE oauth_refresh_tokens;
DROP TABLE oauth_client_secrets;
DROP TABLE oauth_clients;
