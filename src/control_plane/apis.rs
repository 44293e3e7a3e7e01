//! Working copies of APIs: create, read, change, delete.

pub(crate) mod check;
mod copy;
mod create;
mod definition;
mod delete;
mod list;
mod replace_definition;
mod taken;
mod update;

pub use copy::DefaultVersion;
pub use create::NewApi;
pub(crate) use create::{insert, working_copy};
pub use definition::{DefinitionReport, DefinitionSource, Uploaded};
pub(crate) use list::is_visible;
pub use list::{ApiFilter, ApiPage, ApiSort};
pub use taken::Taken;
pub use update::ApiChange;
pub(crate) use update::{check_expected, store as store_change};

use domain::api::Api;
use domain::event::Event;
use domain::oauth::Principal;
use domain::runtime::ApiMetadata;
use domain::{ApiId, Failure, Organization, Timestamp, error_code};
use store::ApimConn;
use store::apim::apis;

use crate::ControlPlane;

/// 404 in WSO2's words.
pub(crate) fn not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::API_NOT_FOUND, format!("there is no API with the id '{id}'"))
}

/// An id from a URL: what is no UUID cannot exist.
pub(crate) fn parse_id(text: &str) -> Result<ApiId, Failure> {
    text.parse().map_err(|_| not_found(text))
}

pub(crate) fn metadata(api: &Api) -> ApiMetadata {
    ApiMetadata {
        api_id: api.id,
        organization: api.organization.clone(),
        name: api.name.as_str().to_owned(),
        version: api.version.as_str().to_owned(),
        context: api.full_context(),
        state: api.state,
        is_default_version: api.takes_default(),
    }
}

/// One transaction at a time, of all nodes, makes APIs of the organization or chooses default versions: the rules on names,
/// contexts and the one default span several rows. Taken before an API is locked, so that nobody who holds a row waits.
pub(crate) fn take_turn(conn: &mut ApimConn, organization: &Organization) -> Result<(), Failure> {
    Ok(conn.take_turn(&format!("APIs of {organization}"))?)
}

/// Takes the default flag from all other versions of the API.
pub(crate) fn clear_other_defaults(conn: &mut ApimConn, api: &Api, now: Timestamp) -> Result<(), Failure> {
    take_turn(conn, &api.organization)?;
    for other in apis::list_by_name(conn, &api.organization, api.name.as_str())? {
        if other.id == api.id || !other.is_default_version {
            continue;
        }
        // Read again under its lock: a change of it that ends meanwhile must not be lost, nor cost the flag's change.
        let Some(mut other) = apis::lock(conn, &api.organization, other.id)? else { continue };
        if !other.is_default_version {
            continue;
        }
        let expected = other.row_version;
        other.is_default_version = false;
        other.row_version += 1;
        apis::update(conn, &other, expected)?;
        conn.append(now, Event::ApiUpdated(metadata(&other)));
    }
    Ok(())
}

impl ControlPlane {
    /// The working copy.
    ///
    /// # Errors
    /// 404 when the caller's organization has no such API.
    pub async fn get_api(&self, caller: &Principal, id: &str) -> Result<Api, Failure> {
        let (id, organization) = (parse_id(id)?, caller.organization.clone());
        self.apim().read(move |conn| apis::find(conn, &organization, id)?.ok_or_else(|| not_found(id))).await
    }
}
