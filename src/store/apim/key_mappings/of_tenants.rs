//! Key mappings of one tenant or of all.

use diesel::prelude::*;
use domain::application::KeyMapping;

use super::{KeyMappingRow, key_mappings};
use crate::apim::apis::Page;
use crate::apim::tenants::Tenants;
use crate::database::ApimConn;
use crate::error::StoreError;

/// Which mappings a list shows; empty shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub consumer_key: Option<String>,
    pub key_manager: Option<String>,
}

/// One page of the mappings by id, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    tenants: &Tenants,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<KeyMapping>, i64), StoreError> {
    let filtered = || {
        let mut query = key_mappings::table.into_boxed();
        if let Some(organization) = tenants.only() {
            query = query.filter(key_mappings::organization.eq(organization));
        }
        if let Some(consumer_key) = &filter.consumer_key {
            query = query.filter(key_mappings::consumer_key.eq(consumer_key));
        }
        if let Some(key_manager) = &filter.key_manager {
            query = query.filter(key_mappings::key_manager.eq(key_manager));
        }
        query
    };
    let total = filtered().count().get_result(conn.db())?;
    let rows: Vec<KeyMappingRow> = filtered()
        .order(key_mappings::id)
        .offset(i64::from(page.offset))
        .limit(i64::from(page.limit))
        .select(KeyMappingRow::as_select())
        .load(conn.db())?;
    Ok((rows.into_iter().map(KeyMapping::try_from).collect::<Result<_, _>>()?, total))
}
