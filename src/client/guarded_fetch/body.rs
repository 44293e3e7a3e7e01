//! Reads an answer's body piece by piece and stops at the limit.

use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;
use url::Url;

use super::{FetchError, display, refuse, unreachable};

/// The body, at most `max` bytes. Compressed bodies were not asked for and are refused: what they unpack to is unknown.
pub(super) async fn read(url: &Url, response: Response, max: u64) -> Result<Vec<u8>, FetchError> {
    let too_large = || FetchError::TooLarge { url: display(url), max };
    let encodings = response.headers().get_all(CONTENT_ENCODING);
    if encodings.iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(refuse(url, "it answered with a compressed body"));
    }
    if response.content_length().is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| unreachable(url, error))?;
        if (body.len() as u64).saturating_add(piece.len() as u64) > max {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
