//! Files that only the server's own user may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A key file cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("key file {}", path.display())]
pub struct KeyFileError {
    pub path: PathBuf,
    #[source]
    pub cause: io::Error,
}

/// Largest file that is read: keys and certificate chains are far smaller.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file's content.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut content)?;
        Ok(content)
    };
    read().map_err(|cause| KeyFileError { path: path.to_owned(), cause })
}

/// The file's content when it exists.
pub(crate) fn find(path: &Path) -> Result<Option<Vec<u8>>, KeyFileError> {
    match read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the file with mode 0600 and its folder with mode 0700. The content appears in one step and is on disk when this
/// returns. When another process was faster its file stays; the return value is what the file holds in the end.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<Vec<u8>, KeyFileError> {
    create_with_mode(path, content, 0o600).map_err(|cause| KeyFileError { path: path.to_owned(), cause })?;
    read(path)
}

/// Like [`create`] for what everybody may read.
pub(crate) fn create_public(path: &Path, content: &[u8]) -> Result<Vec<u8>, KeyFileError> {
    create_with_mode(path, content, 0o644).map_err(|cause| KeyFileError { path: path.to_owned(), cause })?;
    read(path)
}

/// Puts `content` in the place of the file's, or makes the file, with mode 0600. A crash leaves the old or the new content.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), KeyFileError> {
    let replace = || -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        create_folder(folder)?;
        let temporary = path.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
        let moved = write_new(&temporary, content, 0o600).and_then(|()| fs::rename(&temporary, path));
        if moved.is_err() {
            // What cannot be written can be removed, or never was there.
            let _ = fs::remove_file(&temporary);
        }
        moved?;
        File::open(folder)?.sync_all()
    };
    replace().map_err(|cause| KeyFileError { path: path.to_owned(), cause })
}

fn create_with_mode(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(folder)?;
    let temporary = path.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    let written = write_new(&temporary, content, mode).and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    removed?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _unused_without_modes = mode;
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("security/kek");
        create(&path, b"content").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn an_existing_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kek");
        assert_eq!(create(&path, b"first").unwrap(), b"first");
        assert_eq!(create(&path, b"second").unwrap(), b"first");
    }

    #[test]
    fn a_replaced_file_has_the_new_content_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_file_is_found_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find(&folder.path().join("none")).unwrap().is_none());
    }
}
