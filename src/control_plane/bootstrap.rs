//! What every organization starts with.

use domain::event::Event;
use domain::throttling::defaults;
use domain::throttling::{AdvancedPolicy, ApplicationPolicy, SubscriptionPolicy};
use domain::{Failure, Organization, Timestamp};
use store::apim::policies;
use store::{ApimDb, Raced};

/// Stores the default throttling policies that are missing; harmless to repeat. A policy that an administrator changed
/// stays as it is, and of two nodes that start together one stores them. A default that was deleted comes back only when no
/// policy of its kind is left; those for streaming are a kind of their own, which tenants of earlier releases lack.
pub async fn ensure_default_policies(apim: &ApimDb, organization: Organization, now: Timestamp) -> Result<(), Failure> {
    let stored = apim.write(move |conn| {
        if policies::list::<SubscriptionPolicy>(conn, Some(&organization))?.is_empty() {
            for policy in defaults::subscription_policies(&organization) {
                policies::insert(conn, &policy)?;
                conn.append(now, Event::SubscriptionPolicyUpdated(policy));
            }
        }
        let streaming = defaults::streaming_policies(&organization);
        let present = policies::list::<SubscriptionPolicy>(conn, Some(&organization))?;
        if !present.iter().any(|own| streaming.iter().any(|default| default.name == own.name)) {
            for policy in streaming {
                policies::insert(conn, &policy)?;
                conn.append(now, Event::SubscriptionPolicyUpdated(policy));
            }
        }
        if policies::list::<ApplicationPolicy>(conn, Some(&organization))?.is_empty() {
            for policy in defaults::application_policies(&organization) {
                policies::insert(conn, &policy)?;
                conn.append(now, Event::ApplicationPolicyUpdated(policy));
            }
        }
        if policies::list::<AdvancedPolicy>(conn, Some(&organization))?.is_empty() {
            for policy in defaults::advanced_policies(&organization) {
                policies::insert(conn, &policy)?;
                conn.append(now, Event::AdvancedPolicyUpdated(policy));
            }
        }
        Ok(())
    });
    stored.await.map_err(|Raced(error)| error.into())
}
