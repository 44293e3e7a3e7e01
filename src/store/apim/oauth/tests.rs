//! The token service's tables, on both back ends.

pub(crate) mod place;

use std::time::Duration;

use domain::event::{Event, LogName};
use domain::oauth::Client;
use domain::runtime::{Revocation, RevocationEntry};
use domain::{Organization, Timestamp};

use self::place::on_both;
use super::refresh_tokens::RefreshToken;
use super::revocations::TokenFacts;
use super::signing_keys::StoredSigningKey;
use super::*;
use crate::database::ApimDb;
use crate::error::StoreError;
use crate::outbox;

const NOW: Timestamp = Timestamp::from_secs(1000);

fn organization() -> Organization {
    Organization::super_tenant()
}

fn client(id: &str) -> Client {
    Client {
        id: id.to_owned(),
        organization: organization(),
        name: format!("name of {id}"),
        owner: "admin".to_owned(),
        grant_types: vec!["password".to_owned(), "refresh_token".to_owned()],
        callback_url: String::new(),
        is_saas_app: true,
        application_token_lifetime_secs: None,
        user_token_lifetime_secs: Some(-1),
        refresh_token_lifetime_secs: None,
        is_portal_application: false,
        additional_properties: serde_json::Map::new(),
        created_at: NOW,
    }
}

fn refresh_token(hash: &str, expires_at: Timestamp) -> RefreshToken {
    RefreshToken {
        token_hash: hash.to_owned(),
        organization: organization(),
        family_id: "family".to_owned(),
        client_id: "c1".to_owned(),
        username: "admin".to_owned(),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        is_rotated: false,
        access_token_id: format!("access of {hash}"),
        access_expires_at: NOW,
        issued_at: NOW,
        expires_at,
    }
}

/// Reuse is noticed while the family's present token is used on another node: nothing of the family may be left.
#[tokio::test(flavor = "multi_thread")]
async fn a_family_ends_also_while_a_member_is_being_replaced() {
    on_both(async |db: ApimDb| {
        db.write(|conn| clients::insert(conn, &client("c1"))).await.map_err(|error: StoreError| error).unwrap();
        for _ in 0..30 {
            let old = refresh_token("old", NOW.plus(Duration::from_secs(60)));
            db.write(move |conn| refresh_tokens::insert(conn, &old)).await.unwrap();
            let new = refresh_token("new", NOW.plus(Duration::from_secs(60)));
            let replaced = db.write(move |conn| {
                let is_first = refresh_tokens::rotate(conn, "old")?;
                if is_first {
                    refresh_tokens::insert(conn, &new)?;
                }
                Ok::<_, StoreError>(is_first)
            });
            let ended = db.write(|conn| refresh_tokens::delete_family(conn, "family"));
            let (is_replaced, ended) = tokio::join!(replaced, ended);
            let left = db.read(|conn| refresh_tokens::find(conn, "new")).await.unwrap();
            let ended = ended.unwrap();
            assert_eq!(left, None);
            let names: Vec<&str> = ended.iter().map(|token| token.token_hash.as_str()).collect();
            assert_eq!(names.contains(&"new"), is_replaced.unwrap(), "{names:?}");
        }
    })
    .await;
}

