CREATE TABLE log_head (
    log TEXT NOT NULL PRIMARY KEY,
    log_id TEXT NOT NULL,
    number BIGINT NOT NULL
);

CREATE TABLE outbox (
    log TEXT NOT NULL,
    number BIGINT NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    schema_version INTEGER NOT NULL,
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (log, number)
);
