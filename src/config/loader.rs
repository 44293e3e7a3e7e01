//! Puts the sources together: defaults < profile < file < environment < flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::Secret;
use serde::Deserialize;
use toml::{Table, Value};

use crate::error::{ConfigError, ConfigErrors, Origin};
use crate::layer::{self, Leaf, LeafValue};
use crate::profile::Profile;
use crate::{Config, sections};

/// Where configuration is looked for.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Holds `conf/deployment.toml` and `profiles/`; need not exist.
    pub home: PathBuf,
    /// Name of the profile.
    pub profile: String,
    /// `--config`: must exist; instead of `HOME/conf/deployment.toml`.
    pub config_file: Option<PathBuf>,
    /// All environment variables; those of other programs are ignored.
    pub environment: Vec<(String, String)>,
    /// Keys set by flags of the command line.
    pub flags: Vec<Flag>,
}

/// A key that a flag sets.
#[derive(Debug, Clone)]
pub struct Flag {
    /// E.g. `--port-offset`.
    pub name: &'static str,
    /// Dotted key, e.g. `server.port_offset`.
    pub key: &'static str,
    pub text: String,
}

/// A configuration without errors.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    pub profile: Profile,
    /// `GATEWRIGHT_KEK`, when the environment has it: the key-encryption key, which is no key of any file.
    pub key_encryption_key: Option<Secret<String>>,
}

/// Reads and checks everything.
///
/// # Errors
/// All errors of all sources at once.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
    let mut errors = Vec::new();
    let (profile, mut leaves) = match Profile::find(&sources.profile, &sources.home, &mut errors) {
        Some((profile, leaves)) => (Some(profile), leaves),
        None => (None, Vec::new()),
    };
    leaves.extend(file_leaves(sources, &mut errors));
    leaves.extend(layer::from_environment(sources.environment.iter().cloned(), &mut errors));
    leaves.extend(sources.flags.iter().map(|flag| Leaf {
        path: flag.key.split('.').map(str::to_owned).collect(),
        value: LeafValue::Text(flag.text.clone()),
        origin: Origin::new(format!("flag {}", flag.name)),
    }));
    let config = merge(leaves, profile.as_ref(), &mut errors);
    match (config, profile) {
        (Some(config), Some(profile)) if errors.is_empty() => {
            Ok(Loaded { config, profile, key_encryption_key: key_encryption_key(sources) })
        }
        _ => Err(ConfigErrors(errors)),
    }
}

fn key_encryption_key(sources: &Sources) -> Option<Secret<String>> {
    let (_, text) = sources.environment.iter().find(|(name, _)| name == "GATEWRIGHT_KEK")?;
    Some(Secret::new(text.clone()))
}

fn file_leaves(sources: &Sources, errors: &mut Vec<ConfigError>) -> Vec<Leaf> {
    let default_file = sources.home.join("conf").join("deployment.toml");
    let file = sources.config_file.as_deref().unwrap_or(&default_file);
    match read_if_there(file, sources.config_file.is_some(), errors) {
        Some(text) => layer::from_toml(&file.display().to_string(), &text, errors),
        None => Vec::new(),
    }
}

/// The text of a file; a file that is not `required` may be absent.
pub(crate) fn read_if_there(file: &Path, required: bool, errors: &mut Vec<ConfigError>) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => None,
        Err(error) => {
            let origin = Origin::new(file.display().to_string());
            errors.push(ConfigError::new(origin, "", format!("the file cannot be read: {error}")));
            None
        }
    }
}

/// Checks each value on its own, so that one error does not hide the next, then puts all good ones together.
fn merge(leaves: Vec<Leaf>, profile: Option<&Profile>, errors: &mut Vec<ConfigError>) -> Option<Config> {
    let defaults = match Table::try_from(Config::default()) {
        Ok(defaults) => defaults,
        Err(error) => {
            errors.push(ConfigError::new(Origin::new("built-in defaults"), "", error.to_string()));
            return None;
        }
    };
    let mut tree = defaults.clone();
    let mut origins = BTreeMap::new();
    for leaf in leaves {
        match fitting_value(&defaults, &leaf) {
            Ok(value) => {
                set(&mut tree, &leaf.path, value);
                origins.insert(leaf.key(), leaf.origin);
            }
            Err(reason) => errors.push(ConfigError::new(leaf.origin.clone(), leaf.key(), reason)),
        }
    }
    match Config::deserialize(Value::Table(tree)) {
        Ok(config) => {
            let of_roles = profile.map(|profile| sections::role_findings(&config, profile)).unwrap_or_default();
            errors.extend(sections::findings(&config).into_iter().chain(of_roles).map(|finding| {
                let origin = origins.get(finding.key).cloned().unwrap_or_else(|| Origin::new("built-in defaults"));
                ConfigError::new(origin, finding.key, finding.reason)
            }));
            Some(config)
        }
        Err(error) => {
            errors.push(ConfigError::new(Origin::new("all sources together"), "", error.message()));
            None
        }
    }
}