/// A token outlives what the clients' present limits say, e.g. because its client had a higher one then.
#[tokio::test]
async fn a_key_stays_published_until_the_last_token_that_it_covers_has_expired() {
    on_both(async |db: ApimDb| {
        let (soon, late) = (NOW.plus(Duration::from_secs(100)), NOW.plus(Duration::from_secs(10_000)));
        let count = async |now| db.read(move |conn| signing_keys::list_published(conn, &organization(), now)).await;
        db.write(move |conn| {
            signing_keys::add(conn, &signing_key("first", NOW), soon, NOW)?;
            assert!(signing_keys::cover(conn, "first", soon.plus(Duration::from_secs(1)))?);
            signing_keys::add(conn, &signing_key("second", soon), soon, NOW)?;
            assert!(!signing_keys::cover(conn, "third", late)?);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
        assert_eq!(count(soon).await.unwrap().len(), 2, "covered before the rotation");
        db.write(move |conn| signing_keys::cover(conn, "first", late)).await.unwrap();
        let just_before = NOW.plus(Duration::from_secs(9_999));
        db.write(move |conn| signing_keys::purge(conn, just_before)).await.unwrap();
        assert_eq!(count(just_before).await.unwrap().len(), 2, "covered after the rotation");
        assert_eq!(count(late).await.unwrap().len(), 1);
    })
    .await;
}

fn signing_key(kid: &str, use_from: Timestamp) -> StoredSigningKey {
    StoredSigningKey {
        kid: kid.to_owned(),
        organization: organization(),
        algorithm: "RS256".to_owned(),
        public_jwk: serde_json::json!({ "kid": kid }),
        sealed_private_key: "sealed".to_owned(),
        use_from,
        retire_at: None,
        created_at: NOW,
    }
}

async fn write<T: Send + 'static>(
    db: &ApimDb,
    work: impl FnMut(&mut crate::ApimConn) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    db.write(work).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_found_as_it_was_stored_and_its_name_is_unique_for_its_owner() {
    on_both(async |db: ApimDb| {
        write(&db, |conn| clients::insert(conn, &client("c1"))).await.unwrap();
        let mut changed = client("c1");
        changed.callback_url = "https://example.org".to_owned();
        changed.user_token_lifetime_secs = None;
        let stored = changed.clone();
        let found = write(&db, move |conn| {
            assert!(clients::update(conn, &changed)?);
            clients::find_by_name(conn, &organization(), "name of c1", "admin")
        });
        assert_eq!(format!("{:?}", found.await.unwrap().unwrap()), format!("{stored:?}"));
        let same_name = Client { name: "name of c1".to_owned(), ..client("c2") };
        let outcome = write(&db, move |conn| clients::insert(conn, &same_name)).await;
        assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_rotated_once_and_dies_with_its_family() {
    on_both(async |db: ApimDb| {
        let members = write(&db, |conn| {
            clients::insert(conn, &client("c1"))?;
            refresh_tokens::insert(conn, &refresh_token("h1", NOW))?;
            refresh_tokens::insert(conn, &refresh_token("h2", NOW))?;
            assert_eq!(refresh_tokens::find_family(conn, "access of h2")?.as_deref(), Some("family"));
            assert!(refresh_tokens::rotate(conn, "h1")?);
            assert!(!refresh_tokens::rotate(conn, "h1")?);
            assert!(refresh_tokens::find(conn, "h1")?.is_some_and(|token| token.is_rotated));
            assert_eq!(refresh_tokens::find(conn, "h2")?, Some(refresh_token("h2", NOW)));
            refresh_tokens::delete_family(conn, "family")
        });
        assert_eq!(members.await.unwrap().len(), 2);
        let gone = write(&db, |conn| refresh_tokens::find(conn, "h2")).await.unwrap();
        assert!(gone.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_client_takes_secrets_and_refresh_tokens_along() {
    on_both(async |db: ApimDb| {
        let left = write(&db, |conn| {
            clients::insert(conn, &client("c1"))?;
            assert_eq!(clients::longest_token_lifetime(conn, &organization())?, clients::LongestLifetime::Unlimited);
            let secret = secrets::StoredSecret {
                id: "s1".to_owned(),
                hash: "h".to_owned(),
                sealed: None,
                properties: serde_json::Map::new(),
                created_at: NOW,
                expires_at: None,
            };
            secrets::insert(conn, &organization(), "c1", &secret)?;
            refresh_tokens::insert(conn, &refresh_token("h1", NOW))?;
            assert_eq!(secrets::list(conn, "c1", NOW)?, [secret]);
            assert!(!clients::delete(conn, &Organization::from_trusted("other".to_owned()), "c1")?);
            assert!(clients::delete(conn, &organization(), "c1")?);
            Ok((secrets::list(conn, "c1", NOW)?.len(), refresh_tokens::find(conn, "h1")?))
        });
        assert_eq!(left.await.unwrap(), (0, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_counts_for_what_it_names_and_is_an_event_of_its_transaction() {
    on_both(async |db: ApimDb| {
        let expires_at = Timestamp::from_secs(5000);
        let entry = move |revocation| RevocationEntry { organization: organization(), revocation, expires_at };
        write(&db, move |conn| {
            revocations::insert(conn, &entry(Revocation::Token { jti: "j1".to_owned() }), NOW)?;
            let user = Revocation::User { user: "eve@carbon.super".to_owned(), before: NOW };
            revocations::insert(conn, &entry(user), NOW)?;
            let client = Revocation::ConsumerKey { consumer_key: "c9".to_owned(), before: NOW };
            revocations::insert(conn, &entry(client), NOW)
        })
        .await
        .unwrap();
        let checks = write(&db, |conn| {
            let mut check = |jti, client_id, user, issued_at: i64| {
                let organization = organization();
                let issued_at = Timestamp::from_secs(issued_at);
                revocations::is_revoked(
                    conn,
                    TokenFacts { organization: &organization, jti, client_id, user, issued_at },
                )
            };
            Ok([
                check("j1", "c1", "admin@carbon.super", 2000)?,
                check("j2", "c1", "admin@carbon.super", 1)?,
                check("j2", "c9", "admin@carbon.super", 999)?,
                check("j2", "c9", "admin@carbon.super", 1000)?,
                check("j2", "c1", "eve@carbon.super", 999)?,
                check("j2", "c1", "eve@carbon.super", 1000)?,
            ])
        });
        assert_eq!(checks.await.unwrap(), [true, false, true, false, true, false]);
        let (events, listed) = write(&db, |conn| {
            let events = outbox::read_after(conn, LogName::Revocation, 0, 10)?;
            Ok((events, revocations::list(conn, NOW)?))
        })
        .await
        .unwrap();
        assert_eq!((events.len(), listed.len()), (3, 3));
        assert!(events.iter().all(|entry| matches!(&entry.event, Event::Revoked(entry) if listed.contains(entry))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_purged_and_nothing_else() {
    on_both(async |db: ApimDb| {
        let purged = write(&db, |conn| {
            clients::insert(conn, &client("c1"))?;
            refresh_tokens::insert(conn, &refresh_token("old", NOW))?;
            refresh_tokens::insert(conn, &refresh_token("new", Timestamp::from_secs(1001)))?;
            for (jti, secs) in [("old", 1000), ("new", 1001)] {
                let entry = RevocationEntry {
                    organization: organization(),
                    revocation: Revocation::Token { jti: jti.to_owned() },
                    expires_at: Timestamp::from_secs(secs),
                };
                revocations::insert(conn, &entry, NOW)?;
            }
            // Longer than the tokens lived, so that a clock that jumps takes none away.
            assert_eq!(revocations::purge(conn, NOW)?, 0);
            let kept = NOW.plus(RevocationEntry::KEPT_FOR);
            Ok((
                refresh_tokens::purge(conn, NOW)?,
                revocations::purge(conn, kept)?,
                revocations::list(conn, kept)?.len(),
            ))
        });
        assert_eq!(purged.await.unwrap(), (1, 1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_signing_key_is_announced_with_the_old_one_until_that_retires() {
    on_both(async |db: ApimDb| {
        let lead = Timestamp::from_secs(2000);
        let retire = Timestamp::from_secs(3000);
        write(&db, move |conn| {
            issuers::ensure(conn, &organization(), "Resident Key Manager", "https://iss", NOW)?;
            assert!(!issuers::ensure(conn, &organization(), "Resident Key Manager", "https://iss", NOW)?);
            signing_keys::add(conn, &signing_key("k1", NOW), NOW, NOW)?;
            signing_keys::add(conn, &signing_key("k2", lead), retire, NOW)
        })
        .await
        .unwrap();
        let kids = |jwks: &serde_json::Value| -> Vec<String> {
            jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        let events = write(&db, |conn| outbox::read_after(conn, LogName::Control, 0, 10)).await.unwrap();
        let announced: Vec<_> = events
            .iter()
            .map(|entry| match &entry.event {
                Event::IssuerUpdated(issuer) => kids(&issuer.jwks),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(announced, [vec![], vec!["k1".to_owned()], vec!["k2".to_owned(), "k1".to_owned()]]);
        let (purged, trusted) = write(&db, move |conn| {
            assert_eq!(signing_keys::purge(conn, lead)?, 0);
            Ok((signing_keys::purge(conn, retire)?, issuers::list_trusted(conn, retire)?))
        })
        .await
        .unwrap();
        assert_eq!((purged, trusted.len()), (1, 1));
        assert_eq!(trusted[0].issuer, "https://iss");
        assert_eq!(kids(&trusted[0].jwks), ["k2"]);
    })
    .await;
}
