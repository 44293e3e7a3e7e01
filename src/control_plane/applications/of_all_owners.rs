//! Applications as administrators see them: those of every owner of the organization.

use domain::application::Application;
use domain::event::Event;
use domain::oauth::Principal;
use domain::{Failure, Organization, error_code};
use store::StoreError;
use store::apim::applications;
use store::shared::users;

use super::{gateway_view, not_found, parse_id};
use crate::{ControlPlane, Page};

/// `user` or `user@tenant` without the caller's tenant; `None` for a user of another one.
fn local_name<'a>(user: &'a str, organization: &Organization) -> Option<&'a str> {
    match user.rsplit_once('@') {
        Some((name, domain)) if domain == organization.as_str() => Some(name),
        Some(_) if !organization.is_super() => None,
        // Names of the super tenant's users may have the form of an e-mail address.
        _ => Some(user),
    }
}

impl ControlPlane {
    /// A page of the organization's applications by name, and how many there are in all.
    pub async fn list_applications_of_all(
        &self,
        caller: &Principal,
        owner: Option<String>,
        name: Option<String>,
        page: Page,
    ) -> Result<(Vec<Application>, i64), Failure> {
        let organization = caller.organization.clone();
        let owner = match owner {
            None => None,
            Some(owner) => match local_name(&owner, &organization) {
                Some(name) => Some(name.to_owned()),
                None => return Ok((Vec::new(), 0)),
            },
        };
        if [owner.as_deref(), name.as_deref()].into_iter().flatten().any(|text| text.contains('\0')) {
            return Ok((Vec::new(), 0));
        }
        self.apim()
            .read(move |conn| {
                Ok(applications::list_of_all_owners(conn, &organization, owner.as_deref(), name.as_deref(), page)?)
            })
            .await
    }

    /// Gives the application with its keys and subscriptions to another user of the organization.
    ///
    /// # Errors
    /// 404; 400 when there is no such user; 409 when the user has an application of that name.
    pub async fn change_application_owner(&self, caller: &Principal, id: &str, owner: &str) -> Result<(), Failure> {
        let id = parse_id(id)?;
        let (organization, now) = (caller.organization.clone(), self.now());
        let unknown = || Failure::invalid("owner", format!("there is no user '{owner}' in this tenant"));
        let owner_name = local_name(owner, &organization).filter(|name| !name.contains('\0')).ok_or_else(unknown)?;
        let owner_name = owner_name.to_owned();
        let (tenant, wanted) = (organization.clone(), owner_name.clone());
        let found = self.shared().read(move |conn| users::find(conn, &tenant, &wanted)).await;
        found.map_err(Failure::from)?.ok_or_else(unknown)?;
        self.apim()
            .write(move |conn| {
                let stored = applications::lock(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                let application = Application {
                    owner: owner_name.clone(),
                    updated_at: now,
                    row_version: stored.row_version + 1,
                    ..stored
                };
                match applications::update(conn, &application, stored.row_version) {
                    Ok(_) => {}
                    Err(StoreError::Conflict { .. }) => {
                        let reason = format!("owner: '{owner_name}' has an application '{}' already", application.name);
                        return Err(Failure::refused(error_code::CONFLICT, reason));
                    }
                    Err(other) => return Err(other.into()),
                }
                conn.append(now, Event::ApplicationUpdated(gateway_view(&application)));
                Ok(())
            })
            .await
    }

    /// Deletes anybody's application of the organization, as its owner could.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_application_of_any(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let (application_id, organization) = (parse_id(id)?, caller.organization.clone());
        let application = self
            .apim()
            .read(move |conn| {
                applications::find(conn, &organization, application_id)?.ok_or_else(|| not_found(application_id))
            })
            .await?;
        let owner = Principal { username: application.owner, ..caller.clone() };
        self.delete_application(&owner, id).await
    }
}
