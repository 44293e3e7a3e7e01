DROP TABLE lease_block;
DROP TABLE lease_owner;
