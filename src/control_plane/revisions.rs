//! Revisions: freezing the working copy.

use domain::api::Api;
use domain::oauth::Principal;
use domain::revision::{REVISIONS_PER_API_MAX, Revision};
use domain::{ApiId, Failure, RevisionId, Timestamp, error_code};
use store::ApimConn;
use store::apim::{apis, artifacts, revisions};

use crate::apis::{not_found, parse_id};
use crate::deployments::{DeploymentView, of_api};
use crate::{ControlPlane, artifact};

/// A revision and where it is deployed.
#[derive(Debug, Clone)]
pub struct RevisionView {
    pub revision: Revision,
    pub deployments: Vec<DeploymentView>,
}

/// Longest description of a revision, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1024;

pub(crate) fn revision_not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::REVISION_NOT_FOUND, format!("the API has no revision '{id}'"))
}

/// The revision that a request names by id or by number.
pub(crate) fn resolve(conn: &mut ApimConn, api_id: ApiId, named: &RevisionName) -> Result<Revision, Failure> {
    let found = match named {
        RevisionName::Id(id) => revisions::find(conn, api_id, *id)?,
        RevisionName::Number(number) => revisions::find_by_number(conn, api_id, *number)?,
    };
    found.ok_or_else(|| match named {
        RevisionName::Id(id) => revision_not_found(id),
        RevisionName::Number(number) => revision_not_found(number),
    })
}

/// How a request names a revision (`revisionId` or `revisionNumber`).
#[derive(Debug, Clone, Copy)]
pub enum RevisionName {
    Id(RevisionId),
    Number(i32),
}

impl RevisionName {
    /// From the two query parameters, of which one must be there.
    ///
    /// # Errors
    /// 400 when neither is given; 404 when one is no id or number, since then no such revision exists.
    pub fn from_parameters(id: Option<&str>, number: Option<&str>) -> Result<Self, Failure> {
        match (id, number) {
            (Some(id), _) => Ok(Self::Id(id.parse().map_err(|_| revision_not_found(id))?)),
            (None, Some(number)) => Ok(Self::Number(number.parse().map_err(|_| revision_not_found(number))?)),
            (None, None) => Err(Failure::invalid("revisionId", "name a revision by revisionId or revisionNumber")),
        }
    }
}

impl ControlPlane {
    /// Freezes the working copy.
    ///
    /// # Errors
    /// 404; 400 when the API already has as many revisions as it may.
    pub async fn create_revision(
        &self,
        caller: &Principal,
        api_id: &str,
        description: &str,
    ) -> Result<RevisionView, Failure> {
        let api_id = parse_id(api_id)?;
        if description.chars().count() > DESCRIPTION_CHARS_MAX {
            return Err(Failure::invalid("description", format!("has more than {DESCRIPTION_CHARS_MAX} characters")));
        }
        let (organization, user, now) = (caller.organization.clone(), caller.qualified_name(), self.now());
        let description = description.to_owned();
        self.apim()
            .write(move |conn| {
                let api = apis::lock(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let revision = freeze(conn, &api, &description, &user, now)?;
                Ok(RevisionView { revision, deployments: Vec::new() })
            })
            .await
    }

    /// The API's revisions, oldest first; only deployed or only undeployed ones when `deployed` says so.
    pub async fn list_revisions(
        &self,
        caller: &Principal,
        api_id: &str,
        deployed: Option<bool>,
    ) -> Result<Vec<RevisionView>, Failure> {
        let api_id = parse_id(api_id)?;
        let (organization, now, fresh_for) = (caller.organization.clone(), self.now(), self.heartbeat_fresh_for());
        self.apim()
            .read(move |conn| {
                apis::find(conn, &organization, api_id)?.ok_or_else(|| not_found(api_id))?;
                let stored = revisions::list(conn, api_id)?;
                let mut deployments = of_api(conn, api_id, now, fresh_for)?;
                let revisions = stored.into_iter().map(|revision| {
                    let own = deployments.extract_if(.., |view| view.deployment.revision_id == revision.id).collect();
                    RevisionView { revision, deployments: own }
                });
                Ok(revisions
                    .filter(|view| deployed.is_none_or(|deployed| deployed != view.deployments.is_empty()))
                    .collect())
            })
            .await
    }
}

/// Makes a revision of `api`, which the caller has locked.
pub(crate) fn freeze(
    conn: &mut ApimConn,
    api: &Api,
    description: &str,
    user: &str,
    now: Timestamp,
) -> Result<Revision, Failure> {
    if revisions::list(conn, api.id)?.len() >= REVISIONS_PER_API_MAX {
        return Err(Failure::refused(
            error_code::BAD_REQUEST,
            format!("the API has {REVISIONS_PER_API_MAX} revisions, the most it may have; delete one first"),
        ));
    }
    let id = RevisionId::random();
    let revision = Revision {
        id,
        api_id: api.id,
        organization: api.organization.clone(),
        number: apis::next_revision_number(conn, api.id)?,
        description: description.to_owned(),
        created_at: now,
        created_by: user.to_owned(),
        artifact_hash: artifacts::put(conn, &artifact::build(api, id), now)?,
    };
    revisions::insert(conn, &revision, &api.details, api.definition_hash.as_deref())?;
    Ok(revision)
}
