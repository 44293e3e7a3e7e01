//! An operation with scopes takes tokens that have at least one of them.

use domain::runtime::GatewayOperation;

use crate::fault::Fault;

use super::authenticate::Caller;

pub fn check(operation: &GatewayOperation, caller: &Caller) -> Result<(), Fault> {
    let Caller::Token(token) = caller else { return Ok(()) };
    let is_granted = |needed: &String| token.claims.scopes().any(|scope| scope == needed);
    if operation.scopes.is_empty() || operation.scopes.iter().any(is_granted) {
        Ok(())
    } else {
        Err(Fault::ScopeMissing)
    }
}
