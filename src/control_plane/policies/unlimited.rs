//! Whether the policy that limits nothing can be chosen.

use domain::api::ApiDetails;
use domain::throttling::policy::UNLIMITED_ONES;
use domain::{Failure, error_code};

use super::ServedPolicy;

/// `[throttling] enable_unlimited_tier`. What has the policy already keeps it; for operations its name goes on to mean
/// that they have no policy of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlimitedTier {
    Offered,
    Hidden,
}

impl UnlimitedTier {
    pub(crate) fn offers(self, name: &str) -> bool {
        self == Self::Offered || !UNLIMITED_ONES.contains(&name)
    }

    /// The same for a kind of policies, of which some know no built-in ones.
    pub(crate) fn offers_of<P: ServedPolicy>(self, name: &str) -> bool {
        P::BUILT_IN.is_empty() || self.offers(name)
    }

    /// # Errors
    /// 400/900305 naming the field.
    pub(crate) fn check(self, field: &str, name: &str) -> Result<(), Failure> {
        if self.offers(name) {
            return Ok(());
        }
        let reason = format!("{field}: the policy '{name}' is switched off; choose one with a limit");
        Err(Failure::refused(error_code::TIER_NOT_ALLOWED, reason))
    }

    /// Leaves the business plans that can be chosen.
    pub(crate) fn narrow(self, details: &mut ApiDetails) {
        details.policies.retain(|name| self.offers(name));
    }

    /// The business plans of an API that had those of `before`.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) fn check_change(self, before: &ApiDetails, after: &ApiDetails) -> Result<(), Failure> {
        if before.policies.iter().any(|name| UNLIMITED_ONES.contains(&name.as_str())) {
            Ok(())
        } else {
            self.check_plans(after)
        }
    }

    /// The business plans of an API.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) fn check_plans(self, details: &ApiDetails) -> Result<(), Failure> {
        details.policies.iter().try_for_each(|name| self.check("policies", name))
    }
}

#[cfg(test)]
mod tests {
    use domain::throttling::policy::UNLIMITED;

    use super::*;

    #[test]
    fn what_has_the_policy_keeps_it_and_nothing_gets_it() {
        let with = |names: &[&str]| ApiDetails {
            policies: names.iter().map(ToString::to_string).collect(),
            ..ApiDetails::default()
        };
        let (none, gold, unlimited) = (with(&[]), with(&["Gold"]), with(&["Gold", UNLIMITED]));
        let hidden = UnlimitedTier::Hidden;
        assert!(hidden.check_plans(&gold).is_ok() && hidden.check_plans(&unlimited).is_err());
        assert!(hidden.check_change(&gold, &unlimited).is_err() && hidden.check_change(&none, &gold).is_ok());
        assert!(hidden.check_change(&unlimited, &unlimited).is_ok());
        assert!(UnlimitedTier::Offered.check_change(&gold, &unlimited).is_ok());
        let mut shown = unlimited;
        hidden.narrow(&mut shown);
        assert_eq!(shown, gold);
    }
}
