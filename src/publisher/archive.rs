//! The archive format of exported APIs: one folder with `api.yaml`, `Definitions/` and `deployment_environments.yaml`
//! (or the same in JSON).

pub mod read;
pub mod write;

/// Version of the format, as `api.yaml` names it.
const FORMAT_VERSION: &str = "v4.7.0";

/// How the members are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Yaml,
    Json,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}
