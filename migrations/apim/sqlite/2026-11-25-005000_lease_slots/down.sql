DROP TABLE lease_node;
DROP TABLE lease_slot;
