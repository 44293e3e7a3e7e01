DROP TABLE revision_policies;
