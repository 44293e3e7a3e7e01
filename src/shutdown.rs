//! When to stop: SIGTERM from supervisors, SIGINT from terminals.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for the first of the signals and returns its name.
///
/// # Errors
/// When the process cannot listen to signals.
pub async fn requested() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
