-- Advanced policies that revisions name. There are none before: gateways did not enforce them, so no API could.
CREATE TABLE revision_policies (
    revision_id TEXT NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,
    policy TEXT NOT NULL,
    organization TEXT NOT NULL,
    api_id TEXT NOT NULL,
    PRIMARY KEY (revision_id, policy)
);

CREATE INDEX revision_policies_by_policy ON revision_policies (organization, policy);
