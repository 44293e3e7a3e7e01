//! Deny policies of one tenant.

use std::collections::HashSet;
use std::net::IpAddr;

use domain::throttling::DenyTarget;
use domain::throttling::deny_policy::is_between;

/// Whose calls are refused.
#[derive(Debug, Default)]
pub struct Denied {
    contexts: HashSet<String>,
    users: HashSet<String>,
    /// Subscriber and name.
    applications: HashSet<(String, String)>,
    subscriptions: HashSet<(String, String, String, bool)>,
    addresses: Vec<AddressRule>,
}

#[derive(Debug)]
struct AddressRule {
    first: IpAddr,
    last: IpAddr,
    is_inverted: bool,
}

/// What a denial looks at.
#[derive(Debug, Clone, Copy)]
pub struct DenyFacts<'a> {
    /// Path with the version.
    pub context: &'a str,
    /// `user@tenant`.
    pub user: Option<&'a str>,
    /// Subscriber and name.
    pub application: Option<(&'a str, &'a str)>,
    pub is_sandbox: bool,
    pub client: IpAddr,
}

impl Denied {
    pub(super) fn add(&mut self, target: &DenyTarget) {
        match target.clone() {
            DenyTarget::ApiContext { context } => {
                self.contexts.insert(context);
            }
            DenyTarget::User { user } => {
                self.users.insert(user);
            }
            DenyTarget::Application { subscriber, application } => {
                self.applications.insert((subscriber, application));
            }
            DenyTarget::Subscription { context, subscriber, application, is_sandbox } => {
                self.subscriptions.insert((context, subscriber, application, is_sandbox));
            }
            DenyTarget::Address { address, is_inverted } => {
                self.addresses.push(AddressRule { first: address, last: address, is_inverted });
            }
            DenyTarget::AddressRange { first, last, is_inverted } => {
                self.addresses.push(AddressRule { first, last, is_inverted });
            }
        }
    }

    #[must_use]
    pub fn refuses(&self, call: &DenyFacts<'_>) -> bool {
        let is_denied = |rule: &AddressRule| is_between(call.client, rule.first, rule.last) != rule.is_inverted;
        if self.contexts.contains(call.context) || self.addresses.iter().any(is_denied) {
            return true;
        }
        if call.user.is_some_and(|user| self.users.contains(user)) {
            return true;
        }
        let Some((subscriber, name)) = call.application else { return false };
        // Keys are made only where there is something to find.
        let owned = || (subscriber.to_owned(), name.to_owned());
        let subscription = |(subscriber, name)| (call.context.to_owned(), subscriber, name, call.is_sandbox);
        (!self.applications.is_empty() && self.applications.contains(&owned()))
            || (!self.subscriptions.is_empty() && self.subscriptions.contains(&subscription(owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: DenyFacts<'_> = DenyFacts {
        context: "/pizza/1.0.0",
        user: Some("bob@carbon.super"),
        application: Some(("bob", "App")),
        is_sandbox: false,
        client: IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7)),
    };

    fn refuses(target: DenyTarget) -> bool {
        let mut denied = Denied::default();
        denied.add(&target);
        denied.refuses(&CALL)
    }

    #[test]
    fn each_kind_refuses_what_it_names_and_nothing_else() {
        let context = |context: &str| DenyTarget::ApiContext { context: context.into() };
        assert!(refuses(context("/pizza/1.0.0")) && !refuses(context("/pizza/2.0.0")));
        let user = |user: &str| DenyTarget::User { user: user.into() };
        assert!(refuses(user("bob@carbon.super")) && !refuses(user("bob@other")));
        let application = |name: &str| DenyTarget::Application { subscriber: "bob".into(), application: name.into() };
        assert!(refuses(application("App")) && !refuses(application("Other")));
        let subscription = |is_sandbox| DenyTarget::Subscription {
            context: "/pizza/1.0.0".into(),
            subscriber: "bob".into(),
            application: "App".into(),
            is_sandbox,
        };
        assert!(refuses(subscription(false)) && !refuses(subscription(true)));
    }

    #[test]
    fn addresses_may_be_inverted() {
        let address = |text: &str, is_inverted| DenyTarget::Address { address: text.parse().unwrap(), is_inverted };
        assert!(refuses(address("10.0.0.7", false)) && !refuses(address("10.0.0.7", true)));
        assert!(refuses(address("10.0.0.8", true)) && !refuses(address("10.0.0.8", false)));
        let range = |first: &str, last: &str| DenyTarget::AddressRange {
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
            is_inverted: false,
        };
        assert!(refuses(range("10.0.0.0", "10.0.0.7")) && !refuses(range("10.0.0.8", "10.0.0.9")));
    }
}
