//! The node's place in its cluster. A node with the traffic manager holds the cluster's keys and admits the others; every
//! other node joins at one of those.

mod authenticator;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use client::PeerOptions;
use client::joining::Joining;
use config::{Profile, Role};
use domain::contract::NodeAuthenticator;
use domain::internal_api::nodes::{EnrolRequest, TrafficManagerInfo};
use domain::node::role;
use domain::{Secret, Timestamp};
use event_hub::rest::Admission;
use http::health::CheckResult;
use http::server::Services;
use security::cluster::ClusterKeys;
use security::enrolment::{Credentials, Enrolment, NodeKey};
use store::apim::cluster_roots::{self, RootRow, Standing};
use store::{ApimDb, StoreError};
use telemetry::error_chain::ErrorChain;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::RoleError;
use crate::home;
use crate::node::{Databases, NodeContext};
use authenticator::RootKeysAuthenticator;

/// How often the folder of the cluster's keys is read again, for a root key that was added.
const KEYS_INTERVAL: Duration = Duration::from_secs(10);

/// Times that the root keys are stored again when another traffic manager does the same.
const STORE_ATTEMPTS: usize = 5;

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
enum MembershipError {
    #[error(
        "the cluster's keys are not in '{}': make them with 'gatewright cluster init', or copy the folder from another \
         traffic manager", .0.display()
    )]
    NoKeys(PathBuf),
    #[error(
        "root key {0} in this home's security/cluster is another one than the database knows: all traffic managers need \
         copies of one folder"
    )]
    ForeignRoot(u32),
    #[error("root key {0} is retired: copy a newer one from another traffic manager into this home's security/cluster")]
    RetiredRoot(u32),
}

/// What the node is to others, by its roles.
pub(crate) fn node_roles(profile: &Profile) -> Vec<String> {
    let plays = [
        (role::PUBLISHER, [Role::Publisher, Role::Admin].as_slice()),
        (role::DEVPORTAL, &[Role::Devportal]),
        (role::KEY_MANAGER, &[Role::KeyManager]),
        (role::TRAFFIC_MANAGER, &[Role::TrafficManager, Role::EventHub]),
        (role::GATEWAY, &[Role::Gateway]),
    ];
    plays.into_iter().filter(|(_, roles)| profile.has_any(roles)).map(|(name, _)| name.to_owned()).collect()
}

pub(crate) struct MembershipRole {
    kind: Kind,
    /// `None` on a node without databases, which other nodes do not call.
    nodes: Option<Arc<RootKeysAuthenticator>>,
}

enum Kind {
    Authority(Box<Authority>),
    Joining(Box<Joining>),
}

struct Authority {
    admission: Admission,
    folder: PathBuf,
    apim: ApimDb,
}

impl MembershipRole {
    pub(crate) async fn create(node: &NodeContext, databases: Option<&Databases>) -> Result<Self, RoleError> {
        Self::try_create(node, databases).await.map_err(RoleError::of("membership"))
    }

    async fn try_create(node: &NodeContext, databases: Option<&Databases>) -> Result<Self, Cause> {
        let certificate = node.membership.certificate().clone();
        let nodes = databases.map(|databases| {
            let clock = Arc::clone(&node.clock);
            Arc::new(RootKeysAuthenticator::new(databases.apim.clone(), certificate, clock))
        });
        let leases = node.addresses.leases.map(|[tls, _]| tls.port());
        let kind = match (databases, leases) {
            (Some(databases), Some(lease_port)) => {
                let authority = Authority::open(node, databases.apim.clone(), lease_port).await?;
                authority.admit_self(node)?;
                Kind::Authority(Box::new(authority))
            }
            _ => {
                let joining = joining(node)?;
                joining.restore()?;
                let membership = node.membership.clone();
                node.health.register("cluster", move || -> CheckResult {
                    match membership.current() {
                        Some(_) => Ok("is a member".to_owned()),
                        None => Err("is no member yet: no traffic manager has admitted it".to_owned()),
                    }
                });
                Kind::Joining(Box::new(joining))
            }
        };
        Ok(Self { kind, nodes })
    }

    /// Who checks the tokens of other nodes.
    pub(crate) fn nodes(&self) -> Option<Arc<dyn NodeAuthenticator>> {
        self.nodes.clone().map(|nodes| nodes as Arc<dyn NodeAuthenticator>)
    }

    pub(crate) fn mount(&self, mut services: Services) -> Services {
        if let Some(nodes) = self.nodes() {
            services = services.node_authenticator(nodes);
        }
        match &self.kind {
            Kind::Authority(authority) => {
                let admission = Data::new(authority.admission.clone());
                services.configure(move |service| {
                    service.app_data(admission.clone());
                })
            }
            Kind::Joining(_) => services,
        }
    }

    pub(crate) fn start(self, node: &NodeContext, shutdown: CancellationToken) -> JoinHandle<()> {
        match self.kind {
            Kind::Joining(joining) => joining.start(shutdown),
            Kind::Authority(authority) => {
                let node = node.clone();
                let runtime = node.runtime.clone();
                runtime.spawn(async move {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = authority.keep(&node) => {}
                    }
                })
            }
        }
    }
}

