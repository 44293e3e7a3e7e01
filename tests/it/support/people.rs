//! Further users beside the administrator.

use domain::user::{User, role};
use domain::{Clock, Organization, Secret, SystemClock, UserId};
use store::{OpenOptions, SharedDb, StoreError, Timeouts};

use super::actors::Subscriber;
use super::rest::Credentials;
use super::sandbox::Sandbox;

/// A subscriber with these further roles, whose password is the name.
pub async fn subscriber(sandbox: &Sandbox, username: &str, roles: &[&str]) -> Subscriber {
    let options = OpenOptions {
        url: sandbox.shared_db_url(),
        pool_size: 1,
        acquire_timeout: std::time::Duration::from_secs(10),
        timeouts: Timeouts::default(),
    };
    let database = SharedDb::open(&options, &tokio::runtime::Handle::current()).unwrap();
    let hash = Secret::new(security::password::hash(&Secret::new(username.to_owned())).unwrap());
    let user = User {
        id: UserId::random(),
        organization: Organization::super_tenant(),
        username: username.to_owned(),
        roles: [role::EVERYONE, role::SUBSCRIBER].iter().chain(roles).map(ToString::to_string).collect(),
    };
    let now = SystemClock.now();
    database
        .write(move |conn| store::shared::users::insert(conn, &user, &hash, now))
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    Subscriber { rest: sandbox.rest(Credentials::Basic(username.to_owned(), username.to_owned())) }
}
