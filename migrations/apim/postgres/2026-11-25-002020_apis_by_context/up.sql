-- Every new API asks whether its context is taken.
CREATE INDEX apis_by_context ON apis (organization, context);
