//! Rules of the tree that the compiler does not check.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the tree has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Longest source file in lines, tests included.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every file below `folder` that git would keep.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                files_below(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_below(&root().join("src"), &mut files);
    files_below(&root().join("tests"), &mut files);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Text between two marker lines.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("no '{start}'")) + start.len();
    let length = text[from..].find(end).unwrap_or_else(|| panic!("no '{end}' after '{start}'"));
    &text[from..from + length]
}

/// Rooms that each room imports, from the manifests.
fn edges_in_manifests() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let room = |name: &str| match name.strip_prefix("gatewright-") {
        Some(room) => Some(room.replace('-', "_")),
        None => (name == "gatewright").then(|| "root".to_owned()),
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
            let rooms = normal.filter_map(|dependency| room(dependency["name"].as_str().unwrap())).collect();
            (room(package["name"].as_str().unwrap()).unwrap(), rooms)
        })
        .collect()
}

/// The same, from the block in `src/ARCHITECTURE.md`.
fn edges_in_the_document() -> BTreeMap<String, BTreeSet<String>> {
    let text = read("src/ARCHITECTURE.md");
    between(&text, "```edges\n", "```")
        .lines()
        .map(|line| {
            let (room, imports) = line.split_once("->").unwrap_or_else(|| panic!("'{line}' has no ->"));
            (room.trim().to_owned(), imports.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn imports_between_rooms_are_those_that_the_architecture_lists() {
    assert_eq!(edges_in_manifests(), edges_in_the_document(), "left: manifests, right: src/ARCHITECTURE.md");
}

#[test]
fn both_database_back_ends_have_the_same_migrations() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join("migrations").join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    };
    for database in ["apim", "shared"] {
        let sqlite = names(&format!("{database}/sqlite"));
        assert_eq!(sqlite, names(&format!("{database}/postgres")), "migrations of {database}_db differ");
        for backend in ["sqlite", "postgres"] {
            for name in &sqlite {
                for direction in ["up.sql", "down.sql"] {
                    let file = root().join("migrations").join(database).join(backend).join(name).join(direction);
                    assert!(file.is_file(), "{} is missing", relative(&file));
                }
            }
        }
    }
}

#[test]
fn modules_stand_beside_their_folder_and_have_telling_names() {
    for file in rust_files() {
        let stem = file.file_stem().unwrap().to_string_lossy();
        let banned = ["mod", "util", "utils", "helper", "helpers", "common", "misc"];
        assert!(!banned.contains(&stem.as_ref()), "{} needs a better name", relative(&file));
    }
}

#[test]
fn no_source_file_is_too_long() {
    let too_long: Vec<String> = rust_files()
        .iter()
        .map(|file| (relative(file), fs::read_to_string(file).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{file}: {lines} lines"))
        .collect();
    assert!(too_long.is_empty(), "longer than {LINES_MAX} lines: {too_long:?}");
}

#[test]
fn the_program_file_stays_small() {
    assert!(read("src/main.rs").lines().count() <= 40);
}

#[test]
fn every_source_file_says_what_it_is() {
    for file in rust_files() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} does not start with a module comment", relative(&file));
    }
}

#[test]
fn versions_of_dependencies_stand_in_the_root_manifest_only() {
    let mut manifests = Vec::new();
    files_below(&root().join("src"), &mut manifests);
    for manifest in manifests.iter().filter(|file| file.ends_with("Cargo.toml")) {
        let text = fs::read_to_string(manifest).unwrap();
        let own = text
            .lines()
            .find(|line| line.contains("version = \"") || line.contains("path = \"..") || line.contains("git = \""));
        assert_eq!(own, None, "{} has a version of its own", relative(manifest));
    }
}

#[test]
fn the_readme_shows_the_commands_that_the_node_prints() {
    let readme = read("README.md");
    let block = between(&readme, "<!-- first-call:begin -->\n```sh\n", "```\n<!-- first-call:end -->");
    assert_eq!(block, read("src/welcome/first_call.sh"));
}
