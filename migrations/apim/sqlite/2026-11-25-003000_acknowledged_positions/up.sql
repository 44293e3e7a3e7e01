-- Position of the control log at which a gateway acknowledged, so that a late answer replaces no later one.
ALTER TABLE gateway_deployments ADD COLUMN control_log_id TEXT NOT NULL DEFAULT '';
ALTER TABLE gateway_deployments ADD COLUMN control_number BIGINT NOT NULL DEFAULT 0;
