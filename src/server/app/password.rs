//! Hashing of passwords with Argon2id, a bounded number at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use super::{Error, Result};
use crate::clock::Entropy;

/// KiB a hash works in: OWASP's least.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes at a time: a small board has the memory for two.
const AT_ONCE: usize = 2;
/// Callers that may wait for their turn: more could not be served before they gave up.
const WAITING: usize = 64;

/// Makes and checks hashes.
pub struct Hasher {
    turns: Arc<Semaphore>,
    room: Semaphore,
    entropy: Entropy,
    /// Checked for users there are not, so that they take as long as those there are.
    nobody: String,
}

impl Hasher {
    /// A hasher with its own dummy.
    #[must_use]
    pub fn new(entropy: Entropy) -> Self {
        let (salt, hash) = (entropy.bytes::<16>(), entropy.bytes::<32>());
        let nobody = format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash)
        );
        let (turns, room) = (Arc::new(Semaphore::new(AT_ONCE)), Semaphore::new(WAITING));
        Self { turns, room, entropy, nobody }
    }

    /// The hash of a password as a PHC string.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let salt = self.entropy.bytes::<16>();
        let password = Zeroizing::new(password.to_owned());
        self.take_turn(move || {
            let salt = SaltString::encode_b64(&salt).map_err(internal)?;
            let hash = argon2()?.hash_password(password.as_bytes(), &salt).map_err(internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password has this hash. Takes as long when there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn matches(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let password = Zeroizing::new(password.to_owned());
        let matches = self
            .take_turn(move || {
                let hash = PasswordHash::new(&hash).map_err(internal)?;
                Ok(argon2()?.verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(known && matches)
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::Unavailable("too many people are signing in; try again".to_owned());
        let _room = self.room.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        let (tell, told) = oneshot::channel();
        let hashing = move || {
            give_way();
            let _ = tell.send(work());
            // Also when nobody waits any more: a turn is for the work, not for who asked.
            drop(turn);
        };
        std::thread::Builder::new()
            .name("password".to_owned())
            .spawn(hashing)
            .map_err(|e| Error::Internal(e.into()))?;
        told.await.map_err(|e| Error::Internal(e.into()))?
    }
}

/// Lets everything else go first: all cores may be hashing, and nobody else shall notice. Only Linux
/// has priorities of threads here.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(anyhow::anyhow!("hashing a password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_nobody_matches_any() {
        let hasher = Hasher::new(Entropy::seeded(1));
        let hash = hasher.hash("kiln-and-clay").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.matches("kiln-and-clay", Some(hash.clone())).await.unwrap());
        assert!(!hasher.matches("kiln-and-glaze", Some(hash)).await.unwrap());
        assert!(!hasher.matches("kiln-and-clay", None).await.unwrap());
    }
}
