//! Tables of `apim_db` that belong to the token service.

diesel::table! {
    oauth_clients (id) {
        id -> Text,
        organization -> Text,
        name -> Text,
        owner -> Text,
        grant_types -> Text,
        callback_url -> Text,
        is_saas_app -> Bool,
        application_token_lifetime_secs -> Nullable<BigInt>,
        user_token_lifetime_secs -> Nullable<BigInt>,
        refresh_token_lifetime_secs -> Nullable<BigInt>,
        is_portal_application -> Bool,
        additional_properties -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    oauth_client_secrets (id) {
        id -> Text,
        organization -> Text,
        client_id -> Text,
        secret_hash -> Text,
        sealed_secret -> Nullable<Text>,
        created_at -> BigInt,
        properties -> Text,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    oauth_refresh_tokens (token_hash) {
        token_hash -> Text,
        organization -> Text,
        family_id -> Text,
        client_id -> Text,
        user_name -> Text,
        scopes -> Text,
        is_rotated -> Bool,
        access_token_id -> Text,
        access_expires_at -> BigInt,
        issued_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    oauth_revocations (id) {
        id -> Text,
        organization -> Text,
        kind -> Text,
        subject -> Text,
        issued_before -> Nullable<BigInt>,
        revoked_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    oauth_signing_keys (kid) {
        kid -> Text,
        organization -> Text,
        algorithm -> Text,
        public_jwk -> Text,
        sealed_private_key -> Text,
        use_from -> BigInt,
        retire_at -> Nullable<BigInt>,
        created_at -> BigInt,
        covers_until -> BigInt,
    }
}

diesel::table! {
    oauth_issuers (organization, name) {
        organization -> Text,
        name -> Text,
        issuer -> Text,
        is_enabled -> Bool,
        updated_at -> BigInt,
    }
}
