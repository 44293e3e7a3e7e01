-- What the developer portal shows of tagged APIs is decided from the index alone, without reading their documents.
CREATE INDEX apis_by_id ON apis (id, state, visibility);
