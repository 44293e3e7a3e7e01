CREATE TABLE lease_owner (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    owner TEXT NOT NULL,
    epoch BIGINT NOT NULL
);

INSERT INTO lease_owner (id, owner, epoch) VALUES (1, '', 0);

CREATE TABLE lease_block (
    key TEXT NOT NULL,
    window_id BIGINT NOT NULL,
    window_end BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    PRIMARY KEY (key, window_id)
);

CREATE INDEX lease_block_by_end ON lease_block (window_end);
