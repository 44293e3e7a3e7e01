//! Tags of APIs and how many APIs carry each.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use domain::Organization;
use serde::Deserialize;

use super::apis::{Filter, filtered};
use super::schema::apis;
use crate::database::ApimConn;
use crate::error::StoreError;

/// The part of an API's document that says its tags.
#[derive(Deserialize)]
struct Details {
    other: Other,
}

#[derive(Deserialize)]
struct Other {
    /// As it came: what is no list of texts holds no tag.
    tags: Option<serde_json::Value>,
}

/// Number of APIs by tag, of those that `filter` lets through.
pub fn count(
    conn: &mut ApimConn,
    organization: &Organization,
    filter: &Filter,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let documents: Vec<String> = filtered(organization, filter).select(apis::details).load(conn.db())?;
    let mut counts = BTreeMap::new();
    for document in documents {
        let details: Details =
            serde_json::from_str(&document).map_err(|error| StoreError::corrupt("API details", error))?;
        let tags = details.other.tags.as_ref().and_then(serde_json::Value::as_array).into_iter().flatten();
        let distinct: BTreeSet<&str> = tags.filter_map(serde_json::Value::as_str).collect();
        for tag in distinct {
            *counts.entry(tag.to_owned()).or_insert(0) += 1;
        }
    }
    Ok(counts)
}
