//! People: users with their password hashes and roles, and the tenants that they belong to.

mod roles;
mod schema;
pub mod tenants;
#[cfg(test)]
mod tests;

use diesel::prelude::*;
use domain::user::{User, role};
use domain::{Organization, Secret, Timestamp, UserId};

use self::schema::{user_roles, users};
use crate::database::SharedConn;
use crate::error::StoreError;

/// A user with what checks the password.
#[derive(Debug, Clone)]
pub struct StoredUser {
    pub user: User,
    /// Argon2id, PHC string.
    pub password_hash: Secret<String>,
}

/// The user with roles, by name without tenant.
pub fn find(
    conn: &mut SharedConn,
    organization: &Organization,
    username: &str,
) -> Result<Option<StoredUser>, StoreError> {
    let row: Option<(String, String)> = users::table
        .filter(users::organization.eq(organization.as_str()))
        .filter(users::user_name.eq(username))
        .select((users::id, users::password_hash))
        .first(conn.db())
        .optional()?;
    let Some((id, password_hash)) = row else { return Ok(None) };
    let roles = user_roles::table
        .filter(user_roles::user_id.eq(&id))
        .order(user_roles::role)
        .select(user_roles::role)
        .load(conn.db())?;
    let user = User {
        id: id.parse().map_err(|error| StoreError::corrupt("user id", error))?,
        organization: organization.clone(),
        username: username.to_owned(),
        roles,
    };
    Ok(Some(StoredUser { user, password_hash: Secret::new(password_hash) }))
}

/// Adds a user; roles that do not exist yet are made. A name that is taken is a [`StoreError::Conflict`].
pub fn insert(
    conn: &mut SharedConn,
    user: &User,
    password_hash: &Secret<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(user.id.to_string()),
            users::organization.eq(user.organization.as_str()),
            users::user_name.eq(&user.username),
            users::password_hash.eq(password_hash.expose()),
            users::created_at.eq(now.as_millis()),
            users::updated_at.eq(now.as_millis()),
        ))
        .execute(conn.db())?;
    grant(conn, user, now)
}

fn grant(conn: &mut SharedConn, user: &User, now: Timestamp) -> Result<(), StoreError> {
    for name in &user.roles {
        roles::ensure(conn, &user.organization, name, now)?;
        diesel::insert_into(user_roles::table)
            .values((
                user_roles::user_id.eq(user.id.to_string()),
                user_roles::organization.eq(user.organization.as_str()),
                user_roles::role.eq(name),
                user_roles::granted_at.eq(now.as_millis()),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

/// Replaces the password; says whether the user exists.
pub fn set_password(
    conn: &mut SharedConn,
    id: UserId,
    password_hash: &Secret<String>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = diesel::update(users::table.find(id.to_string()))
        .set((users::password_hash.eq(password_hash.expose()), users::updated_at.eq(now.as_millis())))
        .execute(conn.db())?;
    Ok(changed == 1)
}

/// What [`ensure_super_admin`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrap {
    Created,
    /// The user was there and was left as it is, password included.
    Existing,
}

/// Makes the super tenant with its built-in roles, and the administrator with all of them, unless they exist.
pub fn ensure_super_admin(
    conn: &mut SharedConn,
    username: &str,
    password_hash: &Secret<String>,
    now: Timestamp,
) -> Result<Bootstrap, StoreError> {
    let organization = Organization::super_tenant();
    tenants::ensure_super_tenant(conn, now)?;
    for name in role::BUILT_IN {
        roles::ensure(conn, &organization, name, now)?;
    }
    if find(conn, &organization, username)?.is_some() {
        return Ok(Bootstrap::Existing);
    }
    let user = User {
        id: UserId::random(),
        organization,
        username: username.to_owned(),
        roles: role::BUILT_IN.map(str::to_owned).to_vec(),
    };
    insert(conn, &user, password_hash, now)?;
    Ok(Bootstrap::Created)
}
