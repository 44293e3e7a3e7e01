//! The `query` of the list: `conditionType:API & conditionValue:/pizza/1.0.0`.

use domain::Failure;
use domain::throttling::DenyTarget;

/// What the list is narrowed to; the default takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DenyPolicyQuery {
    kind: Option<String>,
    value: Option<String>,
}

impl DenyPolicyQuery {
    /// # Errors
    /// 400 for another key.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut query = Self::default();
        for term in text.split('&').map(str::trim).filter(|term| !term.is_empty()) {
            let (key, value) = term.split_once(':').unwrap_or(("", term));
            let value = Some(value.trim().trim_matches('"').to_owned());
            match key.trim() {
                "conditionType" => query.kind = value,
                "conditionValue" => query.value = value,
                _ => return Err(Failure::invalid("query", "use conditionType:... & conditionValue:...")),
            }
        }
        Ok(query)
    }

    /// Values count as a whole, an API's also without its first slash; of a condition on addresses each address counts.
    pub(super) fn accepts(&self, target: &DenyTarget) -> bool {
        let is_kind = self.kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(target.kind()));
        let is_value = self.value.as_ref().is_none_or(|wanted| match target {
            DenyTarget::Address { address, .. } => address.to_string() == *wanted,
            DenyTarget::AddressRange { first, last, .. } => [first, last].iter().any(|own| own.to_string() == *wanted),
            other => other.text().is_some_and(|own| own == *wanted || own.strip_prefix('/') == Some(wanted)),
        });
        is_kind && is_value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_value_must_both_fit() {
        let api = DenyTarget::ApiContext { context: "/pizza/1.0.0".to_owned() };
        let first = [10, 0, 0, 1].into();
        let range = DenyTarget::AddressRange { first, last: [10, 0, 0, 9].into(), is_inverted: false };
        let accepts = |query: &str, target| DenyPolicyQuery::parse(query).unwrap().accepts(target);
        assert!(accepts("", &api) && accepts("conditionType:API", &api));
        assert!(accepts("conditionType:API & conditionValue:pizza/1.0.0", &api));
        assert!(accepts("conditionValue:/pizza/1.0.0", &api));
        assert!(!accepts("conditionValue:/pizza", &api) && !accepts("conditionType:USER", &api));
        assert!(accepts("conditionType:IPRANGE&conditionValue:10.0.0.9", &range));
        assert!(DenyPolicyQuery::parse("name:x").is_err() && DenyPolicyQuery::parse("x").is_err());
    }
}
