//! Definitions: where an uploaded one comes from, what is wrong with it, and the views that are shown of it.

use domain::api::Api;
use domain::definition::openapi::{self, DefinitionError, OpenApi};
use domain::{Failure, error_code};
use store::shared::registry;

use crate::ControlPlane;

/// Where the document is.
#[derive(Debug, Clone)]
pub enum DefinitionSource {
    /// The bytes themselves, from a file or a form field.
    Bytes(Vec<u8>),
    /// A URL, fetched by the guarded helper.
    Url(String),
}

/// A document that was read and understood.
#[derive(Debug, Clone)]
pub struct Uploaded {
    pub bytes: Vec<u8>,
    pub parsed: OpenApi,
}

impl Uploaded {
    /// JSON or YAML, by its first character: OpenAPI documents are objects.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        let first = self.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'{') { "application/json" } else { "application/yaml" }
    }
}

/// Outcome of looking at a document.
#[derive(Debug, Clone)]
pub enum DefinitionReport {
    Valid(Box<Uploaded>),
    /// At least one error; never empty.
    Invalid(Vec<DefinitionError>),
}

impl ControlPlane {
    /// Reads a document and says what it holds or what is wrong with it.
    ///
    /// # Errors
    /// 400 when a URL cannot be fetched; a document with errors is no failure.
    pub async fn validate_definition(&self, source: DefinitionSource) -> Result<DefinitionReport, Failure> {
        let bytes = match source {
            DefinitionSource::Bytes(bytes) => bytes,
            DefinitionSource::Url(url) => {
                self.fetch().get(&url).await.map_err(|error| Failure::invalid("url", error))?.body
            }
        };
        let (bytes, outcome) = parse(bytes).await?;
        Ok(match outcome {
            Ok(parsed) => DefinitionReport::Valid(Box::new(Uploaded { bytes, parsed })),
            Err(errors) => DefinitionReport::Invalid(errors),
        })
    }

    /// As [`Self::validate_definition`], for import.
    ///
    /// # Errors
    /// 400/900754 that lists what is wrong and where.
    pub async fn read_definition(&self, source: DefinitionSource) -> Result<Uploaded, Failure> {
        match self.validate_definition(source).await? {
            DefinitionReport::Valid(uploaded) => Ok(*uploaded),
            DefinitionReport::Invalid(errors) => {
                const SHOWN_MAX: usize = 10;
                let mut text: Vec<String> = errors.iter().take(SHOWN_MAX).map(ToString::to_string).collect();
                if errors.len() > SHOWN_MAX {
                    text.push(format!("and {} more", errors.len() - SHOWN_MAX));
                }
                Err(Failure::refused(error_code::INVALID_DEFINITION, text.join("; ")))
            }
        }
    }

    /// The definition that the publisher works on: the uploaded document brought in line with the working copy.
    pub async fn publisher_definition(&self, api: &Api) -> Result<serde_json::Value, Failure> {
        let original = self.original_definition(api).await?;
        Ok(openapi::publisher_view(api, original.as_ref()))
    }

    /// The definition that the developer portal shows, with `servers` as the addresses.
    pub async fn devportal_definition(&self, api: &Api, servers: &[String]) -> Result<serde_json::Value, Failure> {
        let original = self.original_definition(api).await?;
        Ok(openapi::devportal_view(api, original.as_ref(), servers))
    }

    /// The uploaded document as it came; `None` when the API was made without one.
    pub(crate) async fn uploaded_definition(&self, api: &Api) -> Result<Option<registry::Content>, Failure> {
        let Some(hash) = api.definition_hash.clone() else { return Ok(None) };
        let organization = api.organization.clone();
        let content: Option<registry::Content> =
            self.shared().read(move |conn| registry::find(conn, &organization, &hash).map_err(Failure::from)).await?;
        let Some(content) = content else {
            return Err(Failure::internal(format!("the registry has lost the definition of API {}", api.id)));
        };
        Ok(Some(content))
    }

    async fn original_definition(&self, api: &Api) -> Result<Option<OpenApi>, Failure> {
        let Some(content) = self.uploaded_definition(api).await? else { return Ok(None) };
        match parse(content.body).await?.1 {
            Ok(parsed) => Ok(Some(parsed)),
            Err(errors) => Err(Failure::internal(format!(
                "the stored definition of API {} no longer parses: {}",
                api.id,
                errors.first().map(ToString::to_string).unwrap_or_default()
            ))),
        }
    }
}

/// Parsing a large document takes a while: not on a thread that serves other calls.
async fn parse(bytes: Vec<u8>) -> Result<(Vec<u8>, Result<OpenApi, Vec<DefinitionError>>), Failure> {
    tokio::task::spawn_blocking(move || {
        let outcome = openapi::parse(&bytes);
        (bytes, outcome)
    })
    .await
    .map_err(Failure::internal)
}
