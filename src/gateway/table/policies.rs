//! What limits calls beside the tiers of subscriptions and applications: advanced policies of APIs and operations,
//! custom rules, deny policies.

mod advanced;
mod denied;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::event::Event;
use domain::runtime::Snapshot;
use domain::throttling::custom_rule::{KeyTemplate, Rule};
use domain::throttling::{AdvancedPolicy, CustomRule, DenyPolicy, PolicyKind};
use domain::{Organization, PolicyId};

use super::policy_key::{PolicyKey, PolicyName};
use super::tier::Tier;

use crate::concurrent_map::ConcurrentMap;
pub use advanced::{AdvancedTier, CallFacts};
pub use denied::{Denied, DenyFacts};

/// The tenant's rules, in the order of their names.
pub type Rules = Arc<[CompiledRule]>;

/// Advanced policies are touched one by one; rules and denials are few and replaced per tenant.
#[derive(Default)]
pub struct Policies {
    advanced: ConcurrentMap<PolicyKey, Arc<AdvancedTier>>,
    rules: ArcSwap<HashMap<Organization, Rules>>,
    denied: ArcSwap<HashMap<Organization, Arc<Denied>>>,
}

/// The rules and denials as they came; writers only.
#[derive(Default)]
pub(super) struct PolicyIndex {
    rules: HashMap<PolicyId, CustomRule>,
    denied: HashMap<PolicyId, DenyPolicy>,
}

/// A custom rule, read once.
#[derive(Debug)]
pub struct CompiledRule {
    pub id: PolicyId,
    pub template: KeyTemplate,
    pub rule: Rule,
    pub tier: Tier,
}

impl Policies {
    pub(super) fn load(snapshot: &Snapshot) -> (Self, PolicyIndex) {
        let policies = Self::default();
        snapshot.advanced_policies.iter().for_each(|policy| policies.set_advanced(policy));
        let index = PolicyIndex {
            rules: snapshot.custom_rules.iter().map(|rule| (rule.id, rule.clone())).collect(),
            denied: snapshot.deny_policies.iter().map(|policy| (policy.id, policy.clone())).collect(),
        };
        policies.publish_rules(&index);
        policies.publish_denied(&index);
        (policies, index)
    }

    /// Takes in an event about policies of these kinds; whether it was one.
    pub(super) fn apply(&self, event: &Event, index: &mut PolicyIndex) -> bool {
        match event {
            Event::AdvancedPolicyUpdated(policy) => self.set_advanced(policy),
            Event::PolicyDeleted { organization, kind: PolicyKind::Advanced, name, .. } => {
                self.advanced.pin().remove(&PolicyName { organization, name });
            }
            Event::CustomRuleUpdated(rule) => {
                index.rules.insert(rule.id, rule.clone());
                self.publish_rules(index);
            }
            Event::PolicyDeleted { kind: PolicyKind::Custom, policy_id, .. } => {
                index.rules.remove(policy_id);
                self.publish_rules(index);
            }
            Event::DenyPolicyUpdated(policy) => {
                index.denied.insert(policy.id, policy.clone());
                self.publish_denied(index);
            }
            Event::DenyPolicyDeleted { policy_id, .. } => {
                index.denied.remove(policy_id);
                self.publish_denied(index);
            }
            _ => return false,
        }
        true
    }

    #[must_use]
    pub fn advanced(&self, organization: &Organization, name: &str) -> Option<Arc<AdvancedTier>> {
        self.advanced.pin().get(&PolicyName { organization, name }).cloned()
    }

    /// The rules that count calls of this tenant's APIs.
    #[must_use]
    pub fn rules(&self, organization: &Organization) -> Option<Rules> {
        self.rules.load().get(organization).cloned()
    }

    /// Whose calls of this tenant's APIs are refused.
    #[must_use]
    pub fn denied(&self, organization: &Organization) -> Option<Arc<Denied>> {
        self.denied.load().get(organization).cloned()
    }

    fn set_advanced(&self, policy: &AdvancedPolicy) {
        let key = PolicyKey { organization: policy.organization.clone(), name: policy.name.clone() };
        match AdvancedTier::compile(policy) {
            Ok(tier) => drop(self.advanced.pin().insert(key, Arc::new(tier))),
            Err(error) => {
                // Checked when it was stored; without it calls that name it are refused.
                tracing::error!(policy.name = policy.name, %error, "an advanced policy cannot be read");
                self.advanced.pin().remove(&key);
            }
        }
    }

    fn publish_rules(&self, index: &PolicyIndex) {
        let mut sorted: Vec<&CustomRule> = index.rules.values().collect();
        sorted.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        let mut rules: HashMap<Organization, Vec<CompiledRule>> = HashMap::new();
        for rule in sorted {
            match CompiledRule::compile(rule) {
                Ok(compiled) => rules.entry(rule.organization.clone()).or_default().push(compiled),
                // Checked when it was stored.
                Err(error) => tracing::error!(policy.name = rule.name, %error, "a custom rule cannot be read"),
            }
        }
        self.rules.store(Arc::new(rules.into_iter().map(|(tenant, rules)| (tenant, rules.into())).collect()));
    }

    fn publish_denied(&self, index: &PolicyIndex) {
        let mut denied: HashMap<Organization, Denied> = HashMap::new();
        for policy in index.denied.values().filter(|policy| policy.is_active) {
            denied.entry(policy.organization.clone()).or_default().add(&policy.target);
        }
        self.denied.store(Arc::new(denied.into_iter().map(|(tenant, own)| (tenant, Arc::new(own))).collect()));
    }
}

impl CompiledRule {
    fn compile(rule: &CustomRule) -> Result<Self, String> {
        let template = KeyTemplate::parse(&rule.key_template).map_err(|error| error.to_string())?;
        let parsed = Rule::parse(&rule.rule).map_err(|error| error.to_string())?;
        let tier = Tier::new(Some(&parsed.limit), true);
        Ok(Self { id: rule.id, template, rule: parsed, tier })
    }
}
