//! The other nodes that this one calls, link by link.

use client::PeerOptions;
use client::probe::{Obstacle, Probe, Reached};
use config::Role;
use domain::internal_api::{key_manager, nodes};
use domain::node::role;

use super::membership::Means;
use super::{Patient, Report, Verdict};

/// Clocks may differ by this much: tokens between nodes live for a minute.
const CLOCK_SECS_FINE: i64 = 5;
const CLOCK_SECS_BROKEN: i64 = 25;

pub(super) async fn examine(patient: &Patient<'_>, means: Option<Means>, report: &mut Report) {
    let cluster = &patient.loaded.config.cluster;
    let calls_traffic_managers = !patient.plays(Role::TrafficManager);
    let asks = patient.loaded.profile.has_any(&[Role::Publisher, Role::Admin, Role::Devportal, Role::Gateway]);
    let calls_key_managers = asks && !patient.plays(Role::KeyManager);
    if !calls_traffic_managers && !calls_key_managers {
        return;
    }
    let Some(means) = means else {
        let advice = "mend the membership first: without it no other node can be called";
        return report.broken("peers", "were not looked at", advice);
    };
    if calls_traffic_managers {
        all(patient, &means, role::TRAFFIC_MANAGER, &cluster.traffic_managers, report).await;
    }
    if calls_key_managers {
        all(patient, &means, role::KEY_MANAGER, &cluster.key_managers, report).await;
    }
}

/// One that answers is enough for the node to work.
async fn all(patient: &Patient<'_>, means: &Means, role: &'static str, urls: &[String], report: &mut Report) {
    let mut outcomes = Vec::new();
    for url in urls {
        outcomes.push((url, one(patient, means, role, url).await));
    }
    let works = outcomes.iter().any(|(_, outcome)| outcome.is_ok());
    for (url, outcome) in outcomes {
        let subject = format!("{role} {url}");
        match outcome {
            Ok(reached) => told(&subject, reached, means.is_member, report),
            Err(obstacle) => {
                let verdict = if works { Verdict::Doubtful } else { Verdict::Broken };
                report.push(verdict, subject, obstacle.to_string(), Some(advice(role, &obstacle)));
            }
        }
    }
}

async fn one(patient: &Patient<'_>, means: &Means, role: &'static str, url: &str) -> Result<Reached, Obstacle> {
    let options = PeerOptions::from_config(&patient.loaded.config.cluster);
    let probe = Probe::new(role, url, means.membership.clone(), options, patient.runtime.clone());
    let reached = probe.reach().await?;
    match role {
        role::TRAFFIC_MANAGER => {
            probe.show_token(&format!("{}{}", nodes::BASE, nodes::ENROL)).await?;
            if means.is_member && patient.plays(Role::Gateway) {
                probe.ask_for_leases().await?;
            }
        }
        // A newcomer's token is good for enrolment alone.
        _ if !means.is_member => {}
        _ if patient.plays(Role::Gateway) => {
            probe.show_token(&format!("{}{}", key_manager::BASE, key_manager::CHECK_PASSWORD)).await?;
        }
        _ => probe.show_token(&format!("{}{}", key_manager::BASE, key_manager::CALL)).await?,
    }
    Ok(reached)
}

fn told(subject: &str, reached: Reached, is_member: bool, report: &mut Report) {
    let token = if is_member { "takes this node's token" } else { "is of the token's cluster" };
    match reached.clock_ahead_secs {
        Some(ahead) if ahead.abs() > CLOCK_SECS_FINE => {
            let detail = format!("its clock is {} s {}", ahead.abs(), if ahead > 0 { "ahead" } else { "behind" });
            let advice = "synchronise the clocks of all nodes (chrony, systemd-timesyncd): tokens between nodes live for a \
                          minute";
            let verdict = if ahead.abs() > CLOCK_SECS_BROKEN { Verdict::Broken } else { Verdict::Doubtful };
            report.push(verdict, subject.to_owned(), detail, Some(advice.to_owned()));
        }
        _ if !reached.is_ready => {
            let advice = "run 'gatewright doctor' on it";
            report.doubtful(subject, format!("answers and {token}, but is not ready itself"), advice);
        }
        _ => report.fine(subject, format!("answers, {token}, is ready")),
    }
}

fn advice(role: &str, obstacle: &Obstacle) -> String {
    let list = if role == role::TRAFFIC_MANAGER { "[cluster] traffic_managers" } else { "[cluster] key_managers" };
    match obstacle {
        Obstacle::Url(_) => format!("correct {list}"),
        Obstacle::Name { .. } => format!("correct the name in {list}, or this machine's name resolution"),
        Obstacle::Connection(_) => format!(
            "start it, open the way to its management port in firewalls, see that its [server] bind is not loopback, or \
             correct {list}"
        ),
        Obstacle::Tls(_) => format!(
            "see that a {role} of this node's cluster is at the other end, and no balancer that ends TLS between, and that \
             it is a member itself; a node of another cluster needs a token of this one"
        ),
        Obstacle::Token => {
            "remove HOME/security/node.json and join with a new token of 'gatewright token mint': the node's \
                            root key may be retired, its token expired, or its role another one"
                .to_owned()
        }
        Obstacle::Answer(_) => "look into its log, and see that it runs the same version".to_owned(),
    }
}
