//! Frozen copies of APIs.

use diesel::prelude::*;
use domain::api::ApiDetails;
use domain::revision::Revision;
use domain::throttling::policy::UNLIMITED;
use domain::{ApiId, Organization, RevisionId, Timestamp};

use super::schema::{revision_policies, revisions};
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable)]
#[diesel(table_name = revisions)]
struct RevisionRow {
    id: String,
    api_id: String,
    organization: String,
    number: i32,
    description: String,
    created_at: i64,
    created_by: String,
    artifact_hash: String,
}

impl TryFrom<RevisionRow> for Revision {
    type Error = StoreError;

    fn try_from(row: RevisionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("revision id", error))?,
            api_id: row.api_id.parse().map_err(|error| StoreError::corrupt("API id", error))?,
            organization: Organization::from_trusted(row.organization),
            number: row.number,
            description: row.description,
            created_at: Timestamp::from_millis(row.created_at),
            created_by: row.created_by,
            artifact_hash: row.artifact_hash,
        })
    }
}

/// Stores the revision with the details and the definition that it freezes.
pub fn insert(
    conn: &mut ApimConn,
    revision: &Revision,
    details: &ApiDetails,
    definition_hash: Option<&str>,
) -> Result<(), StoreError> {
    let document = serde_json::to_string(details).map_err(|error| StoreError::corrupt("API details", error))?;
    diesel::insert_into(revisions::table)
        .values((
            revisions::id.eq(revision.id.to_string()),
            revisions::api_id.eq(revision.api_id.to_string()),
            revisions::organization.eq(revision.organization.as_str()),
            revisions::number.eq(revision.number),
            revisions::description.eq(&revision.description),
            revisions::details.eq(document),
            revisions::definition_hash.eq(definition_hash),
            revisions::artifact_hash.eq(&revision.artifact_hash),
            revisions::created_at.eq(revision.created_at.as_millis()),
            revisions::created_by.eq(&revision.created_by),
        ))
        .execute(conn.db())?;
    insert_policies(conn, revision, details)
}

/// Remembers which advanced policies the revision uses; the built-in one needs no protection.
fn insert_policies(conn: &mut ApimConn, revision: &Revision, details: &ApiDetails) -> Result<(), StoreError> {
    for name in details.advanced_policies().into_iter().filter(|name| *name != UNLIMITED) {
        diesel::insert_into(revision_policies::table)
            .values((
                revision_policies::revision_id.eq(revision.id.to_string()),
                revision_policies::policy.eq(name),
                revision_policies::organization.eq(revision.organization.as_str()),
                revision_policies::api_id.eq(revision.api_id.to_string()),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

/// The API's revisions, oldest first.
pub fn list(conn: &mut ApimConn, api_id: ApiId) -> Result<Vec<Revision>, StoreError> {
    let rows: Vec<RevisionRow> = revisions::table
        .filter(revisions::api_id.eq(api_id.to_string()))
        .order(revisions::number)
        .select(RevisionRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(Revision::try_from).collect()
}

pub fn find(conn: &mut ApimConn, api_id: ApiId, id: RevisionId) -> Result<Option<Revision>, StoreError> {
    revisions::table
        .filter(revisions::id.eq(id.to_string()))
        .filter(revisions::api_id.eq(api_id.to_string()))
        .select(RevisionRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Revision::try_from)
        .transpose()
}

pub fn find_by_number(conn: &mut ApimConn, api_id: ApiId, number: i32) -> Result<Option<Revision>, StoreError> {
    revisions::table
        .filter(revisions::api_id.eq(api_id.to_string()))
        .filter(revisions::number.eq(number))
        .select(RevisionRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Revision::try_from)
        .transpose()
}

/// What a revision froze: the details and the definition's hash.
pub fn find_frozen(
    conn: &mut ApimConn,
    api_id: ApiId,
    id: RevisionId,
) -> Result<Option<(ApiDetails, Option<String>)>, StoreError> {
    let row: Option<(String, Option<String>)> = revisions::table
        .filter(revisions::id.eq(id.to_string()))
        .filter(revisions::api_id.eq(api_id.to_string()))
        .select((revisions::details, revisions::definition_hash))
        .first(conn.db())
        .optional()?;
    let Some((details, definition_hash)) = row else { return Ok(None) };
    let details = serde_json::from_str(&details).map_err(|error| StoreError::corrupt("API details", error))?;
    Ok(Some((details, definition_hash)))
}

/// Deletes the revision, which must not be deployed. Its artifact stays: gateways that lag behind may still ask for it.
pub fn delete(conn: &mut ApimConn, id: RevisionId) -> Result<(), StoreError> {
    diesel::delete(revisions::table.find(id.to_string())).execute(conn.db())?;
    Ok(())
}
