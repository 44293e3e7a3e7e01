//! A tenant's configuration: a document that its administrators keep.

use domain::event::Event;
use domain::oauth::Principal;
use domain::tenant::{TenantConfig, TenantConfigError, TenantSettings};
use domain::{Failure, error_code};
use serde_json::{Map, Value};
use store::apim::tenant_configs;

use crate::ControlPlane;

impl ControlPlane {
    /// The caller's tenant's configuration; the standard one when none was handed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_tenant_config(&self, caller: &Principal) -> Result<TenantConfig, Failure> {
        let organization = caller.organization.clone();
        let found = self.apim().read(move |conn| Ok::<_, Failure>(tenant_configs::find(conn, &organization)?)).await?;
        Ok(found.unwrap_or_else(TenantConfig::standard))
    }

    /// Replaces the configuration of the caller's tenant; gateways hear of what they need of it.
    ///
    /// # Errors
    /// 400 naming the member; 413.
    pub async fn update_tenant_config(
        &self,
        caller: &Principal,
        document: Map<String, Value>,
    ) -> Result<TenantConfig, Failure> {
        let config = TenantConfig::parse(document).map_err(refused)?;
        let (organization, now) = (caller.organization.clone(), self.now());
        self.apim()
            .write(move |conn| {
                tenant_configs::put(conn, &organization, &config)?;
                let settings = TenantSettings { organization: organization.clone(), time_zone: config.time_zone() };
                conn.append(now, Event::TenantSettingsUpdated(settings));
                Ok(config.clone())
            })
            .await
    }
}

fn refused(error: TenantConfigError) -> Failure {
    match error {
        TenantConfigError::TimeZone => Failure::invalid(error.field(), error),
        TenantConfigError::TooLong => {
            Failure::refused(error_code::PAYLOAD_TOO_LARGE, format!("{}: {error}", error.field()))
        }
    }
}
