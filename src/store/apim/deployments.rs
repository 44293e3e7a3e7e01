//! Which revision is wished where.

use diesel::prelude::*;
use domain::revision::Deployment;
use domain::runtime::DeployedRevision;
use domain::{ApiId, Organization, Timestamp};

use super::schema::{deployments, revisions};
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable)]
#[diesel(table_name = deployments)]
struct DeploymentRow {
    api_id: String,
    environment: String,
    revision_id: String,
    vhost: String,
    display_on_devportal: bool,
    deployed_at: i64,
}

impl TryFrom<DeploymentRow> for Deployment {
    type Error = StoreError;

    fn try_from(row: DeploymentRow) -> Result<Self, StoreError> {
        Ok(Self {
            api_id: row.api_id.parse().map_err(|error| StoreError::corrupt("API id", error))?,
            revision_id: row.revision_id.parse().map_err(|error| StoreError::corrupt("revision id", error))?,
            environment: row.environment,
            vhost: row.vhost,
            display_on_devportal: row.display_on_devportal,
            deployed_at: Timestamp::from_millis(row.deployed_at),
        })
    }
}

/// Makes `deployment` the one of its API and environment.
pub fn put(conn: &mut ApimConn, organization: &Organization, deployment: &Deployment) -> Result<(), StoreError> {
    delete(conn, deployment.api_id, &deployment.environment)?;
    diesel::insert_into(deployments::table)
        .values((
            deployments::api_id.eq(deployment.api_id.to_string()),
            deployments::environment.eq(&deployment.environment),
            deployments::organization.eq(organization.as_str()),
            deployments::revision_id.eq(deployment.revision_id.to_string()),
            deployments::vhost.eq(&deployment.vhost),
            deployments::display_on_devportal.eq(deployment.display_on_devportal),
            deployments::deployed_at.eq(deployment.deployed_at.as_millis()),
        ))
        .execute(conn.db())?;
    Ok(())
}

/// Removes the deployment; says whether there was one.
pub fn delete(conn: &mut ApimConn, api_id: ApiId, environment: &str) -> Result<bool, StoreError> {
    let target = deployments::table
        .filter(deployments::api_id.eq(api_id.to_string()))
        .filter(deployments::environment.eq(environment));
    Ok(diesel::delete(target).execute(conn.db())? > 0)
}

/// The API's deployments, by environment.
pub fn list(conn: &mut ApimConn, api_id: ApiId) -> Result<Vec<Deployment>, StoreError> {
    let rows: Vec<DeploymentRow> = deployments::table
        .filter(deployments::api_id.eq(api_id.to_string()))
        .order(deployments::environment)
        .select(DeploymentRow::as_select())
        .load(conn.db())?;
    rows.into_iter().map(Deployment::try_from).collect()
}

/// All deployments to any of `environments`, as gateways need them.
pub fn list_for_gateways(conn: &mut ApimConn, environments: &[String]) -> Result<Vec<DeployedRevision>, StoreError> {
    let rows: Vec<(String, String, String, String, String)> = deployments::table
        .inner_join(revisions::table)
        .filter(deployments::environment.eq_any(environments))
        .select((
            deployments::api_id,
            deployments::revision_id,
            deployments::environment,
            deployments::vhost,
            revisions::artifact_hash,
        ))
        .load(conn.db())?;
    rows.into_iter()
        .map(|(api_id, revision_id, environment, vhost, artifact_hash)| {
            Ok(DeployedRevision {
                api_id: api_id.parse().map_err(|error| StoreError::corrupt("API id", error))?,
                revision_id: revision_id.parse().map_err(|error| StoreError::corrupt("revision id", error))?,
                environment,
                vhost,
                artifact_hash,
            })
        })
        .collect()
}
