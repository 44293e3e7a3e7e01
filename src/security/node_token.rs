//! Who a node is: a biscuit under the cluster's root key, narrowed to one callee and one minute before each connection.
//!
//! Two kinds: an enrolment token lets a new node ask a traffic manager for a node token and nothing else; a node token
//! names the node and carries the services that its roles may call.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use biscuit_auth::builder::{Algorithm, BiscuitBuilder};
use biscuit_auth::datalog::RunLimits;
use biscuit_auth::macros::{authorizer, biscuit, block, rule};
use biscuit_auth::{Biscuit, KeyPair, PublicKey, UnverifiedBiscuit};
use domain::node::{NodeIdentity, role, service};
use domain::{Secret, Timestamp};

use crate::private_file;
pub use crate::private_file::KeyFileError;

/// How long a token that is narrowed to a callee lives.
pub const ATTENUATED_TTL: Duration = Duration::from_secs(60);

/// Longest token in characters.
const TOKEN_CHARS_MAX: usize = 8 * 1024;

/// Most blocks: the minted one and what enrolment, renewal and connections add.
const BLOCKS_MAX: usize = 8;

/// Bounds of evaluating one token.
const LIMITS: RunLimits = RunLimits { max_facts: 200, max_iterations: 50, max_time: Duration::from_millis(100) };

/// A node token or root key cannot be made or is refused.
#[derive(Debug, thiserror::Error)]
pub enum NodeTokenError {
    #[error("the cluster's root key cannot be read or made")]
    RootFile(#[from] KeyFileError),
    #[error("the cluster's root key is not valid")]
    InvalidRoot,
    #[error("there is no node role '{0}'")]
    UnknownRole(String),
    #[error("a node token cannot be made")]
    Make(#[source] biscuit_auth::error::Token),
    /// The details are for the log only.
    #[error("the node token is refused")]
    Refused(#[source] Option<biscuit_auth::error::Token>),
}

/// Services that a node may call, by its role.
const SERVICES_BY_ROLE: &[(&str, &[&str])] = &[
    (
        role::GATEWAY,
        &[service::EVENT_HUB, service::LEASES, service::USER_STORE, service::THROTTLE_LOOKS, service::NODE_TOKENS],
    ),
    (role::PUBLISHER, &[service::KEY_MANAGER, service::THROTTLE_LOOKS, service::NODE_TOKENS]),
    (role::DEVPORTAL, &[service::KEY_MANAGER, service::THROTTLE_LOOKS, service::NODE_TOKENS]),
    (role::KEY_MANAGER, &[service::NODE_TOKENS]),
    (role::TRAFFIC_MANAGER, &[service::KEY_MANAGER, service::THROTTLE_LOOKS, service::NODE_TOKENS]),
];

/// Public halves of the root keys by their id: enough to verify.
#[derive(Debug, Clone, Default)]
pub struct RootPublicKeys(BTreeMap<u32, PublicKey>);

/// A root key pair of the cluster; the private half stays on traffic managers.
pub struct ClusterRoot {
    /// Stands in each token, so that a second root key can join the first when the cluster rotates.
    id: u32,
    pair: KeyPair,
}

impl std::fmt::Debug for ClusterRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterRoot").field("id", &self.id).field("public", &self.public_hex()).finish()
    }
}

impl ClusterRoot {
    #[must_use]
    pub fn generate(id: u32) -> Self {
        Self { id, pair: KeyPair::new() }
    }

    /// Reads the private key from the file (hexadecimal), or makes the file (mode 0600) with a new key.
    pub fn load_or_create(path: &Path, id: u32) -> Result<Self, NodeTokenError> {
        if let Some(content) = private_file::find(path)? {
            return Self::from_file_content(id, content);
        }
        let text = Secret::new(format!("{}\n", hex::encode(Self::generate(id).pair.private().to_bytes())));
        Self::from_file_content(id, private_file::create(path, text.expose().as_bytes())?)
    }

    fn from_file_content(id: u32, content: Vec<u8>) -> Result<Self, NodeTokenError> {
        let content = Secret::new(content);
        let text = std::str::from_utf8(content.expose()).map_err(|_| NodeTokenError::InvalidRoot)?;
        let bytes = Secret::new(hex::decode(text.trim()).map_err(|_| NodeTokenError::InvalidRoot)?);
        let private = biscuit_auth::PrivateKey::from_bytes(bytes.expose(), Algorithm::Ed25519)
            .map_err(|_| NodeTokenError::InvalidRoot)?;
        Ok(Self { id, pair: KeyPair::from(&private) })
    }

    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The public half in hexadecimal.
    #[must_use]
    pub fn public_hex(&self) -> String {
        self.pair.public().to_bytes_hex()
    }

