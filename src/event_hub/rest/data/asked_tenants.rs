//! Whose data a call asks for.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::{Organization, tenant};
use http::problem::Problem;
use store::apim::tenants::Tenants;

use super::Caller;

/// Where a call names the tenant.
const HEADER: &str = "xWSO2Tenant";

/// The word for every tenant.
const ALL: &str = "ALL";

/// What the header says; nothing when it is absent or empty.
pub(super) struct AskedTenants(Option<Tenants>);

impl AskedTenants {
    /// The tenant of the header, else the caller's own.
    ///
    /// # Errors
    /// 403 when the caller may not see it.
    pub(super) fn or_own(self, caller: &Caller) -> Result<Tenants, Problem> {
        let own = Tenants::One(caller.organization());
        let Some(asked) = self.0 else { return Ok(own) };
        permitted(HEADER, caller, asked == own)?;
        Ok(asked)
    }

    /// As [`Self::or_own`], but without the header everything that the caller may see: for operations to which the
    /// contract gives no header.
    pub(super) fn or_all(self, caller: &Caller) -> Result<Tenants, Problem> {
        match self.0 {
            None if caller.sees_all_tenants() => Ok(Tenants::All),
            _ => self.or_own(caller),
        }
    }
}

/// The tenant with the domain in `field`, else the caller's own.
///
/// # Errors
/// 400 for a text that is no domain, 403 when the caller may not see it; both name the field.
pub(super) fn permitted_domain(
    field: &'static str,
    caller: &Caller,
    domain: Option<&str>,
) -> Result<Organization, Problem> {
    let Some(domain) = domain else { return Ok(caller.organization()) };
    let organization = parse(field, domain)?;
    permitted(field, caller, organization == caller.organization())?;
    Ok(organization)
}

/// Operators of the super tenant see everything, those of a tenant their own only; whether another tenant exists is not
/// told.
fn permitted(field: &str, caller: &Caller, is_own: bool) -> Result<(), Problem> {
    if is_own || caller.sees_all_tenants() {
        return Ok(());
    }
    Err(Problem::forbidden(format!("{field}: only operators of the super tenant see other tenants")))
}

fn parse(field: &'static str, domain: &str) -> Result<Organization, Problem> {
    tenant::parse_domain(field, domain).map_err(|error| Problem::invalid(field, error.rule))
}

impl FromRequest for AskedTenants {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let mut headers = request.headers().get_all(HEADER);
        let asked = match (headers.next(), headers.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(Problem::invalid(HEADER, "is sent twice")),
            (Some(header), None) => match header.to_str().map(str::trim) {
                Ok("") => Ok(None),
                Ok(ALL) => Ok(Some(Tenants::All)),
                Ok(domain) => parse(HEADER, domain).map(Tenants::One).map(Some),
                Err(_) => Err(Problem::invalid(HEADER, "is no text")),
            },
        };
        ready(asked.map(Self))
    }
}
