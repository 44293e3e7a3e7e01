CREATE TABLE api_tags (
    organization TEXT NOT NULL,
    tag TEXT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    PRIMARY KEY (organization, tag, api_id)
) WITHOUT ROWID;

CREATE INDEX api_tags_by_api ON api_tags (api_id);

-- APIs that were there before.
INSERT INTO api_tags (organization, tag, api_id)
SELECT DISTINCT apis.organization, substr(tags.value, 1, 500), apis.id
FROM apis, json_each(apis.details, '$.other.tags') AS tags
WHERE json_type(apis.details, '$.other.tags') = 'array' AND tags.type = 'text';
