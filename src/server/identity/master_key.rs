//! The master key that an operator keeps outside the database.

use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Reads the key from a file: 32 bytes in hex or base64, or as they are.
///
/// With this key the secrets in the database (Terraform states, session keys) can be read; without
/// it they are lost. Keep it apart from the copies of the database.
///
/// # Errors
/// When the file cannot be read or does not hold 32 bytes.
pub fn read(path: &Path) -> anyhow::Result<[u8; 32]> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("Reading the master key from {}", path.display()))?;
    let bytes = Zeroizing::new(bytes);
    parse(&bytes).with_context(|| {
        let path = path.display();
        format!("{path} holds no master key: 32 bytes in hex or base64 are expected")
    })
}

fn parse(bytes: &[u8]) -> Option<[u8; 32]> {
    if let Ok(raw) = bytes.try_into() {
        return Some(raw);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let decoded = hex::decode(text).or_else(|_| STANDARD.decode(text)).ok()?;
    Zeroizing::new(decoded).as_slice().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_hex_base64_or_raw() {
        let key = [0xa5; 32];
        assert_eq!(parse(&key), Some(key));
        assert_eq!(parse(format!("{}\n", hex::encode(key)).as_bytes()), Some(key));
        assert_eq!(parse(STANDARD.encode(key).as_bytes()), Some(key));
        assert_eq!(parse(b"short"), None);
    }
}
