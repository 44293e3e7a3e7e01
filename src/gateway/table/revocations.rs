//! Which tokens no longer count, exactly: by token, by client, by user.

use domain::Timestamp;
use domain::runtime::{Revocation, RevocationEntry};

use crate::concurrent_map::ConcurrentMap;

/// The facts of a token that a revocation can name.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    pub jti: &'a str,
    pub consumer_key: &'a str,
    /// `user@tenant`.
    pub user: &'a str,
    pub issued_at: Timestamp,
}

/// Until when a revocation matters, and what it cuts off.
#[derive(Debug, Clone, Copy)]
struct Cutoff {
    /// Tokens issued before are refused.
    before: Timestamp,
    expires_at: Timestamp,
}

#[derive(Default)]
pub struct Revocations {
    tokens: ConcurrentMap<String, Timestamp>,
    /// A client id is unique over all tenants.
    consumer_keys: ConcurrentMap<String, Cutoff>,
    /// The name holds its tenant.
    users: ConcurrentMap<String, Cutoff>,
}

impl Revocations {
    pub(super) fn load(entries: &[RevocationEntry]) -> Self {
        let revocations = Self::default();
        entries.iter().for_each(|entry| revocations.add(entry));
        revocations
    }

    pub(super) fn add(&self, entry: &RevocationEntry) {
        let cutoff = |before: &Timestamp| Cutoff { before: *before, expires_at: entry.expires_at };
        match &entry.revocation {
            Revocation::Token { jti } => {
                prolong(&self.tokens, jti, entry.expires_at);
            }
            Revocation::ConsumerKey { consumer_key, before } => {
                widen(&self.consumer_keys, consumer_key, cutoff(before));
            }
            Revocation::User { user, before } => widen(&self.users, user, cutoff(before)),
        }
    }

    /// Takes in all that `earlier` cuts off.
    pub(super) fn absorb(&self, earlier: &Self) {
        for (jti, expires_at) in &earlier.tokens.pin() {
            prolong(&self.tokens, jti, *expires_at);
        }
        for (own, cutoffs) in [(&self.consumer_keys, &earlier.consumer_keys), (&self.users, &earlier.users)] {
            cutoffs.pin().iter().for_each(|(key, cutoff)| widen(own, key, *cutoff));
        }
    }

    #[must_use]
    pub fn covers(&self, token: &TokenFacts<'_>) -> bool {
        let is_cut_off = |cutoffs: &ConcurrentMap<String, Cutoff>, key: &str| {
            !cutoffs.is_empty() && cutoffs.pin().get(key).is_some_and(|cutoff| token.issued_at < cutoff.before)
        };
        (!self.tokens.is_empty() && self.tokens.pin().contains_key(token.jti))
            || is_cut_off(&self.consumer_keys, token.consumer_key)
            || is_cut_off(&self.users, token.user)
    }

    pub(super) fn forget_expired(&self, now: Timestamp) {
        self.tokens.pin().retain(|_, expires_at| *expires_at > now);
        self.consumer_keys.pin().retain(|_, cutoff| cutoff.expires_at > now);
        self.users.pin().retain(|_, cutoff| cutoff.expires_at > now);
    }
}

/// Adds a token; of two times for one token the later counts.
fn prolong(tokens: &ConcurrentMap<String, Timestamp>, jti: &str, expires_at: Timestamp) {
    tokens.pin().update_or_insert(jti.to_owned(), |own| *own.max(&expires_at), expires_at);
}

/// Adds a cut-off; of two for one key the later counts.
fn widen(cutoffs: &ConcurrentMap<String, Cutoff>, key: &str, cutoff: Cutoff) {
    let later = |own: &Cutoff| Cutoff {
        before: own.before.max(cutoff.before),
        expires_at: own.expires_at.max(cutoff.expires_at),
    };
    cutoffs.pin().update_or_insert(key.to_owned(), later, cutoff);
}

#[cfg(test)]
mod tests {
    use domain::Organization;

    use super::*;

    fn entry(revocation: Revocation) -> RevocationEntry {
        RevocationEntry {
            organization: Organization::super_tenant(),
            revocation,
            expires_at: Timestamp::from_secs(1000),
        }
    }

    fn is_covered(revocations: &Revocations, jti: &str, issued_at: i64) -> bool {
        revocations.covers(&TokenFacts {
            jti,
            consumer_key: "client",
            user: "bob@carbon.super",
            issued_at: Timestamp::from_secs(issued_at),
        })
    }

    #[test]
    fn a_token_is_revoked_by_its_id_alone() {
        let revocations = Revocations::load(&[entry(Revocation::Token { jti: "a".to_owned() })]);
        assert!(is_covered(&revocations, "a", 1));
        assert!(!is_covered(&revocations, "b", 1));
    }

    #[test]
    fn a_cut_off_covers_older_tokens_only_and_never_moves_back() {
        let cut = |before| {
            let before = Timestamp::from_secs(before);
            entry(Revocation::ConsumerKey { consumer_key: "client".to_owned(), before })
        };
        let revocations = Revocations::load(&[cut(100), cut(50)]);
        assert!(is_covered(&revocations, "a", 99));
        assert!(!is_covered(&revocations, "a", 100));
        let user = Revocation::User { user: "bob@carbon.super".to_owned(), before: Timestamp::from_secs(200) };
        revocations.add(&entry(user));
        assert!(is_covered(&revocations, "a", 199));
    }

    #[test]
    fn expired_revocations_are_forgotten() {
        let revocations = Revocations::load(&[entry(Revocation::Token { jti: "a".to_owned() })]);
        revocations.forget_expired(Timestamp::from_secs(999));
        assert!(is_covered(&revocations, "a", 1));
        revocations.forget_expired(Timestamp::from_secs(1000));
        assert!(!is_covered(&revocations, "a", 1));
    }
}
