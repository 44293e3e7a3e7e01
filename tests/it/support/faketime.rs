//! libfaketime: clocks of processes that a test can set while they run.

use std::path::{Path, PathBuf};

/// The library that a process loads first; `None` where it is not installed.
pub fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let mut paths = folders.filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketimeMT.so.1")));
    paths.find(|path| path.exists())
}

/// Environment of a process whose clock is as far off as the file says; it looks once a second.
pub fn environment(library: &Path, file: &Path) -> Vec<(&'static str, PathBuf)> {
    vec![
        ("LD_PRELOAD", library.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_owned()),
        ("FAKETIME_CACHE_DURATION", "1".into()),
        // Only what people set jumps; what counts intervals goes on.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ]
}

/// Lets the clock that follows the file be off by this many seconds.
pub fn set(file: &Path, seconds: i64) {
    // At once: a process never reads half of it.
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
    std::fs::rename(new, file).unwrap();
}
