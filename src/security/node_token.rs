//! Who a node is: a biscuit under the cluster's root key, narrowed to one callee and one minute before each connection.

use std::path::Path;
use std::time::Duration;

use biscuit_auth::builder::Algorithm;
use biscuit_auth::datalog::RunLimits;
use biscuit_auth::macros::{authorizer, biscuit, block, rule};
use biscuit_auth::{Biscuit, KeyPair, PublicKey};
use domain::{Secret, Timestamp};

use crate::private_file;
pub use crate::private_file::KeyFileError;

/// How long a token that is narrowed to a callee lives.
pub const ATTENUATED_TTL: Duration = Duration::from_secs(60);

/// Longest token in characters.
const TOKEN_CHARS_MAX: usize = 8 * 1024;

/// Most blocks: the minted one and what enrolment, renewal and connections add.
const BLOCKS_MAX: usize = 8;

/// Names the root key inside tokens, so that a second one can join it when the cluster rotates.
const ROOT_KEY_ID: u32 = 1;

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

/// Services that nodes offer to each other, by the role that calls.
const SERVICES_BY_ROLE: &[(&str, &[&str])] = &[
    ("gateway", &[service::EVENT_HUB, service::TRAFFIC_MANAGER, service::KEY_MANAGER]),
    ("publisher", &[service::EVENT_HUB, service::KEY_MANAGER]),
    ("devportal", &[service::KEY_MANAGER]),
    ("key-manager", &[service::EVENT_HUB]),
    ("traffic-manager", &[service::EVENT_HUB, service::TRAFFIC_MANAGER, service::NODE_TOKENS]),
    ("analytics", &[service::EVENT_HUB]),
];

/// Names of services that a callee asks [`verify`] for.
pub mod service {
    pub const EVENT_HUB: &str = "event-hub";
    pub const KEY_MANAGER: &str = "key-manager";
    pub const TRAFFIC_MANAGER: &str = "traffic-manager";
    /// Minting and renewing node tokens.
    pub const NODE_TOKENS: &str = "node-tokens";
}

/// A node whose token was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    pub role: String,
    pub node_id: String,
}

/// The public half of the root key: enough to verify.
#[derive(Debug, Clone)]
pub struct ClusterPublicKey(PublicKey);

/// The cluster's root key pair; the private half stays on traffic managers.
pub struct ClusterRoot(KeyPair);

impl std::fmt::Debug for ClusterRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClusterRoot").field(&self.public().to_hex()).finish()
    }
}

impl ClusterRoot {
    #[must_use]
    pub fn generate() -> Self {
        Self(KeyPair::new())
    }

    /// Reads the private key from the file (hexadecimal), or makes the file (mode 0600) with a new key.
    pub fn load_or_create(path: &Path) -> Result<Self, NodeTokenError> {
        if let Some(content) = private_file::find(path)? {
            return Self::from_file_content(content);
        }
        let text = Secret::new(format!("{}\n", hex::encode(Self::generate().0.private().to_bytes())));
        Self::from_file_content(private_file::create(path, text.expose().as_bytes())?)
    }

    fn from_file_content(content: Vec<u8>) -> Result<Self, NodeTokenError> {
        let content = Secret::new(content);
        let text = std::str::from_utf8(content.expose()).map_err(|_| NodeTokenError::InvalidRoot)?;
        let bytes = Secret::new(hex::decode(text.trim()).map_err(|_| NodeTokenError::InvalidRoot)?);
        let private = biscuit_auth::PrivateKey::from_bytes(bytes.expose(), Algorithm::Ed25519)
            .map_err(|_| NodeTokenError::InvalidRoot)?;
        Ok(Self(KeyPair::from(&private)))
    }

    #[must_use]
    pub fn public(&self) -> ClusterPublicKey {
        ClusterPublicKey(self.0.public())
    }

