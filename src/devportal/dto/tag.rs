//! `Tag`.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct TagDto {
    value: String,
    /// APIs that carry it.
    count: i64,
}

impl From<(String, i64)> for TagDto {
    fn from((value, count): (String, i64)) -> Self {
        Self { value, count }
    }
}