    /// A token by which a new node with these roles joins, valid for `ttl`. Without a name, the node says its own.
    pub fn mint_enrolment(
        &self,
        roles: &[String],
        node_id: Option<&str>,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Secret<String>, NodeTokenError> {
        services_of(roles)?;
        self.mint(roles, node_id, [service::NODE_TOKENS], ttl, now)
    }

    /// The token of a node, with the services that its roles may call, valid for `ttl`.
    pub fn mint_node(
        &self,
        roles: &[String],
        node_id: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Secret<String>, NodeTokenError> {
        self.mint(roles, Some(node_id), services_of(roles)?, ttl, now)
    }

    fn mint(
        &self,
        roles: &[String],
        node_id: Option<&str>,
        services: impl IntoIterator<Item = &'static str>,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Secret<String>, NodeTokenError> {
        let expires = to_system_time(now.plus(ttl));
        let mut builder: BiscuitBuilder = biscuit!(r#"check if time($now), $now < {expires};"#).root_key_id(self.id);
        for role in roles {
            let role = role.as_str();
            builder = builder.merge(block!(r#"role({role});"#));
        }
        for service in services {
            builder = builder.merge(block!(r#"service({service});"#));
        }
        if let Some(node_id) = node_id {
            builder = builder.merge(block!(r#"node({node_id});"#));
        }
        builder.build(&self.pair).and_then(|token| token.to_base64()).map(Secret::new).map_err(NodeTokenError::Make)
    }
}

/// Without doubles; every role must exist, and there must be one.
fn services_of(roles: &[String]) -> Result<Vec<&'static str>, NodeTokenError> {
    let mut all = Vec::new();
    for role in roles {
        let known = SERVICES_BY_ROLE.iter().find(|(name, _)| name == role);
        let (_, services) = known.ok_or_else(|| NodeTokenError::UnknownRole(role.clone()))?;
        all.extend_from_slice(services);
    }
    if all.is_empty() {
        return Err(NodeTokenError::UnknownRole(String::new()));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

impl RootPublicKeys {
    /// Adds a key; `hex` is what [`ClusterRoot::public_hex`] gives.
    pub fn insert(&mut self, id: u32, hex: &str) -> Result<(), NodeTokenError> {
        let key = PublicKey::from_bytes_hex(hex.trim(), Algorithm::Ed25519).map_err(|_| NodeTokenError::InvalidRoot)?;
        self.0.insert(id, key);
        Ok(())
    }

    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.0.contains_key(&id)
    }
}

/// Id of the root key that the token says it is signed by; nothing is verified.
#[must_use]
pub fn root_key_id(token: &Secret<String>) -> Option<u32> {
    unverified(token).ok()?.root_key_id()
}

fn unverified(token: &Secret<String>) -> Result<UnverifiedBiscuit, NodeTokenError> {
    if token.expose().len() > TOKEN_CHARS_MAX {
        return Err(NodeTokenError::Refused(None));
    }
    UnverifiedBiscuit::from_base64(token.expose()).map_err(|error| NodeTokenError::Refused(Some(error)))
}

/// Whether the token says nothing of a service that nodes with these roles may call, because an earlier release made it;
/// nothing is verified.
#[must_use]
pub fn lacks_services(token: &Secret<String>, roles: &[String]) -> bool {
    let Ok(facts) = unverified(token).and_then(|token| token.print_block_source(0).map_err(NodeTokenError::Make))
    else {
        return false;
    };
    let has = |service: &str| facts.contains(&format!("service(\"{service}\")"));
    services_of(roles).is_ok_and(|services| !services.into_iter().all(has))
}

/// Narrows a token to one callee and to [`ATTENUATED_TTL`], so that the callee cannot use it elsewhere or later.
pub fn attenuate(token: &Secret<String>, callee: &str, now: Timestamp) -> Result<Secret<String>, NodeTokenError> {
    let expires = to_system_time(now.plus(ATTENUATED_TTL));
    let narrowed = block!(r#"check if callee({callee}); check if time($now), $now < {expires};"#);
    unverified(token)?
        .append(narrowed)
        .and_then(|token| token.to_base64())
        .map(Secret::new)
        .map_err(NodeTokenError::Make)
}

/// Who the token speaks for, when it is valid at `now` for the service of the node that is known as `callee`. A token
/// that was not narrowed is refused: whoever sees it could use it anywhere.
pub fn verify(
    token: &Secret<String>,
    keys: &RootPublicKeys,
    callee: &str,
    service: &str,
    now: Timestamp,
) -> Result<NodeIdentity, NodeTokenError> {
    let refused = |error| NodeTokenError::Refused(Some(error));
    let token = parse(token, keys)?;
    let now = to_system_time(now);
    let mut decision = authorizer!(
        r#"time({now}); callee({callee}); wanted({service});
           allow if role($role), service($service), wanted($service);"#
    )
    .set_limits(LIMITS)
    .build(&token)
    .map_err(refused)?;
    decision.authorize_with_limits(LIMITS).map_err(refused)?;
    // Only the block that the root key signed speaks here: facts that a holder appended are not trusted.
    let roles: Vec<(String,)> = decision.query(rule!(r#"own($role) <- role($role)"#)).map_err(refused)?;
    let nodes: Vec<(String,)> = decision.query(rule!(r#"own($node) <- node($node)"#)).map_err(refused)?;
    Ok(NodeIdentity {
        roles: roles.into_iter().map(|(role,)| role).collect(),
        node_id: nodes.into_iter().map(|(node,)| node).next(),
    })
}

fn parse(token: &Secret<String>, keys: &RootPublicKeys) -> Result<Biscuit, NodeTokenError> {
    let unverified = unverified(token)?;
    // One block is what was minted: it was never narrowed.
    if !(2..=BLOCKS_MAX).contains(&unverified.block_count()) {
        return Err(NodeTokenError::Refused(None));
    }
    unverified
        .verify(|id: Option<u32>| {
            let key = id.and_then(|id| keys.0.get(&id));
            key.copied().ok_or(biscuit_auth::error::Format::UnknownPublicKey)
        })
        .map_err(|error| NodeTokenError::Refused(Some(biscuit_auth::error::Token::Format(error))))
}

fn to_system_time(time: Timestamp) -> std::time::SystemTime {
    std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn later(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    fn keys(roots: &[&ClusterRoot]) -> RootPublicKeys {
        let mut keys = RootPublicKeys::default();
        roots.iter().for_each(|root| keys.insert(root.id(), &root.public_hex()).unwrap());
        keys
    }

    fn roles(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    struct Minted {
        root: ClusterRoot,
        token: Secret<String>,
    }

    fn gateway() -> Minted {
        let root = ClusterRoot::generate(1);
        let token = root.mint_node(&roles(&["gateway"]), "gw-1", DAY, NOW).unwrap();
        Minted { root, token }
    }

    #[test]
    fn a_narrowed_token_tells_roles_and_node_to_its_callee() {
        let Minted { root, token } = gateway();
        let token = attenuate(&token, "tm-1", NOW).unwrap();
        let identity = verify(&token, &keys(&[&root]), "tm-1", service::EVENT_HUB, later(59)).unwrap();
        assert_eq!(identity, NodeIdentity { roles: roles(&["gateway"]), node_id: Some("gw-1".to_owned()) });
    }

    #[test]
    fn a_token_is_worthless_unnarrowed_elsewhere_later_and_for_other_services() {
        let Minted { root, token } = gateway();
        let keys = keys(&[&root]);
        assert!(verify(&token, &keys, "tm-1", service::EVENT_HUB, NOW).is_err());
        let token = attenuate(&token, "tm-1", NOW).unwrap();
        assert!(verify(&token, &keys, "tm-2", service::EVENT_HUB, NOW).is_err());
        assert!(verify(&token, &keys, "tm-1", service::EVENT_HUB, later(60)).is_err());
        assert!(verify(&token, &keys, "tm-1", service::KEY_MANAGER, NOW).is_err());
    }

    #[test]
    fn clocks_may_differ_by_less_than_a_narrowed_tokens_life_and_a_jump_leaves_no_trace() {
        let Minted { root, token } = gateway();
        let keys = keys(&[&root]);
        let call = |caller: Timestamp, callee: Timestamp| {
            let token = attenuate(&token, "tm-1", caller).unwrap();
            verify(&token, &keys, "tm-1", service::EVENT_HUB, callee)
        };
        let minutes = |count: u64| later(count * 60);
        // The caller is behind by half a minute, ahead by five minutes, behind by five.
        assert!(call(minutes(10), minutes(10).plus(Duration::from_secs(30))).is_ok());
        assert!(call(minutes(15), minutes(10)).is_ok());
        let refused = call(minutes(5), minutes(10)).unwrap_err();
        assert!(matches!(refused, NodeTokenError::Refused(Some(_))), "{refused}");
        // Its clock is right again, with the same token.
        assert!(call(minutes(10), minutes(10)).is_ok());
    }

    #[test]
    fn a_second_narrowing_cannot_widen_the_first() {
        let Minted { root, token } = gateway();
        let keys = keys(&[&root]);
        let narrowed = attenuate(&token, "tm-1", NOW).unwrap();
        let again = attenuate(&narrowed, "tm-2", later(30)).unwrap();
        assert!(verify(&again, &keys, "tm-2", service::EVENT_HUB, later(30)).is_err());
        let forged = unverified(&token).unwrap();
        let forged = forged.append(block!(r#"service("key-manager"); role("publisher"); node("gw-2");"#)).unwrap();
        let forged = Secret::new(forged.to_base64().unwrap());
        assert!(verify(&forged, &keys, "tm-1", service::KEY_MANAGER, NOW).is_err());
        let identity = verify(&forged, &keys, "tm-1", service::EVENT_HUB, NOW).unwrap();
        assert_eq!((identity.roles, identity.node_id.as_deref()), (roles(&["gateway"]), Some("gw-1")));
    }

    #[test]
    fn an_expired_token_and_a_foreign_root_are_refused() {
        let Minted { root, token } = gateway();
        let late = attenuate(&token, "tm-1", later(86_390)).unwrap();
        assert!(verify(&late, &keys(&[&root]), "tm-1", service::EVENT_HUB, later(86_400)).is_err());
        let token = attenuate(&token, "tm-1", NOW).unwrap();
        assert!(verify(&token, &keys(&[&ClusterRoot::generate(1)]), "tm-1", service::EVENT_HUB, NOW).is_err());
        assert!(verify(&token, &keys(&[&ClusterRoot::generate(2)]), "tm-1", service::EVENT_HUB, NOW).is_err());
        let long = Secret::new("x".repeat(9000));
        assert!(verify(&long, &keys(&[&root]), "tm-1", service::EVENT_HUB, NOW).is_err());
    }

    #[test]
    fn tokens_of_the_old_and_the_new_root_key_are_good_side_by_side() {
        let (old, new) = (ClusterRoot::generate(1), ClusterRoot::generate(2));
        let keys = keys(&[&old, &new]);
        for root in [&old, &new] {
            let token = root.mint_node(&roles(&["devportal"]), "dp", DAY, NOW).unwrap();
            assert_eq!(root_key_id(&token), Some(root.id()));
            let token = attenuate(&token, "km", NOW).unwrap();
            verify(&token, &keys, "km", service::KEY_MANAGER, NOW).unwrap();
        }
    }

    #[test]
    fn a_token_of_an_earlier_release_is_known_by_the_services_that_it_lacks() {
        let root = ClusterRoot::generate(1);
        let roles = roles(&["gateway"]);
        assert!(!lacks_services(&root.mint_node(&roles, "gw", DAY, NOW).unwrap(), &roles));
        let earlier = [service::EVENT_HUB, service::LEASES, service::USER_STORE, service::NODE_TOKENS];
        assert!(lacks_services(&root.mint(&roles, Some("gw"), earlier, DAY, NOW).unwrap(), &roles));
        assert!(!lacks_services(&Secret::new("no token".to_owned()), &roles));
    }

    #[test]
    fn an_enrolment_token_opens_nothing_but_enrolment() {
        let root = ClusterRoot::generate(1);
        let keys = keys(&[&root]);
        let token = root.mint_enrolment(&roles(&["gateway"]), None, DAY, NOW).unwrap();
        let token = attenuate(&token, "tm-1", NOW).unwrap();
        let identity = verify(&token, &keys, "tm-1", service::NODE_TOKENS, NOW).unwrap();
        assert_eq!(identity, NodeIdentity { roles: roles(&["gateway"]), node_id: None });
        assert!(verify(&token, &keys, "tm-1", service::EVENT_HUB, NOW).is_err());
    }

    #[test]
    fn an_unknown_role_gets_no_token() {
        let root = ClusterRoot::generate(1);
        for names in [roles(&["king"]), roles(&["gateway", "king"]), roles(&[])] {
            assert!(matches!(root.mint_node(&names, "n", DAY, NOW), Err(NodeTokenError::UnknownRole(_))));
            assert!(matches!(root.mint_enrolment(&names, None, DAY, NOW), Err(NodeTokenError::UnknownRole(_))));
        }
    }

    #[test]
    fn the_root_key_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root-1.key");
        let first = ClusterRoot::load_or_create(&path, 1).unwrap().public_hex();
        assert_eq!(ClusterRoot::load_or_create(&path, 1).unwrap().public_hex(), first);
    }
}
