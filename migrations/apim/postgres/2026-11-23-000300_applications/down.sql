DROP TABLE subscriptions;
DROP TABLE key_mappings;
DROP TABLE applications;
DROP TABLE throttling_policies;
