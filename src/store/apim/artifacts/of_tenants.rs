//! Artifacts that are deployed somewhere, of one tenant or of all.

use diesel::prelude::*;
use domain::ApiId;

use super::artifacts;
use crate::apim::apis::Page;
use crate::apim::schema::{apis, deployments, revisions};
use crate::apim::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

/// Documents that are read at a time, so that the sum of their sizes is looked at in between.
const DOCUMENTS_AT_A_TIME: usize = 20;

/// Which artifacts a list shows; empty shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub api_id: Option<ApiId>,
    pub environment: Option<String>,
    pub name: Option<String>,
    pub version: Option<String>,
}

/// A page of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Documents {
    /// The JSON texts as they were hashed, by hash, and how many there are in all.
    Read(Vec<String>, i64),
    /// Together they are larger than `bytes_max`.
    TooLarge,
}

/// One page of the documents, each once, however many environments load it. At most `rows_max` are counted.
pub fn list(
    conn: &mut ApimConn,
    tenants: &Tenants,
    filter: &Filter,
    page: Page,
    (rows_max, bytes_max): (u32, usize),
) -> Result<Documents, StoreError> {
    let hashes = hashes(conn, tenants, filter, rows_max)?;
    let total = i64::try_from(hashes.len()).unwrap_or(i64::MAX);
    let wanted: Vec<String> = hashes.into_iter().skip(page.offset as usize).take(page.limit as usize).collect();
    let (mut documents, mut bytes) = (Vec::with_capacity(wanted.len()), 0);
    for part in wanted.chunks(DOCUMENTS_AT_A_TIME) {
        let found: Vec<String> = artifacts::table
            .filter(artifacts::hash.eq_any(part))
            .order(artifacts::hash)
            .select(artifacts::body)
            .load(conn.db())?;
        bytes += found.iter().map(String::len).sum::<usize>();
        if bytes > bytes_max {
            return Ok(Documents::TooLarge);
        }
        documents.extend(found);
    }
    Ok(Documents::Read(documents, total))
}

fn hashes(conn: &mut ApimConn, tenants: &Tenants, filter: &Filter, rows_max: u32) -> Result<Vec<String>, StoreError> {
    let mut query = deployments::table.inner_join(revisions::table).inner_join(apis::table).into_boxed();
    if let Some(organization) = tenants.only() {
        query = query.filter(deployments::organization.eq(organization));
    }
    if let Some(id) = filter.api_id {
        query = query.filter(deployments::api_id.eq(id.to_string()));
    }
    if let Some(environment) = &filter.environment {
        query = query.filter(deployments::environment.eq(environment));
    }
    if let Some(name) = &filter.name {
        query = query.filter(apis::name.eq(name));
    }
    if let Some(version) = &filter.version {
        query = query.filter(apis::version.eq(version));
    }
    Ok(query
        .select(revisions::artifact_hash)
        .distinct()
        .order(revisions::artifact_hash)
        .limit(i64::from(rows_max))
        .load(conn.db())?)
}
