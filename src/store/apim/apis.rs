//! Working copies of APIs.

pub mod of_tenants;
mod search;

pub use search::count_with_advanced_policy;

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use domain::api::{Api, Visibility};
use domain::lifecycle::LifecycleState;
use domain::name::{ApiContext, ApiName, ApiVersion};
use domain::search::Query as SearchQuery;
use domain::{ApiId, Organization, Timestamp};

use super::schema::{api_scopes, api_visible_roles, apis};
use crate::database::ApimConn;
use crate::dialect::AnyBackend;
use crate::error::StoreError;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = apis)]
struct ApiRow {
    id: String,
    organization: String,
    name: String,
    version: String,
    context: String,
    full_context: String,
    provider: String,
    state: String,
    is_default_version: bool,
    visibility: String,
    definition_hash: Option<String>,
    details: String,
    created_at: i64,
    created_by: String,
    updated_at: i64,
    updated_by: String,
    row_version: i64,
}

impl TryFrom<&Api> for ApiRow {
    type Error = StoreError;

    fn try_from(api: &Api) -> Result<Self, StoreError> {
        Ok(Self {
            id: api.id.to_string(),
            organization: api.organization.to_string(),
            name: api.name.as_str().to_owned(),
            version: api.version.as_str().to_owned(),
            context: api.context.as_str().to_owned(),
            full_context: api.full_context(),
            provider: api.provider.clone(),
            state: api.state.as_str().to_owned(),
            is_default_version: api.is_default_version,
            visibility: visibility_text(api.details.visibility).to_owned(),
            definition_hash: api.definition_hash.clone(),
            details: serde_json::to_string(&api.details).map_err(|error| StoreError::corrupt("API", error))?,
            created_at: api.created_at.as_millis(),
            created_by: api.created_by.clone(),
            updated_at: api.updated_at.as_millis(),
            updated_by: api.updated_by.clone(),
            row_version: api.row_version,
        })
    }
}

impl TryFrom<ApiRow> for Api {
    type Error = StoreError;

    fn try_from(row: ApiRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse().map_err(|error| StoreError::corrupt("API id", error))?,
            organization: Organization::from_trusted(row.organization),
            name: ApiName::parse(&row.name).map_err(|error| StoreError::corrupt("API name", error))?,
            version: ApiVersion::parse(&row.version).map_err(|error| StoreError::corrupt("API version", error))?,
            context: ApiContext::parse(&row.context).map_err(|error| StoreError::corrupt("API context", error))?,
            provider: row.provider,
            state: LifecycleState::parse(&row.state)
                .ok_or_else(|| StoreError::corrupt("lifecycle state", &row.state))?,
            is_default_version: row.is_default_version,
            definition_hash: row.definition_hash,
            details: serde_json::from_str(&row.details).map_err(|error| StoreError::corrupt("API details", error))?,
            created_at: Timestamp::from_millis(row.created_at),
            created_by: row.created_by,
            updated_at: Timestamp::from_millis(row.updated_at),
            updated_by: row.updated_by,
            row_version: row.row_version,
        })
    }
}

/// What a list shows; empty matches everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub query: SearchQuery,
    /// Any of these states.
    pub states: Option<Vec<LifecycleState>>,
    pub ids: Option<Vec<ApiId>>,
    pub audience: Audience,
}

/// Whose eyes a list is for.
#[derive(Debug, Clone, Default)]
pub enum Audience {
    /// The publisher's: everything.
    #[default]
    All,
    /// Nobody known: public APIs.
    Anonymous,
    /// A user of the same organization with these roles: public and private APIs, and those restricted to a role.
    Roles(Vec<String>),
}

impl Audience {
    /// Which visibilities are open to it, and the roles that open restricted APIs.
    pub(super) fn visibilities_and_roles(&self) -> (&'static [&'static str], &[String]) {
        match self {
            Self::All => (&["PUBLIC", "PRIVATE", "RESTRICTED"], &[]),
            Self::Anonymous => (&["PUBLIC"], &[]),
            Self::Roles(roles) => (&["PUBLIC", "PRIVATE"], roles),
        }
    }
}

/// What an audience sees of `apis`, from [`Audience::visibilities_and_roles`].
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn seen_by<'a>(open: &'a [&'a str], roles: &'a [String]) -> _ {
    let granted = api_visible_roles::table.filter(api_visible_roles::role.eq_any(roles));
    apis::visibility.eq_any(open).or(apis::id.eq_any(granted.select(api_visible_roles::api_id)))
}

fn visibility_text(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "PUBLIC",
        Visibility::Private => "PRIVATE",
        Visibility::Restricted => "RESTRICTED",
    }
}

/// Column and direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    Name,
    Version,
    #[default]
    CreatedAt,
    State,
}

/// Direction of a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    Ascending,
    #[default]
    Descending,
}

/// The wished part of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub offset: u32,
    pub limit: u32,
}

