//! OAuth clients.

use diesel::prelude::*;
use domain::oauth::Client;
use domain::{Organization, Timestamp};

use super::schema::oauth_clients;
use crate::database::ApimConn;
use crate::error::StoreError;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = oauth_clients, treat_none_as_null = true)]
struct ClientRow {
    id: String,
    organization: String,
    name: String,
    owner: String,
    grant_types: String,
    callback_url: String,
    is_saas_app: bool,
    application_token_lifetime_secs: Option<i64>,
    user_token_lifetime_secs: Option<i64>,
    refresh_token_lifetime_secs: Option<i64>,
    is_portal_application: bool,
    additional_properties: String,
    created_at: i64,
}

impl TryFrom<&Client> for ClientRow {
    type Error = StoreError;

    fn try_from(client: &Client) -> Result<Self, StoreError> {
        let to_json = |error| StoreError::corrupt("OAuth client", error);
        Ok(Self {
            id: client.id.clone(),
            organization: client.organization.to_string(),
            name: client.name.clone(),
            owner: client.owner.clone(),
            grant_types: serde_json::to_string(&client.grant_types).map_err(to_json)?,
            callback_url: client.callback_url.clone(),
            is_saas_app: client.is_saas_app,
            application_token_lifetime_secs: client.application_token_lifetime_secs,
            user_token_lifetime_secs: client.user_token_lifetime_secs,
            refresh_token_lifetime_secs: client.refresh_token_lifetime_secs,
            is_portal_application: client.is_portal_application,
            additional_properties: serde_json::to_string(&client.additional_properties).map_err(to_json)?,
            created_at: client.created_at.as_millis(),
        })
    }
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let from_json = |error| StoreError::corrupt("OAuth client", error);
        Ok(Self {
            id: row.id,
            organization: Organization::from_trusted(row.organization),
            name: row.name,
            owner: row.owner,
            grant_types: serde_json::from_str(&row.grant_types).map_err(from_json)?,
            callback_url: row.callback_url,
            is_saas_app: row.is_saas_app,
            application_token_lifetime_secs: row.application_token_lifetime_secs,
            user_token_lifetime_secs: row.user_token_lifetime_secs,
            refresh_token_lifetime_secs: row.refresh_token_lifetime_secs,
            is_portal_application: row.is_portal_application,
            additional_properties: serde_json::from_str(&row.additional_properties).map_err(from_json)?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

/// A name that the owner already uses is a [`StoreError::Conflict`].
pub fn insert(conn: &mut ApimConn, client: &Client) -> Result<(), StoreError> {
    diesel::insert_into(oauth_clients::table).values(ClientRow::try_from(client)?).execute(conn.db())?;
    Ok(())
}

/// Stores the client's new state; says whether it exists.
pub fn update(conn: &mut ApimConn, client: &Client) -> Result<bool, StoreError> {
    let row = ClientRow::try_from(client)?;
    Ok(diesel::update(oauth_clients::table.find(row.id.clone())).set(row).execute(conn.db())? == 1)
}

/// The client with this `client_id`, whichever organization it belongs to (ids are unique among all).
pub fn find(conn: &mut ApimConn, client_id: &str) -> Result<Option<Client>, StoreError> {
    oauth_clients::table
        .find(client_id)
        .select(ClientRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Client::try_from)
        .transpose()
}

pub fn find_by_name(
    conn: &mut ApimConn,
    organization: &Organization,
    name: &str,
    owner: &str,
) -> Result<Option<Client>, StoreError> {
    oauth_clients::table
        .filter(oauth_clients::organization.eq(organization.as_str()))
        .filter(oauth_clients::name.eq(name))
        .filter(oauth_clients::owner.eq(owner))
        .select(ClientRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Client::try_from)
        .transpose()
}

/// Deletes the client with its secrets and refresh tokens; says whether it existed.
pub fn delete(conn: &mut ApimConn, organization: &Organization, client_id: &str) -> Result<bool, StoreError> {
    let target = oauth_clients::table.find(client_id).filter(oauth_clients::organization.eq(organization.as_str()));
    Ok(diesel::delete(target).execute(conn.db())? == 1)
}

/// Longest life of an access token that any client of the organization may get beyond the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongestLifetime {
    /// In seconds; 0 when no client has a limit of its own.
    Secs(i64),
    /// Some client's tokens never expire.
    Unlimited,
}

pub fn longest_token_lifetime(conn: &mut ApimConn, organization: &Organization) -> Result<LongestLifetime, StoreError> {
    use oauth_clients::{application_token_lifetime_secs, user_token_lifetime_secs};
    let (least_of_applications, most_of_applications, least_of_users, most_of_users): (
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
    ) = oauth_clients::table
        .filter(oauth_clients::organization.eq(organization.as_str()))
        .select((
            diesel::dsl::min(application_token_lifetime_secs),
            diesel::dsl::max(application_token_lifetime_secs),
            diesel::dsl::min(user_token_lifetime_secs),
            diesel::dsl::max(user_token_lifetime_secs),
        ))
        .first(conn.db())?;
    if [least_of_applications, least_of_users].into_iter().flatten().any(|least| least < 0) {
        return Ok(LongestLifetime::Unlimited);
    }
    Ok(LongestLifetime::Secs(most_of_applications.max(most_of_users).unwrap_or(0)))
}
