//! What a gateway does about quotas while no traffic manager answers.

use serde::{Deserialize, Serialize};

/// Which calls pass while no traffic manager decides: none can be reached, or those that can have no database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnTmLoss {
    /// Each gateway admits its share of the quota, less what it spent in the window already.
    #[default]
    LocalShare,
    /// All.
    Allow,
    /// None.
    Deny,
}

impl OnTmLoss {
    pub const ALL: [Self; 3] = [Self::LocalShare, Self::Allow, Self::Deny];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LocalShare => "local-share",
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        for own in OnTmLoss::ALL {
            assert_eq!(OnTmLoss::parse(own.as_str()), Some(own));
            assert_eq!(serde_json::to_value(own).unwrap(), own.as_str());
        }
        assert_eq!(OnTmLoss::parse("local_share"), None);
    }
}
