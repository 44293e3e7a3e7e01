//! One revision: look, delete, restore; and all deployments of an API.

use domain::api::Api;
use domain::oauth::Principal;
use domain::{Failure, error_code};
use store::apim::{apis, deployments, revisions};

use crate::ControlPlane;
use crate::apis::{not_found, parse_id, store_change};
use crate::deployments::{DeploymentView, of_api, of_revision};
use crate::revisions::{RevisionName, RevisionView, resolve, revision_not_found};

impl ControlPlane {
    /// # Errors
    /// 404 for the API or the revision.
    pub async fn get_revision(&self, caller: &Principal, api_id: &str, id: &str) -> Result<RevisionView, Failure> {
        let api_id = parse_id(api_id)?;
        let named = RevisionName::Id(id.parse().map_err(|_| revision_not_found(id))?);
        let (organization, now, fresh_for) = (caller.organization.clone(), self.now(), self.heartbeat_fresh_for());
        self.apim()
            .read(move |conn| {
                apis::find(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = resolve(conn, api_id, &named)?;
                Ok(RevisionView { deployments: of_revision(conn, &revision, now, fresh_for)?, revision })
            })
            .await
    }

    /// Deletes a revision that is deployed nowhere.
    ///
    /// # Errors
    /// 404 for the API or the revision; 400 while it is deployed.
    pub async fn delete_revision(&self, caller: &Principal, api_id: &str, id: &str) -> Result<(), Failure> {
        let api_id = parse_id(api_id)?;
        let named = RevisionName::Id(id.parse().map_err(|_| revision_not_found(id))?);
        let organization = caller.organization.clone();
        self.apim()
            .write(move |conn| {
                apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = resolve(conn, api_id, &named)?;
                let deployed = deployments::list(conn, api_id)?
                    .into_iter()
                    .find(|deployment| deployment.revision_id == revision.id);
                if let Some(deployment) = deployed {
                    return Err(Failure::refused(
                        error_code::BAD_REQUEST,
                        format!(
                            "revisionId: revision {} is deployed to '{}'; undeploy it first",
                            revision.number, deployment.environment
                        ),
                    ));
                }
                Ok(revisions::delete(conn, revision.id)?)
            })
            .await
    }

    /// Overwrites the working copy with what the revision froze.
    ///
    /// # Errors
    /// 404 for the API or the revision; 400 when the revision refers to what is gone, such as a business plan.
    pub async fn restore_revision(
        &self,
        caller: &Principal,
        api_id: &str,
        named: RevisionName,
    ) -> Result<Api, Failure> {
        let api_id = parse_id(api_id)?;
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        self.apim()
            .write(move |conn| {
                let stored = apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = resolve(conn, api_id, &named)?;
                let frozen = revisions::find_frozen(conn, api_id, revision.id)?;
                let (details, definition_hash) = frozen.ok_or_else(|| revision_not_found(revision.id))?;
                let api = Api {
                    details,
                    definition_hash,
                    updated_at: now,
                    updated_by: user.clone(),
                    row_version: stored.row_version + 1,
                    ..stored.clone()
                };
                store_change(conn, &stored, &api)?;
                Ok(api)
            })
            .await
    }

    /// Where the API is deployed.
    ///
    /// # Errors
    /// 404.
    pub async fn list_deployments(&self, caller: &Principal, api_id: &str) -> Result<Vec<DeploymentView>, Failure> {
        let api_id = parse_id(api_id)?;
        let (organization, now, fresh_for) = (caller.organization.clone(), self.now(), self.heartbeat_fresh_for());
        self.apim()
            .read(move |conn| {
                apis::find(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                of_api(conn, api_id, now, fresh_for)
            })
            .await
    }
}
