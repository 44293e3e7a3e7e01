DROP TABLE registry_content;
