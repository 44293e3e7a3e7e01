ALTER TABLE gateway_deployments DROP COLUMN control_number;
ALTER TABLE gateway_deployments DROP COLUMN control_log_id;
