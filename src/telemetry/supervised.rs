//! Background tasks that must never be missing.

use std::time::Duration;

/// Pause before a task that panicked is made anew.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the task that `make` makes of `parts` until it ends by itself. One that panics is told of and made anew: a gateway
/// whose task is gone would go on serving what is revoked, and nobody would know.
pub async fn run<P, T>(name: &'static str, parts: &P, make: impl Fn(P) -> T)
where
    P: Clone,
    T: Future<Output = ()> + Send + 'static,
{
    while let Err(error) = tokio::spawn(make(parts.clone())).await {
        if error.is_cancelled() {
            return;
        }
        tracing::error!(task = name, %error, "a background task failed and is started anew");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_runs_again_and_one_that_ends_does_not() {
        let runs = Arc::new(AtomicU32::new(0));
        let task = async |runs: Arc<AtomicU32>| assert!(runs.fetch_add(1, Ordering::Relaxed) > 1, "fails twice");
        super::run("test", &runs, task).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }
}
