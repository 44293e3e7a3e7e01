//! What the running node says of itself.

use serde::Deserialize;

use super::{Patient, Report};
use crate::own_health;

/// A report of `/health/ready`, see `http::health`.
#[derive(Debug, Deserialize)]
struct Health {
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Check {
    name: String,
    status: String,
    detail: String,
}

pub(super) async fn examine(patient: &Patient<'_>, report: &mut Report) {
    let (config, home) = (patient.loaded.config.clone(), patient.home.to_owned());
    let address = own_health::address(&config);
    if address.port() == 0 {
        // Any free port: nobody knows which.
        return;
    }
    let asked = patient.runtime.spawn_blocking(move || own_health::ask(&config, &home)).await;
    let reason = match asked {
        Ok(Ok(health)) => match serde_json::from_str::<Health>(&health.body) {
            Ok(health) => return checks(&health, report),
            Err(error) => format!("its answer cannot be read: {error}"),
        },
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    report.doubtful(
        "this node",
        format!("does not answer on {address}: {reason}"),
        "it does not run, or another process or another certificate is there: start it, and look into its log",
    );
}

fn checks(health: &Health, report: &mut Report) {
    for check in &health.checks {
        let subject = format!("this node, {}", check.name);
        let behind = entries_behind(&check.detail);
        if check.status != "UP" {
            report.broken(subject, &check.detail, "it is not ready because of this: see the other lines, and its log");
        } else if behind.is_some_and(|behind| behind > 0) {
            let advice =
                "wait a moment and look again; a number that grows means a slow disk, or too little of the processor";
            report.doubtful(subject, &check.detail, advice);
        } else if check.detail.contains("the hub does not answer") {
            let advice = "it serves its last good state and hears of no change; right after its start, look again in half a \
                          minute, else see the traffic managers above";
            report.doubtful(subject, &check.detail, advice);
        } else {
            report.fine(subject, &check.detail);
        }
    }
}

/// The number in `.. 12 entries behind ..` of a gateway's word on its event logs.
fn entries_behind(detail: &str) -> Option<u64> {
    detail.split_once(" entries behind")?.0.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn verdict(status: &str, detail: &str) -> Verdict {
        let check = Check { name: "gateway".to_owned(), status: status.to_owned(), detail: detail.to_owned() };
        let mut report = Report::default();
        checks(&Health { checks: vec![check] }, &mut report);
        report.0[0].verdict
    }

    #[test]
    fn a_gateway_that_is_behind_or_cut_off_is_told() {
        let detail = "serves control 12 and revocation 0; follows the hub; 0 entries behind; 0 deployments failed";
        assert_eq!(verdict("UP", detail), Verdict::Fine);
        assert_eq!(verdict("UP", &detail.replace("; 0 entries", "; 7 entries")), Verdict::Doubtful);
        assert_eq!(verdict("UP", &detail.replace("follows the hub", "the hub does not answer")), Verdict::Doubtful);
        assert_eq!(verdict("DOWN", "has nothing to serve yet"), Verdict::Broken);
    }
}
