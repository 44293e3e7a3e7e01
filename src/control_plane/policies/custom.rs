//! What holds for custom rules beside the rules of all policies.

use domain::event::Event;
use domain::throttling::custom_rule::{KeyTemplate, Rule};
use domain::throttling::{CustomRule, Limit, PolicyKind};
use domain::{Failure, PolicyId};

use super::{ServedPolicy, check_limit};

impl ServedPolicy for CustomRule {
    const EVENT_KIND: PolicyKind = PolicyKind::Custom;
    const USERS: &'static str = "calls";
    /// Every call of the tenant's APIs is held against all of them.
    const COUNT_MAX: i64 = 100;
    const BUILT_IN: &'static [&'static str] = &[];

    /// The limit is part of the rule's text.
    fn limit(&self) -> Option<&Limit> {
        None
    }

    fn set_id(&mut self, id: PolicyId) {
        self.id = id;
    }

    fn updated(self) -> Event {
        Event::CustomRuleUpdated(self)
    }

    fn check_more(&self) -> Result<(), Failure> {
        KeyTemplate::parse(&self.key_template).map_err(|error| Failure::invalid("keyTemplate", error))?;
        let rule = Rule::parse(&self.rule).map_err(|error| Failure::invalid("siddhiQuery", error))?;
        check_limit("siddhiQuery", &rule.limit)
    }
}

#[cfg(test)]
mod tests {
    use domain::Organization;
    use serde_json::Map;

    use super::*;

    fn refusal(key_template: &str, rule: &str) -> String {
        let rule = CustomRule {
            id: PolicyId::random(),
            organization: Organization::super_tenant(),
            name: "Some".to_owned(),
            display_name: String::new(),
            description: String::new(),
            key_template: key_template.to_owned(),
            rule: rule.to_owned(),
            other: Map::new(),
        };
        rule.check_more().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn text_that_is_no_rule_is_refused_by_its_field() {
        const RULE: &str = "5 requests per min";
        assert_eq!(refusal("$userId", RULE), "");
        assert!(refusal("everybody", RULE).contains("keyTemplate"));
        assert!(refusal("$userId", "many requests").contains("siddhiQuery"));
        assert!(refusal("$userId", "0 requests per min").contains("siddhiQuery"));
        assert!(refusal("$userId", "5 requests per 0 min").contains("siddhiQuery.unitTime"));
        assert!(refusal("$userId", "FROM RequestStream SELECT userId INSERT INTO ResultStream;").contains("Siddhi"));
    }
}
