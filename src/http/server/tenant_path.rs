//! Calls of the REST APIs under `/t/<tenant>`: the same operations, for people and data of that tenant only.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use domain::{Organization, tenant};

use crate::guard::PathTenant;

/// What a tenant may stand before; the token service has its tenants' forms itself.
const REST_APIS: &str = "/api/am/";

/// Takes the tenant off the path, for the guards to look at.
pub(super) async fn strip<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if let Some((organization, uri)) = split(request.uri()) {
        request.extensions_mut().insert(PathTenant(organization));
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    next.call(request).await
}

/// The tenant, and the address without it.
fn split(uri: &Uri) -> Option<(Organization, Uri)> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(tenant::PATH_PREFIX)?;
    let (domain, path) = rest.split_at(rest.find('/')?);
    if !path.starts_with(REST_APIS) {
        return None;
    }
    let organization = tenant::parse_domain("tenant", domain).ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Some((organization, Uri::from_parts(parts).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Option<(String, String)> {
        split(&uri.parse().unwrap()).map(|(organization, uri)| (organization.to_string(), uri.to_string()))
    }

    #[test]
    fn the_tenant_is_taken_off_and_the_query_stays() {
        let expected = Some(("a.example".to_owned(), "/api/am/publisher/v4/apis?limit=1".to_owned()));
        assert_eq!(of("/t/a.example/api/am/publisher/v4/apis?limit=1"), expected);
        let absolute = of("https://host:1/t/a.example/api/am/x").unwrap();
        assert_eq!(absolute.1, "https://host:1/api/am/x");
    }

    #[test]
    fn other_paths_stay_as_they_are() {
        for uri in [
            "/api/am/x",
            "/t/a.example/oauth2/token",
            "/t/A/api/am/x",
            "/t//api/am/x",
            "/t/a.example/t/b.example/api/am/x",
            "/t/a",
        ] {
            assert_eq!(of(uri), None, "{uri}");
        }
    }
}
