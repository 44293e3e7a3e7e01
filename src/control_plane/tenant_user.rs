//! Users as administrators and subscribers write them.

use domain::user::user_with_tenant;
use domain::{Failure, Organization};

/// `user@tenant` of `user` or `user@tenant`.
///
/// # Errors
/// 400 naming the field, for a user of another tenant.
pub(crate) fn tenant_user(field: &str, organization: &Organization, text: &str) -> Result<String, Failure> {
    if text.strip_suffix(&format!("@{organization}")).is_some_and(|name| !name.is_empty()) {
        return Ok(text.to_owned());
    }
    if text.contains('@') {
        return Err(Failure::invalid(field, format!("must be a user of this tenant: user or user@{organization}")));
    }
    Ok(user_with_tenant(text, organization))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_those_of_the_tenant() {
        let super_tenant = Organization::super_tenant();
        let user = |text: &str| tenant_user("user", &super_tenant, text);
        assert_eq!(user("anna").unwrap(), "anna@carbon.super");
        assert_eq!(user("anna@carbon.super").unwrap(), "anna@carbon.super");
        assert_eq!(user("anna@mail.example@carbon.super").unwrap(), "anna@mail.example@carbon.super");
        for wrong in ["anna@other.example", "@carbon.super"] {
            assert!(user(wrong).is_err(), "{wrong}");
        }
    }
}
