//! Who may call: applications, their keys and subscriptions, and the policies that limit them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::application::{KeyMapping, KeyType};
use domain::event::Event;
use domain::runtime::{GatewayApplication, Snapshot};
use domain::subscription::Subscription;
use domain::throttling::{ApplicationPolicy, PolicyKind, SubscriptionPolicy, ThrottleReset, defaults, policy};
use domain::{ApiId, ApplicationId, Organization};

use super::policy_key::{PolicyKey, PolicyName};
use super::tier::{SubscriptionLimits, Tier};

use crate::concurrent_map::ConcurrentMap;

/// An application with what requests need of it.
#[derive(Debug)]
pub struct Consumer {
    pub application: GatewayApplication,
    /// `user@tenant` of the owner.
    pub owner: Arc<str>,
    /// The name of its policy, shared with throttle keys.
    pub tier: Arc<str>,
}

/// A subscription with the name of its tier, shared with throttle keys.
#[derive(Debug)]
pub struct SubscriptionTier {
    pub subscription: Subscription,
    pub tier: Arc<str>,
}

/// Concurrent maps; each event about them touches one entry.
#[derive(Default)]
pub struct Consumers {
    applications: ConcurrentMap<ApplicationId, Arc<Consumer>>,
    /// By consumer key; more than one when key managers hand out the same.
    key_mappings: ConcurrentMap<String, Arc<[KeyMapping]>>,
    subscriptions: ConcurrentMap<(ApplicationId, ApiId), Arc<SubscriptionTier>>,
    subscription_policies: ConcurrentMap<PolicyKey, Arc<SubscriptionPolicy>>,
    application_policies: ConcurrentMap<PolicyKey, Arc<ApplicationPolicy>>,
    /// Of the users whose counts were started anew.
    generations: ConcurrentMap<ApplicationId, Arc<HashMap<String, u64>>>,
}

/// What belongs to an application, so that its deletion need not search; writers only.
#[derive(Default)]
pub(super) struct Index(HashMap<ApplicationId, Belongings>);

#[derive(Default)]
struct Belongings {
    apis: Vec<ApiId>,
    consumer_keys: Vec<String>,
}

impl Consumers {
    pub(super) fn load(snapshot: &Snapshot) -> (Self, Index) {
        let (consumers, mut index) = (Self::default(), Index::default());
        snapshot.applications.iter().for_each(|application| consumers.set_application(application));
        snapshot.key_mappings.iter().for_each(|mapping| consumers.set_key_mapping(mapping, &mut index));
        snapshot.subscriptions.iter().for_each(|subscription| consumers.set_subscription(subscription, &mut index));
        snapshot.subscription_policies.iter().for_each(|policy| consumers.set_subscription_policy(policy));
        snapshot.application_policies.iter().for_each(|policy| consumers.set_application_policy(policy));
        snapshot.throttle_resets.iter().for_each(|reset| consumers.set_generation(reset));
        (consumers, index)
    }

    /// Takes in an event about consumers; others are not for this table.
    pub(super) fn apply(&self, event: &Event, index: &mut Index) {
        match event {
            Event::ApplicationUpdated(application) => self.set_application(application),
            Event::ApplicationDeleted { application_id, .. } => self.remove_application(*application_id, index),
            Event::KeyMappingCreated(mapping) => self.set_key_mapping(mapping, index),
            Event::KeyMappingDeleted { key_mapping_id, consumer_key, .. } => {
                self.retain_key_mappings(consumer_key, |mapping| mapping.id != *key_mapping_id);
            }
            Event::SubscriptionUpdated(subscription) => self.set_subscription(subscription, index),
            Event::SubscriptionDeleted { subscription_id, api_id, application_id, .. } => {
                let key = (*application_id, *api_id);
                let subscriptions = self.subscriptions.pin();
                // A later subscription to the same API has another id and stays.
                if subscriptions.get(&key).is_some_and(|own| own.subscription.id == *subscription_id) {
                    subscriptions.remove(&key);
                    index.forget_api(*application_id, *api_id);
                }
            }
            Event::SubscriptionPolicyUpdated(policy) => self.set_subscription_policy(policy),
            Event::ApplicationPolicyUpdated(policy) => self.set_application_policy(policy),
            Event::ThrottleReset(reset) => self.set_generation(reset),
            Event::PolicyDeleted { organization, kind, name, .. } => {
                let key = PolicyName { organization, name };
                match kind {
                    PolicyKind::Subscription => drop(self.subscription_policies.pin().remove(&key)),
                    PolicyKind::Application => drop(self.application_policies.pin().remove(&key)),
                    // Not of consumers.
                    PolicyKind::Advanced | PolicyKind::Custom => {}
                }
            }
            _ => {}
        }
    }

    /// Whose an OAuth client is, and of which kind its keys are.
    #[must_use]
    pub fn find_key_holder(
        &self,
        organization: &Organization,
        key_manager: &str,
        consumer_key: &str,
    ) -> Option<(ApplicationId, KeyType)> {
        let mappings = self.key_mappings.pin();
        let mappings = mappings.get(consumer_key)?;
        let is_meant = |own: &&KeyMapping| own.organization == *organization && own.key_manager == key_manager;
        mappings.iter().find(is_meant).map(|own| (own.application_id, own.key_type))
    }

    #[must_use]
    pub fn find_application(&self, id: ApplicationId) -> Option<Arc<Consumer>> {
        self.applications.pin().get(&id).cloned()
    }

    #[must_use]
    pub fn find_subscription(&self, application: ApplicationId, api: ApiId) -> Option<Arc<SubscriptionTier>> {
        self.subscriptions.pin().get(&(application, api)).cloned()
    }

