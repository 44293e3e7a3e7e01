DROP INDEX apis_by_id;
