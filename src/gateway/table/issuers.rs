//! Whose tokens count: issuers with their public keys.

use std::collections::HashMap;
use std::sync::Arc;

use domain::Organization;
use domain::runtime::TrustedIssuer;
use security::jwt::VerificationKeys;

/// A trusted issuer with its key set ready for use.
#[derive(Debug)]
pub struct Issuer {
    /// Tenant whose tokens the issuer signs.
    pub organization: Organization,
    /// Name of the key manager.
    pub name: String,
    pub keys: VerificationKeys,
}

/// All trusted issuers at one moment.
#[derive(Debug, Default)]
pub struct Issuers {
    /// Differs between any two states, so that what was verified under another one can be told.
    pub epoch: u64,
    /// By `iss`; tenants may share one and differ in their keys.
    by_claim: HashMap<String, Vec<Arc<Issuer>>>,
}

impl Issuers {
    /// The issuer with this `iss` that owns the key `kid`.
    #[must_use]
    pub fn find(&self, iss: &str, kid: &str) -> Option<&Arc<Issuer>> {
        self.by_claim.get(iss)?.iter().find(|issuer| issuer.keys.contains(kid))
    }
}

/// The writers' side.
#[derive(Default)]
pub(super) struct IssuerRegistry {
    issuers: Vec<TrustedIssuer>,
    epoch: u64,
}

impl IssuerRegistry {
    pub fn replace(&mut self, issuers: &[TrustedIssuer]) {
        self.issuers = issuers.to_vec();
        self.epoch += 1;
    }

    pub fn update(&mut self, issuer: TrustedIssuer) {
        self.issuers.retain(|own| own.organization != issuer.organization || own.name != issuer.name);
        self.issuers.push(issuer);
        self.epoch += 1;
    }

    /// A key set that cannot be read leaves its issuer without keys: its tokens are refused.
    pub fn current(&self) -> Arc<Issuers> {
        let mut by_claim: HashMap<String, Vec<Arc<Issuer>>> = HashMap::new();
        for issuer in self.issuers.iter().filter(|issuer| issuer.enabled) {
            let keys = VerificationKeys::from_jwk_set(&issuer.jwks).unwrap_or_else(|error| {
                tracing::error!(key_manager.name = issuer.name, %error, "the issuer's key set is unusable, its tokens are refused");
                VerificationKeys::default()
            });
            let issuer_with_keys =
                Issuer { organization: issuer.organization.clone(), name: issuer.name.clone(), keys };
            by_claim.entry(issuer.issuer.clone()).or_default().push(Arc::new(issuer_with_keys));
        }
        Arc::new(Issuers { epoch: self.epoch, by_claim })
    }
}
