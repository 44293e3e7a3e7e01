//! `POST /apis` and `POST /apis/import-openapi`.

use domain::api::{Api, ApiDetails};
use domain::event::Event;
use domain::lifecycle::LifecycleState;
use domain::name::{ApiContext, ApiName, ApiVersion};
use domain::oauth::Principal;
use domain::{ApiId, Failure, Timestamp};
use store::apim::{apis, lifecycle_events};
use store::shared::registry;
use store::{ApimConn, StoreError};

use super::definition::Uploaded;
use super::{check, clear_other_defaults, metadata, take_turn};
use crate::ControlPlane;

/// What a creator hands in.
#[derive(Debug, Clone)]
pub struct NewApi {
    pub name: ApiName,
    pub version: ApiVersion,
    pub context: ApiContext,
    pub is_default_version: bool,
    pub details: ApiDetails,
}

impl ControlPlane {
    /// Makes an API in state CREATED; with a definition, its document is kept byte for byte in the registry.
    ///
    /// # Errors
    /// 400 naming the field; 409 when name and version or the context are taken.
    pub async fn create_api(
        &self,
        caller: &Principal,
        new: NewApi,
        definition: Option<Uploaded>,
    ) -> Result<Api, Failure> {
        check::details(&new.details)?;
        self.unlimited_tier().check_plans(&new.details)?;
        let now = self.now();
        let definition_hash = match definition {
            Some(uploaded) => {
                let media_type = uploaded.media_type();
                let bytes = uploaded.bytes;
                Some(registry::put(self.shared(), &caller.organization, media_type, bytes, now).await?)
            }
            None => None,
        };
        let api = working_copy(caller, new, definition_hash, now)?;
        self.apim().write(move |conn| insert(conn, &api).map(|()| api.clone())).await
    }
}

/// The first working copy of what `caller` hands in.
pub(crate) fn working_copy(
    caller: &Principal,
    new: NewApi,
    definition_hash: Option<String>,
    now: Timestamp,
) -> Result<Api, Failure> {
    let user = caller.qualified_name();
    Ok(Api {
        id: ApiId::random(),
        organization: caller.organization.clone(),
        name: new.name,
        version: new.version,
        context: new.context.within(&caller.organization)?,
        provider: user.clone(),
        state: LifecycleState::Created,
        is_default_version: new.is_default_version,
        definition_hash,
        details: new.details,
        created_at: now,
        created_by: user.clone(),
        updated_at: now,
        updated_by: user,
        row_version: 1,
    })
}

/// Writes a new API with its history and events, after checking what needs the database.
pub(crate) fn insert(conn: &mut ApimConn, api: &Api) -> Result<(), Failure> {
    take_turn(conn, &api.organization)?;
    check::is_free(conn, &api.organization, api)?;
    check::references(conn, api)?;
    match apis::insert(conn, api) {
        Ok(()) => {}
        Err(StoreError::Conflict { constraint }) => return Err(check::taken_meanwhile(api, &constraint)),
        Err(other) => return Err(other.into()),
    }
    if api.takes_default() {
        clear_other_defaults(conn, api, api.created_at)?;
    }
    lifecycle_events::insert(
        conn,
        &lifecycle_events::LifecycleEvent {
            api_id: api.id,
            organization: api.organization.clone(),
            previous: None,
            new: api.state,
            user: api.created_by.clone(),
            at: api.created_at,
        },
    )?;
    conn.append(api.created_at, Event::ApiUpdated(metadata(api)));
    Ok(())
}
