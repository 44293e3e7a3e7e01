//! Applications of the developer portal; each belongs to the user who made it.

mod of_all_owners;

use std::collections::{BTreeMap, HashMap};

use domain::api::ApiScope;
use domain::application::{Application, KeyMapping, KeyMode, TokenType};
use domain::event::Event;
use domain::oauth::Principal;
use domain::runtime::GatewayApplication;
use domain::subscription::Subscription;
use domain::throttling::ApplicationPolicy;
use domain::{ApplicationId, Failure, Organization, Timestamp, error_code};
use serde_json::{Map, Value};
pub use store::apim::applications::Sort as ApplicationSort;
use store::apim::{apis, applications, key_mappings, policies, subscriptions};
use store::{ApimConn, StoreError};

use crate::apis::check_expected;
use crate::{ControlPlane, Direction, Page};

const NAME_CHARS_MAX: usize = 70;
const DESCRIPTION_CHARS_MAX: usize = 512;

/// What a consumer hands in.
#[derive(Debug, Clone)]
pub struct ApplicationInput {
    pub name: String,
    pub throttling_policy: String,
    pub description: String,
    pub token_type: TokenType,
    pub groups: Vec<String>,
    pub attributes: Map<String, Value>,
    pub visibility: String,
}

/// An application and the number of its subscriptions.
#[derive(Debug, Clone)]
pub struct ApplicationView {
    pub application: Application,
    pub subscription_count: i64,
    pub key_mappings: Vec<KeyMapping>,
    /// Scopes of the APIs that it is subscribed to; for one application only, lists leave them out.
    pub subscription_scopes: Vec<ApiScope>,
}

/// One page, and how many there are in all.
#[derive(Debug, Clone)]
pub struct ApplicationPage {
    pub applications: Vec<ApplicationView>,
    pub total: i64,
}

pub(crate) fn not_found(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::APPLICATION_NOT_FOUND, format!("there is no application with the id '{id}'"))
}

pub(crate) fn parse_id(text: &str) -> Result<ApplicationId, Failure> {
    text.parse().map_err(|_| not_found(text))
}

/// The caller's application; those of others do not exist for them.
pub(crate) fn find_owned(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: &str,
    id: ApplicationId,
) -> Result<Application, Failure> {
    applications::find(conn, organization, id)?
        .filter(|application| application.owner == owner)
        .ok_or_else(|| not_found(id))
}

pub(crate) fn lock_owned(
    conn: &mut ApimConn,
    organization: &Organization,
    owner: &str,
    id: ApplicationId,
) -> Result<Application, Failure> {
    applications::lock(conn, organization, id)?
        .filter(|application| application.owner == owner)
        .ok_or_else(|| not_found(id))
}

pub(crate) fn gateway_view(application: &Application) -> GatewayApplication {
    GatewayApplication {
        id: application.id,
        organization: application.organization.clone(),
        name: application.name.clone(),
        owner: application.owner.clone(),
        throttling_policy: application.throttling_policy.clone(),
    }
}

fn taken(name: &str) -> Failure {
    Failure::refused(error_code::CONFLICT, format!("name: you already have an application '{name}'"))
}

pub(crate) fn check(input: &ApplicationInput) -> Result<(), Failure> {
    let length = input.name.trim().chars().count();
    if length == 0 || length > NAME_CHARS_MAX {
        return Err(Failure::invalid("name", format!("must have 1 to {NAME_CHARS_MAX} characters")));
    }
    if let Some(c) = input.name.chars().find(|c| c.is_control() || "<>\"'&/\\".contains(*c)) {
        return Err(Failure::invalid("name", format!("must not contain {c:?}")));
    }
    if input.description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(Failure::invalid("description", format!("has more than {DESCRIPTION_CHARS_MAX} characters")));
    }
    if !["PRIVATE", "SHARED_WITH_ORG"].contains(&input.visibility.as_str()) {
        return Err(Failure::invalid("visibility", "must be PRIVATE or SHARED_WITH_ORG"));
    }
    Ok(())
}

/// What `caller` asks for, which [`check`] has let through.
pub(crate) fn new(caller: &Principal, input: ApplicationInput, now: Timestamp) -> Application {
    Application {
        id: ApplicationId::random(),
        organization: caller.organization.clone(),
        name: input.name.trim().to_owned(),
        owner: caller.username.clone(),
        throttling_policy: input.throttling_policy,
        description: input.description,
        token_type: input.token_type,
        groups: input.groups,
        attributes: input.attributes,
        visibility: input.visibility,
        created_at: now,
        updated_at: now,
        row_version: 1,
    }
}

/// Writes a new application with its event.
pub(crate) fn insert(conn: &mut ApimConn, application: &Application) -> Result<(), Failure> {
    check_policy(conn, &application.organization, &application.throttling_policy)?;
    match applications::insert(conn, application) {
        Ok(()) => {}
        Err(StoreError::Conflict { .. }) => return Err(taken(&application.name)),
        Err(other) => return Err(other.into()),
    }
    conn.append(application.created_at, Event::ApplicationUpdated(gateway_view(application)));
    Ok(())
}

