//! `DELETE /apis/{apiId}`.

use domain::event::Event;
use domain::oauth::Principal;
use domain::{Failure, error_code};
use store::StoreError;
use store::apim::{apis, deployments, subscriptions};

use super::{not_found, parse_id};
use crate::ControlPlane;

impl ControlPlane {
    /// Deletes the API with its revisions and takes it off the gateways.
    ///
    /// # Errors
    /// 404; 409 while it has subscriptions.
    pub async fn delete_api(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let id = parse_id(id)?;
        let (organization, now) = (caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                let api = apis::lock(conn, &organization, id)?.ok_or_else(|| not_found(id))?;
                if subscriptions::count_of_api(conn, id)? > 0 {
                    return Err(in_use(api.name.as_str()));
                }
                for deployment in deployments::list(conn, id)? {
                    conn.append(
                        now,
                        Event::ApiUndeployed {
                            organization: organization.clone(),
                            api_id: id,
                            environment: deployment.environment,
                        },
                    );
                }
                match apis::delete(conn, id) {
                    Ok(()) => {}
                    // Somebody subscribed between the count and the delete.
                    Err(StoreError::Conflict { .. }) => return Err(in_use(api.name.as_str())),
                    Err(other) => return Err(other.into()),
                }
                conn.append(now, Event::ApiDeleted { organization: organization.clone(), api_id: id });
                Ok(())
            })
            .await
    }
}

fn in_use(name: &str) -> Failure {
    Failure::refused(
        error_code::CONFLICT,
        format!("Cannot remove the API '{name}': active subscriptions exist; remove them first"),
    )
}
