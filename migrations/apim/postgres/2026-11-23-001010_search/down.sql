DROP INDEX apis_by_state;
DROP INDEX apis_by_version;
DROP INDEX apis_by_name;
DROP TABLE api_search;