fn check_policy(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<(), Failure> {
    let is_name = !name.chars().any(char::is_control);
    if !is_name || policies::find_by_name::<ApplicationPolicy>(conn, organization, name)?.is_none() {
        return Err(Failure::refused(
            error_code::TIER_NOT_ALLOWED,
            format!("throttlingPolicy: there is no application policy '{name}'"),
        ));
    }
    Ok(())
}

impl ControlPlane {
    /// # Errors
    /// 400 naming the field; 409 when the caller has an application of that name.
    pub async fn create_application(
        &self,
        caller: &Principal,
        input: ApplicationInput,
    ) -> Result<ApplicationView, Failure> {
        check(&input)?;
        self.unlimited_tier().check("throttlingPolicy", &input.throttling_policy)?;
        let now = self.now();
        let application = new(caller, input, now);
        self.apim()
            .write(move |conn| {
                insert(conn, &application)?;
                Ok(ApplicationView {
                    application: application.clone(),
                    subscription_count: 0,
                    key_mappings: Vec::new(),
                    subscription_scopes: Vec::new(),
                })
            })
            .await
    }

    /// # Errors
    /// 404 also for another user's application.
    pub async fn get_application(&self, caller: &Principal, id: &str) -> Result<ApplicationView, Failure> {
        let id = parse_id(id)?;
        let caller = caller.clone();
        self.apim()
            .read(move |conn| {
                let application = find_owned(conn, &caller.organization, &caller.username, id)?;
                view(conn, application)
            })
            .await
    }

    /// A page of the caller's applications; `name` is an exact name.
    pub async fn list_applications(
        &self,
        caller: &Principal,
        name: Option<String>,
        order: (ApplicationSort, Direction),
        page: Page,
    ) -> Result<ApplicationPage, Failure> {
        self.ensure_default_application(caller).await?;
        let caller = caller.clone();
        self.apim()
            .read(move |conn| {
                let (found, total) =
                    applications::list(conn, &caller.organization, &caller.username, name.as_deref(), order, page)?;
                let ids: Vec<ApplicationId> = found.iter().map(|application| application.id).collect();
                let counts: HashMap<String, i64> = applications::count_subscriptions(conn, &ids)?;
                let applications = found.into_iter().map(|application| ApplicationView {
                    subscription_count: counts.get(&application.id.to_string()).copied().unwrap_or(0),
                    key_mappings: Vec::new(),
                    subscription_scopes: Vec::new(),
                    application,
                });
                Ok(ApplicationPage { applications: applications.collect(), total })
            })
            .await
    }

    /// # Errors
    /// 404; 400 naming the field; 409 when the new name is taken; 412 when `expected` is stale.
    pub async fn update_application(
        &self,
        caller: &Principal,
        id: &str,
        expected: Option<Vec<i64>>,
        input: ApplicationInput,
    ) -> Result<ApplicationView, Failure> {
        check(&input)?;
        let id = parse_id(id)?;
        let (caller, now, unlimited) = (caller.clone(), self.now(), self.unlimited_tier());
        self.apim()
            .write(move |conn| {
                let stored = lock_owned(conn, &caller.organization, &caller.username, id)?;
                check_expected(expected.as_deref(), stored.row_version)?;
                if input.throttling_policy != stored.throttling_policy {
                    unlimited.check("throttlingPolicy", &input.throttling_policy)?;
                }
                check_policy(conn, &caller.organization, &input.throttling_policy)?;
                let application = Application {
                    name: input.name.trim().to_owned(),
                    throttling_policy: input.throttling_policy.clone(),
                    description: input.description.clone(),
                    token_type: input.token_type,
                    groups: input.groups.clone(),
                    attributes: input.attributes.clone(),
                    visibility: input.visibility.clone(),
                    updated_at: now,
                    row_version: stored.row_version + 1,
                    ..stored
                };
                match applications::update(conn, &application, stored.row_version) {
                    Ok(_) => {}
                    Err(StoreError::Conflict { .. }) => return Err(taken(&application.name)),
                    Err(other) => return Err(other.into()),
                }
                conn.append(now, Event::ApplicationUpdated(gateway_view(&application)));
                view(conn, application)
            })
            .await
    }

    /// Deletes the application with its subscriptions and keys; its tokens stop working.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_application(&self, caller: &Principal, id: &str) -> Result<(), Failure> {
        let id = parse_id(id)?;
        let (owner, now) = (caller.clone(), self.now());
        let mappings: Vec<KeyMapping> = self
            .apim()
            .write(move |conn| {
                lock_owned(conn, &owner.organization, &owner.username, id)?;
                let mappings = key_mappings::list(conn, id)?;
                applications::delete(conn, id)?;
                conn.append(
                    now,
                    Event::ApplicationDeleted { organization: owner.organization.clone(), application_id: id },
                );
                Ok::<_, Failure>(mappings)
            })
            .await?;
        // After the commit gateways refuse the keys already; a client that outlives a crash here can call nothing.
        for mapping in mappings.into_iter().filter(|mapping| mapping.mode == KeyMode::Created) {
            self.key_manager()
                .delete_client(&caller.organization, &mapping.consumer_key)
                .await
                .map_err(crate::keys::from_key_manager)?;
        }
        Ok(())
    }
}

fn view(conn: &mut ApimConn, application: Application) -> Result<ApplicationView, Failure> {
    let subscribed = subscriptions::list_of_application(conn, application.id)?;
    Ok(ApplicationView {
        subscription_count: i64::try_from(subscribed.len()).unwrap_or(i64::MAX),
        subscription_scopes: subscription_scopes(conn, &application.organization, &subscribed)?,
        key_mappings: key_mappings::list(conn, application.id)?,
        application,
    })
}

/// Each scope once, by name.
fn subscription_scopes(
    conn: &mut ApimConn,
    organization: &Organization,
    subscribed: &[Subscription],
) -> Result<Vec<ApiScope>, Failure> {
    let apis = apis::find_many(conn, organization, subscribed.iter().map(|own| own.api_id))?;
    let scopes = apis.into_values().flat_map(|api| api.details.scopes);
    let by_name: BTreeMap<String, ApiScope> = scopes.map(|scope| (scope.name.clone(), scope)).collect();
    Ok(by_name.into_values().collect())
}
