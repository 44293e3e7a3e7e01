//! Users, roles and tenants, on both back ends.

use super::*;
use crate::apim::oauth::tests::place::on_both;
use crate::database::SharedDb;

const NOW: Timestamp = Timestamp::from_secs(1000);

fn hash(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_super_admin_is_made_once_with_every_built_in_role() {
    on_both(async |db: SharedDb| {
        let outcomes = db.write(|conn| {
            let first = ensure_super_admin(conn, "admin", &hash("one"), NOW)?;
            let second = ensure_super_admin(conn, "admin", &hash("two"), NOW)?;
            let stored = find(conn, &Organization::super_tenant(), "admin")?;
            Ok::<_, StoreError>((first, second, stored))
        });
        let (first, second, stored) = outcomes.await.unwrap();
        assert_eq!((first, second), (Bootstrap::Created, Bootstrap::Existing));
        let mut stored = stored.unwrap();
        assert_eq!(stored.password_hash.expose(), "one");
        // The order of names is the database's, which differs between back ends.
        stored.user.roles.sort_by_key(|name| role::BUILT_IN.iter().position(|known| known == name));
        assert_eq!(stored.user.roles, role::BUILT_IN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_super_tenant_has_its_number() {
    on_both(async |db: SharedDb| {
        let tenant = db.write(|conn| {
            ensure_super_admin(conn, "admin", &hash("one"), NOW)?;
            tenants::find(conn, Organization::SUPER)
        });
        let tenant = tenant.await.unwrap().unwrap();
        assert_eq!((tenant.tenant_id, tenant.state), (-1234, tenants::TenantState::Active));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_found_in_the_own_organization_only_and_gets_a_new_password() {
    on_both(async |db: SharedDb| {
        let found = db.write(|conn| {
            ensure_super_admin(conn, "admin", &hash("one"), NOW)?;
            let user = User {
                id: UserId::random(),
                organization: Organization::super_tenant(),
                username: "dev".to_owned(),
                roles: vec!["Internal/subscriber".to_owned(), "partners".to_owned()],
            };
            insert(conn, &user, &hash("dev"), NOW)?;
            assert!(set_password(conn, user.id, &hash("new"), NOW)?);
            assert!(find(conn, &Organization::from_trusted("other".to_owned()), "dev")?.is_none());
            let stored = find(conn, &Organization::super_tenant(), "dev")?;
            Ok::<_, StoreError>((user, stored))
        });
        let (user, stored) = found.await.unwrap();
        let stored = stored.unwrap();
        assert_eq!(stored.user, user);
        assert_eq!(stored.password_hash.expose(), "new");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_name_is_refused() {
    on_both(async |db: SharedDb| {
        let outcome: Result<(), StoreError> = db
            .write(|conn| {
                ensure_super_admin(conn, "admin", &hash("one"), NOW)?;
                let user = User {
                    id: UserId::random(),
                    organization: Organization::super_tenant(),
                    username: "admin".to_owned(),
                    roles: Vec::new(),
                };
                insert(conn, &user, &hash("x"), NOW)
            })
            .await;
        assert!(matches!(outcome, Err(StoreError::Conflict { .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_starts_unfinished_with_its_own_people_and_the_next_number() {
    on_both(async |db: SharedDb| {
        let outcome = db.write(|conn| {
            ensure_super_admin(conn, "admin", &hash("one"), NOW)?;
            let [a, b] = ["a.example", "b.example"].map(|domain| Organization::from_trusted(domain.to_owned()));
            let first = tenants::insert(conn, &a, "admin", &hash("a"), NOW)?;
            let second = tenants::insert(conn, &b, "admin", &hash("b"), NOW)?;
            assert!(tenants::set_state(conn, &a, tenants::TenantState::Active)?);
            let unfinished = tenants::list(conn, Some(tenants::TenantState::Creating))?;
            let of_a = find(conn, &a, "admin")?;
            Ok::<_, StoreError>((first, second, unfinished, tenants::list(conn, None)?, of_a))
        });
        let (first, second, unfinished, all, of_a) = outcome.await.unwrap();
        assert_eq!((first.tenant_id, second.tenant_id), (1, 2));
        assert_eq!(unfinished, [second]);
        assert_eq!(all.len(), 2);
        let of_a = of_a.unwrap();
        assert_eq!((of_a.password_hash.expose().as_str(), of_a.user.roles.len()), ("a", role::BUILT_IN.len()));
        let again: Result<_, StoreError> = db
            .write(|conn| {
                tenants::insert(conn, &Organization::from_trusted("a.example".to_owned()), "x", &hash("x"), NOW)
            })
            .await;
        assert!(matches!(again, Err(StoreError::Conflict { .. })));
    })
    .await;
}
