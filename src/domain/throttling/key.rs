//! Names of throttle keys: what gateways and traffic managers call the things that are counted together. They must never
//! change: nodes of two releases would count one thing twice, and owners of slots would differ (see [`super::Slot`]).

use std::fmt;
use std::net::IpAddr;

use super::policy::{DEFAULT_SUBSCRIPTIONLESS, UNAUTHENTICATED};
use crate::{ApplicationId, PolicyId};

/// What a throttle key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyName<'a> {
    /// Calls of an application to an API under a tier: `sub:<application>:<context>:<version>:<tier>`. The context has the
    /// version and, outside of the super tenant, the tenant: `/t/tenant.example/pizza/1.0.0`.
    Subscription { application: ApplicationId, context: &'a str, version: &'a str, tier: &'a str },
    /// Calls without a token from an address to an API: as before, with the address in the application's place.
    Anonymous { address: IpAddr, context: &'a str, version: &'a str },
    /// Calls of a user (`user@tenant`) through an application: `app:<application>:<user>`, and the generation behind it
    /// once they were counted from nothing again.
    Application { application: ApplicationId, user: &'a str, generation: u64 },
    /// Calls of an API, or of those that one group of its policy's conditions takes: `api:<context>:<version>`.
    Api { context: &'a str, version: &'a str, group: Option<u16> },
    /// The same of an operation, `<template>:<VERB>`: `res:<context><template>:<VERB>`. Read from a text, the context is
    /// empty and the operation has it: they cannot be told apart.
    Operation { context: &'a str, operation: &'a str, group: Option<u16> },
    /// Calls that look alike under a custom rule's template: `custom:<rule>:<key>`.
    Custom { rule: PolicyId, key: &'a str },
}

/// Before the number of a group of conditions.
const GROUP: &str = "_condition_";

impl<'a> KeyName<'a> {
    /// Calls of an application to an API that needs no subscription.
    #[must_use]
    pub fn subscriptionless(application: ApplicationId, context: &'a str, version: &'a str) -> Self {
        Self::Subscription { application, context, version, tier: DEFAULT_SUBSCRIPTIONLESS }
    }

    /// Takes a key apart; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "sub" => Self::of_subscription(rest),
            "app" => Self::of_application(rest),
            "api" => {
                let (rest, group) = split_group(rest);
                let (context, version) = rest.rsplit_once(':')?;
                context.starts_with('/').then_some(Self::Api { context, version, group })
            }
            "res" => {
                let (operation, group) = split_group(rest);
                operation.starts_with('/').then_some(Self::Operation { context: "", operation, group })
            }
            "custom" => {
                let (rule, key) = rest.split_once(':')?;
                Some(Self::Custom { rule: rule.parse().ok()?, key })
            }
            _ => None,
        }
    }

    fn of_subscription(rest: &'a str) -> Option<Self> {
        // An IPv6 address has colons itself, but no slash.
        let (who, rest) = rest.split_at_checked(rest.find(":/")?)?;
        let mut parts = rest.get(1..)?.rsplitn(3, ':');
        let (tier, version, context) = (parts.next()?, parts.next()?, parts.next()?);
        if let Ok(application) = who.parse() {
            return Some(Self::Subscription { application, context, version, tier });
        }
        let address = who.parse().ok().filter(|_| tier == UNAUTHENTICATED)?;
        Some(Self::Anonymous { address, context, version })
    }

    fn of_application(rest: &'a str) -> Option<Self> {
        let (application, user) = rest.split_once(':')?;
        let application = application.parse().ok()?;
        let numbered = user.rsplit_once(':').and_then(|(user, number)| Some((user, number.parse().ok()?)));
        let (user, generation) = numbered.unwrap_or((user, 0));
        (!user.is_empty()).then_some(Self::Application { application, user, generation })
    }
}

fn split_group(text: &str) -> (&str, Option<u16>) {
    let split = text.rsplit_once(GROUP).and_then(|(rest, number)| Some((rest, number.parse().ok()?)));
    split.map_or((text, None), |(rest, number)| (rest, Some(number)))
}

impl fmt::Display for KeyName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = match self {
            Self::Subscription { application, context, version, tier } => {
                return write!(f, "sub:{application}:{context}:{version}:{tier}");
            }
            Self::Anonymous { address, context, version } => {
                return write!(f, "sub:{address}:{context}:{version}:{UNAUTHENTICATED}");
            }
            Self::Application { application, user, generation: 0 } => return write!(f, "app:{application}:{user}"),
            Self::Application { application, user, generation } => {
                return write!(f, "app:{application}:{user}:{generation}");
            }
            Self::Custom { rule, key } => return write!(f, "custom:{rule}:{key}"),
            Self::Api { context, version, group } => {
                write!(f, "api:{context}:{version}")?;
                group
            }
            Self::Operation { context, operation, group } => {
                write!(f, "res:{context}{operation}")?;
                group
            }
        };
        group.map_or(Ok(()), |number| write!(f, "{GROUP}{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198f3a0-1111-7222-8333-444455556666";

    #[test]
    fn the_name_of_a_key_never_changes() {
        let (application, rule) = (ID.parse().unwrap(), ID.parse().unwrap());
        let (context, version, tier) = ("/t/a.example/pizza/1.0.0", "1.0.0", "Gold");
        let address = "::1".parse().unwrap();
        let user = "bob@carbon.super";
        for (name, text) in [
            (
                KeyName::Subscription { application, context, version, tier },
                format!("sub:{ID}:/t/a.example/pizza/1.0.0:1.0.0:Gold"),
            ),
            (
                KeyName::subscriptionless(application, context, version),
                format!("sub:{ID}:/t/a.example/pizza/1.0.0:1.0.0:DefaultSubscriptionless"),
            ),
            (
                KeyName::Anonymous { address, context, version },
                "sub:::1:/t/a.example/pizza/1.0.0:1.0.0:Unauthenticated".to_owned(),
            ),
            (KeyName::Application { application, user, generation: 0 }, format!("app:{ID}:bob@carbon.super")),
            (KeyName::Application { application, user, generation: 7 }, format!("app:{ID}:bob@carbon.super:7")),
            (KeyName::Api { context, version, group: None }, "api:/t/a.example/pizza/1.0.0:1.0.0".to_owned()),
            (
                KeyName::Api { context, version, group: Some(2) },
                "api:/t/a.example/pizza/1.0.0:1.0.0_condition_2".to_owned(),
            ),
            (
                KeyName::Operation { context: "", operation: "/pizza/1.0.0/menu/{id}:GET", group: Some(1) },
                "res:/pizza/1.0.0/menu/{id}:GET_condition_1".to_owned(),
            ),
            (KeyName::Custom { rule, key: "bob:::1" }, format!("custom:{ID}:bob:::1")),
        ] {
            assert_eq!(name.to_string(), text);
            assert_eq!(KeyName::parse(&text), Some(name), "{text}");
        }
        let whole = KeyName::Operation { context: "/pizza/1.0.0", operation: "/menu:GET", group: None };
        assert_eq!(whole.to_string(), "res:/pizza/1.0.0/menu:GET");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "sub", "sub:", "sub:x:/a:1:T", "sub:10.0.0.1:/a:1:Gold", "app:1:bob", "api:pizza:1", "x:y"] {
            assert_eq!(KeyName::parse(text), None, "{text}");
        }
    }
}
