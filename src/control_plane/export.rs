//! What an archive of an API holds.

use domain::api::Api;
use domain::oauth::Principal;
use domain::revision::Deployment;
use domain::{Failure, error_code};
use store::ApimConn;
use store::apim::{apis, deployments, revisions};

use crate::ControlPlane;
use crate::apis::{not_found, parse_id};
use crate::revisions::{RevisionName, resolve, revision_not_found};

/// Which API is exported.
#[derive(Debug, Clone)]
pub enum ExportName {
    Id(String),
    /// The provider is compared when it is named.
    Named {
        name: String,
        version: String,
        provider: Option<String>,
    },
}

/// Which copy of it.
#[derive(Debug, Clone, Copy)]
pub enum ExportedCopy {
    /// The working copy, with all deployments of the API.
    Working,
    Revision(RevisionName),
    LatestRevision,
}

/// An API as an archive carries it.
#[derive(Debug, Clone)]
pub struct ExportedApi {
    /// As the copy froze it.
    pub api: Api,
    /// The uploaded document byte for byte, else the one that is made from the working copy.
    pub definition: Vec<u8>,
    pub deployments: Vec<Deployment>,
}

impl ControlPlane {
    /// # Errors
    /// 404 for the API or the revision.
    pub async fn export_api(
        &self,
        caller: &Principal,
        name: ExportName,
        copy: ExportedCopy,
    ) -> Result<ExportedApi, Failure> {
        let organization = caller.organization.clone();
        let (api, deployments) = self
            .apim()
            .read(move |conn| {
                let api = match &name {
                    ExportName::Id(id) => {
                        let id = parse_id(id)?;
                        apis::find(conn, &organization, id)?.ok_or_else(|| not_found(id))?
                    }
                    ExportName::Named { name, version, provider } => apis::list_by_name(conn, &organization, name)?
                        .into_iter()
                        .find(|api| api.version.as_str() == version && is_provider(api, provider.as_deref()))
                        .ok_or_else(|| {
                            Failure::refused(
                                error_code::API_NOT_FOUND,
                                format!("there is no API '{name}' in version '{version}' of that provider"),
                            )
                        })?,
                };
                copied(conn, api, copy)
            })
            .await?;
        let definition = match self.uploaded_definition(&api).await? {
            Some(content) => content.body,
            None => serde_json::to_vec_pretty(&self.publisher_definition(&api).await?).map_err(Failure::internal)?,
        };
        Ok(ExportedApi { api, definition, deployments })
    }
}

/// `admin` and `admin@carbon.super` are the same user.
fn is_provider(api: &Api, wished: Option<&str>) -> bool {
    let bare = |name: &str| name.strip_suffix("@carbon.super").unwrap_or(name).to_owned();
    wished.is_none_or(|wished| bare(&wished.replace("-AT-", "@")) == bare(&api.provider))
}

fn copied(conn: &mut ApimConn, mut api: Api, copy: ExportedCopy) -> Result<(Api, Vec<Deployment>), Failure> {
    let mut deployments = deployments::list(conn, api.id)?;
    let revision = match copy {
        ExportedCopy::Working => return Ok((api, deployments)),
        ExportedCopy::Revision(named) => resolve(conn, api.id, &named)?,
        ExportedCopy::LatestRevision => {
            revisions::list(conn, api.id)?.pop().ok_or_else(|| revision_not_found("latest"))?
        }
    };
    let frozen = revisions::find_frozen(conn, api.id, revision.id)?;
    (api.details, api.definition_hash) = frozen.ok_or_else(|| revision_not_found(revision.id))?;
    deployments.retain(|deployment| deployment.revision_id == revision.id);
    Ok((api, deployments))
}
