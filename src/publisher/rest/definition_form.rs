//! The `file` | `url` | `inlineAPIDefinition` part of multipart forms.

use control_plane::apis::DefinitionSource;
use http::multipart::Form;
use http::problem::Problem;

/// Exactly one of the three must be there.
///
/// # Errors
/// 400 that names the parts.
pub fn source(form: &Form) -> Result<DefinitionSource, Problem> {
    let file = form.part("file");
    let url = form.text("url")?;
    let inline = form.text("inlineAPIDefinition")?;
    match (file, url, inline) {
        (Some(file), None, None) => Ok(DefinitionSource::Bytes(file.bytes.to_vec())),
        (None, Some(url), None) => Ok(DefinitionSource::Url(url.to_owned())),
        (None, None, Some(text)) => Ok(DefinitionSource::Bytes(text.as_bytes().to_vec())),
        (None, None, None) => Err(Problem::invalid("file", "send one of file, url, inlineAPIDefinition")),
        _ => Err(Problem::invalid("file", "send only one of file, url, inlineAPIDefinition")),
    }
}
