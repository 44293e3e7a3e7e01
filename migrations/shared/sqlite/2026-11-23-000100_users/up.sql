CREATE TABLE tenants (
    domain TEXT NOT NULL PRIMARY KEY,
    tenant_id BIGINT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE roles (
    organization TEXT NOT NULL REFERENCES tenants (domain),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization, name)
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES tenants (domain),
    user_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization, user_name)
);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization TEXT NOT NULL,
    role TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, role),
    FOREIGN KEY (organization, role) REFERENCES roles (organization, name)
);
