-- Version of the events and rows that the writer of each part knew; what an older one skipped is fetched by a snapshot.
ALTER TABLE positions ADD COLUMN schema INTEGER NOT NULL DEFAULT 1;
