CREATE TABLE gateway_instances (
    gateway_id TEXT NOT NULL PRIMARY KEY,
    environments TEXT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    control_number BIGINT NOT NULL,
    revocation_number BIGINT NOT NULL
);

CREATE INDEX gateway_instances_by_heartbeat ON gateway_instances (heartbeat_at);

CREATE TABLE gateway_deployments (
    gateway_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    organization TEXT NOT NULL,
    revision_id TEXT,
    artifact_hash TEXT,
    error TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (gateway_id, api_id, environment)
);

CREATE INDEX gateway_deployments_by_api ON gateway_deployments (api_id);
