//! Deny policies: whose calls are refused whatever else allows them.

use domain::application::KeyType;

use super::throttle::CallView;
use crate::fault::Fault;
use crate::table::{DenyFacts, Live};

pub fn check(live: &Live, call: &CallView<'_>) -> Result<(), Fault> {
    let document = &call.api.document;
    let Some(denied) = live.policies.denied(&document.organization) else { return Ok(()) };
    let user = call.user();
    let application = call.access.consumer.as_ref().map(|consumer| &consumer.application);
    let facts = DenyFacts {
        context: &document.context,
        user: user.as_deref(),
        application: application.map(|own| (own.owner.as_str(), own.name.as_str())),
        is_sandbox: call.access.key_type == KeyType::Sandbox,
        client: call.client,
    };
    if denied.refuses(&facts) { Err(Fault::Denied) } else { Ok(()) }
}
