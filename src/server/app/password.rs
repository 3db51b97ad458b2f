//! Hashing of passwords with Argon2id, a bounded number at a time.

use std::sync::Arc;

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use super::hashing::{Room, Threads};
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
    threads: Threads,
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
        Self { turns, room, threads: Threads::default(), entropy, nobody }
    }

    /// The hash of a password as a PHC string.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let salt = self.entropy.bytes::<16>();
        let password = Zeroizing::new(password.to_owned());
        self.take_turn(move |room| {
            let salt = SaltString::encode_b64(&salt).map_err(internal)?;
            let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(internal)?;
            let hash = PasswordHash {
                algorithm: ARGON2ID_IDENT,
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&params).map_err(internal)?,
                salt: Some(salt.as_salt()),
                hash: Some(output(&password, salt.as_salt(), params, room)?),
            };
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
            .take_turn(move |room| {
                let kept = PasswordHash::new(&hash).map_err(internal)?;
                let (Some(salt), Some(right)) = (kept.salt, kept.hash) else { return Ok(false) };
                let params = Params::try_from(&kept).map_err(internal)?;
                // Compared in constant time.
                Ok(kept.algorithm == ARGON2ID_IDENT
                    && output(&password, salt, params, room)? == right)
            })
            .await?;
        Ok(known && matches)
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Room) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::Unavailable("too many people are signing in; try again".to_owned());
        let _room = self.room.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        let (tell, told) = oneshot::channel();
        // Also when nobody waits any more: a turn is for the work, not for who asked.
        let job = move |room: &mut Room| drop(tell.send(work(room)));
        self.threads.run(Box::new(job), turn).map_err(|e| Error::Internal(e.into()))?;
        told.await.map_err(|e| Error::Internal(e.into()))?
    }
}

/// What Argon2id makes of a password.
fn output(password: &str, salt: Salt<'_>, params: Params, room: &mut Room) -> Result<Output> {
    let mut bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut bytes).map_err(internal)?;
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    room.resize(params.block_count(), Block::new());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Output::init_with(length, |out| {
        let hashed = argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, room);
        hashed.map_err(Into::into)
    })
    .map_err(internal)
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
