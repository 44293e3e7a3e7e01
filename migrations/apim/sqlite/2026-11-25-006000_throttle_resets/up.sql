-- How often the counts of a user's calls through an application were started anew.
CREATE TABLE throttle_resets (
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_name TEXT NOT NULL,
    organization TEXT NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (application_id, user_name)
);
