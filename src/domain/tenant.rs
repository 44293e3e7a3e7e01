//! Tenants: their domains, and what is derived from a domain.

mod config;

use crate::Organization;
use crate::name::InvalidName;

pub use config::{TIME_ZONE, TenantConfig, TenantConfigError, TenantSettings, schema as config_schema};

/// Segment that stands before a tenant's domain in paths of APIs and endpoints.
pub const PATH_PREFIX: &str = "/t/";

const DOMAIN_CHARS_MAX: usize = 255;
const LABEL_CHARS_MAX: usize = 63;

/// A tenant's domain as its maker wrote it: like a host name, in lower case only, so that one tenant has one spelling.
///
/// # Errors
/// When it is no such name; the error names `field`.
pub fn parse_domain(field: &'static str, text: &str) -> Result<Organization, InvalidName> {
    let invalid = |rule: &str| Err(InvalidName { field, rule: rule.to_owned() });
    if text.is_empty() || text.len() > DOMAIN_CHARS_MAX {
        return invalid("must have 1 to 255 characters");
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return invalid("must be in lower case");
    }
    let is_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !text.split('.').all(is_label) {
        return invalid(
            "must be a domain such as tenant.example: lower-case letters, digits and inner '-', with dots between",
        );
    }
    Ok(Organization::from_trusted(text.to_owned()))
}

/// What stands before the contexts of a tenant's APIs: `/t/<domain>`, nothing for the super tenant.
#[must_use]
pub fn path_prefix(organization: &Organization) -> String {
    if organization.is_super() { String::new() } else { format!("{PATH_PREFIX}{organization}") }
}

/// The issuers of all tenants' tokens, derived from the super tenant's: `https://host/t/<domain>/oauth2/token` from
/// `https://host/oauth2/token`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuers {
    base: String,
    /// Length of the part of `base` before its path.
    authority_bytes: usize,
}

impl Issuers {
    /// `base` is the super tenant's `iss`.
    #[must_use]
    pub fn new(base: String) -> Self {
        let authority = base.find("://").map_or(base.len(), |scheme| {
            let host = scheme + "://".len();
            base.get(host..).and_then(|rest| rest.find('/')).map_or(base.len(), |path| host + path)
        });
        Self { base, authority_bytes: authority }
    }

    /// The tenant's `iss`.
    #[must_use]
    pub fn of(&self, organization: &Organization) -> String {
        let (authority, path) = self.base.split_at(self.authority_bytes);
        format!("{authority}{}{path}", path_prefix(organization))
    }

    /// The tenant whose `iss` this would be; whether there is such a tenant is another question.
    #[must_use]
    pub fn organization_of(&self, issuer: &str) -> Option<Organization> {
        if issuer == self.base {
            return Some(Organization::super_tenant());
        }
        let (authority, path) = self.base.split_at(self.authority_bytes);
        let domain = issuer.strip_prefix(authority)?.strip_prefix(PATH_PREFIX)?.strip_suffix(path)?;
        parse_domain("iss", domain).ok().filter(|organization| !organization.is_super())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_spelling() {
        for good in ["tenant.example", "a", "x-1.b2.example", "carbon.super"] {
            assert_eq!(parse_domain("domain", good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "Tenant.example",
            "a..b",
            ".a",
            "a.",
            "-a.b",
            "a-.b",
            "a_b",
            "a/b",
            "a b",
            "ä.example",
            "a@b",
            "..",
            "%2e",
        ] {
            assert!(parse_domain("domain", bad).is_err(), "{bad:?} was accepted");
        }
        assert!(parse_domain("domain", &"x".repeat(64)).is_err());
        assert!(parse_domain("domain", "A.example").unwrap_err().to_string().contains("lower case"));
    }

    #[test]
    fn every_tenant_has_an_issuer_of_its_own() {
        let tenant = parse_domain("domain", "one.example").unwrap();
        let issuers = Issuers::new("https://host:9443/oauth2/token".to_owned());
        assert_eq!(issuers.of(&Organization::super_tenant()), "https://host:9443/oauth2/token");
        assert_eq!(issuers.of(&tenant), "https://host:9443/t/one.example/oauth2/token");
        assert_eq!(Issuers::new("https://id.example".to_owned()).of(&tenant), "https://id.example/t/one.example");
        assert_eq!(Issuers::new("plain".to_owned()).of(&tenant), "plain/t/one.example");
    }

    #[test]
    fn an_issuer_names_its_tenant_and_nothing_else_does() {
        for base in ["https://host:9443/oauth2/token", "https://id.example", "plain"] {
            let issuers = Issuers::new(base.to_owned());
            for organization in [Organization::super_tenant(), parse_domain("domain", "one.example").unwrap()] {
                assert_eq!(issuers.organization_of(&issuers.of(&organization)), Some(organization), "{base}");
            }
        }
        let issuers = Issuers::new("https://host/oauth2/token".to_owned());
        for other in [
            "https://host/t//oauth2/token",
            "https://host/t/A/oauth2/token",
            "https://host/t/carbon.super/oauth2/token",
            "https://other/t/a/oauth2/token",
            "https://host/t/a",
            "",
        ] {
            assert_eq!(issuers.organization_of(other), None, "{other}");
        }
    }
}
