//! People's passwords: Argon2id, at most one hash per core at a time, behind a queue with a limit.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::Secret;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::random;

/// Longest password in bytes; longer ones are refused before any work is done.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// A password was not hashed or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The queue is full: the caller shall come again later.
    #[error("too many password checks at a time")]
    Busy,
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// The stored hash is not a PHC string of Argon2.
    #[error("the stored password hash cannot be read: {0}")]
    InvalidHash(String),
    #[error("the password cannot be hashed: {0}")]
    Failed(String),
}

/// Argon2id hash of the password as PHC string, with the parameters that OWASP recommends (19 MiB, 2 passes).
///
/// Takes tens of milliseconds of one core: async code goes through [`PasswordGate`].
pub fn hash(password: &Secret<String>) -> Result<String, PasswordError> {
    check_length(password)?;
    Argon2::default()
        .hash_password(password.expose().as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::Failed(error.to_string()))
}

/// Whether the password fits the PHC string. Takes as long as [`hash`].
pub fn verify(password: &Secret<String>, phc: &str) -> Result<bool, PasswordError> {
    check_length(password)?;
    let hash = PasswordHash::new(phc).map_err(|error| PasswordError::InvalidHash(error.to_string()))?;
    match Argon2::default().verify_password(password.expose().as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::InvalidHash(error.to_string())),
    }
}

fn check_length(password: &Secret<String>) -> Result<(), PasswordError> {
    if password.expose().len() > PASSWORD_BYTES_MAX { Err(PasswordError::TooLong) } else { Ok(()) }
}

/// A hash that no password fits, with the same cost as a real one.
fn dummy_hash() -> Result<String, PasswordError> {
    let random = |_| PasswordError::Failed("no random bytes".to_owned());
    let salt = STANDARD_NO_PAD.encode(random::bytes::<16>().map_err(random)?);
    let output = STANDARD_NO_PAD.encode(random::bytes::<{ Params::DEFAULT_OUTPUT_LEN }>().map_err(random)?);
    let (memory, time, lanes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
    Ok(format!("$argon2id$v=19$m={memory},t={time},p={lanes}${salt}${output}"))
}

/// Hashes and checks passwords on blocking threads of one multi-thread runtime; clones share the limits.
#[derive(Debug, Clone)]
pub struct PasswordGate {
    runtime: Handle,
    /// One permit for each core.
    running: Arc<Semaphore>,
    /// One permit for each caller that runs or waits.
    admitted: Arc<Semaphore>,
    admitted_max: usize,
    dummy: Arc<str>,
}

impl PasswordGate {
    /// `concurrent` hashes at a time (one per core), `queue_max` callers that wait.
    pub fn new(runtime: Handle, concurrent: usize, queue_max: usize) -> Result<Self, PasswordError> {
        let concurrent = concurrent.max(1);
        let admitted_max = concurrent.saturating_add(queue_max).min(Semaphore::MAX_PERMITS);
        Ok(Self {
            runtime,
            running: Arc::new(Semaphore::new(concurrent)),
            admitted: Arc::new(Semaphore::new(admitted_max)),
            admitted_max,
            dummy: dummy_hash()?.into(),
        })
    }

    /// See [`hash`].
    pub async fn hash(&self, password: Secret<String>) -> Result<String, PasswordError> {
        self.run(move || hash(&password)).await
    }

    /// Whether the password fits `phc`. Without a hash (the user is unknown) the answer is `false` after the same work.
    pub async fn verify(&self, password: Secret<String>, phc: Option<String>) -> Result<bool, PasswordError> {
        let dummy = Arc::clone(&self.dummy);
        self.run(move || match phc {
            Some(phc) => verify(&password, &phc),
            None => verify(&password, &dummy).map(|_| false),
        })
        .await
    }

    /// Callers that run or wait at the moment.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.admitted_max.saturating_sub(self.admitted.available_permits())
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _admitted = self.admit()?;
        let Ok(running) = Arc::clone(&self.running).acquire_owned().await else { return Err(PasswordError::Busy) };
        let task = self.runtime.spawn_blocking(move || {
            // Moved in, so that a caller that goes away does not let more hashes run than there are cores.
            let _running = running;
            work()
        });
        task.await.map_err(|error| PasswordError::Failed(error.to_string()))?
    }

    fn admit(&self) -> Result<OwnedSemaphorePermit, PasswordError> {
        match Arc::clone(&self.admitted).try_acquire_owned() {
            Ok(permit) => Ok(permit),
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => Err(PasswordError::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let phc = hash(&secret("correct horse")).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify(&secret("correct horse"), &phc).unwrap());
        assert!(!verify(&secret("battery staple"), &phc).unwrap());
    }

    #[test]
    fn a_stored_text_that_is_no_hash_is_an_error_and_never_a_match() {
        assert!(matches!(verify(&secret("x"), "plain"), Err(PasswordError::InvalidHash(_))));
    }

    #[test]
    fn an_endless_password_is_refused_without_work() {
        assert_eq!(hash(&secret(&"x".repeat(PASSWORD_BYTES_MAX + 1))), Err(PasswordError::TooLong));
    }

    #[tokio::test]
    async fn an_unknown_user_is_checked_against_a_hash_that_nothing_fits() {
        let gate = PasswordGate::new(Handle::current(), 1, 1).unwrap();
        assert!(PasswordHash::new(&gate.dummy).is_ok(), "{}", gate.dummy);
        assert!(!gate.verify(secret("admin"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_answers_busy_and_frees_itself() {
        let gate = PasswordGate::new(Handle::current(), 1, 1).unwrap();
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let first = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run(move || blocked.recv().map_err(|e| PasswordError::Failed(e.to_string()))).await }
        });
        while gate.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run(|| Ok(())).await }
        });
        while gate.in_flight() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.run(|| Ok(())).await, Err(PasswordError::Busy));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!(second.await.unwrap(), Ok(()));
        assert_eq!(gate.in_flight(), 0);
    }
}
