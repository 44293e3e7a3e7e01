//! Verified tokens by the SHA-256 of their text, so that a signature is checked once.
//!
//! Bounded by two generations: when the young one is full it becomes the old one, and the old one is dropped with all
//! that was not used since. Only good tokens are kept, and never their text.

use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use domain::Timestamp;

use super::token::{TokenRefusal, VerifiedToken};
use crate::concurrent_map::ConcurrentMap;
use crate::table::Live;

type Digest = [u8; 32];
type Generation = ConcurrentMap<Digest, Arc<VerifiedToken>>;

pub struct TokenCache {
    generations: ArcSwap<Generations>,
    /// Most entries of one generation.
    generation_max: usize,
}

#[derive(Default)]
struct Generations {
    young: Arc<Generation>,
    old: Arc<Generation>,
}

impl TokenCache {
    /// Keeps at most about `tokens_max` tokens.
    #[must_use]
    pub fn new(tokens_max: usize) -> Self {
        Self { generations: ArcSwap::default(), generation_max: (tokens_max / 2).max(1) }
    }

    /// The token when it counts at `now`.
    pub fn verify(&self, token: &str, live: &Live, now: Timestamp) -> Result<Arc<VerifiedToken>, TokenRefusal> {
        let key = sha256(token);
        let issuers = live.issuers();
        let known = key.and_then(|key| self.find(&key)).filter(|known| known.epoch == issuers.epoch);
        let verified = match known {
            Some(known) => known,
            None => {
                let verified = Arc::new(VerifiedToken::verify(token, &issuers, now)?);
                if let Some(key) = key {
                    self.insert(key, &verified);
                }
                verified
            }
        };
        verified.check_still_valid(live, now)?;
        Ok(verified)
    }

    fn find(&self, key: &Digest) -> Option<Arc<VerifiedToken>> {
        let generations = self.generations.load();
        if let Some(token) = generations.young.pin().get(key) {
            return Some(Arc::clone(token));
        }
        let token = generations.old.pin().get(key).cloned()?;
        self.insert(*key, &token);
        Some(token)
    }

    fn insert(&self, key: Digest, token: &Arc<VerifiedToken>) {
        let generations = self.generations.load();
        generations.young.pin().insert(key, Arc::clone(token));
        if generations.young.len() >= self.generation_max {
            let next = Generations { young: Arc::default(), old: Arc::clone(&generations.young) };
            // Of several workers that find it full one turns the generations over.
            self.generations.compare_and_swap(&*generations, Arc::new(next));
        }
    }
}

fn sha256(token: &str) -> Option<Digest> {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use domain::event::Event;
    use domain::runtime::{Revocation, RevocationEntry, Snapshot};
    use domain::{Organization, Secret};
    use security::jwt::{ACCESS_TOKEN_TYPE, AccessTokenClaims, AuthorizedUserType, JwtError, sign};
    use security::signing_key::{SigningAlgorithm, SigningKey, jwk_set};

    use super::*;
    use crate::table::{EarlierRevocations, Tables};
    use crate::testing::fixture;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn claims(jti: &str) -> AccessTokenClaims {
        AccessTokenClaims {
            sub: "admin@carbon.super".to_owned(),
            aut: AuthorizedUserType::Application,
            aud: "client".to_owned(),
            azp: "client".to_owned(),
            client_id: "client".to_owned(),
            nbf: NOW.as_secs(),
            iat: NOW.as_secs(),
            exp: NOW.as_secs() + 60,
            iss: fixture::ISSUER.to_owned(),
            jti: jti.to_owned(),
            scope: String::new(),
        }
    }

    fn setting() -> (SigningKey, Tables, TokenCache) {
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        let tables = Tables::new();
        let issuers = vec![fixture::issuer(jwk_set([key.public_jwk.clone()]))];
        tables.load(&Snapshot { issuers, ..Snapshot::default() }, &HashMap::new(), EarlierRevocations::Drop);
        (key, tables, TokenCache::new(8))
    }

    fn token(key: &SigningKey, jti: &str) -> Secret<String> {
        sign(key, ACCESS_TOKEN_TYPE, &claims(jti)).unwrap()
    }

    #[test]
    fn a_known_token_is_still_checked_for_time_and_revocation() {
        let (key, tables, cache) = setting();
        let token = token(&key, "a");
        let verify = |now| cache.verify(token.expose(), &tables.live(), now).map(|token| token.claims.jti.clone());
        assert_eq!(verify(NOW).unwrap(), "a");
        assert_eq!(verify(Timestamp::from_secs(NOW.as_secs() + 64)).unwrap(), "a");
        let late = verify(Timestamp::from_secs(NOW.as_secs() + 65));
        assert_eq!(late.unwrap_err(), TokenRefusal::Jwt(JwtError::Expired));
        let revocation = Revocation::Token { jti: "a".to_owned() };
        let organization = Organization::super_tenant();
        tables.apply(&Event::Revoked(RevocationEntry { organization, revocation, expires_at: NOW }), None);
        assert_eq!(verify(NOW).unwrap_err(), TokenRefusal::Revoked);
    }

    #[test]
    fn a_known_token_is_forgotten_when_its_issuers_keys_change() {
        let (key, tables, cache) = setting();
        let token = token(&key, "a");
        assert!(cache.verify(token.expose(), &tables.live(), NOW).is_ok());
        let other = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        tables.apply(&Event::IssuerUpdated(fixture::issuer(jwk_set([other.public_jwk]))), None);
        let refusal = cache.verify(token.expose(), &tables.live(), NOW).unwrap_err();
        assert_eq!(refusal, TokenRefusal::UnknownIssuer);
    }

    #[test]
    fn the_cache_stays_within_its_bound_and_keeps_what_is_used() {
        let (key, tables, cache) = setting();
        let hot = token(&key, "hot");
        for n in 0..100 {
            let cold = token(&key, &n.to_string());
            cache.verify(cold.expose(), &tables.live(), NOW).unwrap();
            cache.verify(hot.expose(), &tables.live(), NOW).unwrap();
            let generations = cache.generations.load();
            assert!(generations.young.len() + generations.old.len() <= 8);
        }
        assert!(cache.find(&sha256(hot.expose()).unwrap()).is_some());
    }
}
