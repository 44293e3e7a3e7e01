DROP TABLE deny_policies;
