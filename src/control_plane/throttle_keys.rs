//! Which throttle keys something is counted under, and which quota each of them has: what gateways find in their tables,
//! found in the database.

use domain::api::Api;
use domain::application::Application;
use domain::subscription::Subscription;
use domain::throttling::custom_rule::Rule;
use domain::throttling::policy::{UNAUTHENTICATED, is_limiting};
use domain::throttling::{AdvancedPolicy, ApplicationPolicy, CustomRule, KeyName, Limit, SubscriptionPolicy};
use domain::{ApplicationId, Failure, Organization, SubscriptionId, Zone, error_code, tenant};
use store::apim::{apis, applications, policies, subscriptions, tenant_configs, throttle_resets};
use store::{ApimConn, ApimDb};

use crate::tenant_user::tenant_user;

/// What is wrong with a text that names nothing that is counted.
const NO_KEY: &str = "is no throttle key; examples: app:APPLICATION_ID:bob@carbon.super, \
                      sub:APPLICATION_ID:/pizza/1.0.0:1.0.0:Gold, api:/pizza/1.0.0:1.0.0, res:/pizza/1.0.0/menu:GET";

/// One of the quotas that a call meets.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedKey {
    /// `api`, `resource`, `subscription`, `application` or `custom`.
    pub level: &'static str,
    pub key: String,
    /// Name of the policy; of a key of one group of conditions, the policy's.
    pub policy: String,
    /// `None` limits nothing, and then nothing is counted.
    pub limit: Option<Limit>,
    /// Whether calls over the quota are refused.
    pub stops: bool,
    /// By whose calendar windows begin: the one of the policy's tenant.
    pub zone: Zone,
}

/// Looks keys up, for whoever runs the deployment: in every tenant.
#[derive(Clone)]
pub struct ThrottleKeys {
    apim: ApimDb,
}

impl ThrottleKeys {
    #[must_use]
    pub fn new(apim: ApimDb) -> Self {
        Self { apim }
    }

    /// What calls under a subscription meet, level by level; of the application's quota only with a `user`.
    ///
    /// # Errors
    /// 404; 400 for a user of another tenant.
    pub async fn of_subscription(&self, id: &str, user: Option<&str>) -> Result<Vec<CountedKey>, Failure> {
        let id: SubscriptionId = id.parse().map_err(|_| no_subscription(id))?;
        let user = user.map(ToOwned::to_owned);
        self.apim
            .read(move |conn| {
                let subscription = subscriptions::find(conn, id)?.ok_or_else(|| no_subscription(id))?;
                let api = apis::find(conn, &subscription.organization, subscription.api_id)?;
                let api = api.ok_or_else(|| no_subscription(id))?;
                let mut keys = of_api(conn, &api)?;
                keys.push(of_subscription(conn, &subscription, &api)?);
                if let Some(user) = &user {
                    let application = find_application(conn, subscription.application_id)?;
                    keys.push(of_application(conn, &application, user)?);
                }
                Ok(keys)
            })
            .await
    }

    /// What all calls of a user through an application are counted under.
    ///
    /// # Errors
    /// 404; 400 for a user of another tenant.
    pub async fn of_application(&self, id: &str, user: &str) -> Result<CountedKey, Failure> {
        let (id, user) = (id.parse().map_err(|_| no_application(id))?, user.to_owned());
        self.apim
            .read(move |conn| {
                let application = find_application(conn, id)?;
                of_application(conn, &application, &user)
            })
            .await
    }

    /// The quota of a key.
    ///
    /// # Errors
    /// 400 for a text that is no key; 404 when what it names is not there (any more).
    pub async fn of_key(&self, key: &str) -> Result<CountedKey, Failure> {
        let key = key.to_owned();
        self.apim
            .read(move |conn| {
                let name = KeyName::parse(&key).ok_or_else(|| Failure::invalid("key", NO_KEY))?;
                find_key(conn, &key, name)
            })
            .await
    }
}

/// The key that calls under a subscription are counted under.
pub(crate) fn of_subscription(
    conn: &mut ApimConn,
    subscription: &Subscription,
    api: &Api,
) -> Result<CountedKey, Failure> {
    let (context, version) = (api.full_context(), api.version.as_str());
    let (application, tier) = (subscription.application_id, subscription.throttling_policy.as_str());
    let key = KeyName::Subscription { application, context: &context, version, tier }.to_string();
    subscription_level(conn, &api.organization, key, tier)
}

fn subscription_level(
    conn: &mut ApimConn,
    organization: &Organization,
    key: String,
    tier: &str,
) -> Result<CountedKey, Failure> {
    let found = policies::find_by_name::<SubscriptionPolicy>(conn, organization, tier)?;
    let policy = found.ok_or_else(|| no_policy(tier))?;
    let (limit, stops) = (policy.limit, policy.stop_on_quota_reach);
    let zone = tenant_configs::time_zone(conn, organization)?;
    Ok(CountedKey { level: "subscription", key, policy: policy.name, limit, stops, zone })
}

fn of_application(conn: &mut ApimConn, application: &Application, user: &str) -> Result<CountedKey, Failure> {
    let user = tenant_user("user", &application.organization, user)?;
    let generation = throttle_resets::generation(conn, application.id, &user)?;
    let key = KeyName::Application { application: application.id, user: &user, generation };
    application_level(conn, application, key.to_string())
}

