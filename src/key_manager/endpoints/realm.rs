//! The tenant that a path names: `/t/<tenant>/oauth2/..`; without one, `/oauth2/..` serves every tenant's clients.

use std::borrow::Cow;

use actix_web::HttpRequest;
use domain::oauth::Client;
use domain::{Organization, tenant};

use crate::error::OAuthError;
use crate::service::KeyManagerService;

/// The path's tenant, if it names one.
pub(crate) struct Realm(Option<Organization>);

impl Realm {
    /// 404 for a tenant that does not exist or is not active.
    pub(crate) async fn of(service: &KeyManagerService, request: &HttpRequest) -> Result<Self, OAuthError> {
        let Some(domain) = request.match_info().get("tenant") else { return Ok(Self(None)) };
        let organization = tenant::parse_domain("tenant", domain).map_err(|_| OAuthError::UnknownTenant)?;
        if !service.users.has_tenant(&organization).await? {
            return Err(OAuthError::UnknownTenant);
        }
        Ok(Self(Some(organization)))
    }

    /// The tenant whose documents the path shows.
    pub(crate) fn organization(&self) -> Organization {
        self.0.clone().unwrap_or_else(Organization::super_tenant)
    }

    /// Whether tokens and users of `organization` belong here.
    pub(crate) fn permits(&self, organization: &Organization) -> bool {
        self.0.as_ref().is_none_or(|own| own == organization)
    }

    /// Whether the client may ask here: it is of the tenant, or serves users of all tenants.
    pub(crate) fn permits_client(&self, client: &Client) -> bool {
        self.permits(&client.organization) || serves_every_tenant(client)
    }

    /// The user's name with the path's tenant, which need not be said again.
    pub(crate) fn login<'a>(&self, login: &'a str) -> Cow<'a, str> {
        match &self.0 {
            Some(own) if login.rsplit_once('@').is_none_or(|(_, domain)| domain != own.as_str()) => {
                Cow::Owned(format!("{login}@{own}"))
            }
            _ => Cow::Borrowed(login),
        }
    }
}

/// Whether users of all tenants may sign in through the client: a tool or portal that the super tenant registered.
pub(crate) fn serves_every_tenant(client: &Client) -> bool {
    client.is_saas_app && client.organization.is_super()
}
