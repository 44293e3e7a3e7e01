-- Public halves of the keys that sign node tokens; the private halves are on traffic managers only.
CREATE TABLE cluster_roots (
    id INTEGER NOT NULL PRIMARY KEY,
    public_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
