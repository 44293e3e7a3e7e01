//! `gatewright throttle explain`: asks the traffic manager that owns each key.

use std::path::Path;
use std::sync::Arc;

use client::{Membership, PeerOptions, Peers, RemoteInspector};
use config::{Loaded, Role};
use control_plane::quotas::question;
use control_plane::throttle_keys::ThrottleKeys;
use domain::contract::ThrottleInspector;
use domain::contract::throttle_inspector::KeyQuestion;
use domain::node::role;
use domain::{Clock, Failure, SystemClock};
use security::cluster::ClusterKeys;
use security::cluster_tls::ClusterCertificate;
use security::enrolment::{Credentials, Enrolment};
use store::{ApimDb, Database};
use tokio::runtime::Handle;

use super::Refusal;
use super::explained::{Explained, Subject};
use crate::cli::{ExplainArgs, NodeArgs};
use crate::commands::{CommandError, load};
use crate::home::{cluster_folder, membership_file};
use crate::{connection, own_health};

/// How long the token is good that the command makes itself where the cluster's keys are.
const TOKEN_TTL: std::time::Duration = std::time::Duration::from_secs(60);

/// Who asks, as traffic managers see it.
const NAME: &str = "gatewright-throttle-explain";

pub fn execute(args: &NodeArgs, wanted: &ExplainArgs) -> Result<(), CommandError> {
    let loaded = load(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(CommandError::Runtime)?;
    let explained = runtime.block_on(explain(&loaded, &args.home, wanted));
    runtime.shutdown_background();
    let explained = explained?;
    if wanted.json {
        println!("{}", Explained::json(&explained));
    } else {
        print!("{}", Explained::text(&explained));
    }
    Ok(())
}

async fn explain(loaded: &Loaded, home: &Path, wanted: &ExplainArgs) -> Result<Vec<Explained>, Refusal> {
    // Paths in the configuration are relative to the home.
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let subjects = subjects(loaded, &home, wanted).await?;
    let inspector = inspector(loaded, &home)?;
    let mut explained = Vec::new();
    for subject in subjects {
        let question = match &subject.counted {
            Some(counted) => question(counted),
            None => Some(KeyQuestion { key: subject.key.clone(), window: None }),
        };
        let state = match question {
            Some(question) => match inspector.look(&question).await {
                Ok(state) => Some(state),
                Err(source) => return Err(Refusal::Look { key: question.key, source }),
            },
            None => None,
        };
        explained.push(Explained { subject, state });
    }
    Ok(explained)
}

/// The keys that are asked for, with their quotas where a database tells them.
async fn subjects(loaded: &Loaded, home: &Path, wanted: &ExplainArgs) -> Result<Vec<Subject>, Refusal> {
    let user = wanted.user.as_deref();
    match (&wanted.key, &wanted.subscription, &wanted.application) {
        (Some(key), _, _) => {
            let counted = match keys(loaded, home)? {
                Some(keys) => match keys.of_key(key).await {
                    Ok(counted) => Some(counted),
                    Err(failure @ Failure::Refused { code, .. }) if code.status == 400 => return Err(failure.into()),
                    // What was deleted may be counted still.
                    Err(Failure::Refused { .. }) => None,
                    Err(failure) => return Err(failure.into()),
                },
                None => None,
            };
            Ok(vec![Subject { key: key.clone(), counted }])
        }
        (None, Some(id), _) => {
            let keys = keys(loaded, home)?.ok_or_else(|| Refusal::NoDatabase(loaded.profile.name.clone()))?;
            Ok(keys.of_subscription(id, user).await?.into_iter().map(Subject::of).collect())
        }
        (None, None, Some(id)) => {
            let keys = keys(loaded, home)?.ok_or_else(|| Refusal::NoDatabase(loaded.profile.name.clone()))?;
            let user = user.ok_or(Refusal::NothingNamed)?;
            Ok(vec![Subject::of(keys.of_application(id, user).await?)])
        }
        (None, None, None) => Err(Refusal::NothingNamed),
    }
}

/// `None` on a node without databases.
fn keys(loaded: &Loaded, home: &Path) -> Result<Option<ThrottleKeys>, Refusal> {
    if !loaded.profile.needs_databases() {
        return Ok(None);
    }
    let section = &loaded.config.database.apim_db;
    let url = section.url.resolve(home);
    if let Some(file) = url.strip_prefix("sqlite:").filter(|file| !Path::new(file).exists()) {
        return Err(Refusal::Database(format!("there is no {file}: has the node ever run in this home?").into()));
    }
    let opened: Result<ApimDb, _> = Database::open(&connection::options(section, url, 1), &Handle::current());
    opened.map(|apim| Some(ThrottleKeys::new(apim))).map_err(|error| Refusal::Database(error.into()))
}

fn inspector(loaded: &Loaded, home: &Path) -> Result<RemoteInspector, Refusal> {
    let config = &loaded.config;
    let mut urls = Vec::new();
    let own = own_health::address(config);
    if loaded.profile.has(Role::TrafficManager) && own.port() != 0 {
        urls.push(format!("https://{own}"));
    }
    urls.extend(config.cluster.traffic_managers.iter().cloned());
    if urls.is_empty() {
        return Err(Refusal::NobodyToAsk);
    }
    let options = PeerOptions::from_config(&config.cluster);
    let membership = membership(loaded, home)?;
    Ok(RemoteInspector::new(Peers::new(role::TRAFFIC_MANAGER, &urls, membership, options, Handle::current())))
}

/// A traffic manager's home has the keys that tokens are made with, any other the token of its node.
fn membership(loaded: &Loaded, home: &Path) -> Result<Membership, Refusal> {
    let (security, clock) = (home.join("security"), Arc::new(SystemClock));
    if loaded.profile.has(Role::TrafficManager) {
        let keys = ClusterKeys::load(&cluster_folder(&security)).map_err(credentials)?.ok_or(Refusal::NotAMember)?;
        let roles = [role::TRAFFIC_MANAGER.to_owned()];
        let token = keys.root().map_err(credentials)?.mint_node(&roles, NAME, TOKEN_TTL, clock.now());
        let enrolment = Enrolment { authority: *keys.fingerprint(), token: token.map_err(credentials)? };
        return Ok(Membership::newcomer(&enrolment, NAME, clock));
    }
    let own = Credentials::load(&membership_file(&security)).map_err(credentials)?.ok_or(Refusal::NotAMember)?;
    let membership = Membership::new(ClusterCertificate::default(), clock);
    membership.install(own).map_err(credentials)?;
    Ok(membership)
}

fn credentials(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Refusal {
    Refusal::Credentials(error.into())
}
