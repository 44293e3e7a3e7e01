//! `Tag`.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct TagDto {
    value: String,
    /// APIs that carry it.
    count: u64,
}

impl From<(String, u64)> for TagDto {
    fn from((value, count): (String, u64)) -> Self {
        Self { value, count }
    }
}
