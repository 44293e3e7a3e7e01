//! `PUT /apis/{apiId}`.

use domain::Failure;
use domain::api::{Api, ApiDetails};
use domain::error_code;
use domain::event::Event;
use domain::oauth::Principal;
use store::ApimConn;
use store::apim::apis;

use super::{check, clear_other_defaults, metadata, not_found, parse_id, take_turn};
use crate::ControlPlane;

/// A changed working copy. Name, version, context and provider of an API never change.
#[derive(Debug, Clone)]
pub struct ApiChange {
    pub is_default_version: bool,
    pub details: ApiDetails,
}

impl ControlPlane {
    /// Replaces the working copy's details. With `expected` (from `If-Match`) only if the stored row version is one of
    /// those;
    /// without, the last acknowledged write wins.
    ///
    /// # Errors
    /// 404; 412 when `expected` is stale; 400 naming the field.
    pub async fn update_api(
        &self,
        caller: &Principal,
        id: &str,
        expected: Option<Vec<i64>>,
        change: ApiChange,
    ) -> Result<Api, Failure> {
        check::details(&change.details)?;
        let id = parse_id(id)?;
        let unlimited = self.unlimited_tier();
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        self.apim()
            .write(move |conn| {
                if change.is_default_version {
                    take_turn(conn, &organization)?;
                }
                let stored = apis::lock(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                check_expected(expected.as_deref(), stored.row_version)?;
                unlimited.check_change(&stored.details, &change.details)?;
                let api = Api {
                    is_default_version: change.is_default_version,
                    details: change.details.clone(),
                    updated_at: now,
                    updated_by: user.clone(),
                    row_version: stored.row_version + 1,
                    ..stored.clone()
                };
                store(conn, &stored, &api)?;
                Ok(api)
            })
            .await
    }
}

/// `If-Match` against the stored row version.
pub(crate) fn check_expected(expected: Option<&[i64]>, stored: i64) -> Result<(), Failure> {
    match expected {
        Some(expected) if !expected.contains(&stored) => Err(Failure::refused(
            error_code::PRECONDITION_FAILED,
            "If-Match: the resource was changed since it was read; read it again and repeat the change",
        )),
        _ => Ok(()),
    }
}

/// Writes a changed working copy with its events.
pub(crate) fn store(conn: &mut ApimConn, stored: &Api, api: &Api) -> Result<(), Failure> {
    check::references(conn, api)?;
    apis::update(conn, api, stored.row_version)?;
    if api.is_default_version != stored.is_default_version {
        if api.takes_default() {
            clear_other_defaults(conn, api, api.updated_at)?;
        }
        conn.append(api.updated_at, Event::ApiUpdated(metadata(api)));
    }
    Ok(())
}
