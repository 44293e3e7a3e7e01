//! The draft policy: which calls it counts, under which key, with which limit.

use std::borrow::Cow;
use std::net::IpAddr;

use admin::policy_file::PolicyFile;
use domain::throttling::advanced::{Condition, ConditionalGroup, Subject};
use domain::throttling::custom_rule::{ANONYMOUS, Facts, KeyTemplate, Rule, Variable};
use domain::throttling::deny_policy::is_between;
use domain::throttling::policy::{DEFAULT_SUBSCRIPTIONLESS, UNAUTHENTICATED};
use domain::throttling::{KeyName, Limit, Quota, WindowKind};
use domain::{Organization, PolicyId};

use super::trace::Call;

#[derive(Debug)]
pub(super) struct Draft {
    /// `subscription policy 'Gold'`.
    pub title: String,
    /// Name of the policy in the log that the draft stands for.
    pub stands_for: String,
    organization: Organization,
    counting: Counting,
    /// Whether calls over the quota are refused.
    pub stops: bool,
    /// What the log cannot tell of this policy.
    pub blind_spots: Vec<String>,
}

#[derive(Debug)]
enum Counting {
    Subscription(Option<Limit>),
    Application(Option<Limit>),
    Advanced { limit: Option<Limit>, groups: Vec<Group> },
    Custom { id: PolicyId, template: KeyTemplate, rule: Box<Rule> },
}

/// A group of conditions as far as the log knows them.
#[derive(Debug)]
struct Group {
    /// Of the client's address, each with whether it is inverted.
    ranges: Vec<(IpAddr, IpAddr, bool)>,
    /// Whether there are conditions that the log says nothing about.
    has_unknown: bool,
    limit: Limit,
}

/// How the draft counts a call.
#[derive(Debug, PartialEq)]
pub(super) struct Counted {
    pub key: String,
    pub limit: Limit,
    /// A group before this one might have taken the call, if the log said more.
    pub is_uncertain: bool,
}

/// What the draft says of a call.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It counts under another policy.
    Elsewhere,
    Unlimited,
    Counted(Counted),
}

impl Draft {
    /// # Errors
    /// Says what is wrong with the file.
    pub(super) fn read(bytes: &[u8], organization: Organization, stands_for: Option<&str>) -> Result<Self, String> {
        let (mut blind_spots, mut stops) = (Vec::new(), true);
        let (kind, name, counting) = match PolicyFile::read(bytes, &organization)? {
            PolicyFile::Subscription(own) => {
                if let Some(rate) = own.rate_limit {
                    blind_spots.push(format!(
                        "its spike arrest ({} calls per {}) is not replayed: each gateway keeps its own part of it",
                        rate.count,
                        rate.time_unit.as_str()
                    ));
                }
                stops = own.stop_on_quota_reach;
                ("subscription policy", own.name, Counting::Subscription(own.limit))
            }
            PolicyFile::Application(own) => {
                blind_spots.push(
                    "counts that were reset in the developer portal go on here: the log does not tell of resets"
                        .to_owned(),
                );
                ("application policy", own.name, Counting::Application(own.limit))
            }
            PolicyFile::Advanced(own) => {
                let groups: Vec<Group> = own.groups.iter().map(Group::of).collect();
                for (number, _) in groups.iter().enumerate().filter(|(_, group)| group.has_unknown) {
                    blind_spots.push(format!(
                        "conditionalGroups[{number}] has conditions on headers, query or claims, which the log does not \
                         tell: it takes no call here, and calls that it might have taken are counted as uncertain"
                    ));
                }
                ("advanced policy", own.name, Counting::Advanced { limit: own.limit, groups })
            }
            PolicyFile::Custom(own) => {
                let template =
                    KeyTemplate::parse(&own.key_template).map_err(|error| format!("keyTemplate: {error}"))?;
                let rule = Rule::parse(&own.rule).map_err(|error| format!("siddhiQuery: {error}"))?;
                ("custom rule", own.name, Counting::Custom { id: own.id, template, rule: Box::new(rule) })
            }
        };
        let limits = counting.limits();
        if limits.iter().any(|limit| limit.counts_events()) {
            return Err("its quota counts events of streaming APIs, and the access log has calls".to_owned());
        }
        if limits.iter().any(|limit| matches!(limit.quota, Quota::Bandwidth { .. })) {
            blind_spots.push(
                "bodies of requests that were sent without a length count as empty: the log has the announced length"
                    .to_owned(),
            );
        }
        if limits.iter().any(|limit| limit.window == WindowKind::FirstRequest) {
            blind_spots.push(
                "windows that were open when the log begins are not known: the first call of each key in the log opens one"
                    .to_owned(),
            );
        }
        let stands_for = stands_for.unwrap_or(&name).to_owned();
        Ok(Self { title: format!("{kind} '{name}'"), stands_for, organization, counting, stops, blind_spots })
    }

    /// The limit of calls that no group of conditions takes.
    pub(super) fn limit(&self) -> Option<&Limit> {
        match &self.counting {
            Counting::Subscription(limit) | Counting::Application(limit) | Counting::Advanced { limit, .. } => {
                limit.as_ref()
            }
            Counting::Custom { rule, .. } => Some(&rule.limit),
        }
    }