    /// What a subscription policy limits.
    #[must_use]
    pub fn subscription_limits(&self, organization: &Organization, name: &str) -> SubscriptionLimits {
        if name == policy::UNLIMITED {
            return SubscriptionLimits::UNLIMITED;
        }
        let limits = |policy: &SubscriptionPolicy| SubscriptionLimits {
            tier: Tier::new(policy.limit.as_ref(), policy.stop_on_quota_reach),
            burst: policy.rate_limit,
        };
        let policies = self.subscription_policies.pin();
        if let Some(policy) = policies.get(&PolicyName { organization, name }) {
            return limits(policy);
        }
        // The tiers of calls without subscription or token limit from the first moment on.
        if !matches!(name, policy::DEFAULT_SUBSCRIPTIONLESS | policy::UNAUTHENTICATED) {
            return SubscriptionLimits::UNKNOWN;
        }
        let default = defaults::subscription_policies(organization).into_iter().find(|own| own.name == name);
        default.as_ref().map_or(SubscriptionLimits::UNKNOWN, limits)
    }

    /// What an application policy limits.
    #[must_use]
    pub fn application_tier(&self, organization: &Organization, name: &str) -> Tier {
        if name == policy::UNLIMITED {
            return Tier::Unlimited;
        }
        let policies = self.application_policies.pin();
        let policy = policies.get(&PolicyName { organization, name });
        policy.map_or(Tier::Unknown, |policy| Tier::new(policy.limit.as_ref(), true))
    }

    /// How often the counts of the user's calls through the application were started anew.
    #[must_use]
    pub fn generation(&self, application: ApplicationId, user: &str) -> u64 {
        if self.generations.is_empty() {
            return 0;
        }
        self.generations.pin().get(&application).and_then(|users| users.get(user).copied()).unwrap_or_default()
    }

    fn set_generation(&self, reset: &ThrottleReset) {
        let generations = self.generations.pin();
        let mut users = generations.get(&reset.application_id).map(|own| HashMap::clone(own)).unwrap_or_default();
        users.insert(reset.user.clone(), reset.generation);
        generations.insert(reset.application_id, Arc::new(users));
    }

    fn set_application(&self, application: &GatewayApplication) {
        let consumer = Consumer {
            owner: user_with_tenant(&application.owner, &application.organization).into(),
            tier: application.throttling_policy.as_str().into(),
            application: application.clone(),
        };
        self.applications.pin().insert(application.id, Arc::new(consumer));
    }

    fn set_key_mapping(&self, mapping: &KeyMapping, index: &mut Index) {
        let mappings = self.key_mappings.pin();
        let others = mappings.get(&mapping.consumer_key).cloned();
        let others = others.iter().flat_map(|own| own.iter()).filter(|own| own.id != mapping.id);
        let all: Vec<KeyMapping> = others.cloned().chain([mapping.clone()]).collect();
        mappings.insert(mapping.consumer_key.clone(), all.into());
        index.add_consumer_key(mapping.application_id, &mapping.consumer_key);
    }

    fn retain_key_mappings(&self, consumer_key: &str, keep: impl Fn(&KeyMapping) -> bool) {
        let mappings = self.key_mappings.pin();
        let Some(own) = mappings.get(consumer_key) else { return };
        let kept: Vec<KeyMapping> = own.iter().filter(|mapping| keep(mapping)).cloned().collect();
        if kept.is_empty() {
            mappings.remove(consumer_key);
        } else {
            mappings.insert(consumer_key.to_owned(), kept.into());
        }
    }

    fn set_subscription(&self, subscription: &Subscription, index: &mut Index) {
        let key = (subscription.application_id, subscription.api_id);
        let tier = subscription.throttling_policy.as_str().into();
        self.subscriptions.pin().insert(key, Arc::new(SubscriptionTier { subscription: subscription.clone(), tier }));
        index.add_api(key.0, key.1);
    }

    fn set_subscription_policy(&self, policy: &SubscriptionPolicy) {
        let key = PolicyKey { organization: policy.organization.clone(), name: policy.name.clone() };
        self.subscription_policies.pin().insert(key, Arc::new(policy.clone()));
    }

    fn set_application_policy(&self, policy: &ApplicationPolicy) {
        let key = PolicyKey { organization: policy.organization.clone(), name: policy.name.clone() };
        self.application_policies.pin().insert(key, Arc::new(policy.clone()));
    }

    fn remove_application(&self, id: ApplicationId, index: &mut Index) {
        self.applications.pin().remove(&id);
        let belongings = index.0.remove(&id).unwrap_or_default();
        for api in belongings.apis {
            self.subscriptions.pin().remove(&(id, api));
        }
        for consumer_key in belongings.consumer_keys {
            self.retain_key_mappings(&consumer_key, |mapping| mapping.application_id != id);
        }
    }
}

impl Index {
    fn add_api(&mut self, application: ApplicationId, api: ApiId) {
        let apis = &mut self.0.entry(application).or_default().apis;
        if !apis.contains(&api) {
            apis.push(api);
        }
    }

    fn forget_api(&mut self, application: ApplicationId, api: ApiId) {
        if let Some(belongings) = self.0.get_mut(&application) {
            belongings.apis.retain(|own| *own != api);
        }
    }

    fn add_consumer_key(&mut self, application: ApplicationId, consumer_key: &str) {
        let keys = &mut self.0.entry(application).or_default().consumer_keys;
        if !keys.iter().any(|own| own == consumer_key) {
            keys.push(consumer_key.to_owned());
        }
    }
}

/// `user@tenant`, also when the name comes with its tenant already.
fn user_with_tenant(name: &str, organization: &Organization) -> String {
    let has_tenant = name.strip_suffix(organization.as_str()).is_some_and(|user| user.ends_with('@'));
    if has_tenant { name.to_owned() } else { domain::user::user_with_tenant(name, organization) }
}
