//! Policies of all kinds in one list.

use domain::search::{Key, Query};
use domain::throttling::{AdvancedPolicy, ApplicationPolicy, CustomRule, SubscriptionPolicy};
use domain::{Failure, Organization, PolicyId};
use store::apim::policies;

use crate::ControlPlane;

/// What the list of all kinds shows of a policy.
#[derive(Debug, Clone)]
pub struct PolicyOverview {
    pub id: PolicyId,
    pub name: String,
    pub display_name: String,
    pub description: String,
    /// `subscription`, `application`, `advanced` or `global`.
    pub kind: &'static str,
}

/// The words that `type:` takes and the kind that each means; custom rules are `global` on the wire.
const KINDS: [(&str, Option<&str>); 9] = [
    ("all", None),
    ("sub", Some("subscription")),
    ("subscription", Some("subscription")),
    ("app", Some("application")),
    ("application", Some("application")),
    ("api", Some("advanced")),
    ("advanced", Some("advanced")),
    ("global", Some("global")),
    ("custom", Some("global")),
];

impl ControlPlane {
    /// The policies whose kind (`type:`) and name (`name:`) the query wants, kind by kind, by name.
    ///
    /// # Errors
    /// 400 for another key or an unknown type.
    pub async fn search_policies(
        &self,
        organization: &Organization,
        query: Query,
    ) -> Result<Vec<PolicyOverview>, Failure> {
        let kinds = kinds(&query)?;
        let (organization, unlimited) = (organization.clone(), self.unlimited_tier());
        let all: Vec<PolicyOverview> = self
            .apim()
            .read(move |conn| {
                let mut found = Vec::new();
                macro_rules! add {
                    ($kind:literal, $policy:ty) => {
                        let policies = policies::list::<$policy>(conn, Some(&organization))?.into_iter();
                        let offered = policies.filter(|policy| unlimited.offers_of::<$policy>(&policy.name));
                        found.extend(offered.map(|policy| PolicyOverview {
                            id: policy.id,
                            name: policy.name,
                            display_name: policy.display_name,
                            description: policy.description,
                            kind: $kind,
                        }));
                    };
                }
                add!("subscription", SubscriptionPolicy);
                add!("application", ApplicationPolicy);
                add!("advanced", AdvancedPolicy);
                add!("global", CustomRule);
                Ok::<_, Failure>(found)
            })
            .await?;
        let wanted = |policy: &PolicyOverview| {
            kinds.as_ref().is_none_or(|kinds| kinds.contains(&policy.kind)) && query.accepts(&Key::Name, &policy.name)
        };
        Ok(all.into_iter().filter(wanted).collect())
    }
}

/// `None` means all.
fn kinds(query: &Query) -> Result<Option<Vec<&'static str>>, Failure> {
    if let Some(term) = query.terms().iter().find(|term| !matches!(term.key, Key::Name | Key::Type)) {
        return Err(Failure::invalid("query", format!("cannot search by '{}' here; use type and name", term.key)));
    }
    let mut kinds = Vec::new();
    for pattern in query.patterns(&Key::Type).unwrap_or_default() {
        match KINDS.iter().find(|(word, _)| pattern.matches(word)) {
            Some((_, None)) => return Ok(None),
            Some((_, Some(kind))) => kinds.push(*kind),
            None => return Err(Failure::invalid("query", "type must be one of all, sub, app, api, global")),
        }
    }
    Ok(if kinds.is_empty() { None } else { Some(kinds) })
}
