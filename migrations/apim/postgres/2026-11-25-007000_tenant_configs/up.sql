-- Configurations that administrators handed in: the document as it came, and what gateways need of it.
CREATE TABLE tenant_configs (
    organization TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    time_zone TEXT NOT NULL
);
