CREATE TABLE api_tags (
    organization TEXT NOT NULL,
    tag TEXT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    PRIMARY KEY (organization, tag, api_id)
);

CREATE INDEX api_tags_by_api ON api_tags (api_id);

-- APIs that were there before; a text with a NUL is none here, its API is counted from its next change on.
INSERT INTO api_tags (organization, tag, api_id)
SELECT DISTINCT listed.organization, substr(tags.value #>> '{}', 1, 500), listed.id
FROM (
    SELECT organization, id, details::json #> '{other,tags}' AS tags
    FROM apis
    WHERE details NOT LIKE '%\\u0000%'
) AS listed
CROSS JOIN LATERAL json_array_elements(
    CASE WHEN json_typeof(listed.tags) = 'array' THEN listed.tags ELSE '[]'::json END
) AS tags (value)
WHERE json_typeof(tags.value) = 'string';
