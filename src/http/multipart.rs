//! Multipart forms, read whole within limits.

use std::collections::HashMap;
use std::pin::Pin;

use actix_multipart::{Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use domain::error_code;
use futures_util::StreamExt;

use crate::body;
use crate::limits::Limits;
use crate::problem::Problem;

/// The parts of a `multipart/form-data` body by name; a name that comes twice is refused.
#[derive(Debug, Clone, Default)]
pub struct Form {
    parts: HashMap<String, Part>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As the client sent it: never a path to use.
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub bytes: Bytes,
}

impl Form {
    /// The part, unless it is absent or an empty text without file name (what browsers send for empty inputs).
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts
            .get(name)
            .filter(|part| !part.bytes.is_empty() || part.filename.as_ref().is_some_and(|f| !f.is_empty()))
    }

    /// The part as text.
    ///
    /// # Errors
    /// 400 when it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let Some(part) = self.part(name) else { return Ok(None) };
        std::str::from_utf8(&part.bytes).map(Some).map_err(|_| Problem::invalid(name, "the text is not UTF-8"))
    }

    /// The part as JSON.
    ///
    /// # Errors
    /// 400 that names the part and the field in it.
    pub fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(part) = self.part(name) else { return Ok(None) };
        crate::json::parse(&part.bytes).map(Some).map_err(|problem| Problem::invalid(name, problem.description()))
    }

    /// Names of all parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = Limits::of(request);
        let multipart = Multipart::new(request.headers(), payload.take());
        Box::pin(async move { body::within(&limits, read(multipart, &limits)).await })
    }
}

async fn read(mut multipart: Multipart, limits: &Limits) -> Result<Form, Problem> {
    let mut form = Form::default();
    let mut bytes_left = limits.upload_bytes_max;
    while let Some(field) = multipart.next().await {
        let mut field = field.map_err(refused)?;
        if form.parts.len() >= limits.upload_parts_max {
            let reason = format!("The form has more than {} parts", limits.upload_parts_max);
            return Err(Problem::new(error_code::PAYLOAD_TOO_LARGE, reason));
        }
        let mut content = BytesMut::new();
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(refused)?;
            bytes_left = bytes_left.checked_sub(chunk.len()).ok_or_else(|| body::too_large(limits.upload_bytes_max))?;
            content.extend_from_slice(&chunk);
        }
        let name = field.name().unwrap_or_default().to_owned();
        let part = Part {
            filename: field.content_disposition().and_then(|it| it.get_filename()).map(str::to_owned),
            content_type: field.content_type().map(ToString::to_string),
            bytes: content.freeze(),
        };
        if form.parts.insert(name.clone(), part).is_some() {
            return Err(Problem::invalid(&name, "the form has this part twice"));
        }
    }
    Ok(form)
}

fn refused(error: MultipartError) -> Problem {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => {
            Problem::new(error_code::UNSUPPORTED_MEDIA_TYPE, "The request body must be multipart/form-data")
        }
        other => Problem::new(error_code::BAD_REQUEST, format!("The form cannot be read: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    async fn form(content_type: &str, body: &'static str, limits: Limits) -> Result<Form, Problem> {
        let request = TestRequest::post()
            .insert_header(("content-type", content_type.to_owned()))
            .app_data(limits)
            .set_payload(body);
        let (request, mut payload) = request.to_http_parts();
        Form::from_request(&request, &mut payload).await
    }

    const TYPE: &str = "multipart/form-data; boundary=x";
    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pizza.yaml\"\r\n\
        Content-Type: text/yaml\r\n\r\nopenapi: 3.0.0\r\n\
        --x\r\nContent-Disposition: form-data; name=\"additionalProperties\"\r\n\r\n{\"name\": \"Pizza\"}\r\n\
        --x\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\n\r\n--x--\r\n";

    #[actix_web::test]
    async fn parts_come_with_name_type_and_bytes() {
        let form = form(TYPE, BODY, Limits::default()).await.unwrap();
        let file = form.part("file").unwrap();
        assert_eq!((file.filename.as_deref(), file.content_type.as_deref()), (Some("pizza.yaml"), Some("text/yaml")));
        assert_eq!(&file.bytes[..], b"openapi: 3.0.0");
        assert_eq!(form.json::<serde_json::Value>("additionalProperties").unwrap().unwrap()["name"], "Pizza");
        assert_eq!(form.text("url").unwrap(), None);
        assert_eq!(form.json::<u32>("additionalProperties").unwrap_err().code(), error_code::BAD_REQUEST);
    }

    #[actix_web::test]
    async fn limits_of_size_and_parts_hold() {
        let small = Limits { upload_bytes_max: 20, ..Limits::default() };
        assert_eq!(form(TYPE, BODY, small).await.unwrap_err().code().status, 413);
        let few = Limits { upload_parts_max: 2, ..Limits::default() };
        assert_eq!(form(TYPE, BODY, few).await.unwrap_err().code().status, 413);
    }

    #[actix_web::test]
    async fn what_is_no_form_is_refused() {
        assert_eq!(form("application/json", "{}", Limits::default()).await.unwrap_err().code().status, 415);
        assert_eq!(form(TYPE, "--x\r\nContent-Dis", Limits::default()).await.unwrap_err().code().status, 400);
        let twice = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
            --x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n--x--\r\n";
        assert_eq!(form(TYPE, twice, Limits::default()).await.unwrap_err().code().status, 400);
    }
}
