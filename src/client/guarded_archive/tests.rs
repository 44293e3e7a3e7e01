//! Archives that must not get in.

use super::*;

fn file(path: &str, bytes: &[u8]) -> ArchiveFile {
    ArchiveFile { path: path.to_owned(), bytes: bytes.to_vec() }
}

fn packed(path: &str, mode: u32) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(path, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
    zip.write_all(b"x").unwrap();
    zip.finish().unwrap().into_inner()
}

/// `archive` with every `from` replaced by `to` of the same length: names are not covered by a checksum.
fn forged(mut archive: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    for at in 0..=archive.len() - from.len() {
        if &archive[at..at + from.len()] == from {
            archive[at..at + from.len()].copy_from_slice(to);
        }
    }
    archive
}

fn refusal(archive: &[u8]) -> String {
    read(archive, &ArchiveLimits::default()).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read_and_the_same_files_make_the_same_archive() {
    let files =
        [file("Pizza-1.0.0/api.yaml", b"type: api"), file("Pizza-1.0.0/Definitions/swagger.yaml", &[7; 100_000])];
    let archive = write(&files).unwrap();
    assert_eq!(read(&archive, &ArchiveLimits::default()).unwrap(), files);
    assert_eq!(write(&files).unwrap(), archive);
}

#[test]
fn paths_that_leave_the_archive_are_refused() {
    for path in ["../up.yaml", "a/../../b", "/etc/passwd", "a//b", "./a", "a/./b", "C:/x", "a\\b", "a\u{1}b"] {
        let plain = "n".repeat(path.len());
        let archive = forged(write(&[file(&plain, b"x")]).unwrap(), plain.as_bytes(), path.as_bytes());
        let reason = refusal(&archive);
        assert!(reason.contains("path") || reason.contains("name") || reason.contains("read"), "{path}: {reason}");
    }
}

#[test]
fn names_that_stand_there_twice_are_refused() {
    let two = write(&[file("aaaa.yaml", b"1"), file("bbbb.yaml", b"2")]).unwrap();
    assert!(refusal(&forged(two.clone(), b"bbbb", b"aaaa")).contains("twice"));
    assert!(refusal(&forged(two, b"bbbb", b"AAAA")).contains("twice"));
}

#[test]
fn links_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert!(refusal(&zip.finish().unwrap().into_inner()).contains("link"));
    assert!(read(&packed("file", 0o644), &ArchiveLimits::default()).is_ok());
}

#[test]
fn archives_that_unpack_to_far_more_are_refused() {
    let bomb = write(&[file("bomb", &vec![0; 8 << 20])]).unwrap();
    assert!(bomb.len() < 64 << 10);
    assert!(refusal(&bomb).contains("unpacks to more"));
    let limits = ArchiveLimits { total_bytes_max: 15, ..ArchiveLimits::default() };
    let archive = write(&[file("a", &[1; 10]), file("b", &[2; 10])]).unwrap();
    assert!(read(&archive, &limits).unwrap_err().to_string().contains("'b' unpacks to more"));
    let limits = ArchiveLimits { entry_bytes_max: 9, ..ArchiveLimits::default() };
    assert!(read(&archive, &limits).is_err());
}

#[test]
fn archives_with_too_many_entries_or_bytes_are_refused() {
    let files: Vec<ArchiveFile> = (0..20).map(|index| file(&format!("f{index}"), b"x")).collect();
    let archive = write(&files).unwrap();
    let few = ArchiveLimits { entries_max: 19, ..ArchiveLimits::default() };
    assert_eq!(
        read(&archive, &few).unwrap_err().to_string(),
        "the archive has 20 entries, at most 19 entries are allowed"
    );
    let small = ArchiveLimits { archive_bytes_max: 100, ..ArchiveLimits::default() };
    assert!(read(&archive, &small).is_err());
}

#[test]
fn what_is_no_archive_is_refused_without_panic() {
    let good = write(&[file("a/b", b"content"), file("c", b"more")]).unwrap();
    for end in 0..good.len() {
        let _ = read(&good[..end], &ArchiveLimits::default());
    }
    for at in 0..good.len() {
        let mut broken = good.clone();
        broken[at] ^= 0xff;
        let _ = read(&broken, &ArchiveLimits::default());
    }
    assert!(refusal(b"").contains("no zip archive"));
    assert!(refusal(b"PK\x05\x06").contains("no zip archive"));
}
