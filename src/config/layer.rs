//! One source of configuration as a list of values, each with its place.

use std::path::Path;

use toml::Spanned;
use toml::Value;
use toml::de::{DeTable, DeValue};

use crate::Config;
use crate::error::{ConfigError, Origin, join};
use crate::keys::keys_at;

/// Start of the names of environment variables that set keys.
const ENVIRONMENT_PREFIX: &str = "GATEWRIGHT__";

/// Suffix of environment variables that name a file with the value.
const FILE_SUFFIX: &str = "_file";

/// A value for one key.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub path: Vec<String>,
    pub value: LeafValue,
    pub origin: Origin,
}

#[derive(Debug, Clone)]
pub(crate) enum LeafValue {
    Toml(Value),
    /// Text of an environment variable: a string if the key takes one, else TOML.
    Text(String),
}

impl Leaf {
    pub(crate) fn key(&self) -> String {
        self.path.join(".")
    }
}

/// Reads a configuration file; `source` is how errors call it. Keys that no section has become errors.
pub(crate) fn from_toml(source: &str, text: &str, errors: &mut Vec<ConfigError>) -> Vec<Leaf> {
    read(source, text, &[], errors)
}

/// Reads a profile file, which has `roles` beside the sections.
pub(crate) fn from_profile(source: &str, text: &str, errors: &mut Vec<ConfigError>) -> Vec<Leaf> {
    read(source, text, &["roles"], errors)
}

fn read(source: &str, text: &str, other_keys: &[&str], errors: &mut Vec<ConfigError>) -> Vec<Leaf> {
    let (document, problems) = DeTable::parse_recoverable(text);
    errors.extend(problems.iter().map(|problem| {
        let line = problem.span().map(|span| line_of(text, span.start));
        ConfigError::new(Origin { source: source.to_owned(), line }, "", problem.message())
    }));
    let mut walk = Walk { source, text, other_keys, errors, leaves: Vec::new() };
    walk.table(document.get_ref(), &mut Vec::new());
    walk.leaves
}

struct Walk<'a> {
    source: &'a str,
    text: &'a str,
    /// Top-level keys that are no sections.
    other_keys: &'a [&'a str],
    errors: &'a mut Vec<ConfigError>,
    leaves: Vec<Leaf>,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &mut Vec<String>) {
        let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
        let Some(valid) = keys_at::<Config>(&borrowed) else { return };
        for (key, value) in table {
            if path.is_empty() && self.other_keys.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let line = Some(line_of(self.text, key.span().start));
            let origin = Origin { source: self.source.to_owned(), line };
            if !valid.contains(&key.get_ref().as_ref()) {
                self.errors.push(ConfigError::unknown_key(origin, &path.join("."), key.get_ref(), valid));
                continue;
            }
            path.push(key.get_ref().to_string());
            self.value(value, path, origin);
            path.pop();
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, path: &mut Vec<String>, origin: Origin) {
        let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
        if let (DeValue::Table(table), Some(_)) = (value.get_ref(), keys_at::<Config>(&borrowed)) {
            self.table(table, path);
            return;
        }
        match to_value(value.get_ref()) {
            Ok(value) => self.leaves.push(Leaf { path: path.clone(), value: LeafValue::Toml(value), origin }),
            Err(reason) => self.errors.push(ConfigError::new(origin, path.join("."), reason)),
        }
    }
}

fn to_value(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => Value::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| format!("{} is too large", number.as_str()))?,
        ),
        DeValue::Float(number) => {
            Value::Float(number.as_str().parse().map_err(|_| format!("{} is no number", number.as_str()))?)
        }
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(time) => Value::Datetime(*time),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| to_value(item.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| Ok((key.get_ref().to_string(), to_value(value.get_ref())?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}

/// Reads variables named `GATEWRIGHT__SECTION__KEY`; with `_FILE` behind a key, the value is in the file.
pub(crate) fn from_environment(
    variables: impl IntoIterator<Item = (String, String)>,
    errors: &mut Vec<ConfigError>,
) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        let origin = Origin::new(format!("environment variable {name}"));
        let mut path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
        let value = match check_path(&path) {
            Ok(()) => Ok(text),
            Err(unknown) => match as_file_variable(&path) {
                Some(target) => {
                    path = target;
                    read_value(Path::new(&text))
                        .map_err(|reason| ConfigError::new(origin.clone(), path.join("."), reason))
                }
                None => Err(unknown.at(origin.clone())),
            },
        };
        match value {
            Ok(text) => leaves.push(Leaf { path, value: LeafValue::Text(text), origin }),
            Err(error) => errors.push(error),
        }
    }
    leaves
}

/// The first segment of a path that no struct has.
struct UnknownSegment {
    parent: String,
    key: String,
    valid: &'static [&'static str],
}

impl UnknownSegment {
    fn at(self, origin: Origin) -> ConfigError {
        ConfigError::unknown_key(origin, &self.parent, &self.key, self.valid)
    }
}

fn check_path(path: &[String]) -> Result<(), UnknownSegment> {
    let borrowed: Vec<&str> = path.iter().map(String::as_str).collect();
    for (depth, segment) in path.iter().enumerate() {
        let valid = keys_at::<Config>(&borrowed[..depth]).unwrap_or_default();
        if !valid.contains(&segment.as_str()) {
            let parent = path.iter().take(depth).fold(String::new(), |parent, key| join(&parent, key));
            return Err(UnknownSegment { parent, key: segment.clone(), valid });
        }
    }
    Ok(())
}

fn as_file_variable(path: &[String]) -> Option<Vec<String>> {
    let (last, parents) = path.split_last()?;
    let mut target = parents.to_vec();
    target.push(last.strip_suffix(FILE_SUFFIX)?.to_owned());
    check_path(&target).ok().map(|()| target)
}

/// A trailing line break does not belong to the value.
fn read_value(file: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("'{}' cannot be read: {error}", file.display()))?;
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |it| it.strip_suffix('\r').unwrap_or(it)).to_owned())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
