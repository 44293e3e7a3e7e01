DROP TABLE gateway_deployments;
DROP TABLE gateway_instances;
