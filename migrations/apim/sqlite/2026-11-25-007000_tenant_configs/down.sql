DROP TABLE tenant_configs;
