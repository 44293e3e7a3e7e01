//! `CurrentAndNewPasswords`.

use domain::Secret;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentAndNewPasswordsDto {
    pub current_password: Secret<String>,
    pub new_password: Secret<String>,
}
