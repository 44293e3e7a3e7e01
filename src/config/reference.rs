//! Writes `conf/deployment.toml` from the sections themselves: keys and explanations are read from the sources of the
//! structs, values from their defaults, so that the file cannot drift from the code.
//!
//! `GATEWRIGHT_UPDATE=1 cargo test -p gatewright-config` writes the file anew.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use toml::{Table, Value};

use crate::Config;

const HEAD: &str = "\
# Gatewright's configuration with every key, what it means, and its default.
#
# A node reads HOME/conf/deployment.toml (or the file named by --config), if it exists. What a key is set to, from the
# weakest to the strongest: default, profile, this file, environment, command line. The environment sets a key through
# GATEWRIGHT__SECTION__KEY, or through GATEWRIGHT__SECTION__KEY_FILE, which names a file with the value. Durations are
# written as 250ms, 5s, 10m, 1h or 7d, sizes as 512B, 64KiB, 10MiB or 1GiB. `gatewright check` reports all errors at once.
";

/// A struct as its source declares it.
struct Declared {
    doc: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    doc: String,
    /// Last segment of the type, without generics.
    type_name: String,
}

fn source_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every `pub struct Name {` of a source with its doc comments and public fields.
fn read_structs(file: &str) -> HashMap<String, Declared> {
    let source = std::fs::read_to_string(source_folder().join(file)).unwrap();
    let mut structs = HashMap::new();
    let mut doc = String::new();
    let mut open: Option<(String, Declared)> = None;
    for line in source.lines() {
        let code = line.trim();
        if let Some(text) = code.strip_prefix("///") {
            doc.push_str(text.trim());
            doc.push('\n');
        } else if code.starts_with("#[") {
        } else if let Some(name) = code.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {")) {
            open = Some((name.to_owned(), Declared { doc: std::mem::take(&mut doc), fields: Vec::new() }));
        } else if line == "}" {
            structs.extend(open.take());
        } else if let (Some((_, declared)), Some(field)) = (&mut open, code.strip_prefix("pub ")) {
            let (name, type_name) = field.trim_end_matches(',').split_once(": ").unwrap();
            let type_name = type_name.rsplit("::").next().unwrap().to_owned();
            declared.fields.push(Field { name: name.to_owned(), doc: std::mem::take(&mut doc), type_name });
        } else {
            doc.clear();
        }
    }
    structs
}

fn comment(out: &mut String, doc: &str) {
    for line in doc.lines() {
        writeln!(out, "# {line}").unwrap();
    }
}

fn render_table(out: &mut String, path: &str, declared: &Declared, all: &HashMap<String, Declared>, defaults: &Table) {
    out.push('\n');
    comment(out, &declared.doc);
    writeln!(out, "[{path}]").unwrap();
    let (tables, values): (Vec<&Field>, Vec<&Field>) =
        declared.fields.iter().partition(|field| all.contains_key(&field.type_name));
    for field in values {
        out.push('\n');
        comment(out, &field.doc);
        match defaults.get(&field.name) {
            Some(value) => writeln!(out, "#{} = {value}", field.name).unwrap(),
            None => writeln!(out, "#{} =    (unset)", field.name).unwrap(),
        }
    }
    for field in tables {
        let Some(Value::Table(defaults)) = defaults.get(&field.name) else {
            panic!("{path}.{} has no default", field.name)
        };
        let nested = &all[&field.type_name];
        let doc = if field.doc.is_empty() { nested.doc.clone() } else { field.doc.clone() };
        let nested = Declared { doc, fields: nested.fields.iter().map(Field::copy).collect() };
        render_table(out, &format!("{path}.{}", field.name), &nested, all, defaults);
    }
}

impl Field {
    fn copy(&self) -> Self {
        Self { name: self.name.clone(), doc: self.doc.clone(), type_name: self.type_name.clone() }
    }
}

fn render() -> String {
    let defaults = Table::try_from(Config::default()).unwrap();
    let mut out = HEAD.to_owned();
    for section in &read_structs("lib.rs")["Config"].fields {
        let structs = read_structs(&format!("sections/{}.rs", section.name));
        let Value::Table(values) = &defaults[&section.name] else { panic!("{} is no table", section.name) };
        render_table(&mut out, &section.name, &structs[&section.type_name], &structs, values);
    }
    out
}

#[test]
fn the_annotated_file_is_the_one_that_the_sections_make() {
    let file = source_folder().join("../../conf/deployment.toml");
    let wanted = render();
    if std::env::var_os("GATEWRIGHT_UPDATE").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap();
    assert!(found == wanted, "conf/deployment.toml is stale: run GATEWRIGHT_UPDATE=1 cargo test -p gatewright-config");
}

#[test]
fn every_key_of_the_annotated_file_can_be_uncommented() {
    let text: String = render()
        .lines()
        .filter(|line| !line.starts_with("# ") && !line.ends_with("(unset)"))
        .map(|line| line.trim_start_matches('#').to_owned() + "\n")
        .collect();
    assert_eq!(toml::from_str::<Config>(&text).unwrap(), Config::default());
}

#[test]
fn every_key_is_explained_where_its_name_does_not_say_it_all() {
    let undocumented = render()
        .lines()
        .collect::<Vec<_>>()
        .windows(2)
        .filter(|pair| {
            pair[1].starts_with('#') && !pair[1].starts_with("# ") && pair[1].contains('=') && !pair[0].starts_with('#')
        })
        .count();
    // `super_admin.username` alone.
    assert!(undocumented <= 1, "{undocumented} keys have no explanation");
}
