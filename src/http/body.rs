//! Reads a request body within limits of size and time.

use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use domain::error_code;
use futures_util::StreamExt;

use crate::limits::Limits;
use crate::problem::Problem;

/// The whole body, at most `limits.body_bytes_max` bytes.
///
/// # Errors
/// 413 when it is larger, 408 when it takes too long, 400 when the connection breaks off.
pub(crate) async fn read(payload: &mut Payload, limits: &Limits) -> Result<Bytes, Problem> {
    within(limits, async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Problem::new(error_code::BAD_REQUEST, "The request body breaks off"))?;
            if body.len() + chunk.len() > limits.body_bytes_max {
                return Err(too_large(limits.body_bytes_max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    })
    .await
}

/// Gives up a read that takes longer than the limits allow.
pub(crate) async fn within<T>(limits: &Limits, read: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    match tokio::time::timeout(limits.body_timeout, read).await {
        Ok(result) => result,
        Err(_elapsed) => Err(Problem::new(error_code::REQUEST_TIMEOUT, "The request body takes too long")),
    }
}

pub(crate) fn too_large(bytes_max: usize) -> Problem {
    Problem::new(error_code::PAYLOAD_TOO_LARGE, format!("The request body is larger than {bytes_max} bytes"))
}