    /// A token for the node, with the services that its role may call, valid for `ttl`.
    pub fn mint(
        &self,
        role: &str,
        node_id: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Secret<String>, NodeTokenError> {
        let services = SERVICES_BY_ROLE
            .iter()
            .find_map(|(name, services)| (*name == role).then_some(*services))
            .ok_or_else(|| NodeTokenError::UnknownRole(role.to_owned()))?;
        let expires = to_system_time(now.plus(ttl));
        let mut builder = biscuit!(r#"role({role}); node({node_id}); check if time($now), $now < {expires};"#)
            .root_key_id(ROOT_KEY_ID);
        for name in services {
            let name = *name;
            builder = builder.merge(block!(r#"service({name});"#));
        }
        builder.build(&self.0).and_then(|token| token.to_base64()).map(Secret::new).map_err(NodeTokenError::Make)
    }
}

impl ClusterPublicKey {
    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, NodeTokenError> {
        PublicKey::from_bytes_hex(text.trim(), Algorithm::Ed25519).map(Self).map_err(|_| NodeTokenError::InvalidRoot)
    }

    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.to_bytes_hex()
    }
}

/// Narrows a token to one callee and to [`ATTENUATED_TTL`], so that the callee cannot use it elsewhere or later.
pub fn attenuate(
    token: &Secret<String>,
    root: &ClusterPublicKey,
    callee: &str,
    now: Timestamp,
) -> Result<Secret<String>, NodeTokenError> {
    let expires = to_system_time(now.plus(ATTENUATED_TTL));
    let narrowed = block!(r#"check if callee({callee}); check if time($now), $now < {expires};"#);
    parse(token, root)?
        .append(narrowed)
        .and_then(|token| token.to_base64())
        .map(Secret::new)
        .map_err(NodeTokenError::Make)
}

/// Who the token speaks for, when it is valid at `now` for the service of the node named `callee`.
pub fn verify(
    token: &Secret<String>,
    root: &ClusterPublicKey,
    callee: &str,
    service: &str,
    now: Timestamp,
) -> Result<NodeIdentity, NodeTokenError> {
    let refused = |error| NodeTokenError::Refused(Some(error));
    let token = parse(token, root)?;
    let now = to_system_time(now);
    let mut decision = authorizer!(
        r#"time({now}); callee({callee}); wanted({service});
           allow if role($role), node($node), service($service), wanted($service);"#
    )
    .set_limits(LIMITS)
    .build(&token)
    .map_err(refused)?;
    decision.authorize_with_limits(LIMITS).map_err(refused)?;
    // Only the block that the root key signed speaks here: facts that a holder appended are not trusted.
    let (role, node_id): (String, String) =
        decision.query_exactly_one(rule!(r#"identity($role, $node) <- role($role), node($node)"#)).map_err(refused)?;
    Ok(NodeIdentity { role, node_id })
}

fn parse(token: &Secret<String>, root: &ClusterPublicKey) -> Result<Biscuit, NodeTokenError> {
    if token.expose().len() > TOKEN_CHARS_MAX {
        return Err(NodeTokenError::Refused(None));
    }
    let key = root.0;
    let token = Biscuit::from_base64(token.expose(), move |id: Option<u32>| match id {
        Some(ROOT_KEY_ID) => Ok(key),
        _ => Err(biscuit_auth::error::Format::UnknownPublicKey),
    })
    .map_err(|error| NodeTokenError::Refused(Some(error)))?;
    if token.block_count() > BLOCKS_MAX {
        return Err(NodeTokenError::Refused(None));
    }
    Ok(token)
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

    #[test]
    fn a_narrowed_token_tells_role_and_node_to_its_callee() {
        let root = ClusterRoot::generate();
        let minted = root.mint("gateway", "gw-1", DAY, NOW).unwrap();
        let token = attenuate(&minted, &root.public(), "tm-1", NOW).unwrap();
        let identity = verify(&token, &root.public(), "tm-1", service::EVENT_HUB, later(59)).unwrap();
        assert_eq!(identity, NodeIdentity { role: "gateway".to_owned(), node_id: "gw-1".to_owned() });
    }

    #[test]
    fn a_narrowed_token_is_worthless_elsewhere_and_later() {
        let root = ClusterRoot::generate();
        let minted = root.mint("gateway", "gw-1", DAY, NOW).unwrap();
        let token = attenuate(&minted, &root.public(), "tm-1", NOW).unwrap();
        assert!(verify(&token, &root.public(), "tm-2", service::EVENT_HUB, NOW).is_err());
        assert!(verify(&token, &root.public(), "tm-1", service::EVENT_HUB, later(60)).is_err());
        assert!(verify(&token, &root.public(), "tm-1", service::NODE_TOKENS, NOW).is_err());
    }

    #[test]
    fn a_second_narrowing_cannot_widen_the_first() {
        let root = ClusterRoot::generate();
        let minted = root.mint("gateway", "gw-1", DAY, NOW).unwrap();
        let token = attenuate(&minted, &root.public(), "tm-1", NOW).unwrap();
        let again = attenuate(&token, &root.public(), "tm-2", later(30)).unwrap();
        assert!(verify(&again, &root.public(), "tm-2", service::EVENT_HUB, later(30)).is_err());
        let forged = parse(&minted, &root.public()).unwrap();
        let forged = forged.append(block!(r#"service("node-tokens"); role("traffic-manager");"#)).unwrap();
        let forged = Secret::new(forged.to_base64().unwrap());
        assert!(verify(&forged, &root.public(), "tm-1", service::NODE_TOKENS, NOW).is_err());
        assert_eq!(verify(&forged, &root.public(), "tm-1", service::EVENT_HUB, NOW).unwrap().role, "gateway");
    }

    #[test]
    fn an_expired_token_and_a_foreign_root_are_refused() {
        let root = ClusterRoot::generate();
        let minted = root.mint("gateway", "gw-1", DAY, NOW).unwrap();
        assert!(verify(&minted, &root.public(), "tm-1", service::EVENT_HUB, later(86_400)).is_err());
        assert!(verify(&minted, &ClusterRoot::generate().public(), "tm-1", service::EVENT_HUB, NOW).is_err());
        assert!(verify(&Secret::new("x".repeat(9000)), &root.public(), "tm-1", service::EVENT_HUB, NOW).is_err());
    }

    #[test]
    fn an_unknown_role_gets_no_token() {
        let root = ClusterRoot::generate();
        assert!(matches!(root.mint("king", "n", DAY, NOW), Err(NodeTokenError::UnknownRole(_))));
    }

    #[test]
    fn the_root_key_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster_root.key");
        let first = ClusterRoot::load_or_create(&path).unwrap().public().to_hex();
        assert_eq!(ClusterRoot::load_or_create(&path).unwrap().public().to_hex(), first);
        assert_eq!(ClusterPublicKey::from_hex(&first).unwrap().to_hex(), first);
    }
}
