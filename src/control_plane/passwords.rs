//! Users change their own passwords.

use domain::oauth::Principal;
use domain::{Failure, Secret};

use crate::ControlPlane;
use crate::keys::from_key_manager;

/// Fewest characters of a new password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Most characters of a new password.
pub const PASSWORD_CHARS_MAX: usize = 128;

fn check(caller: &Principal, current: &Secret<String>, new: &Secret<String>) -> Result<(), Failure> {
    let invalid = |reason: String| Err(Failure::invalid("newPassword", reason));
    let password = new.expose();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.chars().count()) {
        return invalid(format!("must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"));
    }
    if password.chars().any(char::is_control) {
        return invalid("must not contain control characters".to_owned());
    }
    if new.matches(current.expose().as_bytes()) {
        return invalid("must not be the present password".to_owned());
    }
    if password.eq_ignore_ascii_case(&caller.username) {
        return invalid("must not be your name".to_owned());
    }
    Ok(())
}

impl ControlPlane {
    /// Changes the caller's password; every token of the caller ends, the one of this call included.
    ///
    /// # Errors
    /// 400 naming the field.
    pub async fn change_password(
        &self,
        caller: &Principal,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), Failure> {
        check(caller, current, new)?;
        self.key_manager()
            .change_password(&caller.organization, &caller.username, current, new)
            .await
            .map_err(from_key_manager)
    }
}
