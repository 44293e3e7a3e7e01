//! Whether the policy that limits nothing can be chosen.

use domain::api::ApiDetails;
use domain::throttling::policy::UNLIMITED;
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
        self == Self::Offered || name != UNLIMITED
    }

    /// The same for a kind of policies, of which some know no built-in ones.
    pub(crate) fn offers_of<P: ServedPolicy>(self, name: &str) -> bool {
        !P::BUILT_IN.contains(&name) || self.offers(name)
    }

    /// # Errors
    /// 400/900305 naming the field.
    pub(crate) fn check(self, field: &str, name: &str) -> Result<(), Failure> {
        if self.offers(name) {
            return Ok(());
        }
        let reason = format!("{field}: the policy '{UNLIMITED}' is switched off; choose one with a limit");
        Err(Failure::refused(error_code::TIER_NOT_ALLOWED, reason))
    }

    /// The business plans of an API.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) fn check_plans(self, details: &ApiDetails) -> Result<(), Failure> {
        details.policies.iter().try_for_each(|name| self.check("policies", name))
    }
}
