//! Public halves of the cluster's root keys, by which every node with a database checks node tokens.

use diesel::prelude::*;
use domain::Timestamp;

use crate::database::ApimConn;
use crate::error::StoreError;

diesel::table! {
    cluster_roots (id) {
        id -> Integer,
        public_key -> Text,
        created_at -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}

/// A root key's id and public half in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRow {
    pub id: u32,
    pub public_key: String,
}

/// What the database says to a root key that a traffic manager has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is known from now on, at the latest.
    Known,
    /// Another key has this id.
    Foreign,
    /// Tokens under it are refused.
    Retired,
}

/// Those that are not retired, by id.
pub fn list(conn: &mut ApimConn) -> Result<Vec<RootRow>, StoreError> {
    let rows: Vec<(i32, String)> = cluster_roots::table
        .filter(cluster_roots::retired_at.is_null())
        .select((cluster_roots::id, cluster_roots::public_key))
        .order(cluster_roots::id)
        .load(conn.db())?;
    rows.into_iter()
        .map(|(id, public_key)| {
            let id = u32::try_from(id).map_err(|error| StoreError::corrupt("root key id", error))?;
            Ok(RootRow { id, public_key })
        })
        .collect()
}

/// Makes the key known unless it is. A conflict means that another node did the same at the same moment.
pub fn ensure(conn: &mut ApimConn, row: &RootRow, now: Timestamp) -> Result<Standing, StoreError> {
    let id = signed(row.id)?;
    let stored: Option<(String, Option<i64>)> = cluster_roots::table
        .find(id)
        .select((cluster_roots::public_key, cluster_roots::retired_at))
        .first(conn.db())
        .optional()?;
    match stored {
        Some((public_key, _)) if public_key != row.public_key => Ok(Standing::Foreign),
        Some((_, Some(_))) => Ok(Standing::Retired),
        Some((_, None)) => Ok(Standing::Known),
        None => {
            diesel::insert_into(cluster_roots::table)
                .values((
                    cluster_roots::id.eq(id),
                    cluster_roots::public_key.eq(&row.public_key),
                    cluster_roots::created_at.eq(now.as_millis()),
                ))
                .execute(conn.db())?;
            Ok(Standing::Known)
        }
    }
}

/// Tokens under this key are refused from now on; says whether there was one.
pub fn retire(conn: &mut ApimConn, id: u32, now: Timestamp) -> Result<bool, StoreError> {
    let row = cluster_roots::table.find(signed(id)?).filter(cluster_roots::retired_at.is_null());
    Ok(diesel::update(row).set(cluster_roots::retired_at.eq(now.as_millis())).execute(conn.db())? > 0)
}

fn signed(id: u32) -> Result<i32, StoreError> {
    i32::try_from(id).map_err(|error| StoreError::corrupt("root key id", error))
}