    pub(super) fn judge(&self, call: &Call) -> Verdict {
        match &self.counting {
            Counting::Subscription(limit) if self.is_of(&call.tenant, Some(&call.subscription_policy)) => {
                counted(limit.as_ref(), || subscription_key(call))
            }
            Counting::Application(limit)
                if self.is_of(
                    call.application_tenant.as_deref().unwrap_or_default(),
                    call.application_policy.as_deref(),
                ) =>
            {
                counted(limit.as_ref(), || application_key(call))
            }
            Counting::Advanced { limit, groups } if self.is_of(&call.tenant, call.advanced_policy.as_deref()) => {
                advanced(limit.as_ref(), groups, call)
            }
            Counting::Custom { id, template, rule }
                if call.tenant == self.organization.as_str() && rule.applies(call) =>
            {
                let key = template.key(call);
                counted(Some(&rule.limit), || Some(KeyName::Custom { rule: *id, key: &key }.to_string()))
            }
            _ => Verdict::Elsewhere,
        }
    }

    fn is_of(&self, tenant: &str, policy: Option<&str>) -> bool {
        tenant == self.organization.as_str() && policy == Some(self.stands_for.as_str())
    }
}

impl Counting {
    fn limits(&self) -> Vec<&Limit> {
        match self {
            Self::Subscription(limit) | Self::Application(limit) => limit.iter().collect(),
            Self::Advanced { limit, groups } => limit.iter().chain(groups.iter().map(|group| &group.limit)).collect(),
            Self::Custom { rule, .. } => vec![&rule.limit],
        }
    }
}

impl Group {
    fn of(group: &ConditionalGroup) -> Self {
        let known = |condition: &Condition| match condition.subject {
            Subject::Address { address } => Some((address, address, condition.is_inverted)),
            Subject::AddressRange { first, last } => Some((first, last, condition.is_inverted)),
            Subject::Header { .. } | Subject::Claim { .. } | Subject::QueryParameter { .. } => None,
        };
        let ranges: Vec<_> = group.conditions.iter().filter_map(known).collect();
        Self { has_unknown: ranges.len() < group.conditions.len(), ranges, limit: group.limit.clone() }
    }

    /// Whether all conditions hold that the log tells.
    fn may_hold(&self, client: IpAddr) -> bool {
        self.ranges.iter().all(|(first, last, is_inverted)| is_between(client, *first, *last) != *is_inverted)
    }
}

fn counted(limit: Option<&Limit>, key: impl FnOnce() -> Option<String>) -> Verdict {
    match (limit, key()) {
        (_, None) => Verdict::Elsewhere,
        (None, _) => Verdict::Unlimited,
        (Some(limit), Some(key)) => Verdict::Counted(Counted { key, limit: limit.clone(), is_uncertain: false }),
    }
}

fn advanced(limit: Option<&Limit>, groups: &[Group], call: &Call) -> Verdict {
    let mut is_uncertain = false;
    for (number, group) in (0..).zip(groups).filter(|(_, group)| group.may_hold(call.client)) {
        if !group.has_unknown {
            let key = advanced_key(call, Some(number));
            return Verdict::Counted(Counted { key, limit: group.limit.clone(), is_uncertain });
        }
        is_uncertain = true;
    }
    match limit {
        Some(limit) => Verdict::Counted(Counted { key: advanced_key(call, None), limit: limit.clone(), is_uncertain }),
        None => Verdict::Unlimited,
    }
}

fn advanced_key(call: &Call, group: Option<u16>) -> String {
    let Call { context, version, operation, .. } = call;
    if call.is_api_level {
        return KeyName::Api { context, version, group }.to_string();
    }
    KeyName::Operation { context, operation, group }.to_string()
}

fn subscription_key(call: &Call) -> Option<String> {
    let (context, version) = (call.context.as_str(), call.version.as_str());
    let key = match call.subscription_policy.as_str() {
        UNAUTHENTICATED => KeyName::Anonymous { address: call.client, context, version },
        DEFAULT_SUBSCRIPTIONLESS => KeyName::subscriptionless(call.application?, context, version),
        tier => KeyName::Subscription { application: call.application?, context, version, tier },
    };
    Some(key.to_string())
}

fn application_key(call: &Call) -> Option<String> {
    let (application, user) = (call.application?, call.user.as_deref()?);
    Some(KeyName::Application { application, user, generation: 0 }.to_string())
}

impl Facts for Call {
    fn text(&self, variable: Variable) -> Cow<'_, str> {
        match variable {
            Variable::ResourceKey => format!("{}{}", self.context, self.operation).into(),
            Variable::UserId => self.user.as_deref().unwrap_or(ANONYMOUS).into(),
            Variable::ApiContext => self.context.as_str().into(),
            Variable::ApiVersion => self.version.as_str().into(),
            Variable::AppTenant => self.application_tenant.as_deref().unwrap_or_default().into(),
            Variable::ApiTenant => self.tenant.as_str().into(),
            Variable::AppId => self.application.map_or_else(String::new, |id| id.to_string()).into(),
            Variable::ClientIp => self.client.to_string().into(),
        }
    }

    fn client(&self) -> IpAddr {
        self.client
    }
}
