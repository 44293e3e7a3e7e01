DROP TABLE outbox;
DROP TABLE log_head;
