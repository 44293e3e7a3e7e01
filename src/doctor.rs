//! Looks at every link of a node, beside the running node or before its first start: what is wrong, and how to mend it.
//! Nothing is changed: no folder is made or locked, no database migrated, no peer told to do anything.

mod databases;
mod files;
mod membership;
mod own_node;
mod peers;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use config::{Loaded, Role};
use domain::{Clock, SystemClock};
use tokio::runtime::Handle;

/// What came of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// The node works, but not as well or as long as it should.
    Doubtful,
    Broken,
}

/// One check, as a line for the operator, and a second one when there is something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    /// What was looked at, e.g. `apim_db`.
    pub subject: String,
    pub detail: String,
    /// How to mend it.
    pub advice: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Doubtful => "warn",
            Verdict::Broken => "FAIL",
        };
        write!(f, "{word:5} {}: {}", self.subject, self.detail)?;
        match &self.advice {
            Some(advice) => write!(f, "\n      -> {advice}"),
            None => Ok(()),
        }
    }
}

/// The node that is looked at.
pub(crate) struct Patient<'a> {
    loaded: &'a Loaded,
    home: &'a Path,
    clock: Arc<dyn Clock>,
    runtime: Handle,
}

impl Patient<'_> {
    fn plays(&self, role: Role) -> bool {
        self.loaded.profile.has(role)
    }

    fn security(&self) -> std::path::PathBuf {
        self.home.join("security")
    }
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Finding>);

impl Report {
    fn fine(&mut self, subject: impl Into<String>, detail: impl Into<String>) {
        self.push(Verdict::Fine, subject.into(), detail.into(), None);
    }

    fn doubtful(&mut self, subject: impl Into<String>, detail: impl Into<String>, advice: impl Into<String>) {
        self.push(Verdict::Doubtful, subject.into(), detail.into(), Some(advice.into()));
    }

    fn broken(&mut self, subject: impl Into<String>, detail: impl Into<String>, advice: impl Into<String>) {
        self.push(Verdict::Broken, subject.into(), detail.into(), Some(advice.into()));
    }

    fn push(&mut self, verdict: Verdict, subject: String, detail: String, advice: Option<String>) {
        self.0.push(Finding { verdict, subject, detail, advice });
    }
}

/// Every check that the node's profile calls for, in the order in which a start needs them. Must be called on a runtime
/// with more than one thread.
pub async fn examine(loaded: &Loaded, home: &Path) -> Vec<Finding> {
    // A relative path is told as the operator wrote it, but databases are looked for where the node would.
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let patient = Patient { loaded, home: &home, clock: Arc::new(SystemClock), runtime: Handle::current() };
    let mut report = Report::default();
    let roles: Vec<&str> = loaded.profile.roles.iter().map(|role| role.as_str()).collect();
    report.fine("configuration", format!("profile {} ({})", loaded.profile.name, roles.join(", ")));
    files::examine(&patient, &mut report);
    databases::examine(&patient, &mut report).await;
    let membership = membership::examine(&patient, &mut report).await;
    peers::examine(&patient, membership, &mut report).await;
    own_node::examine(&patient, &mut report).await;
    report.0
}
