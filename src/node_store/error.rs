//! What can go wrong with a node-local file.

use std::path::PathBuf;

/// A failed operation on a node-local store; its transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum NodeStoreError {
    #[error("cannot prepare the file {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot open the node store {}", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// A newer release wrote the file; going on could destroy what it means.
    #[error("{} has schema {found}, this release knows {known}", path.display())]
    Newer { path: PathBuf, found: usize, known: usize },
    #[error("the node store failed")]
    Sql(#[from] rusqlite::Error),
    #[error("{what} cannot be written as JSON")]
    Encode {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("{what} in the node store is not valid")]
    Decode {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    /// The batch does not follow what is stored; applying it would skip or repeat entries.
    #[error("entries up to {offered} do not follow the stored position of the {log} log")]
    OutOfOrder { log: &'static str, offered: u64 },
}

impl NodeStoreError {
    pub(crate) fn encode(what: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::Encode { what, source }
    }

    pub(crate) fn decode(what: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| Self::Decode { what, source }
    }
}
