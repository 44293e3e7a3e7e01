//! The few forms that good answers have.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, LOCATION};
use serde::Serialize;

use crate::etag::EntityTag;

/// 200 with JSON.
pub fn ok<T: Serialize>(body: T) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

/// 200 with JSON and the row's version as entity tag.
pub fn ok_tagged<T: Serialize>(row_version: i64, body: T) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, EntityTag(row_version).to_string())).json(body)
}

/// 201 with JSON, and the path of the new resource.
pub fn created<T: Serialize>(location: &str, body: T) -> HttpResponse {
    HttpResponse::Created().insert_header((LOCATION, location)).json(body)
}

/// As [`created`], with the row's version as entity tag.
pub fn created_tagged<T: Serialize>(location: &str, row_version: i64, body: T) -> HttpResponse {
    let tag = EntityTag(row_version).to_string();
    HttpResponse::Created().insert_header((LOCATION, location)).insert_header((ETAG, tag)).json(body)
}

/// 201 with JSON where nothing has a path of its own.
pub fn created_without_location<T: Serialize>(body: T) -> HttpResponse {
    HttpResponse::Created().json(body)
}

/// 200 without a body.
#[must_use]
pub fn done() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// 204: done, and there is nothing to say.
#[must_use]
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// 304: the caller has this version already.
#[must_use]
pub fn not_modified(row_version: i64) -> HttpResponse {
    HttpResponse::NotModified().insert_header((ETAG, EntityTag(row_version).to_string())).finish()
}

/// 200 with text of some type, e.g. an API definition.
#[must_use]
pub fn text(content_type: &str, body: impl Into<bytes::Bytes>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, content_type)).body(body.into())
}

/// 200 with a file to save. The name must be made here, not by a user.
#[must_use]
pub fn attachment(content_type: &str, filename: &str, body: impl Into<bytes::Bytes>) -> HttpResponse {
    let filename: String = filename.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{filename}\"")))
        .body(body.into())
}
