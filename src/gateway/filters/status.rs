//! Lifecycle: a blocked API says so, a retired one is gone.

use domain::lifecycle::LifecycleState;

use crate::fault::Fault;

/// Refuses calls to APIs that serve nobody. A created API is refused later, where it is known who calls.
pub fn check(state: LifecycleState) -> Result<(), Fault> {
    match state {
        LifecycleState::Blocked => Err(Fault::ApiBlocked),
        LifecycleState::Retired => Err(Fault::UnknownContext),
        LifecycleState::Created
        | LifecycleState::Prototyped
        | LifecycleState::Published
        | LifecycleState::Deprecated => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocked_and_retired_apis_refuse_everybody() {
        for state in LifecycleState::ALL {
            let expected = match state {
                LifecycleState::Blocked => Err(Fault::ApiBlocked),
                LifecycleState::Retired => Err(Fault::UnknownContext),
                _ => Ok(()),
            };
            assert_eq!(check(state), expected);
        }
    }
}
