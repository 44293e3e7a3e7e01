//! Zip archives that users upload: unpacked in memory within limits, never onto a disk. Also writes archives.
//!
//! An archive is refused as a whole when anything about it is suspicious: paths that leave the archive, links, names that
//! stand there twice, encryption, or contents that are far larger than the archive.

use std::collections::HashSet;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// What an archive may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Size of the archive itself.
    pub archive_bytes_max: usize,
    /// Files and folders.
    pub entries_max: usize,
    /// Unpacked size of one file.
    pub entry_bytes_max: usize,
    /// Unpacked size of all files.
    pub total_bytes_max: usize,
    /// Unpacked size of one file divided by its packed size; small files are free of it.
    pub ratio_max: usize,
    /// Length of a path in bytes.
    pub path_bytes_max: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            archive_bytes_max: 32 << 20,
            entries_max: 1_000,
            entry_bytes_max: 16 << 20,
            total_bytes_max: 64 << 20,
            ratio_max: 200,
            path_bytes_max: 512,
        }
    }
}

/// Files up to this size may have any ratio: they cannot fill the memory.
const RATIO_FREE_BYTES: usize = 1 << 20;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the file is no zip archive that can be read: {0}")]
    Unreadable(String),
    #[error("the archive has {what}, at most {max} are allowed")]
    TooLarge { what: String, max: String },
    #[error("the archive's entry '{path}' {reason}")]
    Refused { path: String, reason: &'static str },
}

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Relative, with `/` between segments.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Unpacks an archive; folders are left out. This takes a while: not on a thread that serves calls.
///
/// # Errors
/// See [`ArchiveError`].
pub fn read(archive: &[u8], limits: &ArchiveLimits) -> Result<Vec<ArchiveFile>, ArchiveError> {
    if archive.len() > limits.archive_bytes_max {
        return Err(too_large(format!("{} bytes", archive.len()), format!("{} bytes", limits.archive_bytes_max)));
    }
    let told = told_entries(archive)?;
    if told > limits.entries_max {
        return Err(too_large(format!("{told} entries"), format!("{} entries", limits.entries_max)));
    }
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(unreadable)?;
    if zip.len() != told {
        return Err(ArchiveError::Unreadable(
            "its directory names an entry twice or does not end where it says".into(),
        ));
    }
    let mut names = HashSet::new();
    let mut bytes_left = limits.total_bytes_max;
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(unreadable)?;
        let path = checked_path(entry.name_raw(), limits)?;
        // Two names that differ in case only are one file on many machines.
        if !names.insert(path.trim_end_matches('/').to_lowercase()) {
            return Err(refused(&path, "stands there twice"));
        }
        if entry.encrypted() {
            return Err(refused(&path, "is encrypted"));
        }
        if !is_plain(entry.unix_mode()) {
            return Err(refused(&path, "is a link or a device"));
        }
        if path.ends_with('/') {
            continue;
        }
        let allowed = allowed_bytes(entry.compressed_size(), bytes_left, limits);
        let mut bytes = Vec::new();
        entry
            .take(allowed as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| ArchiveError::Unreadable(error.to_string()))?;
        if bytes.len() > allowed {
            return Err(refused(&path, "unpacks to more than is allowed"));
        }
        bytes_left -= bytes.len();
        files.push(ArchiveFile { path, bytes });
    }
    Ok(files)
}

/// Packs `files` in the order given. The same files always make the same archive: no times are written.
///
/// # Errors
/// When a path is longer than the format allows, or a file larger.
pub fn write(files: &[ArchiveFile]) -> Result<Vec<u8>, ArchiveError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        zip.start_file(file.path.as_str(), options).map_err(unreadable)?;
        zip.write_all(&file.bytes).map_err(|error| ArchiveError::Unreadable(error.to_string()))?;
    }
    Ok(zip.finish().map_err(unreadable)?.into_inner())
}

fn unreadable(error: zip::result::ZipError) -> ArchiveError {
    ArchiveError::Unreadable(error.to_string())
}

fn refused(path: &str, reason: &'static str) -> ArchiveError {
    ArchiveError::Refused { path: path.chars().take(200).collect(), reason }
}

fn too_large(what: String, max: String) -> ArchiveError {
    ArchiveError::TooLarge { what, max }
}

/// How many entries the end of the directory tells of. The reader below keeps one entry per name, so a difference
/// between both numbers means a name that stands there twice.
fn told_entries(archive: &[u8]) -> Result<usize, ArchiveError> {
    const SIGNATURE: &[u8] = b"PK\x05\x06";
    const COUNT_AT: usize = 10;
    let no_zip = || ArchiveError::Unreadable("it has no end of a directory".into());
    let at = archive.windows(SIGNATURE.len()).rposition(|window| window == SIGNATURE).ok_or_else(no_zip)?;
    let count = archive.get(at + COUNT_AT..at + COUNT_AT + 2).ok_or_else(no_zip)?;
    let count: [u8; 2] = count.try_into().map_err(|_| no_zip())?;
    Ok(usize::from(u16::from_le_bytes(count)))
}

/// The least of what is left in all, of what one file may have, and of what its packed size allows.
fn allowed_bytes(packed: u64, bytes_left: usize, limits: &ArchiveLimits) -> usize {
    let packed = usize::try_from(packed).unwrap_or(usize::MAX);
    let by_ratio = packed.saturating_mul(limits.ratio_max).max(RATIO_FREE_BYTES);
    bytes_left.min(limits.entry_bytes_max).min(by_ratio)
}

/// Files and folders; archives of other systems say nothing.
fn is_plain(mode: Option<u32>) -> bool {
    const KIND: u32 = 0o170_000;
    mode.is_none_or(|mode| matches!(mode & KIND, 0 | 0o100_000 | 0o040_000))
}

fn checked_path(raw: &[u8], limits: &ArchiveLimits) -> Result<String, ArchiveError> {
    let lossy = String::from_utf8_lossy(raw).into_owned();
    let path = std::str::from_utf8(raw).map_err(|_| refused(&lossy, "has a name that is not UTF-8"))?;
    if path.len() > limits.path_bytes_max {
        return Err(refused(path, "has a name that is too long"));
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err(refused(path, "has a backslash or a control character in its name"));
    }
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return Err(refused(path, "has an absolute path"));
    }
    let inner = path.strip_suffix('/').unwrap_or(path);
    if inner.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(refused(path, "has a path with empty or dot segments"));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests;
