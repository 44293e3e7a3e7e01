//! Tables of `apim_db` that belong to the control plane.

diesel::table! {
    apis (id) {
        id -> Text,
        organization -> Text,
        name -> Text,
        version -> Text,
        context -> Text,
        full_context -> Text,
        provider -> Text,
        state -> Text,
        is_default_version -> Bool,
        visibility -> Text,
        definition_hash -> Nullable<Text>,
        details -> Text,
        revisions_created -> Integer,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
        row_version -> BigInt,
    }
}

diesel::table! {
    api_visible_roles (api_id, role) {
        organization -> Text,
        api_id -> Text,
        role -> Text,
    }
}

diesel::table! {
    api_scopes (organization, name, api_id) {
        organization -> Text,
        name -> Text,
        api_id -> Text,
        roles -> Text,
    }
}

diesel::table! {
    api_search (organization, key, api_id, position) {
        organization -> Text,
        key -> Text,
        api_id -> Text,
        position -> Integer,
        value -> Text,
    }
}

diesel::table! {
    api_tags (organization, tag, api_id) {
        organization -> Text,
        tag -> Text,
        api_id -> Text,
    }
}

diesel::table! {
    artifacts (hash) {
        hash -> Text,
        organization -> Text,
        body -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    revisions (id) {
        id -> Text,
        api_id -> Text,
        organization -> Text,
        number -> Integer,
        description -> Text,
        details -> Text,
        definition_hash -> Nullable<Text>,
        artifact_hash -> Text,
        created_at -> BigInt,
        created_by -> Text,
    }
}

diesel::table! {
    revision_policies (revision_id, policy) {
        revision_id -> Text,
        policy -> Text,
        organization -> Text,
        api_id -> Text,
    }
}

diesel::table! {
    deployments (api_id, environment) {
        api_id -> Text,
        environment -> Text,
        organization -> Text,
        revision_id -> Text,
        vhost -> Text,
        display_on_devportal -> Bool,
        deployed_at -> BigInt,
    }
}

diesel::table! {
    lifecycle_events (id) {
        id -> Text,
        api_id -> Text,
        organization -> Text,
        previous_state -> Nullable<Text>,
        new_state -> Text,
        user_name -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    throttling_policies (id) {
        id -> Text,
        organization -> Text,
        kind -> Text,
        name -> Text,
        document -> Text,
        row_version -> BigInt,
    }
}

diesel::table! {
    applications (id) {
        id -> Text,
        organization -> Text,
        name -> Text,
        owner -> Text,
        throttling_policy -> Text,
        details -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        row_version -> BigInt,
    }
}

diesel::table! {
    key_mappings (id) {
        id -> Text,
        application_id -> Text,
        organization -> Text,
        key_type -> Text,
        key_manager -> Text,
        consumer_key -> Text,
        created_at -> BigInt,
        mode -> Text,
    }
}

diesel::table! {
    subscribers (organization, user_name) {
        organization -> Text,
        user_name -> Text,
        first_seen_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        organization -> Text,
        application_id -> Text,
        key_type -> Text,
        name -> Text,
        hash -> Text,
        user_name -> Text,
        restrictions -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Text,
        organization -> Text,
        api_id -> Text,
        application_id -> Text,
        throttling_policy -> Text,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::joinable!(revisions -> artifacts (artifact_hash));
diesel::joinable!(deployments -> revisions (revision_id));
diesel::joinable!(deployments -> apis (api_id));
diesel::joinable!(api_tags -> apis (api_id));
diesel::joinable!(subscriptions -> apis (api_id));
diesel::joinable!(subscriptions -> applications (application_id));
diesel::joinable!(key_mappings -> applications (application_id));

diesel::allow_tables_to_appear_in_same_query!(
    apis,
    api_scopes,
    api_search,
    api_tags,
    api_visible_roles,
    revision_policies,
    revisions,
    deployments,
    subscriptions,
    applications,
    key_mappings
);
