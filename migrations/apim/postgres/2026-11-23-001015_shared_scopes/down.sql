DROP TABLE shared_scopes;