pub fn insert(conn: &mut ApimConn, api: &Api) -> Result<(), StoreError> {
    let row = ApiRow::try_from(api)?;
    diesel::insert_into(apis::table).values((row, apis::revisions_created.eq(0))).execute(conn.db())?;
    replace_scopes(conn, api)?;
    replace_visible_roles(conn, api)?;
    super::tags::replace(conn, api)?;
    search::index(conn, api)
}

/// Stores `api` if the stored row version is still `expected`; says whether it was.
pub fn update(conn: &mut ApimConn, api: &Api, expected: i64) -> Result<bool, StoreError> {
    let row = ApiRow::try_from(api)?;
    let target = apis::table.filter(apis::id.eq(row.id.clone())).filter(apis::row_version.eq(expected));
    let changed = diesel::update(target).set(row).execute(conn.db())?;
    if changed == 1 {
        replace_scopes(conn, api)?;
        replace_visible_roles(conn, api)?;
        super::tags::replace(conn, api)?;
        search::index(conn, api)?;
    }
    Ok(changed == 1)
}

fn replace_visible_roles(conn: &mut ApimConn, api: &Api) -> Result<(), StoreError> {
    let id = api.id.to_string();
    diesel::delete(api_visible_roles::table.filter(api_visible_roles::api_id.eq(&id))).execute(conn.db())?;
    if api.details.visibility != Visibility::Restricted {
        return Ok(());
    }
    let roles: std::collections::BTreeSet<&String> = api.details.visible_roles.iter().collect();
    for role in roles {
        diesel::insert_into(api_visible_roles::table)
            .values((
                api_visible_roles::organization.eq(api.organization.as_str()),
                api_visible_roles::api_id.eq(&id),
                api_visible_roles::role.eq(role),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

fn replace_scopes(conn: &mut ApimConn, api: &Api) -> Result<(), StoreError> {
    let id = api.id.to_string();
    diesel::delete(api_scopes::table.filter(api_scopes::api_id.eq(&id))).execute(conn.db())?;
    let names: Vec<String> = api.details.scopes.iter().map(|scope| scope.name.clone()).collect();
    let shared = super::shared_scopes::find_by_names(conn, &api.organization, &names)?;
    for scope in &api.details.scopes {
        // The roles of a shared scope are its owner's business, whatever the API says.
        let roles = shared.iter().find(|own| own.name == scope.name).map_or(&scope.roles, |own| &own.roles);
        let roles = serde_json::to_string(roles).map_err(|error| StoreError::corrupt("scope roles", error))?;
        diesel::insert_into(api_scopes::table)
            .values((
                api_scopes::organization.eq(api.organization.as_str()),
                api_scopes::name.eq(&scope.name),
                api_scopes::api_id.eq(&id),
                api_scopes::roles.eq(roles),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

/// Deletes the API with its revisions, deployments and scopes.
pub fn delete(conn: &mut ApimConn, id: ApiId) -> Result<(), StoreError> {
    use super::schema::{deployments, revisions};
    let id = id.to_string();
    diesel::delete(deployments::table.filter(deployments::api_id.eq(&id))).execute(conn.db())?;
    diesel::delete(revisions::table.filter(revisions::api_id.eq(&id))).execute(conn.db())?;
    diesel::delete(apis::table.filter(apis::id.eq(&id))).execute(conn.db())?;
    Ok(())
}

pub fn find(conn: &mut ApimConn, organization: &Organization, id: ApiId) -> Result<Option<Api>, StoreError> {
    apis::table
        .filter(apis::id.eq(id.to_string()))
        .filter(apis::organization.eq(organization.as_str()))
        .select(ApiRow::as_select())
        .first(conn.db())
        .optional()?
        .map(Api::try_from)
        .transpose()
}

/// As [`find`], and holds the row until the end of the transaction, so that concurrent changes of one API queue up.
pub fn lock(conn: &mut ApimConn, organization: &Organization, id: ApiId) -> Result<Option<Api>, StoreError> {
    // A no-op update takes the row's lock on every back end; SELECT .. FOR UPDATE does not exist on SQLite.
    let target = apis::table.filter(apis::id.eq(id.to_string())).filter(apis::organization.eq(organization.as_str()));
    diesel::update(target).set(apis::row_version.eq(apis::row_version)).execute(conn.db())?;
    find(conn, organization, id)
}

/// Ids of other APIs of the organization that have this name (any version), with version and context.
pub fn list_by_name(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<Vec<Api>, StoreError> {
    load(
        conn,
        apis::table.filter(apis::organization.eq(organization.as_str())).filter(apis::name.eq(name)).into_boxed(),
    )
}

/// APIs of the organization whose context (without version) is `context`.
pub fn list_by_context(
    conn: &mut ApimConn,
    organization: &Organization,
    context: &str,
) -> Result<Vec<Api>, StoreError> {
    load(
        conn,
        apis::table.filter(apis::organization.eq(organization.as_str())).filter(apis::context.eq(context)).into_boxed(),
    )
}

pub(super) type Query<'a> = apis::BoxedQuery<'a, AnyBackend>;

fn load(conn: &mut ApimConn, query: Query<'_>) -> Result<Vec<Api>, StoreError> {
    let rows: Vec<ApiRow> = query.select(ApiRow::as_select()).load(conn.db())?;
    rows.into_iter().map(Api::try_from).collect()
}

pub(super) fn filtered<'a>(organization: &'a Organization, filter: &'a Filter) -> Query<'a> {
    let mut query = apis::table.filter(apis::organization.eq(organization.as_str())).into_boxed();
    for term in filter.query.terms() {
        query = search::narrowed(query, organization, term);
    }
    if let Some(states) = &filter.states {
        let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        query = query.filter(apis::state.eq_any(states));
    }
    if let Some(ids) = &filter.ids {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        query = query.filter(apis::id.eq_any(ids));
    }
    match &filter.audience {
        Audience::All => query,
        Audience::Anonymous => query.filter(apis::visibility.eq(visibility_text(Visibility::Public))),
        Audience::Roles(_) => {
            let (open, roles) = filter.audience.visibilities_and_roles();
            query.filter(seen_by(open, roles))
        }
    }
}

pub(super) fn contains_pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// One page of the organization's APIs, and how many there are in all.
pub fn list(
    conn: &mut ApimConn,
    organization: &Organization,
    filter: &Filter,
    (sort, direction): (Sort, Direction),
    page: Page,
) -> Result<(Vec<Api>, i64), StoreError> {
    let total = filtered(organization, filter).count().get_result(conn.db())?;
    let query = filtered(organization, filter);
    // The id makes the order total, so that pages never overlap.
    let query = match (sort, direction) {
        (Sort::Name, Direction::Ascending) => query.order((apis::name.asc(), apis::id.asc())),
        (Sort::Name, Direction::Descending) => query.order((apis::name.desc(), apis::id.desc())),
        (Sort::Version, Direction::Ascending) => query.order((apis::version.asc(), apis::id.asc())),
        (Sort::Version, Direction::Descending) => query.order((apis::version.desc(), apis::id.desc())),
        (Sort::CreatedAt, Direction::Ascending) => query.order((apis::created_at.asc(), apis::id.asc())),
        (Sort::CreatedAt, Direction::Descending) => query.order((apis::created_at.desc(), apis::id.desc())),
        (Sort::State, Direction::Ascending) => query.order((apis::state.asc(), apis::id.asc())),
        (Sort::State, Direction::Descending) => query.order((apis::state.desc(), apis::id.desc())),
    };
    // Ids first: sorting then reads indexes only, and never the documents of APIs that are on other pages.
    let ids: Vec<String> =
        query.offset(i64::from(page.offset)).limit(i64::from(page.limit)).select(apis::id).load(conn.db())?;
    let mut found: HashMap<String, Api> = load(conn, apis::table.filter(apis::id.eq_any(&ids)).into_boxed())?
        .into_iter()
        .map(|api| (api.id.to_string(), api))
        .collect();
    Ok((ids.iter().filter_map(|id| found.remove(id)).collect(), total))
}

/// Counts one more revision and returns its number.
pub fn next_revision_number(conn: &mut ApimConn, id: ApiId) -> Result<i32, StoreError> {
    let target = apis::table.find(id.to_string());
    diesel::update(target).set(apis::revisions_created.eq(apis::revisions_created + 1)).execute(conn.db())?;
    Ok(apis::table.find(id.to_string()).select(apis::revisions_created).first(conn.db())?)
}

/// Those of `ids` that exist.
pub fn find_many(
    conn: &mut ApimConn,
    organization: &Organization,
    ids: impl Iterator<Item = ApiId>,
) -> Result<HashMap<ApiId, Api>, StoreError> {
    let ids: HashSet<String> = ids.map(|id| id.to_string()).collect();
    let query = apis::table.filter(apis::organization.eq(organization.as_str())).filter(apis::id.eq_any(ids));
    Ok(load(conn, query.into_boxed())?.into_iter().map(|api| (api.id, api)).collect())
}

/// Every API of every organization, for snapshots.
pub fn list_all(conn: &mut ApimConn) -> Result<Vec<Api>, StoreError> {
    load(conn, apis::table.into_boxed())
}

/// The API of the organization that is served under `full_context`, version included.
pub fn find_by_full_context(
    conn: &mut ApimConn,
    organization: &Organization,
    full_context: &str,
) -> Result<Option<Api>, StoreError> {
    let query =
        apis::table.filter(apis::organization.eq(organization.as_str())).filter(apis::full_context.eq(full_context));
    Ok(load(conn, query.into_boxed())?.into_iter().next())
}
