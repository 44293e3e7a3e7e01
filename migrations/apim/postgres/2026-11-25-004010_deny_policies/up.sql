-- `target` is the canonical JSON of whose calls are refused, so that the same refusal cannot be there twice.
CREATE TABLE deny_policies (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    target TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    UNIQUE (organization, target)
);
