DROP TABLE api_tags;
