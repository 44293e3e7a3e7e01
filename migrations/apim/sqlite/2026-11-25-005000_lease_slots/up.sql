CREATE TABLE lease_slot (
    slot INTEGER NOT NULL PRIMARY KEY CHECK (slot BETWEEN 0 AND 255),
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL
);

-- Epochs go on from the one that all keys had in common.
WITH RECURSIVE numbers (slot) AS (SELECT 0 UNION ALL SELECT slot + 1 FROM numbers WHERE slot < 255)
INSERT INTO lease_slot (slot, owner, epoch)
SELECT numbers.slot, '', lease_owner.epoch FROM numbers, lease_owner WHERE lease_owner.id = 1;

CREATE TABLE lease_node (
    node TEXT NOT NULL PRIMARY KEY,
    renewals BIGINT NOT NULL
);