/// The value as the key takes it, else why it takes none.
fn fitting_value(defaults: &Table, leaf: &Leaf) -> Result<Value, String> {
    let fits = |value: Value| {
        let mut tree = defaults.clone();
        set(&mut tree, &leaf.path, value.clone());
        match Config::deserialize(Value::Table(tree)) {
            Ok(_) => Ok(value),
            Err(error) => Err(error.message().to_owned()),
        }
    };
    match &leaf.value {
        LeafValue::Toml(value) => fits(value.clone()),
        LeafValue::Text(text) => {
            let as_string = fits(Value::String(text.clone()));
            if as_string.is_ok() {
                return as_string;
            }
            match toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut table| table.remove("value")) {
                Some(value) => fits(value),
                None => as_string,
            }
        }
    }
}

fn set(tree: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            tree.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let child = tree.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(child) = child {
                set(child, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use crate::human::HumanDuration;

    struct Home(PathBuf);

    impl Home {
        fn new(name: &str, deployment: &str) -> Self {
            let home = std::env::temp_dir().join(format!("gatewright-config-{}-{name}", std::process::id()));
            std::fs::create_dir_all(home.join("conf")).unwrap();
            std::fs::create_dir_all(home.join("profiles")).unwrap();
            std::fs::write(home.join("conf/deployment.toml"), deployment).unwrap();
            Self(home)
        }

        fn sources(&self) -> Sources {
            Sources { home: self.0.clone(), profile: "all-in-one".to_owned(), ..Sources::default() }
        }

        fn errors(&self, sources: &Sources) -> Vec<String> {
            let ConfigErrors(errors) = load(sources).unwrap_err();
            errors.iter().map(|error| error.to_string().replace(&format!("{}/", self.0.display()), "")).collect()
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_a_file_the_defaults_and_the_profile_hold() {
        let sources = Sources { home: "/nowhere".into(), profile: "all-in-one".to_owned(), ..Sources::default() };
        let loaded = load(&sources).unwrap();
        assert_eq!(loaded.config.server.management_port, 9443);
        assert_eq!(loaded.config.server.version_port, Some(9763));
        assert_eq!(loaded.profile.roles.len(), 7);
    }

    #[test]
    fn flags_win_over_environment_over_file_over_profile() {
        let home = Home::new(
            "precedence",
            "[server]\nport_offset = 1\nmanagement_port = 1\nversion_port = 1\nhostname = 'file'\nworkers = 2\n",
        );
        let sources = Sources {
            environment: environment(&[
                ("GATEWRIGHT__SERVER__PORT_OFFSET", "2"),
                ("GATEWRIGHT__SERVER__HOSTNAME", "2"),
                ("GATEWRIGHT__DATABASE__APIM_DB__POOL_SIZE", "3"),
                ("GATEWRIGHT__GATEWAY__ENVIRONMENTS", "[\"A\", \"B\"]"),
                ("PATH", "/bin"),
            ]),
            flags: vec![Flag { name: "--port-offset", key: "server.port_offset", text: "3".to_owned() }],
            ..home.sources()
        };
        let config = load(&sources).unwrap().config;
        assert_eq!((config.server.port_offset, config.server.workers), (3, 2));
        assert_eq!((config.server.hostname.as_str(), config.server.version_port), ("2", Some(1)));
        assert_eq!(config.gateway.environments, ["A", "B"]);
        assert_eq!(config.database.apim_db.pool_size, 3);
        assert_eq!(config.database.apim_db.url.to_string(), "sqlite:apim.db");
        assert_eq!(config.database.apim_db.acquire_timeout, HumanDuration::from_secs(5));
    }

    #[test]
    fn all_errors_come_at_once_with_file_line_key_and_nearest_key() {
        let home = Home::new(
            "errors",
            "[server]\nport_ofset = 1\nbind = 'here'\n\n[databse]\n\n[log]\nformat = 'xml'\n\
             [database.apim_db]\nurl = 'mysql://x'\npool_size = 0\n",
        );
        let sources = Sources {
            environment: environment(&[("GATEWRIGHT__SERVER__WORKER", "2"), ("GATEWRIGHT__SERVER__WORKERS", "many")]),
            flags: vec![Flag { name: "--port-offset", key: "server.port_offset", text: "-1".to_owned() }],
            ..home.sources()
        };
        let errors = home.errors(&sources);
        let expected = [
            "conf/deployment.toml:2: server.port_ofset: unknown key (did you mean 'server.port_offset'?)",
            "conf/deployment.toml:5: databse: unknown key (did you mean 'database'?)",
            "environment variable GATEWRIGHT__SERVER__WORKER: server.worker: unknown key (did you mean 'server.workers'?)",
            "conf/deployment.toml:3: server.bind: invalid IP address syntax",
            "conf/deployment.toml:8: log.format: unknown variant `xml`, expected one of `auto`, `pretty`, `json`",
            "conf/deployment.toml:10: database.apim_db.url: a database is 'sqlite:FILE' or \
             'postgres://user:password@host:port/name'",
            "environment variable GATEWRIGHT__SERVER__WORKERS: server.workers: invalid type: string \"many\", expected u16",
            "flag --port-offset: server.port_offset: invalid value: integer `-1`, expected u16",
            "conf/deployment.toml:11: database.apim_db.pool_size: must be at least 1",
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn a_file_that_is_no_toml_is_reported_with_the_line() {
        let home = Home::new("syntax", "[server]\nbind = \n");
        assert!(
            home.errors(&home.sources())[0].starts_with("conf/deployment.toml:2: "),
            "{:?}",
            home.errors(&home.sources())
        );
    }

    #[test]
    fn a_named_file_must_exist() {
        let home = Home::new("named", "");
        let sources = Sources { config_file: Some(home.0.join("other.toml")), ..home.sources() };
        assert!(home.errors(&sources)[0].starts_with("other.toml: the file cannot be read"));
    }

    #[test]
    fn a_secret_can_come_from_a_file() {
        let home = Home::new("secret", "");
        std::fs::write(home.0.join("url"), "postgres://u:p@h/apim\n").unwrap();
        let file = home.0.join("url").display().to_string();
        let sources = Sources {
            environment: environment(&[("GATEWRIGHT__DATABASE__APIM_DB__URL_FILE", &file)]),
            ..home.sources()
        };
        let url = load(&sources).unwrap().config.database.apim_db.url;
        assert_eq!(url.resolve(Path::new("/")), "postgres://u:p@h/apim");
    }

    #[test]
    fn a_profile_file_in_the_home_folder_goes_before_the_built_in_one() {
        let home = Home::new("profile", "");
        std::fs::write(
            home.0.join("profiles/all-in-one.toml"),
            "roles = ['gateway']\n[log]\nlevel = 'warn'\n\
             [cluster]\ntraffic_managers = ['https://tm:9443']\nkey_managers = ['https://km:9443']\n",
        )
        .unwrap();
        let loaded = load(&home.sources()).unwrap();
        assert_eq!((loaded.profile.roles.len(), loaded.config.log.level.as_str()), (1, "warn"));
    }

    #[test]
    fn every_built_in_profile_loads_and_says_which_peers_it_misses() {
        let home = Home::new("peers", "");
        let errors = |name: &str| home.errors(&Sources { profile: name.to_owned(), ..home.sources() });
        let missing =
            |peers: &str| format!("built-in defaults: cluster.{peers}: is empty, and this profile does not play");
        for (name, peers) in [
            ("gateway", ["traffic_managers", "key_managers"].as_slice()),
            ("publisher", &["traffic_managers", "key_managers"]),
            ("devportal", &["traffic_managers", "key_managers"]),
            ("key-manager", &["traffic_managers"]),
        ] {
            let mut found = errors(name);
            found.retain(|error| !error.starts_with("built-in defaults: oauth.issuer: must be set"));
            assert_eq!(found.len(), peers.len(), "{found:?}");
            assert!(found.iter().zip(peers).all(|(error, peers)| error.starts_with(&missing(peers))), "{found:?}");
        }
        let issuer = environment(&[("GATEWRIGHT__OAUTH__ISSUER", "https://km/oauth2/token")]);
        let manager = Sources { profile: "traffic-manager".to_owned(), environment: issuer, ..home.sources() };
        let manager = load(&manager).unwrap();
        assert_eq!(manager.profile.roles, [Role::TrafficManager, Role::EventHub]);
        assert!(manager.profile.needs_databases());
    }

    #[test]
    fn peers_are_urls_with_tls() {
        let home =
            Home::new("peer-urls", "[cluster]\nkey_managers = ['http://km:9443']\ntraffic_managers = ['tm:9443']\n");
        let errors = home.errors(&home.sources());
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors.iter().all(|error| error.contains("https://HOST:PORT")), "{errors:?}");
    }

    #[test]
    fn a_profile_that_does_not_exist_is_an_error_that_lists_the_others() {
        let home = Home::new("unknown-profile", "");
        let errors = |name: &str| home.errors(&Sources { profile: name.to_owned(), ..home.sources() });
        assert_eq!(errors("all-in-on"), ["profile all-in-on: there is no such profile (did you mean 'all-in-one'?)"]);
        assert_eq!(errors("gatewy"), ["profile gatewy: there is no such profile (did you mean 'gateway'?)"]);
        assert!(errors("../x")[0].contains("letters, digits and hyphens"), "{:?}", errors("../x"));
    }
}
