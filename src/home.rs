//! The home folder: everything that a node keeps.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The home folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("folder '{}' cannot be made", path.display())]
    Create {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("file '{}' cannot be locked", path.display())]
    Lock {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another node runs in '{}'", .0.display())]
    InUse(PathBuf),
}

/// A home folder that belongs to this process as long as this value lives.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes the folder with its sub-folders, for the owner only, and locks it against a second node.
    ///
    /// # Errors
    /// When it cannot be made or another node runs in it.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        for folder in ["", "db", "security"] {
            let path = path.join(folder);
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map_err(|source| HomeError::Create { path, source })?;
        }
        // Relative paths would follow a later change of the working directory.
        let path = path.canonicalize().map_err(|source| HomeError::Create { path: path.to_owned(), source })?;
        let lock = Self::lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    fn lock(path: &Path) -> Result<File, HomeError> {
        let file = path.join("node.lock");
        let failed = |source| HomeError::Lock { path: file.clone(), source };
        let lock = File::options().create(true).truncate(false).write(true).open(&file).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(HomeError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keys and certificates.
    #[must_use]
    pub fn security(&self) -> PathBuf {
        self.path.join("security")
    }

    /// Databases that no configuration moves elsewhere, and SQLite files.
    #[must_use]
    pub fn databases(&self) -> PathBuf {
        self.path.join("db")
    }
}

/// The cluster's keys, below a home's folder for keys: traffic managers alone have them.
#[must_use]
pub fn cluster_folder(security: &Path) -> PathBuf {
    security.join("cluster")
}

/// What a node got when it joined its cluster, below a home's folder for keys.
#[must_use]
pub fn membership_file(security: &Path) -> PathBuf {
    security.join("node.json")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_node_cannot_use_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let home = Home::open(&path).unwrap();
        assert!(matches!(Home::open(&path), Err(HomeError::InUse(_))));
        drop(home);
        assert_eq!(Home::open(&path).unwrap().security().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
