//! The application that every consumer starts with, so that an API can be tried without any preparation.

use domain::application::{Application, TokenType};
use domain::event::Event;
use domain::oauth::Principal;
use domain::throttling::ApplicationPolicy;
use domain::throttling::policy::UNLIMITED;
use domain::{ApplicationId, Failure, Timestamp};
use serde_json::Map;
use store::apim::{applications, policies, subscribers};
use store::{ApimConn, StoreError, TransactionError};

use crate::applications::gateway_view;
use crate::{ControlPlane, UnlimitedTier};

const NAME: &str = "DefaultApplication";

/// Why it was not made.
#[derive(Debug, thiserror::Error)]
enum NotMade {
    /// Another request of the same user was faster, or the user has an application of that name.
    #[error("it is there already")]
    Exists,
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Exists,
            other => Self::Store(other),
        }
    }
}

impl TransactionError for NotMade {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

impl ControlPlane {
    /// Makes the default application of a user who never had one. Having had one is remembered, so that a deleted one
    /// does not come back.
    pub(crate) async fn ensure_default_application(&self, caller: &Principal) -> Result<(), Failure> {
        let looker = caller.clone();
        let is_known = self
            .apim()
            .read(move |conn| Ok::<_, Failure>(subscribers::is_known(conn, &looker.organization, &looker.username)?))
            .await?;
        if is_known {
            return Ok(());
        }
        let (caller, now, unlimited) = (caller.clone(), self.now(), self.unlimited_tier());
        match self.apim().write(move |conn| make(conn, &caller, unlimited, now)).await {
            Ok(()) | Err(NotMade::Exists) => Ok(()),
            Err(NotMade::Store(error)) => Err(error.into()),
        }
    }
}

fn make(conn: &mut ApimConn, caller: &Principal, unlimited: UnlimitedTier, now: Timestamp) -> Result<(), NotMade> {
    let offered = policies::list::<ApplicationPolicy>(conn, Some(&caller.organization))?;
    let mut offered = offered.into_iter().map(|policy| policy.name).filter(|name| unlimited.offers(name)).peekable();
    let first = offered.peek().cloned();
    let Some(throttling_policy) = offered.find(|name| name == UNLIMITED).or(first) else { return Ok(()) };
    subscribers::insert(conn, &caller.organization, &caller.username, now)?;
    if applications::is_name_taken(conn, &caller.organization, &caller.username, NAME)? {
        return Ok(());
    }
    let application = Application {
        id: ApplicationId::random(),
        organization: caller.organization.clone(),
        name: NAME.to_owned(),
        owner: caller.username.clone(),
        throttling_policy,
        description: "This is the default application".to_owned(),
        token_type: TokenType::Jwt,
        groups: Vec::new(),
        attributes: Map::new(),
        visibility: "PRIVATE".to_owned(),
        created_at: now,
        updated_at: now,
        row_version: 1,
    };
    applications::insert(conn, &application)?;
    conn.append(now, Event::ApplicationUpdated(gateway_view(&application)));
    Ok(())
}
