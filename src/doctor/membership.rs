//! The node's place in its cluster: keys of a traffic manager, credentials of any other node, and the token to join with.

use client::Membership;
use config::Role;
use security::cluster::ClusterKeys;
use security::cluster_tls::ClusterCertificate;
use security::enrolment::{Credentials, Enrolment};
use store::apim::cluster_roots;
use store::{ApimDb, Database};
use telemetry::error_chain::ErrorChain;

use super::{Patient, Report};
use crate::home::{cluster_folder, membership_file};

const MINT: &str = "run 'gatewright token mint' with this node's role on a traffic manager, and give the text as \
                    GATEWRIGHT__CLUSTER__TOKEN_FILE";

/// With what the node can call others.
pub(super) struct Means {
    pub membership: Membership,
    /// Credentials open the services of the node's roles, an enrolment token enrolment alone.
    pub is_member: bool,
}

/// `None` when the node has nothing to call others with, or calls none.
pub(super) async fn examine(patient: &Patient<'_>, report: &mut Report) -> Option<Means> {
    if patient.plays(Role::TrafficManager) {
        cluster_keys(patient, report).await;
        return None;
    }
    let enrolment = enrolment(patient, report);
    let means = credentials(patient, enrolment.as_ref(), report);
    if means.is_some() {
        return means;
    }
    let enrolment = enrolment?;
    let node_id = patient.loaded.config.cluster.node_id.as_deref().unwrap_or("doctor");
    let membership = Membership::newcomer(&enrolment, node_id, patient.clock.clone());
    Some(Means { membership, is_member: false })
}

fn enrolment(patient: &Patient<'_>, report: &mut Report) -> Option<Enrolment> {
    let token = patient.loaded.config.cluster.token.as_ref()?;
    match Enrolment::parse(token.secret()) {
        Ok(enrolment) => {
            report.fine("joining token", "is well-formed");
            Some(enrolment)
        }
        Err(error) => {
            report.broken("joining token", error.to_string(), MINT);
            None
        }
    }
}

fn credentials(patient: &Patient<'_>, enrolment: Option<&Enrolment>, report: &mut Report) -> Option<Means> {
    let subject = "membership";
    let file = membership_file(&patient.security());
    let joins = |report: &mut Report, detail: String| {
        if enrolment.is_some() {
            report.doubtful(subject, detail, "the node joins with its token when it starts");
        } else {
            report.broken(subject, format!("{detail}, and has no token to join with"), MINT);
        }
        None
    };
    let credentials = match Credentials::load(&file) {
        Ok(Some(credentials)) => credentials,
        Ok(None) => return joins(report, "the node has not joined a cluster yet".to_owned()),
        Err(error) => {
            let advice = format!("let the node's user read {}, or remove it and join anew: {MINT}", file.display());
            report.broken(subject, ErrorChain(&error).to_string(), advice);
            return None;
        }
    };
    let (now, node_id, until) = (patient.clock.now(), credentials.node_id.clone(), credentials.expires_at);
    if until <= now {
        return joins(report, format!("the credentials of {node_id} have expired at {until}"));
    }
    if let Some(configured) = patient.loaded.config.cluster.node_id.as_ref().filter(|own| **own != node_id) {
        return joins(
            report,
            format!("the stored credentials are of {node_id}, and [cluster] node_id is {configured}"),
        );
    }
    if enrolment.is_some_and(|enrolment| enrolment.authority != credentials.authority) {
        let advice = "the stored membership counts; remove the token, or remove node.json to join the other cluster";
        report.doubtful("joining token", "is of another cluster than the node is a member of", advice);
    }
    let renewal = credentials.renewal_at();
    let is_late = credentials.wants_renewal(now);
    let membership = Membership::new(ClusterCertificate::default(), patient.clock.clone());
    if let Err(error) = membership.install(credentials) {
        let advice = format!("remove {} and join anew: {MINT}", file.display());
        report.broken(subject, ErrorChain(&error).to_string(), advice);
        return None;
    }
    if is_late {
        let advice = "a running node renews by itself as soon as a traffic manager answers: see below why none does";
        report.doubtful(subject, format!("{node_id} until {until}, should have been renewed at {renewal}"), advice);
    } else {
        report.fine(subject, format!("{node_id} until {until}, is renewed at {renewal}"));
    }
    Some(Means { membership, is_member: true })
}

async fn cluster_keys(patient: &Patient<'_>, report: &mut Report) {
    let folder = cluster_folder(&patient.security());
    let (subject, shown) = ("cluster keys", folder.display());
    let keys = match ClusterKeys::load(&folder) {
        Ok(Some(keys)) => keys,
        // One process with every role makes them itself.
        Ok(None) if Role::ALL.iter().all(|role| patient.plays(*role)) => {
            return report.fine(subject, "will be made at the first start");
        }
        Ok(None) => {
            let advice = "run 'gatewright cluster init' on one traffic manager, and copy the folder to the others";
            return report.broken(subject, format!("{shown} has none, or not all"), advice);
        }
        Err(error) => {
            let advice = "let the node's user read the folder, or copy it anew from another traffic manager";
            return report.broken(subject, ErrorChain(&error).to_string(), advice);
        }
    };
    let ids: Vec<String> = keys.roots().iter().map(|root| root.id().to_string()).collect();
    match foreign_root(patient, &keys).await {
        Some(id) => report.broken(
            subject,
            format!("root key {id} in {shown} is another one than the database knows"),
            "copy the folder from the traffic manager whose key the database knows: all need the same",
        ),
        None => report.fine(subject, format!("authority {}, root keys {}", keys.fingerprint(), ids.join(", "))),
    }
}

/// A root key whose number stands for another one in the database, as far as that can be asked.
async fn foreign_root(patient: &Patient<'_>, keys: &ClusterKeys) -> Option<u32> {
    let connection = &patient.loaded.config.database.apim_db;
    let url = connection.url.resolve(patient.home);
    if url.strip_prefix("sqlite:").is_some_and(|file| !std::path::Path::new(file).exists()) {
        return None;
    }
    let runtime = patient.runtime.clone();
    let options = crate::connection::options(connection, url, 1);
    let opened = patient.runtime.spawn_blocking(move || Database::open(&options, &runtime)).await;
    // A database that is away has been told already.
    let database: ApimDb = opened.ok()?.ok()?;
    let rows = database.read(cluster_roots::list).await.ok()?;
    let is_foreign = |id: u32, own: &str| rows.iter().any(|row| row.id == id && row.public_key != own);
    keys.roots().iter().find(|root| is_foreign(root.id(), &root.public_hex())).map(|root| root.id())
}
