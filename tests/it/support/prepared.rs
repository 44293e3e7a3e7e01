//! What `make test` fetches before the tests: definitions and clients that nobody here wrote.

use std::path::PathBuf;

/// OpenAPI definitions, see `tests/support/fetch-definitions.sh`.
pub const DEFINITIONS: Prepared =
    Prepared { variable: "GATEWRIGHT_TEST_DEFINITIONS", folder: "definitions", script: "fetch-definitions.sh" };

/// OAuth clients, see `tests/support/prepare-clients.sh`.
pub const CLIENTS: Prepared =
    Prepared { variable: "GATEWRIGHT_TEST_CLIENTS", folder: "clients", script: "prepare-clients.sh" };

/// A folder that a script fills.
pub struct Prepared {
    /// Names the folder, and says that it must be there.
    variable: &'static str,
    /// Below `target` when the variable is not set.
    folder: &'static str,
    script: &'static str,
}

impl Prepared {
    /// `path` in the folder. Without it a test fails inside `make test`, which sets the variable, and skips with a note
    /// in a bare `cargo test`.
    pub fn path(&self, path: &str) -> Option<PathBuf> {
        let wanted = std::env::var_os(self.variable);
        let folder = wanted
            .clone()
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target").join(self.folder), PathBuf::from);
        let path = folder.join(path);
        if path.exists() {
            return Some(path);
        }
        let note = format!("{} is missing: tests/support/{} could not get it", path.display(), self.script);
        assert!(wanted.is_none(), "{note}; see what it said before the tests began");
        println!("skipped: {note}, or was not run (`make test` runs it)");
        None
    }
}
