//! APIs of one tenant or of all.

use diesel::prelude::*;
use domain::ApiId;
use domain::api::Api;

use super::{Page, Query, apis, load};
use crate::apim::schema::{deployments, revisions};
use crate::apim::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

/// Which APIs a list shows; empty shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub id: Option<ApiId>,
    /// The whole path: tenant, context and version.
    pub full_context: Option<String>,
    pub version: Option<String>,
    /// Those that are deployed there, with the details of the deployed revision in place of the working copy's.
    pub environment: Option<String>,
}

fn filtered<'a>(tenants: &'a Tenants, filter: &'a Filter) -> Query<'a> {
    let mut query = apis::table.into_boxed();
    if let Some(organization) = tenants.only() {
        query = query.filter(apis::organization.eq(organization));
    }
    if let Some(id) = filter.id {
        query = query.filter(apis::id.eq(id.to_string()));
    }
    if let Some(context) = &filter.full_context {
        query = query.filter(apis::full_context.eq(context));
    }
    if let Some(version) = &filter.version {
        query = query.filter(apis::version.eq(version));
    }
    if let Some(environment) = &filter.environment {
        let deployed = deployments::table.filter(deployments::environment.eq(environment)).select(deployments::api_id);
        query = query.filter(apis::id.eq_any(deployed));
    }
    query
}

/// One page of the APIs by id, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    tenants: &Tenants,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Api>, i64), StoreError> {
    let total = filtered(tenants, filter).count().get_result(conn.db())?;
    let query = filtered(tenants, filter).order(apis::id).offset(i64::from(page.offset)).limit(i64::from(page.limit));
    let mut found = load(conn, query)?;
    if let Some(environment) = &filter.environment {
        put_deployed_details(conn, &mut found, environment)?;
    }
    Ok((found, total))
}

fn put_deployed_details(conn: &mut ApimConn, found: &mut [Api], environment: &str) -> Result<(), StoreError> {
    let ids: Vec<String> = found.iter().map(|api| api.id.to_string()).collect();
    let rows: Vec<(String, String)> = deployments::table
        .inner_join(revisions::table)
        .filter(deployments::environment.eq(environment))
        .filter(deployments::api_id.eq_any(ids))
        .order(deployments::api_id)
        .select((deployments::api_id, revisions::details))
        .load(conn.db())?;
    for api in found {
        let id = api.id.to_string();
        // Both are read in one transaction, so each API has its row.
        let place = rows.binary_search_by(|(api_id, _)| api_id.cmp(&id));
        if let Some((_, details)) = place.ok().and_then(|place| rows.get(place)) {
            api.details = serde_json::from_str(details).map_err(|error| StoreError::corrupt("API details", error))?;
        }
    }
    Ok(())
}