fn application_level(conn: &mut ApimConn, application: &Application, key: String) -> Result<CountedKey, Failure> {
    let name = &application.throttling_policy;
    let found = policies::find_by_name::<ApplicationPolicy>(conn, &application.organization, name)?;
    let policy = found.ok_or_else(|| no_policy(name))?;
    let zone = tenant_configs::time_zone(conn, &application.organization)?;
    Ok(CountedKey { level: "application", key, policy: policy.name, limit: policy.limit, stops: true, zone })
}

/// What the API's own policy counts under, for all groups of its conditions, else those of its operations.
fn of_api(conn: &mut ApimConn, api: &Api) -> Result<Vec<CountedKey>, Failure> {
    let (context, version) = (api.full_context(), api.version.as_str());
    let zone = tenant_configs::time_zone(conn, &api.organization)?;
    let mut keys = Vec::new();
    if let Some(name) = api.details.api_policy().filter(|name| is_limiting(name)) {
        let policy = find_advanced(conn, &api.organization, name)?;
        for (group, limit) in limits(&policy) {
            let key = KeyName::Api { context: &context, version, group }.to_string();
            keys.push(CountedKey { level: "api", key, policy: policy.name.clone(), limit, stops: true, zone });
        }
        return Ok(keys);
    }
    for operation in api.details.operations.iter().filter(|own| is_limiting(&own.throttling_policy)) {
        let policy = find_advanced(conn, &api.organization, &operation.throttling_policy)?;
        let name = format!("{}:{}", operation.target, operation.verb.as_str());
        for (group, limit) in limits(&policy) {
            let key = KeyName::Operation { context: &context, operation: &name, group }.to_string();
            keys.push(CountedKey { level: "resource", key, policy: policy.name.clone(), limit, stops: true, zone });
        }
    }
    Ok(keys)
}

/// The limit of calls that no group takes, then that of each group.
fn limits(policy: &AdvancedPolicy) -> Vec<(Option<u16>, Option<Limit>)> {
    let groups = (0..).zip(&policy.groups).map(|(number, group)| (Some(number), Some(group.limit.clone())));
    std::iter::once((None, policy.limit.clone())).chain(groups).collect()
}

fn find_key(conn: &mut ApimConn, key: &str, name: KeyName<'_>) -> Result<CountedKey, Failure> {
    match name {
        KeyName::Subscription { context, tier, .. } => {
            subscription_level(conn, &organization_of(context), key.to_owned(), tier)
        }
        KeyName::Anonymous { context, .. } => {
            subscription_level(conn, &organization_of(context), key.to_owned(), UNAUTHENTICATED)
        }
        KeyName::Application { application, .. } => {
            let application = find_application(conn, application)?;
            application_level(conn, &application, key.to_owned())
        }
        KeyName::Api { context, .. } => {
            let organization = organization_of(context);
            let api = apis::find_by_full_context(conn, &organization, context)?.ok_or_else(|| no_api(context))?;
            among(of_api(conn, &api)?, key)
        }
        KeyName::Operation { operation, .. } => {
            // The context is the longest one that an API has.
            let organization = organization_of(operation);
            let slashes = operation.match_indices('/').map(|(at, _)| at).rev();
            for at in slashes {
                let context = operation.get(..at).unwrap_or_default();
                if let Some(api) = apis::find_by_full_context(conn, &organization, context)? {
                    return among(of_api(conn, &api)?, key);
                }
            }
            Err(no_api(operation))
        }
        KeyName::Custom { rule, .. } => {
            let rules = policies::list::<CustomRule>(conn, None)?;
            let found = rules.into_iter().find(|own| own.id == rule).ok_or_else(|| no_policy(rule))?;
            let limit = Rule::parse(&found.rule).map_err(Failure::internal)?.limit;
            let zone = tenant_configs::time_zone(conn, &found.organization)?;
            let (key, policy) = (key.to_owned(), found.name);
            Ok(CountedKey { level: "custom", key, policy, limit: Some(limit), stops: true, zone })
        }
    }
}

fn among(keys: Vec<CountedKey>, key: &str) -> Result<CountedKey, Failure> {
    let not_counted =
        || Failure::refused(error_code::NOT_FOUND, "the API has no policy (any more) that counts under this key");
    keys.into_iter().find(|own| own.key == key).ok_or_else(not_counted)
}

/// The tenant whose API has the context.
fn organization_of(context: &str) -> Organization {
    let domain = context.strip_prefix(tenant::PATH_PREFIX).and_then(|rest| rest.split('/').next());
    domain.map_or_else(Organization::super_tenant, |domain| Organization::from_trusted(domain.to_owned()))
}

fn find_application(conn: &mut ApimConn, id: ApplicationId) -> Result<Application, Failure> {
    applications::find_of_any(conn, id)?.ok_or_else(|| no_application(id))
}

fn find_advanced(conn: &mut ApimConn, organization: &Organization, name: &str) -> Result<AdvancedPolicy, Failure> {
    policies::find_by_name(conn, organization, name)?.ok_or_else(|| no_policy(name))
}

fn no_subscription(id: impl std::fmt::Display) -> Failure {
    crate::subscriptions::not_found(id)
}

fn no_application(id: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no application with the id '{id}'"))
}

fn no_policy(name: impl std::fmt::Display) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no policy '{name}' (any more)"))
}

fn no_api(context: &str) -> Failure {
    Failure::refused(error_code::NOT_FOUND, format!("there is no API with the context of '{context}' (any more)"))
}
