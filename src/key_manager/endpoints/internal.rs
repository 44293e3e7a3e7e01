//! What the key manager does for other nodes: the contracts `KeyManager`, `TenantKeys` and `PasswordChecker`.
//!
//! Handlers need the app data `web::Data<KeyManagerService>`.

use actix_web::HttpResponse;
use domain::contract::{KeyManager, KeyManagerError, TenantKeys, UserStoreError};
use domain::internal_api::key_manager::{BASE, CALL, CHECK_PASSWORD, Call, CallFailure, Checked, Credentials, Reply};
use domain::node::service;
use http::answer;
use http::guard::FromNode;
use http::json::JsonBody;
use http::node_service;
use http::problem::Problem;
use http::routes::Routes;
use telemetry::error_chain::ErrorChain;

use super::Service;
use crate::service::KeyManagerService;

node_service! {
    KeyManagerCalls = service::KEY_MANAGER;
    PasswordChecks = service::USER_STORE;
}

/// The operations for nodes.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(BASE).post(CALL, call).post(CHECK_PASSWORD, check_password)
}

async fn call(_: FromNode<KeyManagerCalls>, body: JsonBody<Call>, service: Service) -> Result<HttpResponse, Problem> {
    let reply = match dispatch(&service, body.0).await {
        Ok(reply) => reply,
        Err(KeyManagerError::Invalid { field, reason }) => {
            Reply::Failed(CallFailure::Invalid { field: field.into_owned(), reason })
        }
        Err(KeyManagerError::UnknownClient(id)) => Reply::Failed(CallFailure::UnknownClient(id)),
        Err(KeyManagerError::Busy) => Reply::Failed(CallFailure::Busy),
        Err(KeyManagerError::Unavailable(cause) | KeyManagerError::Failed(cause)) => {
            tracing::error!(error = %ErrorChain(cause.as_ref()), "a call from another node failed");
            Reply::Failed(CallFailure::Internal)
        }
    };
    Ok(answer::ok(reply))
}

async fn dispatch(service: &KeyManagerService, call: Call) -> Result<Reply, KeyManagerError> {
    Ok(match call {
        Call::RegisterClient(registration) => Reply::Client(service.register_client(registration).await?.into()),
        Call::FindClient { organization, client_id } => {
            Reply::MaybeClient(service.find_client(&organization, &client_id).await?.map(Into::into))
        }
        Call::DeleteClient { organization, client_id } => {
            service.delete_client(&organization, &client_id).await?;
            Reply::Done
        }
        Call::UpdateClient { organization, client_id, change } => {
            Reply::Client(service.update_client(&organization, &client_id, change).await?.into())
        }
        Call::IsClientSecret { organization, client_id, secret } => {
            Reply::Flag(service.is_client_secret(&organization, &client_id, &secret.into()).await?)
        }
        Call::ListSecrets { organization, client_id } => {
            let secrets = service.list_secrets(&organization, &client_id).await?;
            Reply::Secrets(secrets.into_iter().map(Into::into).collect())
        }
        Call::AddSecret { organization, client_id, lifetime_secs, properties } => {
            Reply::Secret(service.add_secret(&organization, &client_id, lifetime_secs, properties).await?.into())
        }
        Call::RevokeSecret { organization, client_id, secret_id } => {
            Reply::Flag(service.revoke_secret(&organization, &client_id, &secret_id).await?)
        }
        Call::RegenerateSecret { organization, client_id } => {
            Reply::Secret(service.regenerate_secret(&organization, &client_id).await?.into())
        }
        Call::ChangePassword { organization, username, current, new } => {
            service.change_password(&organization, &username, &current.into(), &new.into()).await?;
            Reply::Done
        }
        Call::IssueApplicationToken { organization, client_id, scopes, lifetime_secs } => {
            let token = service.issue_application_token(&organization, &client_id, &scopes, lifetime_secs).await?;
            Reply::Token(token.into())
        }
        Call::IssueInternalKey { organization, user, api_id } => {
            Reply::Key(service.issue_internal_key(&organization, &user, api_id).await?.into())
        }
        Call::EnsureTenantKeys { organization } => {
            service.signing.ensure_keys(&organization).await?;
            Reply::Done
        }
    })
}

async fn check_password(
    _: FromNode<PasswordChecks>,
    body: JsonBody<Credentials>,
    service: Service,
) -> Result<HttpResponse, Problem> {
    let Credentials { username, password } = body.0;
    match service.users.authenticate(&username, &password.into()).await {
        Ok(Some(user)) => Ok(answer::ok(Checked::User(user))),
        Ok(None) => Ok(answer::ok(Checked::Wrong)),
        Err(UserStoreError::Busy) => Ok(answer::ok(Checked::Busy)),
        Err(UserStoreError::Unavailable(cause)) => {
            tracing::error!(error = %ErrorChain(cause.as_ref()), "a password cannot be checked for another node");
            Err(Problem::busy(1))
        }
    }
}
