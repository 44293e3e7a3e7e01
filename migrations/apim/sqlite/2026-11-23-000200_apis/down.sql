DROP TABLE lifecycle_events;
DROP TABLE deployments;
DROP TABLE revisions;
DROP TABLE artifacts;
DROP TABLE api_scopes;
DROP TABLE api_visible_roles;
DROP TABLE apis;
