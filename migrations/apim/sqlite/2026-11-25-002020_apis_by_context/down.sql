DROP INDEX apis_by_context;
