//! Starts the counts of an application's user anew.

use domain::event::Event;
use domain::oauth::Principal;
use domain::{Failure, error_code};
use store::apim::throttle_resets;

use crate::ControlPlane;
use crate::applications::{lock_owned, parse_id};
use crate::tenant_user::tenant_user;

/// Most users of one application whose counts can be started anew; gateways remember all of them.
const USERS_MAX: i64 = 1_000;

/// Longest name of a user, in characters.
const USER_CHARS_MAX: usize = 255;

impl ControlPlane {
    /// The application's policy counts the calls of `user` from nothing again, at all gateways.
    ///
    /// # Errors
    /// 404; 400 naming the field; 403 for too many users.
    pub async fn reset_application_throttling(&self, caller: &Principal, id: &str, user: &str) -> Result<(), Failure> {
        let user = user.trim();
        let length = user.chars().count();
        if length == 0 || length > USER_CHARS_MAX || user.chars().any(char::is_control) {
            return Err(Failure::invalid("userName", format!("must have 1 to {USER_CHARS_MAX} printable characters")));
        }
        let id = parse_id(id)?;
        let user = tenant_user("userName", &caller.organization, user)?;
        let (caller, now) = (caller.clone(), self.now());
        self.apim()
            .write(move |conn| {
                lock_owned(conn, &caller.organization, &caller.username, id)?;
                if throttle_resets::count(conn, id)? >= USERS_MAX {
                    return Err(Failure::refused(
                        error_code::FORBIDDEN,
                        format!("userName: the counts of {USERS_MAX} users of this application were reset, the most there can be"),
                    ));
                }
                let reset = throttle_resets::add(conn, &caller.organization, id, &user)?;
                conn.append(now, Event::ThrottleReset(reset));
                Ok(())
            })
            .await
    }
}
