//! Tables of `shared_db` for people.

diesel::table! {
    tenants (domain) {
        domain -> Text,
        tenant_id -> BigInt,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    roles (organization, name) {
        organization -> Text,
        name -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        organization -> Text,
        user_name -> Text,
        password_hash -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    user_roles (user_id, role) {
        user_id -> Text,
        organization -> Text,
        role -> Text,
        granted_at -> BigInt,
    }
}
