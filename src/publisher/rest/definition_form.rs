//! The `file` | `url` | `inlineAPIDefinition` (or `apiDefinition`) part of multipart forms.

use control_plane::apis::DefinitionSource;
use http::multipart::Form;
use http::problem::Problem;

/// Exactly one of the three must be there.
///
/// # Errors
/// 400 that names the parts.
pub fn source(form: &Form) -> Result<DefinitionSource, Problem> {
    one_of(form, "inlineAPIDefinition")
}

/// As [`source`], for a definition that replaces another: the text's part has another name there.
///
/// # Errors
/// 400 that names the parts.
pub fn replacement(form: &Form) -> Result<DefinitionSource, Problem> {
    one_of(form, "apiDefinition")
}

fn one_of(form: &Form, inline_name: &str) -> Result<DefinitionSource, Problem> {
    let file = form.part("file");
    let url = form.text("url")?;
    let inline = form.text(inline_name)?;
    match (file, url, inline) {
        (Some(file), None, None) => Ok(DefinitionSource::Bytes(file.bytes.to_vec())),
        (None, Some(url), None) => Ok(DefinitionSource::Url(url.to_owned())),
        (None, None, Some(text)) => Ok(DefinitionSource::Bytes(text.as_bytes().to_vec())),
        (None, None, None) => Err(Problem::invalid("file", format!("send one of file, url, {inline_name}"))),
        _ => Err(Problem::invalid("file", format!("send only one of file, url, {inline_name}"))),
    }
}