fn joining(node: &NodeContext) -> Result<Joining, Cause> {
    let section = &node.config.cluster;
    let enrolment = section.token.as_ref().map(|token| Enrolment::parse(token.secret())).transpose()?;
    Ok(Joining {
        membership: node.membership.clone(),
        node_id: node.node_id.clone(),
        roles: node_roles(&node.profile),
        enrolment,
        traffic_managers: section.traffic_managers.clone(),
        options: PeerOptions::from_config(section),
        store: home::membership_file(&node.security),
        runtime: node.runtime.clone(),
    })
}

impl Authority {
    async fn open(node: &NodeContext, apim: ApimDb, lease_port: u16) -> Result<Self, Cause> {
        let folder = home::cluster_folder(&node.security);
        let now = node.clock.now();
        // One process needs no ceremony; several traffic managers must share what one of them made.
        let makes = Role::ALL.iter().all(|role| node.profile.has(*role));
        let keys = if makes { Some(ClusterKeys::load_or_create(&folder, now)?) } else { ClusterKeys::load(&folder)? };
        let keys = keys.ok_or_else(|| MembershipError::NoKeys(folder.clone()))?;
        publish_roots(&apim, &keys, now).await?;
        let info = TrafficManagerInfo { node_id: node.node_id.clone(), lease_port };
        let lifetime = node.config.cluster.node_token_lifetime.get();
        Ok(Self { admission: Admission::new(keys, lifetime, Arc::clone(&node.clock), info), folder, apim })
    }

    /// The traffic manager's own token and certificate.
    fn admit_self(&self, node: &NodeContext) -> Result<(), Cause> {
        let key = NodeKey::generate()?;
        let request = EnrolRequest {
            node_id: node.node_id.clone(),
            roles: node_roles(&node.profile),
            certificate_request: key.request()?,
        };
        let enrolled = self.admission.admit(&request)?;
        node.membership.install(Credentials {
            node_id: request.node_id,
            authority: *self.admission.keys().fingerprint(),
            token: Secret::new(enrolled.token),
            chain: enrolled.chain,
            key: key.pem().clone(),
            issued_at: enrolled.issued_at,
            expires_at: enrolled.expires_at,
        })?;
        Ok(())
    }

    async fn keep(&self, node: &NodeContext) {
        loop {
            tokio::time::sleep(KEYS_INTERVAL).await;
            if let Err(error) = self.refresh(node).await {
                tracing::warn!(error = %ErrorChain(error.as_ref()), "the cluster's keys cannot be read again");
            }
        }
    }

    async fn refresh(&self, node: &NodeContext) -> Result<(), Cause> {
        let folder = self.folder.clone();
        let keys = tokio::task::spawn_blocking(move || ClusterKeys::load(&folder)).await??;
        let keys = keys.ok_or_else(|| MembershipError::NoKeys(self.folder.clone()))?;
        let current = self.admission.keys().root()?.id();
        if keys.root()?.id() != current {
            publish_roots(&self.apim, &keys, node.clock.now()).await?;
            tracing::info!(root_key = keys.root()?.id(), "another root key signs node tokens from now on");
            self.admission.set_keys(keys);
            self.admit_self(node)?;
        } else if node.membership.current().is_none_or(|own| own.wants_renewal(node.clock.now())) {
            self.admit_self(node)?;
        }
        Ok(())
    }
}

/// Makes the public halves known to every node that checks tokens, before a token is signed with one.
async fn publish_roots(apim: &ApimDb, keys: &ClusterKeys, now: Timestamp) -> Result<(), Cause> {
    let rows: Vec<RootRow> =
        keys.roots().iter().map(|root| RootRow { id: root.id(), public_key: root.public_hex() }).collect();
    for attempt in 1.. {
        let rows = rows.clone();
        let stored = apim.write(move |conn| {
            let standing = |row: &RootRow| Ok((row.id, cluster_roots::ensure(conn, row, now)?));
            rows.iter().map(standing).collect::<Result<Vec<_>, StoreError>>()
        });
        match stored.await {
            Ok(standings) => {
                if let Some((id, _)) = standings.iter().find(|(_, standing)| *standing == Standing::Foreign) {
                    return Err(Box::new(MembershipError::ForeignRoot(*id)));
                }
                // An old key may be retired, the one that signs may not.
                return match standings.last() {
                    Some((id, Standing::Retired)) => Err(Box::new(MembershipError::RetiredRoot(*id))),
                    _ => Ok(()),
                };
            }
            Err(StoreError::Conflict { .. }) if attempt < STORE_ATTEMPTS => {}
            Err(error) => return Err(Box::new(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_something_to_others() {
        let roles = |roles: &[Role]| node_roles(&Profile { name: "p".to_owned(), roles: roles.to_vec() });
        assert_eq!(roles(&[Role::Gateway]), ["gateway"]);
        assert_eq!(roles(&[Role::Publisher, Role::Admin]), ["publisher"]);
        assert_eq!(roles(&Role::ALL).len(), 5);
    }
}
